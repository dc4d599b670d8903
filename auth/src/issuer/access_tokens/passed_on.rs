//! What of a provider's token rides along, in the form that the guard's own tokens have.

use serde_json::{Map, Value};

use super::AccessTokenRules;
use super::claim_path::first;

impl AccessTokenRules {
    /// The public claims: `roles`, `groups` and `scope`, and those that the settings name. An address
    /// that the provider has not verified is anybody's.
    pub(super) fn public(&self, claims: &Map<String, Value>) -> Map<String, Value> {
        let unverified = claims.get("email_verified").is_some_and(|it| *it != true);
        let wanted = self.claims.iter().filter(|(_, path)| !(unverified && path.name() == "email"));
        let mut public: Map<String, Value> = wanted
            .filter_map(|(name, path)| Some((name.clone(), path.find(claims)?.clone())))
            .collect();
        for (name, paths) in [("roles", &self.roles_claim), ("groups", &self.groups_claim)] {
            if let Some(found) = first(paths, claims) {
                public.insert(name.into(), names(found).into());
            }
        }
        if let Some(found) = first(&self.scope_claim, claims) {
            public.insert("scope".into(), scope(found).into());
        }
        public
    }
}

/// Roles or groups: a text is one, a list has several, and an object has them as its members' names.
fn names(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) if !one.is_empty() => vec![one.clone()],
        Value::Object(members) => members.keys().cloned().collect(),
        Value::Array(items) => {
            items.iter().filter(|item| !item.is_array()).flat_map(names).collect()
        }
        _ => Vec::new(),
    }
}

/// Scopes, as a text (RFC 6749, section 3.3). What has a space in it is no scope, and would be two.
fn scope(value: &Value) -> String {
    let Value::Array(items) = value else { return value.as_str().unwrap_or_default().to_owned() };
    let is_scope = |text: &&str| !text.is_empty() && !text.contains(char::is_whitespace);
    let scopes = items.iter().filter_map(Value::as_str).filter(is_scope);
    Vec::from_iter(scopes).join(" ")
}
