//! Scopes: those that a token has, and those that make somebody an admin.

use serde_json::{Map, Value};

/// Where tokens keep their scopes. The first is the standard's (RFC 9068, section 2.2.3), the
/// others are known from elsewhere.
pub(crate) const SCOPE_CLAIMS: [&str; 3] = ["scope", "scopes", "scp"];

/// The scopes among these claims: words of a text, or texts of a list.
pub fn scopes(claims: &Map<String, Value>) -> Vec<&str> {
    let mut scopes = Vec::new();
    for claim in SCOPE_CLAIMS.iter().filter_map(|name| claims.get(*name)) {
        match claim {
            Value::String(text) => scopes.extend(text.split_ascii_whitespace()),
            Value::Array(list) => scopes.extend(list.iter().filter_map(Value::as_str)),
            _ => {}
        }
    }
    scopes
}

/// The scope to see who is logged in.
pub(crate) const READ: &str = "sessions:read";
/// The scope to end sessions, but not those of admins.
pub(crate) const REVOKE: &str = "sessions:revoke";
/// The scope to end anybody's sessions.
pub(crate) const REVOKE_ADMINS: &str = "sessions:revoke-admins";

/// Which of the admin scopes a token has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AdminScopes {
    pub(crate) read: bool,
    pub(crate) revoke: bool,
    pub(crate) revoke_admins: bool,
}

impl AdminScopes {
    /// Those that these claims give.
    pub fn of(claims: &Map<String, Value>) -> Self {
        let scopes = scopes(claims);
        let has = |scope| scopes.contains(&scope);
        Self { read: has(READ), revoke: has(REVOKE), revoke_admins: has(REVOKE_ADMINS) }
    }

    /// An admin is whoever has any of them.
    pub fn is_admin(self) -> bool {
        self != Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(json!({}), &[])]
    #[case(json!({ "scope": "a  b" }), &["a", "b"])]
    #[case(json!({ "scopes": ["a", 7, "b c"] }), &["a", "b c"])]
    #[case(json!({ "scp": "a", "scope": "b" }), &["b", "a"])]
    #[case(json!({ "scope": 7, "scopes": { "a": true }, "scp": null }), &[])]
    fn scopes_are_words_or_a_list(#[case] claims: Value, #[case] expected: &[&str]) {
        assert_eq!(scopes(claims.as_object().unwrap()), expected);
    }
}
