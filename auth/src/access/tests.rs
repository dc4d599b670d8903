mod property;

use super::*;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Map, Value, json};

fn find<'a>(rules: &'a Rules, method: &str, path: &str) -> RuleMatches<'a> {
    rules.find(method, path, &Readings::of(path))
}

fn lets_preflight(rules: &Rules, asked: &str, path: &str) -> bool {
    rules.lets_preflight(asked, path, &Readings::of(path))
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
    assert_eq!(find(&rules(), method, path).access(), access);
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
    assert_eq!(find(&rules(), "GET", path).access(), Access::Session, "{path}");
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
        let verdict = find(&rules, "GET", path).admits(&Map::new());
        assert!(verdict.is_err(), "{path} with {others}");
    }
}

/// Which rules hold, counted from 0, and why.
fn told(rules: &Rules, method: &str, path: &str) -> Vec<(Option<usize>, Why)> {
    let found = find(rules, method, path);
    found.iter().map(|it| (it.index, it.why.clone())).collect()
}

fn read(text: &str) -> Why {
    Why::Read(text.into())
}

#[rstest]
#[case("GET", "/me", &[(Some(1), Why::Sent)])]
#[case("DELETE", "/forms/1", &[(Some(3), Why::Sent)])]
#[case("GET", "/ADMIN/x", &[(Some(4), Why::Sent), (Some(0), read("/admin/x"))])]
#[case("GET", "/admin", &[(Some(4), Why::Sent), (Some(0), read("/admin/"))])]
#[case("GET", "/ADMIN", &[(Some(4), Why::Sent), (Some(0), read("/admin/"))])]
#[case("GET", "/me/", &[(Some(4), Why::Sent), (Some(1), read("/me"))])]
#[case("GET", "/a%2fb", &[(Some(4), Why::Sent), (None, Why::Ambiguous)])]
#[case("GET", "/a%2fb%20c", &[(Some(4), Why::Sent), (None, Why::Ambiguous)])]
#[case("GET", "/a%20b", &[(Some(4), Why::Sent)])]
#[case("GET", "//admin/x", &[(Some(4), Why::Sent), (Some(0), read("/admin/x"))])]
#[case("get", "/Forms/1", &[(Some(4), Why::Sent), (Some(3), read("/forms/1"))])]
#[case("GET", "/forms/..;/admin/x", &[(Some(2), Why::Sent), (Some(4), read("/")), (Some(0), read("/admin/x"))])]
fn it_is_told_which_rules_hold_and_why(
    #[case] method: &str,
    #[case] path: &str,
    #[case] expected: &[(Option<usize>, Why)],
) {
    let mut found = told(&rules(), method, path);
    let sent = found.remove(0);
    assert_eq!(sent, expected[0]);
    for one in &expected[1..] {
        assert!(found.contains(one), "{one:?} is not in {found:?}");
    }
    assert_eq!(found.len() + 1, expected.len(), "{found:?}");
    assert_eq!(told(&Rules::default(), method, path), [(None, Why::Sent)]);
}

/// The rules of `docs/routes.md`, and two departments.
fn company() -> Rules {
    let json = json!([
        { "path": "/assets/*", "access": "public" },
        { "path": "/", "access": "optional" },
        { "path": "/admin/*", "access": "session", "roles": ["admin"] },
        { "path": "/hr/*", "access": "session", "roles": ["hr"] },
        { "path": "/eng/*", "access": "session", "scopes": ["eng"] },
        { "path": "/*", "access": "public", "methods": ["POST"] },
    ]);
    Rules::parse(&json.to_string()).unwrap()
}

#[rstest]
#[case::of_a_later_rule("/assets/..;/admin/x", &["admin"])]
#[case::encoded("/assets/..%2fadmin/x", &["admin"])]
#[case::of_both("/hr/..;/eng/x", &["hr", "eng"])]
#[case::of_both_the_other_way("/eng/..%2f..%2fhr/x", &["hr", "eng"])]
#[case::of_three("/hr/x%3f/..%2f..;/eng/x%00/..%2f../admin/x", &["admin", "hr", "eng"])]
#[case::cut_by_a_query("/hr%3fx", &["hr"])]
#[case::cut_by_a_fragment("/eng%23/admin", &["eng"])]
#[case::cut_by_nothing("/admin%00/../hr/x", &["admin", "hr"])]
#[case::a_host("//hr/admin/x", &["hr", "admin"])]
#[case::the_path_alone("/hr/x", &["hr"])]
fn every_rule_that_may_be_meant_must_be_satisfied(#[case] path: &str, #[case] needed: &[&str]) {
    let rules = company();
    for held in [
        &[][..],
        &["admin"],
        &["hr"],
        &["eng"],
        &["hr", "eng"],
        &["admin", "hr"],
        &["admin", "hr", "eng"],
    ] {
        let claims = json!({ "roles": held, "scope": held.join(" ") });
        let verdict = find(&rules, "GET", path).admits(claims.as_object().unwrap());
        let expected = needed.iter().all(|it| held.contains(it));
        assert_eq!(verdict.is_ok(), expected, "{path} with {held:?}");
    }
    assert_eq!(find(&rules, "GET", path).access(), Access::Session);
    assert_eq!(find(&rules, "POST", path).access(), Access::Session);
}

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

