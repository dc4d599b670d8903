use super::*;
use rstest::rstest;
use serde_json::json;

#[rstest]
#[case("/a", "/a", true)]
#[case("/a", "/a/", false)]
#[case("/a", "/ab", false)]
#[case("/assets/*", "/assets/x/y.css", true)]
#[case("/assets/*", "/assets/", true)]
#[case("/assets/*", "/assets", false)]
#[case("/assets/*", "/x/assets/y", false)]
#[case("/*", "/", true)]
#[case("/*", "/a/b", true)]
#[case("/u/*/avatar", "/u/ada/avatar", true)]
#[case("/u/*/avatar", "/u/a/b/avatar", false)]
#[case("/u/*/avatar", "/u//avatar", true)]
#[case("/*.css", "/main.css", true)]
#[case("/*.css", "/a/main.css", false)]
#[case("/a*", "/ab", true)]
#[case("/a*", "/ab/c", false)]
#[case("/*-*.js", "/a-b-c.js", true)]
fn a_pattern_is_anchored_at_both_ends(
    #[case] pattern: &str,
    #[case] path: &str,
    #[case] yes: bool,
) {
    assert_eq!(matches(pattern, path), yes);
}

fn rules() -> Rules {
    let json = json!([
        { "path": "/admin/*", "access": "session", "roles": ["admin"] },
        { "path": "/me", "access": "optional" },
        { "path": "/forms/*", "access": "public", "methods": ["POST", "GET"] },
        { "path": "/forms/*", "access": "session" },
        { "path": "/*", "access": "public" },
    ]);
    Rules::parse(&json.to_string()).unwrap()
}

#[rstest]
#[case("GET", "/admin/x", Access::Session)]
#[case("GET", "/me", Access::Optional)]
#[case("POST", "/forms/1", Access::Public)]
#[case("HEAD", "/forms/1", Access::Public)]
#[case("DELETE", "/forms/1", Access::Session)]
#[case("get", "/forms/1", Access::Session)]
#[case("GET", "/x", Access::Public)]
fn the_first_rule_about_a_request_wins(
    #[case] method: &str,
    #[case] path: &str,
    #[case] access: Access,
) {
    assert_eq!(rules().find(method, path).access, access);
}

#[rstest]
#[case("/ADMIN/x")]
#[case("/Admin/x")]
#[case("/admin")]
#[case("/%61dmin/x")]
#[case("/x//admin")]
#[case("//admin/x")]
#[case("/x%2f..%2fadmin")]
#[case("/x/%2e%2e/admin")]
#[case("/x;/../admin")]
#[case("/x%5cadmin")]
#[case("/admin./x")]
#[case("/x.")]
#[case("/x%00")]
#[case("/x%0a")]
#[case("/x%252e")]
#[case("/x%3b")]
#[case("/x/%c0%ae%c0%ae/admin")]
#[case("/%ef%bd%81dmin/x")]
#[case("/x/%e2%80%a5/admin")]
fn a_path_that_may_be_read_as_another_is_not_public(#[case] path: &str) {
    assert_eq!(rules().find("GET", path).access, Access::Session, "{path}");
}

#[rstest]
#[case("/admin/x")]
#[case("/ADMIN/x")]
#[case("/admin")]
#[case("//admin/x")]
#[case("/x/..%2fadmin/x")]
#[case("/x/%2e%2e/admin/x")]
#[case("/%61dmin/x")]
#[case("/%2561dmin/x")]
#[case("/admin;a=b/x")]
#[case("/admin%5cx")]
#[case("/admin./x")]
#[case("/admin%20/x")]
#[case("/admin%00/x")]
#[case("/x/%c0%ae%c0%ae%c0%afadmin/x")]
#[case("/%ef%bd%81dmin/x")]
#[case("/admin%ef%bc%8fx")]
fn roles_cannot_be_evaded_by_another_spelling(#[case] path: &str) {
    let admin = r#"{"path":"/admin/*","access":"session","roles":["admin"]}"#;
    for others in
        ["", r#",{"path":"/*","access":"session"}"#, r#",{"path":"/*","access":"public"}"#]
    {
        let rules = Rules::parse(&format!("[{admin}{others}]")).unwrap();
        let verdict = rules.find("GET", path).admits(&Map::new());
        assert!(verdict.is_err(), "{path} with {others}");
    }
}

#[rstest]
#[case("/x//y")]
#[case("/a%2Fb/administration")]
#[case("/x/admin/y")]
fn other_odd_paths_of_members_stay_theirs(#[case] path: &str) {
    let json = r#"[{"path":"/admin/*","access":"session","roles":["admin"]},{"path":"/*","access":"session"}]"#;
    assert!(Rules::parse(json).unwrap().find("GET", path).admits(&Map::new()).is_ok());
}

#[rstest]
#[case("/admin/x", Access::Session)]
#[case("/a%2fb", Access::Session)]
fn without_rules_a_session_is_needed(#[case] path: &str, #[case] access: Access) {
    assert_eq!(Rules::default().find("GET", path).access, access);
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
    let scopes = if scopes.is_array() { scopes } else { json!([]) };
    let rule =
        json!([{ "path": "/", "access": "session", "roles": ["admin", "root"], "scopes": scopes }]);
    let rules = Rules::parse(&rule.to_string()).unwrap();
    let verdict = rules.find("GET", "/").admits(claims.as_object().unwrap());
    assert_eq!(verdict.is_ok(), passes, "{verdict:?}");
}

#[rstest]
#[case("{}")]
#[case(r#"[{"path":"/a"}]"#)]
#[case(r#"[{"path":"a","access":"public"}]"#)]
#[case(r#"[{"path":"/a?b","access":"public"}]"#)]
#[case(r#"[{"path":"/a//b","access":"public"}]"#)]
#[case(r#"[{"path":"/a%2fb","access":"public"}]"#)]
#[case(r#"[{"path":"/a","access":"open"}]"#)]
#[case(r#"[{"path":"/a","access":"public","methods":["get"]}]"#)]
#[case(r#"[{"path":"/a","access":"public","roles":["x"]}]"#)]
#[case(r#"[{"path":"/a","access":"optional","scopes":["x"]}]"#)]
#[case(r#"[{"path":"/a","access":"public","method":["GET"]}]"#)]
fn a_bad_rule_is_refused(#[case] json: &str) {
    assert!(Rules::parse(json).is_err());
}
