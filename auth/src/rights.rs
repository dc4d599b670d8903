//! Rights that a session has in place of what its token says: roles, scopes and public claims, which the admin API
//! sets. A store keeps them with the session, so the reply to a check carries them and they hold on the next request,
//! whatever the token says.

use serde_json::{Map, Value};

use crate::identity;
use crate::jwt::REGISTERED;
use crate::scopes::{AdminScopes, SCOPE_CLAIMS};
use crate::session::{RightsChange, Session};
use crate::setting_value::{InvalidValue, texts};
use crate::strict_json;

/// The largest lists of roles and of scopes, in bytes of JSON.
pub const MAX_LIST: usize = 1024;

/// The largest object of claims, in bytes of JSON. With both lists it makes 4 KB.
pub const MAX_CLAIMS: usize = 2 * MAX_LIST;

/// What counts instead of a token's claims. Where a member is absent, the token counts.
#[derive(Default)]
pub struct Rights(RightsChange);

/// What a change of no rights comes to.
impl From<RightsChange> for Rights {
    fn from(change: RightsChange) -> Self {
        Self(change)
    }
}

impl Rights {
    /// Reads what a store keeps.
    ///
    /// # Errors
    /// What is wrong with it, for the log.
    pub fn parse(stored: &str) -> Result<Self, String> {
        let value = strict_json::value(stored).map_err(|error| error.to_string())?;
        change(value).map(Self).map_err(|error| error.to_string())
    }

    /// The claims of a token with these rights: what the token would say if it had been issued with them.
    pub fn apply(&self, mut public: Map<String, Value>) -> Map<String, Value> {
        for (name, value) in self.0.claims.iter().flatten().flatten() {
            match value {
                Value::Null => public.remove(name),
                value => public.insert(name.clone(), value.clone()),
            };
        }
        if let Some(Some(roles)) = &self.0.roles {
            public.insert("roles".into(), roles.clone().into());
        }
        if let Some(Some(scopes)) = &self.0.scopes {
            SCOPE_CLAIMS.iter().for_each(|name| drop(public.remove(*name)));
            if !scopes.is_empty() {
                public.insert(SCOPE_CLAIMS[0].into(), scopes.join(" ").into());
            }
        }
        public
    }
}

/// Reads a change. `null` for a member removes it, and `null` for all removes all.
///
/// # Errors
/// What to change.
pub fn change(value: Value) -> Result<RightsChange, InvalidValue> {
    if value.is_null() {
        return Ok(RightsChange { roles: Some(None), scopes: Some(None), claims: Some(None) });
    }
    let Value::Object(members) = value else {
        return Err(InvalidValue::new(format!("expected an object of {MEMBERS}")));
    };
    let mut change = RightsChange::default();
    for (name, value) in members {
        let value = Some(value).filter(|value| !value.is_null());
        let read = match &*name {
            "roles" => value.map(roles).transpose().map(|roles| change.roles = Some(roles)),
            "scopes" => value.map(scopes).transpose().map(|scopes| change.scopes = Some(scopes)),
            "claims" => value.map(claims).transpose().map(|claims| change.claims = Some(claims)),
            _ => Err(InvalidValue::new(format!("unknown member; expected {MEMBERS}"))),
        };
        read.map_err(|error| error.in_member(&name))?;
    }
    match change == RightsChange::default() {
        false => Ok(change),
        true => Err(InvalidValue::new(format!("expected at least one of {MEMBERS}"))),
    }
}

/// Is the session an admin's, by its scopes as they are now? Rights that cannot be read protect it.
pub fn is_admin(session: &Session) -> bool {
    let Some(rights) = &session.rights else { return session.admin };
    match Rights::parse(rights) {
        Ok(Rights(RightsChange { scopes: None | Some(None), .. })) => session.admin,
        Ok(rights) => AdminScopes::of(&rights.apply(Map::new())).is_admin(),
        Err(_) => true,
    }
}

const MEMBERS: &str = "`roles`, `scopes` and `claims`";

fn roles(value: Value) -> Result<Vec<String>, InvalidValue> {
    each(value, |role| match role.trim().is_empty() {
        true => Err(InvalidValue::expected("a role, which is not blank", role)),
        false => Ok(()),
    })
}

