//! Scripts of other origins.

use super::*;

const NAMED: &str =
    r#"["https://spa.example", {"origin": "https://app2.example", "credentials": true}]"#;
const SPA: &str = "https://spa.example";
const APP: &str = "https://app2.example";

fn named() -> Guard {
    guard_with(&[("ALLOWED_ORIGINS", NAMED)])
}

#[rstest]
#[case::with_credentials("POST", &[("origin", APP)], true)]
#[case::of_the_same_site("POST", &[("origin", APP), ("sec-fetch-site", "same-site")], true)]
#[case::of_another_site("DELETE", &[("origin", APP), ("sec-fetch-site", "cross-site")], true)]
#[case::websocket("GET", &[("origin", APP), ("upgrade", "websocket")], true)]
#[case::without_credentials("POST", &[("origin", SPA)], false)]
#[case::websocket_without("GET", &[("origin", SPA), ("upgrade", "websocket")], false)]
#[case::not_named("POST", &[("origin", "https://evil.example")], false)]
#[case::null("POST", &[("origin", "null")], false)]
#[case::nothing("POST", &[("origin", "")], false)]
#[case::no_origin("POST", &[("sec-fetch-site", "same-site")], false)]
#[case::suffix("POST", &[("origin", "https://app2.example.evil.example")], false)]
#[case::prefix("POST", &[("origin", "https://app2.exampl")], false)]
#[case::sub_domain("POST", &[("origin", "https://x.app2.example")], false)]
#[case::upper_case("POST", &[("origin", "https://APP2.example")], false)]
#[case::port("POST", &[("origin", "https://app2.example:8443")], false)]
#[case::own_port("POST", &[("origin", "https://app2.example:443")], false)]
#[case::scheme("POST", &[("origin", "http://app2.example")], false)]
#[case::dot("POST", &[("origin", "https://app2.example.")], false)]
#[case::slash("POST", &[("origin", "https://app2.example/")], false)]
#[case::two("POST", &[("origin", "https://app2.example, https://evil.example")], false)]
#[case::space("POST", &[("origin", "https://app2.example ")], false)]
fn a_named_origin_counts_as_this_site_only_with_credentials(
    #[case] method: &'static str,
    #[case] headers: &[(&'static str, &str)],
    #[case] passes: bool,
) {
    let guard = named();
    let cookie = cookie(&guard);
    let headers = [headers, &[("cookie", &cookie as &str)]].concat();
    let decision = guard.decide(&request(method, "/x", &headers), NOW);
    let refused = matches!(&decision, Decision::Refuse(r) if r.refusal == Refusal::CrossSite);
    assert_eq!(refused, !passes, "{headers:?}: {decision:?}");
}

const JSON: (&str, &str) = ("content-type", "application/json");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[rstest]
#[case::json_of_a_named_origin(&[("origin", SPA), JSON], true)]
#[case::its_form(&[("origin", SPA), FORM], false)]
#[case::its_text(&[("origin", SPA), ("content-type", "text/plain")], false)]
#[case::with_a_bearer_token(&[("origin", SPA), ("authorization", "Bearer x")], true)]
#[case::with_the_cookie_alone(&[("origin", SPA), ("cookie", "__Host-session=x")], false)]
#[case::form_with_credentials(&[("origin", APP), FORM], true)]
#[case::json_of_another(&[("origin", "https://evil.example"), JSON], false)]
#[case::json_of_nobody(&[("origin", "null"), JSON], false)]
fn without_credentials_a_named_origin_logs_in_and_out_only_as_it_had_to_ask(
    #[case] headers: &[(&'static str, &str)],
    #[case] passes: bool,
) {
    let headers = [headers, &[("sec-fetch-site", "cross-site")]].concat();
    let verdict = named().refuse_other_origins(&request("POST", "/_auth/login", &headers));
    assert_eq!(verdict.is_ok(), passes, "{headers:?}");
}

#[rstest]
#[case::named(Some(SPA), &[("vary", "Origin"), ("access-control-allow-origin", SPA), ("access-control-expose-headers", "WWW-Authenticate, Retry-After")])]
#[case::with_credentials(Some(APP), &[("vary", "Origin"), ("access-control-allow-origin", APP), ("access-control-expose-headers", "WWW-Authenticate, Retry-After"), ("access-control-allow-credentials", "true")])]
#[case::another(Some("https://evil.example"), &[("vary", "Origin")])]
#[case::null(Some("null"), &[("vary", "Origin")])]
#[case::any(Some("*"), &[("vary", "Origin")])]
#[case::none(None, &[("vary", "Origin")])]
fn an_answer_names_the_origin_that_may_read_it_and_no_other(
    #[case] origin: Option<&str>,
    #[case] expected: &[(&str, &str)],
) {
    let origin: Vec<_> = origin.map(|it| ("origin", it)).into_iter().collect();
    let request = request("GET", "/x", &origin);
    assert_eq!(named().cors(&request), expected);
    assert_eq!(guard().cors(&request), []);
}

#[rstest]
#[case::endpoint("/_auth/login", SPA, true)]
#[case::admin("/_auth/admin/users", SPA, true)]
#[case::keys("/.well-known/jwks.json", APP, true)]
#[case::another_origin("/_auth/login", "https://evil.example", false)]
#[case::no_endpoint("/_auth/other", SPA, false)]
#[case::the_origins("/x", SPA, false)]
fn a_preflight_about_an_endpoint_is_answered_for_named_origins(
    #[case] path: &str,
    #[case] origin: &str,
    #[case] answered: bool,
) {
    let headers = [("origin", origin), ("access-control-request-method", "POST")];
    let decision = named().decide(&request("OPTIONS", path, &headers), NOW);
    let is_answered = matches!(decision, Decision::Own(Endpoint::Preflight));
    assert_eq!(is_answered, answered, "{decision:?}");
    let decision = named().decide(&request("OPTIONS", path, &headers[..1]), NOW);
    assert!(!matches!(decision, Decision::Own(Endpoint::Preflight)), "{decision:?}");
}

#[test]
fn a_preflight_allows_the_headers_that_a_token_may_be_in() {
    let guard = guard_with(&[("TOKEN_SOURCES", "bearer, header:x-access-token")]);
    let headers = guard.preflight();
    let allowed = ("access-control-allow-headers", "x-access-token");
    assert!(headers.contains(&allowed), "{headers:?}");
}
