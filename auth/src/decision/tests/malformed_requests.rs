//! Paths, hosts and methods that are refused whoever sends them.

use super::*;

#[rstest]
#[case("/a/../b")]
#[case("/a/%2e%2e/b")]
#[case("/a\\b")]
fn a_path_that_changes_on_the_way_is_refused_whoever_asks(#[case] path: &str) {
    let guard = guard();
    let request = request("GET", path, &[("authorization", &bearer(&guard))]);
    assert_eq!(refusal(&guard, &request).refusal.code(), "bad_request");
}

#[rstest]
#[case("TRACE", "/x", "method_not_allowed")]
#[case("TRACE", "/_auth/login", "method_not_allowed")]
#[case("CONNECT", "/x", "method_not_allowed")]
#[case("TRACE", "/public/x", "method_not_allowed")]
#[case("GET", "/x", "token_missing")]
fn what_shows_a_request_to_its_client_is_refused_everywhere(
    #[case] method: &'static str,
    #[case] path: &str,
    #[case] code: &str,
) {
    let guard = guard_with(&[("ROUTES", r#"[{"path": "/public/*", "access": "public"}]"#)]);
    assert_eq!(refusal(&guard, &request(method, path, &[])).refusal.code(), code);
}

#[rstest]
#[case("app.example", false)]
#[case("app.example:8787", false)]
#[case("[::1]:8787", false)]
#[case("app.example, evil.example", true)]
#[case("a@app.example", true)]
#[case("a b", true)]
#[case("", true)]
fn a_host_that_is_none_is_refused(#[case] host: &str, #[case] refused: bool) {
    let guard = guard();
    let request = Request { url: format!("https://{host}/x"), ..request("GET", "/x", &[]) };
    let code = refusal(&guard, &request).refusal.code();
    assert_eq!(code, if refused { "bad_request" } else { "token_missing" });
}

#[rstest]
#[case::of_the_longest("/", 8 * 1024 - 1, "token_missing")]
#[case::longer("/", 8 * 1024, "uri_too_long")]
#[case::much_longer("/%2e", 1_000_000, "uri_too_long")]
#[case::below_the_own("/_auth/admin/", 9_000, "uri_too_long")]
fn a_path_that_is_too_long_is_refused_unread(
    #[case] start: &str,
    #[case] more: usize,
    #[case] code: &str,
) {
    let routes = r#"[{"path":"/*a*b*c","access":"session"},{"path":"/x/*","access":"public"}]"#;
    let path = format!("{start}{}?{}", ".a".repeat(more / 2), "q".repeat(20_000));
    let path = if more % 2 == 1 { path.replacen('.', "..", 1) } else { path };
    let request = request("GET", &path, &[]);
    let refused = refusal(&guard_with(&[("ROUTES", routes)]), &request);
    assert_eq!(
        (refused.refusal.code(), refused.refusal.status() == 414),
        (code, code == "uri_too_long")
    );
    let monitor = guard_with(&[("ROUTES", routes), ("MODE", "monitor")]);
    let goes_on = matches!(monitor.decide(&request, NOW), Decision::Forward(_));
    assert_eq!(goes_on, start != "/_auth/admin/");
}

#[test]
fn a_path_that_can_be_read_in_too_many_ways_is_refused() {
    let path = "/%u002e;%c0%ae%5c%3f%23%00%20.".repeat(200);
    let guard = guard();
    let request = request("GET", &path, &[("authorization", &bearer(&guard))]);
    assert_eq!(refusal(&guard, &request).refusal.code(), "bad_request");
}
