//! `MODE = monitor`: what would be refused is forwarded without an identity.

use super::*;

#[rstest]
#[case("GET", "/x", &[], "token_missing")]
#[case("GET", "/x", &[("authorization", "Bearer a.b.c")], "token_invalid")]
#[case("POST", "/x", &[("cookie", "COOKIE"), ("sec-fetch-site", "cross-site")], "cross_site")]
#[case("GET", "/a/../b", &[("authorization", "BEARER")], "bad_request")]
#[case("GET", "/login", &[("authorization", "BEARER")], "not_found")]
fn in_monitor_mode_what_would_be_refused_goes_on_without_an_identity_and_is_noted(
    #[case] method: &'static str,
    #[case] path: &str,
    #[case] headers: &[(&'static str, &str)],
    #[case] code: &str,
) {
    let login = ("LOGIN_URL", "https://app.example/login");
    let (enforcing, monitoring) = (guard_with(&[login]), guard_with(&[login, ("MODE", "monitor")]));
    let (bearer, cookie) = (bearer(&monitoring), cookie(&monitoring));
    let fill = |text| match text {
        "BEARER" => &bearer,
        "COOKIE" => &cookie,
        text => text,
    };
    let headers: Vec<_> = headers.iter().map(|(name, text)| (*name, fill(text))).collect();
    let request = request(method, path, &headers);
    assert_eq!(refusal(&enforcing, &request).refusal.code(), code);
    let Decision::Forward(anonymous) = monitoring.decide(&request, NOW) else { panic!() };
    let said = format!(r#""decision":"would_refuse","code":"{code}","route":"/*""#);
    assert_eq!(anonymous.log_fields(), said);
    let sent = HeaderFilter::read("\n\nX_Auth_Request_User");
    let changes = anonymous.header_changes(&sent);
    assert!(changes.remove.contains(&"X_Auth_Request_User"), "{changes:?}");
    assert!(changes.set.iter().all(|(name, _)| *name == "Cookie"), "{changes:?}");
}

#[rstest]
#[case("/x", "enforce", false, "refuse")]
#[case("/x", "monitor", true, "would_refuse")]
#[case("/either", "enforce", true, "forward")]
#[case("/either", "monitor", true, "forward")]
fn whether_a_request_without_a_live_session_goes_on_is_the_rules_and_the_modes_to_say(
    #[case] path: &str,
    #[case] mode: &str,
    #[case] goes_on: bool,
    #[case] said: &str,
) {
    let guard = guard_with(&[("ROUTES", ROUTES), ("MODE", mode)]);
    let check = check(&guard, &request("GET", path, &[("authorization", &bearer(&guard))]));
    let refusal = guard.judge(&check, found(None), NOW).map(drop).unwrap_err();
    assert_eq!(check.forwards_without_identity(), goes_on);
    let begins = format!(r#""decision":"{said}""#);
    assert!(
        check.log_fields(Some(&refusal)).starts_with(&begins),
        "{}",
        check.log_fields(Some(&refusal))
    );
}
