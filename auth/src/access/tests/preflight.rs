//! Which rule decides about a CORS preflight.

use super::*;

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
