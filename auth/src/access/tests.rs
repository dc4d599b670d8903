use super::*;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Map, Value, json};

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
    assert_eq!(rules().find(method, path).rule.access, access);
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
    assert_eq!(rules().find("GET", path).rule.access, Access::Session, "{path}");
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
        let verdict = rules.find("GET", path).rule.admits(&Map::new());
        assert!(verdict.is_err(), "{path} with {others}");
    }
}

#[rstest]
#[case("GET", "/me", Why::First(1))]
#[case("DELETE", "/forms/1", Why::First(3))]
#[case("GET", "/ADMIN/x", Why::Stricter(0))]
#[case("GET", "/a%2fb", Why::Odd(4))]
#[case("GET", "//admin/x", Why::Stricter(0))]
#[case("get", "/Forms/1", Why::Stricter(3))]
fn it_is_told_why_a_rule_holds(#[case] method: &str, #[case] path: &str, #[case] why: Why) {
    assert_eq!(rules().find(method, path).why, why);
    assert_eq!(Rules::default().find(method, path).why, Why::Unnamed);
}

#[rstest]
#[case::of_the_rule("PUT", "/api/x", true)]
#[case::unnamed("GET", "/x", true)]
#[case::off("GET", "/closed/x", false)]
#[case::off_for_this_method("DELETE", "/api/x", false)]
#[case::off_for_what_it_may_be_read_as("GET", "/CLOSED/x", false)]
#[case::roles_are_for_the_request_itself("GET", "/admin/x", true)]
#[case::odd("PUT", "/api//x", false)]
#[case::odd_and_public("GET", "/open/x;y", false)]
#[case::public("GET", "/open/x", true)]
#[case::another_spelling_of_the_method("delete", "/api/x", true)]
fn a_preflight_passes_by_the_rule_of_what_it_asks_about(
    #[case] asked: &str,
    #[case] path: &str,
    #[case] passes: bool,
) {
    let json = json!([
        { "path": "/admin/*", "access": "session", "roles": ["admin"] },
        { "path": "/open/*", "access": "public", "methods": ["GET"] },
        { "path": "/closed/*", "access": "session", "preflight": false },
        { "path": "/api/*", "access": "session", "methods": ["DELETE"], "preflight": false },
        { "path": "/api/*", "access": "session" },
    ]);
    let rules = Rules::parse(&json.to_string()).unwrap();
    assert_eq!(rules.lets_preflight(asked, path), passes);
}

#[test]
fn a_last_rule_for_all_paths_stops_the_preflights_that_no_other_lets_pass() {
    let json = json!([
        { "path": "/api/*", "access": "session" },
        { "path": "/*", "access": "session", "preflight": false },
    ]);
    let rules = Rules::parse(&json.to_string()).unwrap();
    let paths = ["/api/x", "/x", "/", "/api//x"];
    assert_eq!(paths.map(|path| rules.lets_preflight("PUT", path)), [true, false, false, false]);
}

#[rstest]
#[case("/x//y")]
#[case("/a%2Fb/administration")]
#[case("/x/admin/y")]
fn other_odd_paths_of_members_stay_theirs(#[case] path: &str) {
    let json = r#"[{"path":"/admin/*","access":"session","roles":["admin"]},{"path":"/*","access":"session"}]"#;
    assert!(Rules::parse(json).unwrap().find("GET", path).rule.admits(&Map::new()).is_ok());
}

#[rstest]
#[case("/admin/x", Access::Session)]
#[case("/a%2fb", Access::Session)]
fn without_rules_a_session_is_needed(#[case] path: &str, #[case] access: Access) {
    assert_eq!(Rules::default().find("GET", path).rule.access, access);
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
    let verdict = rules.find("GET", "/").rule.admits(claims.as_object().unwrap());
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
#[case(r#"[{"path":"/a","access":"public","preflight":false}]"#)]
#[case(r#"[{"path":"/a","access":"optional","preflight":false}]"#)]
#[case(r#"[{"path":"/a","access":"session","preflight":"no"}]"#)]
fn a_bad_rule_is_refused(#[case] json: &str) {
    assert!(Rules::parse(json).is_err());
}

/// One segment as somebody may write it who wants it to be taken for another.
fn spelling(name: &'static str) -> impl Strategy<Value = String> {
    let letter = |(byte, form): (u8, u8)| match form {
        0 => (byte as char).to_string(),
        1 => (byte as char).to_ascii_uppercase().to_string(),
        2 => format!("%{byte:02x}"),
        _ => format!("%25{byte:02X}"),
    };
    let end = prop::sample::select(vec!["", ";a=b", ".", "%20", "%00", "..."]);
    (prop::collection::vec(0..4u8, name.len()), end)
        .prop_map(move |(forms, end)| name.bytes().zip(forms).map(letter).collect::<String>() + end)
}

proptest! {
    #[test]
    fn no_spelling_of_a_path_evades_its_roles_or_makes_it_public(
        before in prop::sample::select(vec!["/", "//", "/%2f", "/x/../", "/x/%2e%2e/", "/x%2f..%5c", "/./"]),
        admin in spelling("admin"),
        between in prop::sample::select(vec!["/", "//", "%2f", "%5C", "/./", "/y/..%2f"]),
        last in spelling("x"),
    ) {
        let path = format!("{before}{admin}{between}{last}");
        let admin = r#"{"path":"/admin/*","access":"session","roles":["admin"],"preflight":false}"#;
        for others in ["session", "optional", "public"] {
            let rules = format!(r#"[{admin},{{"path":"/*","access":"{others}"}}]"#);
            let rules = Rules::parse(&rules).unwrap();
            let rule = rules.find("GET", &path).rule;
            prop_assert!(rule.access == Access::Session && rule.admits(&Map::new()).is_err());
            prop_assert!(!rules.lets_preflight("GET", &path));
        }
    }
}

#[rstest]
#[case::named("POST", "/sign-in", true)]
#[case::another_method("GET", "/sign-in", false)]
#[case::below("POST", "/sign-in/x", false)]
#[case::as_a_folder("POST", "/sign-in/", false)]
#[case::in_capitals("POST", "/Sign-In", false)]
#[case::odd("POST", "/sign-in;x", false)]
#[case::encoded("POST", "/%73ign-in", false)]
#[case::unnamed("POST", "/x", false)]
#[case::with_a_session("POST", "/members/confirm", true)]
#[case::read_as_another("POST", "/members/ADMIN/x", false)]
#[case::of_a_later_rule("POST", "/members/admin/x", false)]
fn only_a_rule_that_says_so_lets_the_origin_log_people_in(
    #[case] method: &str,
    #[case] path: &str,
    #[case] lets: bool,
) {
    let json = json!([
        { "path": "/sign-in", "access": "public", "methods": ["POST"], "login": true },
        { "path": "/members/admin/*", "access": "session" },
        { "path": "/members/*", "access": "session", "login": true },
    ]);
    let rules = Rules::parse(&json.to_string()).unwrap();
    assert_eq!(rules.lets_log_in(method, path), lets, "{method} {path}");
}