/// Of the characters that a scope can have (RFC 6749, section 3.3), or one scope could be read as two.
fn scopes(value: Value) -> Result<Vec<String>, InvalidValue> {
    each(value, |scope| {
        let is_legal = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
        match !scope.is_empty() && scope.bytes().all(is_legal) {
            true => Ok(()),
            false => Err(InvalidValue::expected("a scope, which has no spaces", scope)),
        }
    })
}

fn each(
    value: Value,
    check: fn(&str) -> Result<(), InvalidValue>,
) -> Result<Vec<String>, InvalidValue> {
    let all = texts(value)?;
    for (index, one) in all.iter().enumerate() {
        check(one).map_err(|error| error.in_item(index))?;
    }
    at_most(MAX_LIST, &all.clone().into())?;
    Ok(all)
}

fn claims(value: Value) -> Result<Map<String, Value>, InvalidValue> {
    at_most(MAX_CLAIMS, &value)?;
    let Value::Object(claims) = value else {
        return Err(InvalidValue::new("expected an object, with `null` for a claim to remove"));
    };
    let of_guard = claims.keys().find(|name| REGISTERED.contains(&name.as_str()));
    if let Some(name) = of_guard {
        return Err(InvalidValue::new("is the guard's to set").in_member(name));
    }
    if claims.contains_key("roles") {
        return Err(InvalidValue::new("set `roles` beside `claims`").in_member("roles"));
    }
    if let Some(name) = SCOPE_CLAIMS.iter().find(|name| claims.contains_key(**name)) {
        return Err(InvalidValue::new("set `scopes` beside `claims`").in_member(name));
    }
    match identity::alike(&claims) {
        Some((one, other)) => {
            let reason = format!("would share a header with `{other}`; leave one out");
            Err(InvalidValue::new(reason).in_member(one))
        }
        None => Ok(claims),
    }
}

