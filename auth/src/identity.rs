//! Who the user is, told to the origin in headers that no client can set.

mod preset;

use std::borrow::Cow;
use std::collections::HashMap;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::session::{Sid, Subject};
pub use preset::Preset;

/// The `sid`.
pub const SESSION: &str = "X-Auth-Request-Session";

/// The proof that it was the guard who said so: [`assertion`](crate::assertion).
pub const ASSERTION: &str = "X-Auth-Request-Assertion";

/// What would end or forge a header, or make the encoding ambiguous.
const UNSAFE: &AsciiSet = &CONTROLS.add(b'%');
const UNSAFE_IN_LIST: &AsciiSet = &UNSAFE.add(b',');

/// The session's private data, where the settings hand it on.
pub const DATA: &str = "X-Auth-Request-Data";
/// What stands before a claim's name.
pub const CLAIM: &str = "X-Auth-Request-Claim-";

/// A header: its name and its value.
pub type Header = (Cow<'static, str>, String);

/// The headers that tell the origin who is asking: the `sub`, the `sid`, the `email` claim, the
/// `groups` claim or else the `roles` claim, separated by commas, and each claim by its name. Values
/// are UTF-8, percent-encoded (RFC 3986, section 2.1) where they are not printable ASCII, so any
/// `sub` fits into a header and none is ambiguous.
pub fn headers(
    preset: Preset,
    sub: &Subject,
    sid: &Sid,
    public: &Map<String, Value>,
) -> Vec<Header> {
    let names = preset.names();
    let mut headers =
        vec![(names.user.into(), encode(sub.as_str(), UNSAFE)), (SESSION.into(), sid.to_string())];
    for (header, claim) in [(names.email, "email")].into_iter().chain(names.more) {
        if let Some(Value::String(text)) = public.get(claim) {
            headers.push((header.into(), encode(text, UNSAFE)));
        }
    }
    if let Some(groups) = ["groups", "roles"].iter().find_map(|it| list(public.get(*it)?)) {
        let groups = groups.iter().filter_map(Value::as_str);
        let groups: Vec<String> = groups.map(|group| encode(group, UNSAFE_IN_LIST)).collect();
        headers.push((names.groups.into(), groups.join(",")));
    }
    // Of two claims under one header an origin would see either; it gets neither.
    let mut names: HashMap<String, usize> = HashMap::new();
    for name in public.keys() {
        *names.entry(claim_header(name)).or_default() += 1;
    }
    headers.extend(public.iter().filter_map(|(name, value)| {
        let header = claim_header(name);
        let text = match value {
            Value::Null => return None,
            Value::String(text) => encode(text, UNSAFE),
            value => encode(&value.to_string(), UNSAFE),
        };
        (names[&header] == 1).then(|| (header.into(), text))
    }));
    headers
}

/// Groups or roles; one of them may be said without a list.
fn list(claim: &Value) -> Option<&[Value]> {
    match claim {
        Value::Array(all) => Some(all),
        one @ Value::String(_) => Some(std::slice::from_ref(one)),
        _ => None,
    }
}

/// Private data as a header's value: JSON, encoded as the others are.
pub fn data(json: &str) -> String {
    encode(json, UNSAFE)
}

/// Two claims that would share a header, if there are.
pub fn alike(public: &Map<String, Value>) -> Option<(&str, &str)> {
    let mut seen: HashMap<String, &str> = HashMap::new();
    public.keys().find_map(|name| Some((seen.insert(claim_header(name), name)?, name.as_str())))
}

/// The header of a claim: its name in lower case, with a `-` for whatever is no letter and no digit.
fn claim_header(name: &str) -> String {
    let legal = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    CLAIM.chars().chain(name.chars().map(legal)).collect()
}

/// Leading and trailing spaces would be lost on the way, so they are encoded too.
fn encode(text: &str, unsafe_bytes: &'static AsciiSet) -> String {
    if text.starts_with(' ') || text.ends_with(' ') {
        let inner = text.trim_matches(' ');
        let leading = text.len() - text.trim_start_matches(' ').len();
        let trailing = text.len() - leading - inner.len();
        let encoded = utf8_percent_encode(inner, unsafe_bytes);
        return format!("{}{encoded}{}", "%20".repeat(leading), "%20".repeat(trailing));
    }
    utf8_percent_encode(text, unsafe_bytes).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reserved::is_reserved;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    fn headers_of(public: Value) -> Vec<(String, String)> {
        headers_by(Preset::default(), public)
    }

    fn headers_by(preset: Preset, public: Value) -> Vec<(String, String)> {
        let sub = Subject::try_from("ada".to_owned()).unwrap();
        let all = headers(preset, &sub, &Sid::from_random([7; 16]), public.as_object().unwrap());
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

    proptest! {
        #[test]
        fn any_text_becomes_printable_ascii_and_can_be_read_back(text in ".*") {
            let encoded = encode(&text, UNSAFE_IN_LIST);
            prop_assert!(encoded.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b','));
            prop_assert_eq!(encoded.trim(), &encoded);
            let read = percent_encoding::percent_decode_str(&encoded).decode_utf8().unwrap();
            prop_assert_eq!(read, text);
        }
    }
}
