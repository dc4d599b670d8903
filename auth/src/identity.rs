//! Who the user is, told to the origin in headers that no client can set.

mod encoding;
mod preset;
mod size;

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::session::{Sid, Subject};
pub use encoding::Encoding;
pub use preset::Preset;
pub use size::{HeadersTooLarge, MAX_BYTES, check};

/// The `sid`.
pub const SESSION: &str = "X-Auth-Request-Session";

/// The proof that it was the guard who said so: [`assertion`](crate::assertion).
pub const ASSERTION: &str = "X-Auth-Request-Assertion";

/// The session's private data, where the settings hand it on.
pub const DATA: &str = "X-Auth-Request-Data";
/// What stands before a claim's name.
pub const CLAIM: &str = "X-Auth-Request-Claim-";

/// A header: its name and its value.
pub type Header = (Cow<'static, str>, String);

/// The headers that tell the origin who is asking: the `sub`, the `sid`, the `email` claim, the
/// `groups` claim or else the `roles` claim, separated by commas, and each claim by its name. The user
/// comes first. Values are [encoded](Encoding), so any `sub` fits into a header and none is ambiguous.
pub fn headers(
    preset: Preset,
    encoding: Encoding,
    sub: &Subject,
    sid: &Sid,
    public: &Map<String, Value>,
) -> Vec<Header> {
    let names = preset.names();
    let mut headers =
        vec![(names.user.into(), encoding.value(sub.as_str())), (SESSION.into(), sid.to_string())];
    for (header, claim) in [(names.email, "email")].into_iter().chain(names.more) {
        if let Some(Value::String(text)) = public.get(claim) {
            headers.push((header.into(), encoding.value(text)));
        }
    }
    if let Some(groups) = ["groups", "roles"].iter().find_map(|it| list(public.get(*it)?)) {
        let groups = groups.iter().filter_map(Value::as_str);
        let groups: Vec<String> = groups.map(|group| encoding.item(group)).collect();
        headers.push((names.groups.into(), groups.join(",")));
    }
    // Of two claims under one header an origin would see either; it gets neither.
    let names: Vec<String> = public.keys().map(|name| claim_header(name)).collect();
    for (header, value) in names.iter().zip(public.values()) {
        let text = match value {
            Value::Null => continue,
            Value::String(text) => encoding.value(text),
            value => encoding.value(&value.to_string()),
        };
        if names.iter().filter(|other| *other == header).count() == 1 {
            headers.push((header.clone().into(), text));
        }
    }
    headers
}

/// The names of all headers that an origin may be told in, but for those of claims by their names.
pub fn names(preset: Preset, with_data: bool) -> Vec<&'static str> {
    let names = preset.names();
    let more = names.more.into_iter().map(|(name, _)| name);
    let data = with_data.then_some(DATA);
    [names.user, names.email, names.groups, SESSION, ASSERTION]
        .into_iter()
        .chain(more)
        .chain(data)
        .collect()
}

/// Groups or roles; one of them may be said without a list.
fn list(claim: &Value) -> Option<&[Value]> {
    match claim {
        Value::Array(all) => Some(all),
        one @ Value::String(_) => Some(std::slice::from_ref(one)),
        _ => None,
    }
}

/// Two claims that would share a header, if there are.
pub fn alike(public: &Map<String, Value>) -> Option<(&str, &str)> {
    let names: Vec<(String, &str)> =
        public.keys().map(|name| (claim_header(name), name.as_str())).collect();
    names.iter().enumerate().find_map(|(at, (header, name))| {
        let before = names[..at].iter().find(|(other, _)| other == header)?;
        Some((before.1, *name))
    })
}