fn at_most(bytes: usize, value: &Value) -> Result<(), InvalidValue> {
    match value.to_string().len() <= bytes {
        true => Ok(()),
        false => Err(InvalidValue::new(format!("is larger than {bytes} bytes of JSON"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::session;
    use rstest::rstest;
    use serde_json::json;

    fn applied(rights: &Value, token: &Value) -> Value {
        let rights = Rights::parse(&rights.to_string()).unwrap();
        rights.apply(token.as_object().unwrap().clone()).into()
    }

    #[rstest]
    #[case::nothing(json!({ "claims": {} }), json!({ "roles": ["a"], "scp": "x" }), json!({ "roles": ["a"], "scp": "x" }))]
    #[case::roles(json!({ "roles": ["b"] }), json!({ "roles": ["a"], "e": 1 }), json!({ "roles": ["b"], "e": 1 }))]
    #[case::no_roles(json!({ "roles": [] }), json!({ "roles": "a" }), json!({ "roles": [] }))]
    #[case::scopes_of_all_names(
        json!({ "scopes": ["x", "y"] }),
        json!({ "scope": "a", "scopes": ["b"], "scp": ["c"] }),
        json!({ "scope": "x y" })
    )]
    #[case::no_scopes(json!({ "scopes": [] }), json!({ "scope": "a", "scopes": ["b"], "scp": "c" }), json!({}))]
    #[case::claims(
        json!({ "claims": { "plan": "paid", "groups": null, "gone": null } }),
        json!({ "plan": "free", "groups": ["staff"], "email": "a@b.example" }),
        json!({ "plan": "paid", "email": "a@b.example" })
    )]
    #[case::a_claim_replaces_all_of_one(
        json!({ "claims": { "o": { "a": null } } }), json!({ "o": { "b": 1 } }), json!({ "o": { "a": null } })
    )]
    fn the_result_is_what_the_token_would_have_said(
        #[case] rights: Value,
        #[case] token: Value,
        #[case] expected: Value,
    ) {
        assert_eq!(applied(&rights, &token), expected);
    }

    #[rstest]
    #[case(json!(null), json!({ "roles": null, "scopes": null, "claims": null }))]
    #[case(json!({ "roles": ["a"] }), json!({ "roles": ["a"] }))]
    #[case(json!({ "scopes": null, "claims": { "a": null } }), json!({ "scopes": null, "claims": { "a": null } }))]
    fn a_change_names_what_it_sets_and_what_it_removes(
        #[case] body: Value,
        #[case] expected: Value,
    ) {
        assert_eq!(serde_json::to_value(change(body).unwrap()).unwrap(), expected);
    }

    #[rstest]
    #[case(json!([]), "expected an object of `roles`, `scopes` and `claims`")]
    #[case(json!({}), "expected at least one of `roles`, `scopes` and `claims`")]
    #[case(json!({ "role": ["a"] }), "role: unknown member")]
    #[case(json!({ "roles": "admin" }), "roles: expected a list of texts, got \"admin\"")]
    #[case(json!({ "roles": ["a", 7] }), "roles[1]: expected a text")]
    #[case(json!({ "roles": [" "] }), "roles[0]: expected a role")]
    #[case(json!({ "scopes": ["a", "b c"] }), "scopes[1]: expected a scope, which has no spaces, got \"b c\"")]
    #[case(json!({ "scopes": ["a\tb"] }), "scopes[0]: expected a scope")]
    #[case(json!({ "scopes": ["é"] }), "scopes[0]: expected a scope")]
    #[case(json!({ "scopes": ["a\"b"] }), "scopes[0]: expected a scope")]
    #[case(json!({ "scopes": [""] }), "scopes[0]: expected a scope")]
    #[case(json!({ "scopes": {} }), "scopes: expected a list of texts")]
    #[case(json!({ "claims": ["plan"] }), "claims: expected an object")]
    #[case(json!({ "claims": { "sub": "ben" } }), "claims.sub: is the guard's to set")]
    #[case(json!({ "claims": { "exp": null } }), "claims.exp: is the guard's to set")]
    #[case(json!({ "claims": { "roles": ["a"] } }), "claims.roles: set `roles` beside `claims`")]
    #[case(json!({ "claims": { "scp": null } }), "claims.scp: set `scopes` beside `claims`")]
    #[case(json!({ "claims": { "scope": "sessions:read" } }), "claims.scope: set `scopes`")]
    #[case(json!({ "claims": { "a_b": 1, "a-b": 2 } }), "claims.a-b: would share a header with `a_b`")]
    fn a_mistake_is_named(#[case] body: Value, #[case] why: &str) {
        let error = change(body).unwrap_err().to_string();
        assert!(error.starts_with(why), "{error}");
    }

    #[rstest]
    #[case("roles", json!([""]), MAX_LIST)]
    #[case("scopes", json!([""]), MAX_LIST)]
    #[case("claims", json!({ "a": "" }), MAX_CLAIMS)]
    fn each_member_has_a_bound(#[case] name: &str, #[case] empty: Value, #[case] most: usize) {
        let fits = |bytes: usize| {
            let text = "x".repeat(bytes - empty.to_string().len());
            let value = empty.to_string().replace("\"\"", &format!("{text:?}"));
            change(json!({ name: serde_json::from_str::<Value>(&value).unwrap() })).is_ok()
        };
        assert!(fits(most) && !fits(most + 1));
    }

    #[rstest]
    #[case("")]
    #[case("[]")]
    #[case(r#"{"roles":{}}"#)]
    #[case(r#"{"roles":["a"],"roles":[]}"#)]
    #[case(r#"{"rights":[]}"#)]
    fn what_cannot_be_read_is_never_taken_for_no_rights(#[case] stored: &str) {
        assert!(Rights::parse(stored).is_err());
        let session = Session { rights: Some(stored.into()), ..session("a", 0, 1) };
        assert!(is_admin(&session), "and protects who may be an admin");
    }

    #[rstest]
    #[case(true, None, true)]
    #[case(false, None, false)]
    #[case(true, Some(json!({ "roles": [] })), true)]
    #[case(true, Some(json!({ "scopes": [] })), false)]
    #[case(true, Some(json!({ "scopes": ["sessions"] })), false)]
    #[case(false, Some(json!({ "scopes": ["a", "sessions:read"] })), true)]
    fn an_admin_is_who_has_an_admin_scope_now(
        #[case] by_token: bool,
        #[case] rights: Option<Value>,
        #[case] expected: bool,
    ) {
        let rights = rights.map(|rights| rights.to_string());
        let session = Session { admin: by_token, rights, ..session("a", 0, 1) };
        assert_eq!(is_admin(&session), expected);
    }
}
