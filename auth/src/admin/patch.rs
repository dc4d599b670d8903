//! The bodies of `PATCH admin/users/{sub}` and `PATCH admin/users/{sub}/sessions/{sid}`.

use serde_json::Value;

use crate::rights;
use crate::session::RightsChange;
use crate::session_data::Patch;
use crate::setting_value::InvalidValue;
use crate::strict_json;

/// The member of a body that changes rights.
const RIGHTS: &str = "rights";

/// A change to a session.
pub enum SessionPatch {
    /// To its private data.
    Data(Patch),
    /// To its rights.
    Rights(RightsChange),
}

impl SessionPatch {
    /// Reads a body. With the member `rights`, and it alone, it changes the rights. Any other object is a merge patch
    /// of the private data.
    ///
    /// # Errors
    /// What to change.
    pub fn parse(body: &str) -> Result<Self, InvalidValue> {
        let patch = Patch::parse(body).map_err(|_| InvalidValue::new("expected a JSON object"))?;
        match patch.has(RIGHTS) {
            true => user_patch(body).map(Self::Rights),
            false => Ok(Self::Data(patch)),
        }
    }
}

/// Reads a change to all sessions of a user: `{"rights": …}`.
///
/// # Errors
/// What to change.
pub fn user_patch(body: &str) -> Result<RightsChange, InvalidValue> {
    let Ok(Value::Object(mut members)) = strict_json::value(body) else {
        return Err(InvalidValue::new("expected a JSON object, with no member twice"));
    };
    let rights = members.remove(RIGHTS);
    if let Some(name) = members.keys().next() {
        return Err(InvalidValue::new("unknown member; expected `rights` alone").in_member(name));
    }
    let rights = rights.ok_or_else(|| InvalidValue::new("is required"));
    rights.and_then(rights::change).map_err(|error| error.in_member(RIGHTS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("{}", false)]
    #[case(r#"{"roles":[],"scopes":null,"claims":{}}"#, false)]
    #[case(r#"{"a":{"rights":{}}}"#, false)]
    #[case(r#"{"rights":null}"#, true)]
    #[case(r#"{"rights":{"roles":[]}}"#, true)]
    fn the_member_rights_tells_rights_from_data(#[case] body: &str, #[case] is_rights: bool) {
        let patch = SessionPatch::parse(body).unwrap();
        assert_eq!(matches!(patch, SessionPatch::Rights(_)), is_rights);
    }

    #[rstest]
    #[case("", "JSON object")]
    #[case("[]", "JSON object")]
    #[case(
        r#"{"rights":{"roles":[]},"plan":"paid"}"#,
        "plan: unknown member; expected `rights` alone"
    )]
    #[case(r#"{"rights":["admin"]}"#, "rights: expected an object")]
    #[case(r#"{"rights":{"roles":[]},"rights":{}}"#, "twice")]
    fn a_body_says_one_thing(#[case] body: &str, #[case] why: &str) {
        let Err(error) = SessionPatch::parse(body) else { panic!("{body} is read") };
        assert!(error.to_string().contains(why), "{error}");
    }

    #[rstest]
    #[case("{}", "rights: is required")]
    #[case(r#"{"roles":[]}"#, "roles: unknown member; expected `rights` alone")]
    #[case(r#"{"rights":{}}"#, "rights: expected at least one of")]
    fn a_change_of_a_user_must_change_rights(#[case] body: &str, #[case] why: &str) {
        let error = user_patch(body).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}