#[test]
fn the_route_names_every_rule_that_holds_once() {
    let rules = company();
    assert_eq!(find(&rules, "GET", "/hr/x").route(), "/hr/*");
    assert_eq!(find(&rules, "GET", "/x").route(), "/*");
    assert_eq!(find(&rules, "POST", "/x;y").route(), "/*");
    assert_eq!(find(&rules, "GET", "/hr/..;/eng/x").route(), "/hr/* / /eng/*");
}

#[test]
fn of_a_path_that_can_be_read_in_too_many_ways_every_rule_holds() {
    let path = format!("/assets/{}", "%u002e;%c0%ae/%ef%bc%8f%5c%3f%23%00%20./".repeat(200));
    assert_eq!(Readings::of(&path), Readings::TooMany);
    assert_eq!(find(&company(), "GET", &path).iter().count(), 5);
}

#[rstest]
#[case::percent_encoded("/caf%C3%A9/*", "/caf%c3%a9/x")]
#[case::decoded("/caf%C3%A9/*", "/caf\u{e9}/x")]
#[case::another_case("/caf%C3%A9/*", "/CAF%C3%89/x")]
#[case::needlessly_encoded("/%61dmin/*", "/admin/x")]
#[case::needlessly_encoded_twice("/%61dmin/*", "/%2561DMIN/x")]
#[case::upper_case("/Admin/*", "/admin/x")]
fn a_rule_holds_in_whatever_spelling_it_is_written(#[case] rule: &str, #[case] path: &str) {
    let rules = json!([{ "path": rule, "access": "session", "roles": ["a"] }, { "path": "/*", "access": "public" }]);
    let rules = Rules::parse(&rules.to_string()).unwrap();
    assert!(find(&rules, "GET", path).admits(&Map::new()).is_err());
}

#[rstest]
#[case("/login", "/login", Access::Public)]
#[case("/login", "/login/", Access::Session)]
#[case("/Files/*", "/Files/A.css", Access::Public)]
#[case("/files/*", "/files/a%20b.css", Access::Public)]
#[case("/files/*", "/files/caf%C3%A9.css", Access::Public)]
#[case("/files/*", "/files/caf%e9.css", Access::Public)]
#[case("/caf%C3%A9", "/caf%C3%A9", Access::Public)]
#[case("/caf%C3%A9", "/caf%c3%a9", Access::Session)]
#[case("/files/*", "/files/a+b@c~d,e.css", Access::Public)]
#[case("/files/*", "/files/.well-known", Access::Public)]
#[case("/*.css", "/main.css", Access::Public)]
fn a_public_path_that_is_read_alike_everywhere_is_public(
    #[case] rule: &str,
    #[case] path: &str,
    #[case] access: Access,
) {
    let rules =
        json!([{ "path": rule, "access": "public" }, { "path": "/other", "access": "session" }]);
    let rules = Rules::parse(&rules.to_string()).unwrap();
    assert_eq!(find(&rules, "GET", path).access(), access);
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
    assert_eq!(lets_preflight(&rules, asked, path), passes);
}

#[test]
fn a_last_rule_for_all_paths_stops_the_preflights_that_no_other_lets_pass() {
    let json = json!([
        { "path": "/api/*", "access": "session" },
        { "path": "/*", "access": "session", "preflight": false },
    ]);
    let rules = Rules::parse(&json.to_string()).unwrap();
    let paths = ["/api/x", "/x", "/", "/api//x"];
    assert_eq!(paths.map(|path| lets_preflight(&rules, "PUT", path)), [true, false, false, false]);
}

#[rstest]
#[case("/x//y")]
#[case("/a%2Fb/administration")]
#[case("/x/admin/y")]
fn other_odd_paths_of_members_stay_theirs(#[case] path: &str) {
    let json = r#"[{"path":"/admin/*","access":"session","roles":["admin"]},{"path":"/*","access":"session"}]"#;
    assert!(find(&Rules::parse(json).unwrap(), "GET", path).admits(&Map::new()).is_ok());
}

