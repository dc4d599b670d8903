//! Requests that a proxy describes are decided about as if they had come themselves.

use super::*;
use crate::forward_auth::DescribedRequest;

const KEY: &str = "0123456789abcdef0123456789abcdef";
const RULES: &str = r#"[
    {"path": "/open/*", "access": "public"},
    {"path": "/either", "access": "optional"},
    {"path": "/admin/*", "access": "session", "roles": ["admin"]},
    {"path": "/read", "access": "public", "methods": ["GET"]}
]"#;

fn asked_guard(more: &[(&str, &str)]) -> Guard {
    guard_with(&[&[("FORWARD_AUTH_KEY", KEY), ("ROUTES", RULES)], more].concat())
}

/// What a proxy asks, at the guard's own host.
fn asking(query: &str, key: Option<&str>, method: &str, url: &str) -> Request {
    let described = [("x-original-method", method), ("x-original-url", url)];
    let key = key.map(|key| ("x-guard-proxy-key", key));
    let headers: Vec<_> = described.into_iter().chain(key).collect();
    let asking = request("GET", &format!("/_auth/verify{query}"), &headers);
    Request { url: asking.url.replace("app.example", "guard.example"), ..asking }
}

/// The request that it asks about.
fn described(guard: &Guard, query: &str, url: &str, headers: &[(&'static str, &str)]) -> Request {
    let method = headers.iter().find(|(name, _)| *name == "method").map_or("GET", |it| it.1);
    let asking = asking(query, Some(KEY), method, url);
    let DescribedRequest { method, url, recipient, .. } = guard.described(&asking).unwrap();
    let method = if method == "POST" { "POST" } else { "GET" };
    Request { url, recipient, ..request(method, "", headers) }
}

#[rstest]
#[case::none(Some(KEY), None, "not_found", 404)]
#[case::missing(None, Some(KEY), "key_invalid", 403)]
#[case::empty(Some(""), Some(KEY), "key_invalid", 403)]
#[case::other(Some("0123456789abcdef0123456789abcdeF"), Some(KEY), "key_invalid", 403)]
#[case::twice(
    Some("0123456789abcdef0123456789abcdef, 0123456789abcdef0123456789abcdef"),
    Some(KEY),
    "key_invalid",
    403
)]
fn without_the_key_nothing_is_believed(
    #[case] sent: Option<&str>,
    #[case] set: Option<&str>,
    #[case] code: &str,
    #[case] status: u16,
) {
    let key = set.map(|key| ("FORWARD_AUTH_KEY", key));
    let guard = guard_with(key.as_slice());
    let asking = asking("", sent, "GET", "https://app.example/open/x");
    assert!(matches!(guard.decide(&asking, NOW), Decision::Own(Endpoint::Verify)));
    let refused = guard.described(&asking).unwrap_err();
    assert_eq!((refused.refusal.code(), refused.status()), (code, status));
}

#[test]
fn the_same_is_decided_as_about_the_request_itself() {
    let guard = asked_guard(&[]);
    let bearer = bearer(&guard);
    let token = [("authorization", &*bearer)];
    let session = check(&guard, &described(&guard, "", "https://app.example/x", &token));
    assert_eq!((session.principal().user().as_str(), session.route()), ("ada", "/*"));
    let decide = |url: &str, headers: &[_]| guard.decide(&described(&guard, "", url, headers), NOW);
    for path in ["/open/x", "/open/x?a=/admin", "/either", "/read"] {
        let decision = decide(&format!("https://app.example{path}"), &[]);
        assert!(matches!(decision, Decision::Forward(_)), "{path}: {decision:?}");
    }
    for (path, code) in [
        ("/x", "token_missing"),
        ("/x?/open/x", "token_missing"),
        ("/open/%2e%2e/admin", "bad_request"),
        ("/open/..%2fadmin/x", "token_missing"),
        ("/open//admin", "token_missing"),
        ("//open/x", "token_missing"),
        ("/admin/x", "token_missing"),
        ("/open/\\..\\admin", "bad_request"),
    ] {
        let refused =
            refusal(&guard, &described(&guard, "", &format!("https://app.example{path}"), &[]));
        assert_eq!(refused.refusal.code(), code, "{path}");
    }
    let post = described(&guard, "", "https://app.example/read", &[("method", "POST")]);
    assert_eq!(refusal(&guard, &post).refusal.code(), "token_missing");
}

#[rstest]
#[case::described_site(&[("origin", "https://app.example")], true)]
#[case::the_guards_site(&[("origin", "https://guard.example")], false)]
#[case::another_site(&[("origin", "https://evil.example")], false)]
fn the_cookie_is_for_the_described_site(
    #[case] headers: &[(&'static str, &str)],
    #[case] passes: bool,
) {
    let guard = asked_guard(&[]);
    let cookie = cookie(&guard);
    let headers = [headers, &[("method", "POST"), ("cookie", &*cookie)]].concat();
    let decision = guard.decide(&described(&guard, "", "https://app.example/x", &headers), NOW);
    assert_eq!(matches!(decision, Decision::CheckSession(_)), passes, "{decision:?}");
}