/// The header of a claim: its name in lower case, with a `-` for whatever is no letter and no digit.
fn claim_header(name: &str) -> String {
    let legal = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    CLAIM.chars().chain(name.chars().map(legal)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reserved_headers::is_reserved;
    use rstest::rstest;
    use serde_json::json;

    fn headers_of(public: Value) -> Vec<(String, String)> {
        headers_by(Preset::default(), public)
    }

    fn headers_by(preset: Preset, public: Value) -> Vec<(String, String)> {
        let sub = Subject::try_from("ada".to_owned()).unwrap();
        let (sid, public) = (Sid::from_random([7; 16]), public.as_object().unwrap());
        let all = headers(preset, Encoding::default(), &sub, &sid, public);
        all.into_iter().map(|(name, value)| (name.into_owned(), value)).collect()
    }

    #[test]
    fn the_user_and_the_session_become_headers() {
        let expected = [
            ("X-Auth-Request-User".to_owned(), "ada".to_owned()),
            (SESSION.to_owned(), "BwcHBwcHBwcHBwcHBwcHBw".to_owned()),
        ];
        assert_eq!(headers_of(json!({})), expected);
    }

    /// Or a client could send them where the guard sets none.
    #[test]
    fn the_headers_of_every_preset_are_taken_from_clients() {
        for preset in Preset::ALL {
            let preset::Names { user, email, groups, more } = preset.names();
            let more = more.map(|(header, _)| header);
            for name in [user, email, groups].into_iter().chain(more) {
                assert!(crate::reserved_headers::is_reserved(name), "{name}");
            }
        }
    }

    #[rstest]
    #[case(Preset::XAuthRequest, &["X-Auth-Request-User", "X-Auth-Request-Email", "X-Auth-Request-Groups"])]
    #[case(Preset::XForwarded, &["X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Preferred-Username", "X-Forwarded-Groups"])]
    #[case(Preset::Remote, &["Remote-User", "Remote-Email", "Remote-Name", "Remote-Groups"])]
    fn a_preset_names_what_its_convention_knows(#[case] preset: Preset, #[case] own: &[&str]) {
        let public = json!({
            "email": "a@b.example", "name": "Ada W", "preferred_username": "ada", "groups": ["x"],
        });
        let common = ["email", "groups", "name", "preferred-username"];
        let common = common.map(|claim| format!("{CLAIM}{claim}"));
        let mut expected: Vec<String> = own.iter().map(|name| (*name).to_owned()).collect();
        expected.insert(1, SESSION.to_owned());
        expected.extend(common);
        let headers = headers_by(preset, public);
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, expected);
        assert!(names.iter().all(|name| is_reserved(name)), "a client could send one of {names:?}");
    }

    #[rstest]
    #[case(Preset::XForwarded, json!({ "preferred_username": "Ada ⚓" }), "X-Forwarded-Preferred-Username", "Ada %E2%9A%93")]
    #[case(Preset::Remote, json!({ "name": "Ada W" }), "Remote-Name", "Ada W")]
    #[case(Preset::Remote, json!({ "roles": ["a", "b,c"] }), "Remote-Groups", "a,b%2Cc")]
    fn a_preset_has_values_like_the_default(
        #[case] preset: Preset,
        #[case] public: Value,
        #[case] name: &str,
        #[case] value: &str,
    ) {
        let headers = headers_by(preset, public);
        assert!(headers.contains(&(name.to_owned(), value.to_owned())), "{headers:?}");
    }

    #[rstest]
    #[case(json!({ "email": "ada@example.com" }), "X-Auth-Request-Email", "ada@example.com")]
    #[case(json!({ "email": "ada@example.com" }), "X-Auth-Request-Claim-email", "ada@example.com")]
    #[case(json!({ "roles": ["a", "b,c"] }), "X-Auth-Request-Groups", "a,b%2Cc")]
    #[case(json!({ "roles": ["a"], "groups": ["b"] }), "X-Auth-Request-Groups", "b")]
    #[case(json!({ "groups": "the crew, all" }), "X-Auth-Request-Groups", "the crew%2C all")]
    #[case(json!({ "roles": "a" }), "X-Auth-Request-Groups", "a")]
    #[case(json!({ "roles": "a", "groups": null }), "X-Auth-Request-Groups", "a")]
    #[case(json!({ "roles": ["a", "b"] }), "X-Auth-Request-Claim-roles", r#"["a","b"]"#)]
    #[case(json!({ "preferred_username": "Ada" }), "X-Auth-Request-Claim-preferred-username", "Ada")]
    #[case(json!({ "https://x.example/Plan": "é\n" }), "X-Auth-Request-Claim-https---x-example-plan", "%C3%A9%0A")]
    #[case(json!({ "level": 7 }), "X-Auth-Request-Claim-level", "7")]
    #[case(json!({ "beta": true }), "X-Auth-Request-Claim-beta", "true")]
    #[case(json!({ "o": { "a": "%" } }), "X-Auth-Request-Claim-o", r#"{"a":"%25"}"#)]
    fn a_claim_becomes_a_header(#[case] public: Value, #[case] name: &str, #[case] value: &str) {
        let headers = headers_of(public);
        assert!(headers.contains(&(name.to_owned(), value.to_owned())), "{headers:?}");
    }

    #[rstest]
    #[case(json!({ "nothing": null }))]
    #[case(json!({ "a_b": 1, "A-b": 2 }))]
    #[case(json!({ "é": 1, "-": 2 }))]
    fn a_claim_without_a_value_or_a_name_of_its_own_does_not(#[case] public: Value) {
        assert_eq!(headers_of(public).len(), 2);
    }

    #[test]
    fn claims_that_would_share_a_header_are_named() {
        let both = json!({ "a_b": 1, "a-b": 2, "c": 3 });
        assert_eq!(alike(both.as_object().unwrap()), Some(("a-b", "a_b")));
        assert_eq!(alike(json!({ "a": 1, "b": 2 }).as_object().unwrap()), None);
    }

    #[test]
    fn values_beyond_ascii_may_stay_as_they_are() {
        let public = json!({ "name": "Зоя", "roles": ["гребец", "a,b"], "o": { "é": 1 } });
        let sub = Subject::try_from("жук".to_owned()).unwrap();
        let sid = Sid::from_random([7; 16]);
        let headers =
            headers(Preset::Remote, Encoding::Utf8, &sub, &sid, public.as_object().unwrap());
        let expected = [
            ("Remote-User", "жук"),
            ("Remote-Name", "Зоя"),
            ("Remote-Groups", "гребец,a%2Cb"),
            ("X-Auth-Request-Claim-roles", r#"["гребец","a,b"]"#),
            ("X-Auth-Request-Claim-o", r#"{"é":1}"#),
        ];
        for (name, value) in expected {
            assert!(headers.contains(&(name.into(), value.to_owned())), "{name}: {headers:?}");
        }
    }

    #[rstest]
    #[case(json!({ "name": "Ada", "roles": ["Ж".repeat(1000)] }), Encoding::Percent, Some("roles"))]
    #[case(json!({ "name": "Ada", "roles": ["Ж".repeat(1000)] }), Encoding::Utf8, None)]
    #[case(json!({ "name": "Ж".repeat(1400), "roles": ["a"] }), Encoding::Percent, Some("name"))]
    #[case(json!({ "A_b": "x".repeat(8000), "c": "x".repeat(100) }), Encoding::Utf8, Some("A_b"))]
    #[case(json!({ "c": "x".repeat(7000) }), Encoding::Utf8, None)]
    #[case(json!({}), Encoding::Percent, None)]
    fn what_an_origin_is_told_has_a_bound_and_the_largest_claim_is_named(
        #[case] public: Value,
        #[case] encoding: Encoding,
        #[case] named: Option<&str>,
    ) {
        let sub = Subject::try_from("ada".to_owned()).unwrap();
        let sid = Sid::from_random([7; 16]);
        let public = public.as_object().unwrap();
        let headers = headers(Preset::default(), encoding, &sub, &sid, public);
        let said = check(&headers, public, None).map_err(|error| error.to_string());
        match named {
            None => assert_eq!(said, Ok(())),
            Some(name) => {
                assert!(said.as_ref().unwrap_err().contains(&format!("`{name}`")), "{said:?}")
            }
        }
    }

    #[test]
    fn the_assertion_and_the_sub_count_too() {
        let sub = Subject::try_from("Ж".repeat(512)).unwrap();
        let (sid, public) = (Sid::from_random([7; 16]), Map::new());
        let headers = headers(Preset::default(), Encoding::Percent, &sub, &sid, &public);
        assert_eq!(check(&headers, &public, None), Ok(()));
        let long = "x".repeat(4000);
        let said = check(&headers, &public, Some(&[sub.as_str(), &long])).unwrap_err().to_string();
        assert!(said.contains("`sub`"), "{said}");
    }
}
