//! `ROUTES` as text: what is refused, and rules that can never match.

use super::*;

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
#[case::of_no_session(r#"[{"path":"/a","access":"optional","max_age":"5 minutes"}]"#)]
#[case(r#"[{"path":"/a","access":"public","acr":["mfa"]}]"#)]
#[case::no_age(r#"[{"path":"/a","access":"session","max_age":"0 seconds"}]"#)]
#[case(r#"[{"path":"/a","access":"session","max_age":"9 seconds"}]"#)]
#[case(r#"[{"path":"/a","access":"session","max_age":"10500 ms"}]"#)]
#[case(r#"[{"path":"/a","access":"session","max_age":300}]"#)]
#[case(r#"[{"path":"/a","access":"session","max_age":null}]"#)]
#[case(r#"[{"path":"/a","access":"session","acr":[]}]"#)]
#[case(r#"[{"path":"/a","access":"session","acr":"mfa"}]"#)]
#[case(r#"[{"path":"/a","access":"session","acr":["a b"]}]"#)]
#[case::what_no_challenge_can_hold(r#"[{"path":"/a","access":"session","acr":["a\"b"]}]"#)]
#[case(r#"[{"path":"/a","access":"session","acr":["é"]}]"#)]
#[case::unknown_methods(r#"[{"path":"/a","access":"public","methods":["GTE"]}]"#)]
#[case(r#"[{"path":"/a","access":"public","methods":["GET","TRACE"]}]"#)]
#[case(r#"[{"path":"/a","access":"public","methods":["CONNECT"]}]"#)]
#[case(r#"[{"path":"/a","access":"public","methods":["GET, POST"]}]"#)]
#[case(r#"[{"path":"/a","access":"public","methods":[""]}]"#)]
#[case::scopes_that_break_a_challenge(r#"[{"path":"/a","access":"session","scopes":["a\"b"]}]"#)]
#[case(r#"[{"path":"/a","access":"session","scopes":["a\\b"]}]"#)]
#[case(r#"[{"path":"/a","access":"session","scopes":["é"]}]"#)]
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
#[case::the_same(json!(["/a/*", "/a/*"]), Some(1))]
#[case::below_another(json!(["/a/*", "/a/b"]), Some(1))]
#[case::below_all(json!(["/x", "/*", "/a/b/*"]), Some(2))]
#[case::with_a_star(json!(["/a/*/c", "/a/b*/c"]), Some(1))]
#[case::of_its_methods(json!(["/a/*", ["/a/*", "GET", "POST"]]), Some(1))]
#[case::of_each_of_its_methods(json!([["/a/*", "GET"], ["/a/b", "POST"], ["/a/b", "HEAD", "POST"]]), Some(2))]
#[case::of_get_and_with_it_head(json!([["/a", "GET"], ["/a", "HEAD"]]), Some(1))]
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
        Some(index) => {
            let error = parsed.unwrap_err().to_string();
            assert!(error.starts_with(&format!("[{index}]: can never hold")), "{error}");
        }
    }
}