#[rstest]
#[case("/_auth/login")]
#[case("/_auth/logout")]
#[case("/_auth/verify")]
#[case("/_auth/nothing")]
#[case("/.well-known/jwks.json")]
#[case("/.well-known/oauth-protected-resource")]
fn what_is_the_guards_own_never_passes(#[case] path: &str) {
    let servers = r#"{"authorization_servers": ["https://login.example.com"]}"#;
    for mode in ["enforce", "monitor"] {
        let guard = asked_guard(&[("RESOURCE_METADATA", servers), ("MODE", mode)]);
        let url = format!("https://app.example{path}");
        let refused = refusal(&guard, &described(&guard, "", &url, &[]));
        assert_eq!(refused.refusal, crate::decision::forward_auth::OWN_PATH);
        let off = refusal(&guard, &described(&guard, "?redirect=off", &url, &[]));
        assert_eq!((refused.status(), off.status()), (400, 403));
    }
}

#[test]
fn what_a_proxy_passes_on_stays_at_the_guard() {
    let guard = asked_guard(&[]);
    for name in ["x-guard-proxy-key", "x-guard-site-key"] {
        for key in [KEY, "another"] {
            let passed_on = request("GET", "/open/x", &[(name, key)]);
            assert_eq!(refusal(&guard, &passed_on).refusal, Refusal::NotFound);
        }
    }
    let passed_on = request("GET", "/open/x", &[("x-guard-proxy-key", KEY)]);
    assert!(matches!(
        super::guard_with(&[("ROUTES", RULES)]).decide(&passed_on, NOW),
        Decision::Forward(_)
    ));
}

#[test]
fn no_client_asks_through_what_passes_its_requests_on() {
    let guard = asked_guard(&[]);
    let mut asking = asking("", None, "GET", "https://app.example/open/x");
    asking.headers.push(("x-guard-site-key", KEY.into()));
    assert_eq!(guard.described(&asking).unwrap_err().refusal, Refusal::ProxyKeyInvalid);
    asking.headers.push(("x-guard-proxy-key", KEY.into()));
    assert_eq!(guard.described(&asking).unwrap_err().refusal, Refusal::NotFound);
}

#[rstest]
#[case::not_passed_on(&[], Ok(None))]
#[case::asking(&[("x-guard-proxy-key", KEY)], Ok(None))]
#[case::another_key(&[("x-guard-site-key", "x")], Err(Refusal::ProxyKeyInvalid))]
#[case::passed_on(&[("x-guard-site-key", KEY)], Ok(Some("https://site.example/_auth/login?a")))]
fn the_guards_own_endpoints_are_at_the_host_that_was_asked(
    #[case] headers: &[(&'static str, &str)],
    #[case] url: Result<Option<&str>, Refusal>,
) {
    let told = [("x-forwarded-host", "site.example"), ("x-forwarded-proto", "https")];
    let passed_on = request("POST", "/_auth/login?a", &[headers, &told].concat());
    let read = asked_guard(&[]).proxied(&passed_on).map(|read| read.map(|read| read.url));
    assert_eq!(read, url.map(|url| url.map(str::to_owned)));
    assert_eq!(guard().proxied(&passed_on), Ok(None));
}

const PAGE: (&str, &str) = ("sec-fetch-mode", "navigate");

#[rstest]
#[case::page("", &[PAGE], Some((302, "https://app.example/_auth/login?redirect=/x?a")), 401, None)]
#[case::form("", &[PAGE, ("method", "POST"), ("referer", "https://app.example/form")], Some((303, "https://app.example/_auth/login?redirect=/form")), 401, None)]
#[case::script("", &[], None, 401, None)]
#[case::page_off("?redirect=off", &[PAGE], None, 401, Some("https://app.example/_auth/login?redirect=/x?a"))]
#[case::script_off("?redirect=off", &[], None, 401, None)]
fn a_person_is_sent_to_the_login_page_of_the_described_site(
    #[case] query: &str,
    #[case] headers: &[(&'static str, &str)],
    #[case] redirect: Option<(u16, &str)>,
    #[case] status: u16,
    #[case] location: Option<&str>,
) {
    let guard = asked_guard(&[]);
    let described = described(&guard, query, "https://app.example/x?a", headers);
    let refused = refusal(&guard, &described);
    assert_eq!((refused.redirect(described.method), refused.status()), (redirect, status));
    let headers = refused.headers();
    let value = |name| headers.iter().find(|(it, _)| *it == name).map(|(_, value)| &**value);
    assert_eq!((value("www-authenticate"), value("location")), (Some("Bearer"), location));
}

#[test]
fn plain_http_is_the_described_requests() {
    let guard = asked_guard(&[]);
    let http = refusal(&guard, &described(&guard, "", "http://app.example/x", &[PAGE]));
    assert_eq!(http.redirect("GET"), Some((308, "https://app.example/x")));
    let off = refusal(&guard, &described(&guard, "?redirect=off", "http://app.example/x", &[PAGE]));
    assert_eq!((off.redirect("GET"), off.status()), (None, 403));
}

#[rstest]
#[case(400, 403)]
#[case(401, 401)]
#[case(403, 403)]
#[case(404, 403)]
#[case(405, 403)]
#[case(409, 403)]
#[case(414, 403)]
#[case(500, 500)]
#[case(502, 502)]
#[case(503, 503)]
fn nginx_gets_only_refusals_that_it_knows(#[case] status: u16, #[case] told: u16) {
    assert_eq!(crate::forward_auth::status_without_redirects(status), told);
}

#[test]
fn a_description_that_cannot_be_read_is_refused_as_the_proxy_wishes() {
    let guard = asked_guard(&[]);
    for (query, status) in [("", 400), ("?redirect=off", 403), ("?redirect=on", 400)] {
        let refused = guard.described(&asking(query, Some(KEY), "GET", "/x")).unwrap_err();
        assert_eq!((refused.refusal.code(), refused.status()), ("bad_request", status));
    }
}
