//! Which rule of `ROUTES` a request matches, and what it asks for.

mod parse;
mod path_variants;
mod preflight;
mod property;
mod rights;
mod step_up;

use super::*;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Map, Value, json};

fn find<'a>(rules: &'a Rules, method: &str, path: &str) -> RuleMatches<'a> {
    rules.find(method, path, &PathVariants::of(path))
}

fn lets_preflight(rules: &Rules, asked: &str, path: &str) -> bool {
    rules.lets_preflight(asked, path, &PathVariants::of(path))
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

/// Which rules hold, counted from 0, and why.
fn told(rules: &Rules, method: &str, path: &str) -> Vec<(Option<usize>, MatchReason)> {
    let found = find(rules, method, path);
    found.iter().map(|it| (it.index, it.why.clone())).collect()
}

fn read(text: &str) -> MatchReason {
    MatchReason::Read(text.into())
}

#[rstest]
#[case("GET", "/me", &[(Some(1), MatchReason::Sent)])]
#[case("DELETE", "/forms/1", &[(Some(3), MatchReason::Sent)])]
#[case("GET", "/ADMIN/x", &[(Some(4), MatchReason::Sent), (Some(0), read("/admin/x"))])]
#[case("GET", "/admin", &[(Some(4), MatchReason::Sent), (Some(0), read("/admin/"))])]
#[case("GET", "/ADMIN", &[(Some(4), MatchReason::Sent), (Some(0), read("/admin/"))])]
#[case("GET", "/me/", &[(Some(4), MatchReason::Sent), (Some(1), read("/me"))])]
#[case("GET", "/a%2fb", &[(Some(4), MatchReason::Sent), (None, MatchReason::Ambiguous)])]
#[case("GET", "/a%2fb%20c", &[(Some(4), MatchReason::Sent), (None, MatchReason::Ambiguous)])]
#[case("GET", "/a%20b", &[(Some(4), MatchReason::Sent)])]
#[case("GET", "//admin/x", &[(Some(4), MatchReason::Sent), (Some(0), read("/admin/x"))])]
#[case("get", "/Forms/1", &[(Some(4), MatchReason::Sent), (Some(3), read("/forms/1"))])]
#[case("GET", "/forms/..;/admin/x", &[(Some(2), MatchReason::Sent), (Some(4), read("/")), (Some(0), read("/admin/x"))])]
fn it_is_told_which_rules_hold_and_why(
    #[case] method: &str,
    #[case] path: &str,
    #[case] expected: &[(Option<usize>, MatchReason)],
) {
    let mut found = told(&rules(), method, path);
    let sent = found.remove(0);
    assert_eq!(sent, expected[0]);
    for one in &expected[1..] {
        assert!(found.contains(one), "{one:?} is not in {found:?}");
    }
    assert_eq!(found.len() + 1, expected.len(), "{found:?}");
    assert_eq!(told(&Rules::default(), method, path), [(None, MatchReason::Sent)]);
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

#[test]
fn the_route_names_every_rule_that_holds_once() {
    let rules = company();
    assert_eq!(find(&rules, "GET", "/hr/x").route(), "/hr/*");
    assert_eq!(find(&rules, "GET", "/x").route(), "/*");
    assert_eq!(find(&rules, "POST", "/x;y").route(), "/*");
    assert_eq!(find(&rules, "GET", "/hr/..;/eng/x").route(), "/hr/* / /eng/*");
}

#[rstest]
#[case("/admin/x", Access::Session)]
#[case("/a%2fb", Access::Session)]
fn without_rules_a_session_is_needed(#[case] path: &str, #[case] access: Access) {
    assert_eq!(find(&Rules::default(), "GET", path).access(), access);
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
    let obeyed = rules.lets_log_in(method, path, &PathVariants::of(path));
    assert_eq!(obeyed.is_ok(), lets, "{method} {path}: {obeyed:?}");
}
