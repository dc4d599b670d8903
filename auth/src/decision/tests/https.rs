//! `REQUIRE_HTTPS`: no token and no password over plain http.

use super::*;
use preflight::PREFLIGHT;

const OPEN: &str = r#"[
    {"path": "/open/*", "access": "public"},
    {"path": "/sign-in", "access": "public", "login": true},
    {"path": "/either", "access": "optional"}
]"#;

#[rstest]
#[case::the_origins_login("POST", "/sign-in", &[], true)]
#[case::a_page("GET", "/x", &[], true)]
#[case::a_token("GET", "/x", &[("authorization", "BEARER")], true)]
#[case::a_post("POST", "/x", &[("cookie", "COOKIE")], true)]
#[case::a_login("POST", "/_auth/login", &[], true)]
#[case::the_login_page("GET", "/_auth/login", &[], true)]
#[case::keys("GET", "/.well-known/jwks.json", &[], true)]
#[case::health("GET", "/_auth/health", &[], false)]
#[case::no_endpoint("GET", "/_auth/x", &[], false)]
#[case::for_everybody("GET", "/open/x", &[], false)]
#[case::for_everybody_with_a_token("GET", "/open/x", &[("authorization", "BEARER")], true)]
#[case::for_everybody_with_a_cookie("GET", "/open/x", &[("cookie", "COOKIE")], true)]
#[case::for_everybody_with_another_cookie("GET", "/open/x", &[("cookie", "a=b")], false)]
#[case::for_everybody_with_anothers_token("GET", "/open/x", &[("authorization", "Bearer theirs")], false)]
#[case::for_everybody_in_another_spelling("GET", "/open//x", &[], true)]
#[case::for_anybody("GET", "/either", &[], false)]
#[case::for_anybody_with_a_token("GET", "/either", &[("authorization", "BEARER")], true)]
#[case::a_preflight("OPTIONS", "/x", &PREFLIGHT, true)]
#[case::a_token_in_the_query("GET", "/open/x?t=a.b.c", &[], true)]
#[case::a_token_in_a_header("GET", "/open/x", &[("x-token", "a.b.c")], true)]
fn tokens_and_logins_do_not_come_over_http(
    #[case] method: &'static str,
    #[case] path: &str,
    #[case] headers: &[(&'static str, &str)],
    #[case] needs_https: bool,
) {
    let sources = ("TOKEN_SOURCES", "bearer, cookie, query:t, header:x-token");
    let guard = guard_with(&[("ROUTES", OPEN), sources]);
    let (bearer, cookie) = (bearer(&guard), cookie(&guard));
    let fill = |text| match text {
        "BEARER" => &bearer,
        "COOKIE" => &cookie,
        text => text,
    };
    let headers: Vec<_> = headers.iter().map(|(name, text)| (*name, fill(text))).collect();
    for (site, is_open) in [
        ("http://app.example", true),
        ("http://app.example:8080", true),
        ("http://10.0.0.1", true),
        ("http://localhost.example", true),
        ("http://127.example", true),
        ("https://app.example", false),
        ("http://localhost:8787", false),
        ("http://LocalHost", false),
        ("http://app.localhost:8787", false),
        ("http://127.0.0.1:8787", false),
        ("http://127.1.2.3", false),
        ("http://[::1]:8787", false),
    ] {
        let request = Request { url: format!("{site}{path}"), ..request(method, path, &headers) };
        let code = |guard: &Guard| match guard.decide(&request, NOW) {
            Decision::Refuse(refused) => Some(refused.refusal.code()),
            _ => None,
        };
        let expected = is_open && needs_https;
        assert_eq!(code(&guard) == Some("https_required"), expected, "{site}: {:?}", code(&guard));
        let off = guard_with(&[("ROUTES", OPEN), sources, ("REQUIRE_HTTPS", "false")]);
        assert_ne!(code(&off), Some("https_required"), "{site}");
    }
}

#[rstest]
#[case("GET", "http://app.example/x?a=%2F&t=x.y.z#f", true, Some("https://app.example/x?a=%2F"))]
#[case("GET", "http://app.example:8080/x", true, Some("https://app.example/x"))]
#[case("GET", "http://[2001:db8::1]:80/", true, Some("https://[2001:db8::1]/"))]
#[case(
    "GET",
    "http://app.example/_auth/login?redirect=/\u{e9}",
    true,
    Some("https://app.example/_auth/login")
)]
#[case(
    "GET",
    "http://app.example/_auth/login?redirect=/x",
    true,
    Some("https://app.example/_auth/login?redirect=/x")
)]
#[case("GET", "http://app.example/x", false, None)]
#[case("POST", "http://app.example/_auth/login", true, None)]
#[case("HEAD", "http://app.example/x", true, None)]
fn who_navigates_is_sent_to_the_same_address_over_https(
    #[case] method: &'static str,
    #[case] url: &str,
    #[case] navigates: bool,
    #[case] there: Option<&str>,
) {
    let mode = if navigates { "navigate" } else { "cors" };
    let guard = guard_with(&[("TOKEN_SOURCES", "bearer, query:t")]);
    let request = request(method, "/", &[("sec-fetch-mode", mode), ("accept", "text/html")]);
    let refused = refusal(&guard, &Request { url: url.into(), ..request });
    assert_eq!(refused.refusal.code(), "https_required");
    assert_eq!((refused.https.as_deref(), refused.login), (there, None));
}

#[test]
fn in_monitor_mode_it_is_only_noted_that_a_request_came_over_http() {
    let guard = guard_with(&[("MODE", "monitor")]);
    let request = Request { url: "http://app.example/x".into(), ..request("GET", "/x", &[]) };
    let Decision::Forward(anonymous) = guard.decide(&request, NOW) else { panic!() };
    assert!(anonymous.log_fields().contains(r#""would_refuse","code":"https_required""#));
}
