//! A session's private data: two JSON objects, the origin's and the client's. They are told to the session's
//! own client and to who has `ADMIN_API_KEY`, and to nobody else.

use serde_json::{Map, Value};

/// The most private data of each kind that a session may have, in bytes of JSON.
pub const MAX_DATA: usize = 16 * 1024;

/// A change to private data: a JSON Merge Patch (RFC 7396) of an object.
#[derive(Clone)]
pub struct Patch(Value);

impl Patch {
    /// Reads a patch.
    ///
    /// # Errors
    /// What is wrong with it, for the client.
    pub fn parse(json: &str) -> Result<Self, &'static str> {
        let patch: Map<String, Value> = serde_json::from_str(json)
            .map_err(|_| "The body must be a JSON object: a merge patch of the private data.")?;
        Ok(Self(patch.into()))
    }

    /// Does it name this member?
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some()
    }

    /// The data after the change; data that is absent counts as an empty object.
    ///
    /// # Errors
    /// That it would be too large, for the client.
    pub fn apply(&self, data: Option<&str>) -> Result<String, &'static str> {
        let mut data = data.and_then(|data| serde_json::from_str(data).ok()).unwrap_or_default();
        json_patch::merge(&mut data, &self.0);
        let text = data.to_string();
        match text.len() <= MAX_DATA {
            true => Ok(text),
            false => Err("The private data would be larger than 16 KB."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(None, r#"{"a":1}"#, r#"{"a":1}"#)]
    #[case(None, "{}", "{}")]
    #[case(
        Some(r#"{"a":1,"b":{"c":2,"d":3}}"#),
        r#"{"a":null,"b":{"c":[4]}}"#,
        r#"{"b":{"c":[4],"d":3}}"#
    )]
    #[case(Some(r#"{"a":[1,{"b":null}]}"#), r#"{"a":[{"b":null}]}"#, r#"{"a":[{"b":null}]}"#)]
    #[case(None, r#"{"a":{"b":null}}"#, r#"{"a":{}}"#)]
    fn a_patch_is_merged(#[case] data: Option<&str>, #[case] patch: &str, #[case] result: &str) {
        assert_eq!(Patch::parse(patch).unwrap().apply(data).unwrap(), result);
    }

    #[rstest]
    #[case("")]
    #[case("null")]
    #[case("[]")]
    #[case(r#""text""#)]
    #[case(r#"{"a":1"#)]
    fn only_objects_are_patches(#[case] patch: &str) {
        assert!(Patch::parse(patch).is_err());
    }

    #[test]
    fn data_has_a_limit() {
        let patch = |len| Patch::parse(&format!(r#"{{"a":"{}"}}"#, "x".repeat(len))).unwrap();
        let frame = r#"{"a":""}"#.len();
        assert!(patch(MAX_DATA - frame).apply(None).is_ok());
        assert!(patch(MAX_DATA - frame + 1).apply(None).is_err());
    }
}