#[rstest]
#[case("/admin/x", Access::Session)]
#[case("/a%2fb", Access::Session)]
fn without_rules_a_session_is_needed(#[case] path: &str, #[case] access: Access) {
    assert_eq!(find(&Rules::default(), "GET", path).access(), access);
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
#[case::empty_lists(r#"[{"path":"/a","access":"session","roles":[]}]"#)]
#[case(r#"[{"path":"/a","access":"session","scopes":[]}]"#)]
#[case(r#"[{"path":"/a","access":"public","methods":[]}]"#)]
#[case::blank(r#"[{"path":"/a","access":"session","roles":[" "]}]"#)]
#[case(r#"[{"path":"/a","access":"session","scopes":[""]}]"#)]
#[case(r#"[{"path":"/a","access":"session","scopes":["a b"]}]"#)]
#[case::unknown_methods(r#"[{"path":"/a","access":"public","methods":["GTE"]}]"#)]
#[case(r#"[{"path":"/a","access":"public","methods":["GET","TRACE"]}]"#)]
#[case(r#"[{"path":"/a","access":"public","methods":["CONNECT"]}]"#)]
#[case(r#"[{"path":"/a","access":"public","methods":["GET, POST"]}]"#)]
#[case(r#"[{"path":"/a","access":"public","methods":[""]}]"#)]
#[case::other_languages(r#"[{"path":"/admin/**","access":"session","roles":["a"]}]"#)]
#[case(r#"[{"path":"/users/{id}/x","access":"session"}]"#)]
#[case(r#"[{"path":"/users/:id/x","access":"session"}]"#)]
#[case(r#"[{"path":"^/users","access":"session"}]"#)]
#[case(r#"[{"path":"/^users|x","access":"session"}]"#)]
#[case::what_is_never_sent(r#"[{"path":"/a%zz","access":"session"}]"#)]
#[case(r#"[{"path":"/a%20","access":"session"}]"#)]
#[case(r#"[{"path":"/a%3fb","access":"session"}]"#)]
#[case(r#"[{"path":"/a/../b","access":"session"}]"#)]
fn a_bad_rule_is_refused(#[case] json: &str) {
    let refused = Rules::parse(json);
    assert!(refused.is_err(), "{refused:?}");
}

#[rstest]
#[case::the_same(json!(["/a/*", "/a/*"]), Some(2))]
#[case::below_another(json!(["/a/*", "/a/b"]), Some(2))]
#[case::below_all(json!(["/x", "/*", "/a/b/*"]), Some(3))]
#[case::with_a_star(json!(["/a/*/c", "/a/b*/c"]), Some(2))]
#[case::of_its_methods(json!(["/a/*", ["/a/*", "GET", "POST"]]), Some(2))]
#[case::of_each_of_its_methods(json!([["/a/*", "GET"], ["/a/b", "POST"], ["/a/b", "HEAD", "POST"]]), Some(3))]
#[case::of_get_and_with_it_head(json!([["/a", "GET"], ["/a", "HEAD"]]), Some(2))]
#[case::head_is_not_get(json!([["/a", "HEAD"], ["/a", "GET"]]), None)]
#[case::of_another_method(json!([["/a/*", "GET"], ["/a/*", "POST"]]), None)]
#[case::of_more_methods(json!([["/a/*", "GET"], ["/a/*", "GET", "POST"]]), None)]
#[case::of_all_methods(json!([["/a/*", "GET", "POST"], "/a/*"]), None)]
#[case::wider(json!(["/a/b", "/a/*", "/*"]), None)]
#[case::beside(json!(["/a/*", "/a"]), None)]
#[case::in_another_case(json!(["/a/*", "/A/*"]), None)]
#[case::one_segment(json!(["/a/*.css", "/a/b/x.css"]), None)]
fn a_rule_that_can_never_hold_is_found(#[case] rules: Value, #[case] shadowed: Option<usize>) {
    let rule = |it: &Value| match it.as_array() {
        None => json!({ "path": it, "access": "session" }),
        Some(all) => json!({ "path": all[0], "access": "session", "methods": all[1..] }),
    };
    let json: Vec<Value> = rules.as_array().unwrap().iter().map(rule).collect();
    let parsed = Rules::parse(&Value::from(json).to_string()).map(drop);
    match shadowed {
        None => assert_eq!(parsed, Ok(())),
        Some(number) => {
            let error = parsed.unwrap_err();
            assert!(error.starts_with(&format!("rule {number}: it can never hold")), "{error}");
        }
    }
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
            let found = find(&rules, "GET", &path);
            prop_assert!(found.access() == Access::Session && found.admits(&Map::new()).is_err());
            prop_assert!(!lets_preflight(&rules, "GET", &path));
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
#[case::read_as_one_of_a_later_rule("POST", "/members/..;/x", false)]
#[case::of_an_earlier_rule("POST", "/members/admin/x", false)]
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
    let obeyed = rules.lets_log_in(method, path, &Readings::of(path));
    assert_eq!(obeyed.is_ok(), lets, "{method} {path}: {obeyed:?}");
}
