//! CORS preflights.

use super::*;

pub(super) const PREFLIGHT: [(&str, &str); 2] =
    [("origin", "https://other.example"), ("access-control-request-method", "PUT")];

#[rstest]
#[case::as_browsers_send_it("OPTIONS", &PREFLIGHT, true)]
#[case::of_a_sandboxed_page("OPTIONS", &[("origin", "null"), PREFLIGHT[1]], true)]
#[case::with_its_headers("OPTIONS", &[PREFLIGHT[0], PREFLIGHT[1], ("access-control-request-headers", "x-a")], true)]
#[case::without_an_origin("OPTIONS", &[PREFLIGHT[1]], false)]
#[case::with_an_empty_origin("OPTIONS", &[("origin", ""), PREFLIGHT[1]], false)]
#[case::without_a_method("OPTIONS", &[PREFLIGHT[0]], false)]
#[case::with_two_methods("OPTIONS", &[PREFLIGHT[0], ("access-control-request-method", "PUT, GET")], false)]
#[case::with_no_body("OPTIONS", &[PREFLIGHT[0], PREFLIGHT[1], ("content-length", "0")], true)]
#[case::with_a_body("OPTIONS", &[PREFLIGHT[0], PREFLIGHT[1], ("content-length", "3")], false)]
#[case::with_a_length_that_is_none("OPTIONS", &[PREFLIGHT[0], PREFLIGHT[1], ("content-length", "")], false)]
#[case::with_an_odd_length("OPTIONS", &[PREFLIGHT[0], PREFLIGHT[1], ("content-length", "00")], false)]
#[case::with_two_lengths("OPTIONS", &[PREFLIGHT[0], PREFLIGHT[1], ("content-length", "0, 0")], false)]
#[case::with_a_length_and_a_sign("OPTIONS", &[PREFLIGHT[0], PREFLIGHT[1], ("content-length", "+0")], false)]
#[case::with_a_body_to_come("OPTIONS", &[PREFLIGHT[0], PREFLIGHT[1], ("expect", "100-continue")], false)]
#[case::with_trailers("OPTIONS", &[PREFLIGHT[0], PREFLIGHT[1], ("trailer", "x-sum")], false)]
#[case::with_a_body_of_chunks("OPTIONS", &[PREFLIGHT[0], PREFLIGHT[1], ("transfer-encoding", "chunked")], false)]
#[case::with_an_upgrade("OPTIONS", &[PREFLIGHT[0], PREFLIGHT[1], ("upgrade", "websocket")], false)]
#[case::with_a_token_that_is_no_good("OPTIONS", &[PREFLIGHT[0], PREFLIGHT[1], ("authorization", "Bearer x.y.z")], false)]
#[case::in_lower_case("options", &PREFLIGHT, false)]
#[case::another_method("GET", &PREFLIGHT, false)]
#[case::the_method_asked_about("PUT", &PREFLIGHT, false)]
#[case::a_method_that_is_overridden("POST", &[PREFLIGHT[0], PREFLIGHT[1], ("x-http-method-override", "OPTIONS")], false)]
fn a_preflight_goes_on_without_a_session_and_nothing_else_does(
    #[case] method: &'static str,
    #[case] headers: &[(&'static str, &str)],
    #[case] passes: bool,
) {
    let passed = match guard().decide(&request(method, "/x", headers), NOW) {
        Decision::Forward(_) => true,
        Decision::Refuse(refused) => {
            assert!(refused.refusal.asks_for_login(), "{refused:?}");
            false
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(passed, passes);
}

#[test]
fn a_preflight_with_a_body_that_no_header_tells_of_is_none() {
    let request = Request { body: Some("a=b".into()), ..request("OPTIONS", "/x", &PREFLIGHT) };
    assert_eq!(refusal(&guard(), &request).refusal, Refusal::TokenMissing);
}

#[test]
fn a_preflight_takes_no_identity_and_no_cookie_along() {
    let headers = [PREFLIGHT[0], PREFLIGHT[1], ("cookie", "a=1; __Host-session=; b=2")];
    let decision = guard().decide(&request("OPTIONS", "/x", &headers), NOW);
    let Decision::Forward(anonymous) = decision else { panic!("{decision:?}") };
    let sent = HeaderFilter::read("\n\nOrigin\nX_Auth_Request_User\nX-HTTP-Method-Override");
    let changes = anonymous.header_changes(&sent);
    assert_eq!(changes.remove, ["X_Auth_Request_User", "X-HTTP-Method-Override"]);
    assert_eq!(changes.set, [("Cookie", "a=1; b=2")]);
}

#[test]
fn options_with_a_session_are_as_any_request() {
    let guard = guard_with(&[(
        "ROUTES",
        r#"[{"path":"/*","access":"session","roles":["admin"],"preflight":false}]"#,
    )]);
    let bearer = bearer(&guard);
    let headers = [PREFLIGHT[0], PREFLIGHT[1], ("authorization", &bearer as &str)];
    let check = check(&guard, &request("OPTIONS", "/x", &headers));
    let live = session("a", NOW.millis(), NOW.millis() + 1000);
    let verdict = guard.judge(&check, found(Some(live)), NOW);
    assert!(matches!(verdict, Err(Refusal::RouteDenied { .. })), "{verdict:?}");
}

#[rstest]
#[case::login_url("/internal/login", "not_found")]
#[case::rewritten("/a/../internal/login", "bad_request")]
#[case::encoded_slash("/a%2fb", "token_missing")]
#[case::parameter("/a;b", "token_missing")]
#[case::switched_off("/closed", "token_missing")]
#[case::an_own_endpoint("/_auth/session", "method_not_allowed")]
#[case::below_the_own("/_auth/other", "not_found")]
fn a_preflight_opens_nothing_else(#[case] path: &str, #[case] code: &str) {
    let guard = guard_with(&[
        ("ORIGIN_URL", "https://origin.example"),
        ("LOGIN_URL", "https://origin.example/internal/login"),
        ("ROUTES", r#"[{"path":"/closed","access":"session","preflight":false}]"#),
    ]);
    assert_eq!(refusal(&guard, &request("OPTIONS", path, &PREFLIGHT)).refusal.code(), code);
}
