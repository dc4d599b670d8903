//! The headers that are set and removed on the way to the origin.

use super::*;

#[test]
fn the_origin_gets_the_identity_and_not_the_credential() {
    let guard = guard();
    let sent = HeaderFilter::read("\n\nAccept\nx_auth_request_user\nX-Auth-Request-Email\nCookie");
    let by_cookie = check(&guard, &request("GET", "/", &[("cookie", &cookie(&guard))]));
    let changes = by_cookie.header_changes(&sent);
    assert_eq!(changes.remove, ["x_auth_request_user", "X-Auth-Request-Email"]);
    let sid = by_cookie.principal().sid().as_str();
    assert_eq!(changes.set, [("Cookie", "a=1; b=2")]);
    let expected = [
        ("X-Auth-Request-User", "ada"),
        ("X-Auth-Request-Session", sid),
        ("X-Auth-Request-Email", "ada@example.com"),
        ("X-Auth-Request-Claim-email", "ada@example.com"),
    ];
    let identity = changes.identity.iter().map(|(name, value)| (&**name, value.as_str()));
    assert!(identity.eq(expected), "{:?}", changes.identity);
    let by_bearer = check(&guard, &request("GET", "/", &[("authorization", &bearer(&guard))]));
    assert_eq!(by_bearer.header_changes(&HeaderFilter::default()).remove, ["authorization"]);
}

#[rstest]
#[case::an_applications_own("[]", "POST", true)]
#[case::on_a_safe_method("[]", "GET", false)]
#[case::where_it_is_for_everybody(r#"[{"path": "/x", "access": "optional"}]"#, "POST", false)]
#[case::where_methods_matter(
    r#"[{"path": "/y", "access": "session", "methods": ["GET"]}]"#,
    "POST",
    false
)]
fn the_origin_is_told_of_another_method_only_where_none_was_decided_about(
    #[case] routes: &str,
    #[case] method: &'static str,
    #[case] passes: bool,
) {
    let guard = guard_with(&[("ROUTES", routes)]);
    let check = check(&guard, &request(method, "/x", &[("authorization", &bearer(&guard))]));
    let sent = HeaderFilter::read("\n\nX-HTTP-Method-Override");
    let changes = check.header_changes(&sent);
    assert_eq!(!changes.remove.contains(&"X-HTTP-Method-Override"), passes);
    let sent = HeaderFilter::read("\n\nx-http-method");
    let anonymous = check.header_changes_without_identity(&sent);
    assert_eq!(!anonymous.remove.contains(&"x-http-method"), passes);
}
