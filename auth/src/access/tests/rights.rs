//! Roles and scopes.

use super::*;

#[test]
fn every_scope_that_is_missing_is_told() {
    let json = json!([
        { "path": "/a/*", "access": "session", "scopes": ["one", "two"] },
        { "path": "/b/*", "access": "session", "scopes": ["two", "three"] },
    ]);
    let rules = Rules::parse(&json.to_string()).unwrap();
    let denied = find(&rules, "GET", "/a/..%2fb/x").admits(&Map::new());
    assert_eq!(denied, Err(Refusal::RouteDenied { scope: "one two three".into() }));
}

#[rstest]
#[case(json!({ "roles": ["admin"] }), json!({}), true)]
#[case(json!({ "roles": "admin" }), json!({}), true)]
#[case(json!({ "roles": ["member"] }), json!({}), false)]
#[case(json!({}), json!({}), false)]
#[case(json!({ "roles": ["admin"], "scope": "a b c" }), json!(["a", "b"]), true)]
#[case(json!({ "roles": ["admin"], "scope": "ab" }), json!(["a"]), false)]
#[case(json!({ "roles": ["admin"], "scopes": ["a"] }), json!(["a"]), true)]
fn one_role_and_all_scopes_are_needed(
    #[case] claims: Value,
    #[case] scopes: Value,
    #[case] passes: bool,
) {
    let mut rule = json!([{ "path": "/", "access": "session", "roles": ["admin", "root"] }]);
    if scopes.is_array() {
        rule[0]["scopes"] = scopes;
    }
    let rules = Rules::parse(&rule.to_string()).unwrap();
    let verdict = find(&rules, "GET", "/").admits(claims.as_object().unwrap());
    assert_eq!(verdict.is_ok(), passes, "{verdict:?}");
}
