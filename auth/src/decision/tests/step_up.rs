//! `max_age` and `acr`: the login behind the session is judged with the session, each time.

use super::*;
use crate::session::{Sid, Subject};
use crate::token::TokenGrant;
use serde_json::{Value, json};

const ROUTES: &str = r#"[
    {"path": "/pay/*", "access": "session", "max_age": "60 seconds"},
    {"path": "/wire/*", "access": "session", "acr": ["mfa", "key"]},
    {"path": "/staff/*", "access": "session", "max_age": "60 seconds", "roles": ["staff"]},
    {"path": "/pay2/*", "access": "session", "max_age": "61 seconds"},
    {"path": "/either", "access": "optional"}
]"#;

fn guard_of(changes: &[(&str, &str)]) -> Guard {
    guard_with(&[changes, &[("ROUTES", ROUTES)]].concat())
}

/// A token with these claims, issued now, good for an hour.
fn bearer_with(guard: &Guard, claims: &Value) -> String {
    let grant = TokenGrant {
        sub: &Subject::try_from("ada".to_owned()).unwrap(),
        sid: &Sid::from_random([7; 16]),
        jti: "jti",
        public: claims.as_object().unwrap(),
        now: NOW,
        lifetime: Duration::from_secs(3600),
    };
    format!("Bearer {}", guard.tokens().issue(&grant).unwrap())
}

/// A session that began so many seconds before now.
fn began(ago: u64) -> Session {
    let created = NOW.millis() - ago * 1000;
    session("a", created, NOW.millis() + 1_000_000)
}

fn seconds(ago: i64) -> i64 {
    i64::try_from(NOW.seconds()).unwrap() - ago
}

#[rstest]
#[case::a_fresh_session("/pay/x", json!({}), 60, None)]
#[case::an_old_one("/pay/x", json!({}), 61, Some("insufficient_user_authentication"))]
#[case::an_old_one_elsewhere("/x", json!({}), 61, None)]
#[case::a_login_later_than_the_session("/pay/x", json!({ "auth_time": seconds(60) }), 900, None)]
#[case::a_login_before_it("/pay/x", json!({ "auth_time": seconds(61) }), 0, Some("insufficient_user_authentication"))]
#[case::a_login_to_come_says_nothing("/pay/x", json!({ "auth_time": seconds(-6) }), 61, Some("insufficient_user_authentication"))]
#[case::as_far_as_clocks_may_differ_it_counts("/pay/x", json!({ "auth_time": seconds(-5) }), 61, None)]
#[case::nor_do_milliseconds("/pay/x", json!({ "auth_time": NOW.millis() }), 61, Some("insufficient_user_authentication"))]
#[case::nor_does_a_text("/pay/x", json!({ "auth_time": NOW.seconds().to_string() }), 61, Some("insufficient_user_authentication"))]
#[case::nor_a_negative_number("/pay/x", json!({ "auth_time": -1 }), 60, None)]
#[case::strong("/wire/x", json!({ "acr": "key" }), 900, None)]
#[case::weak("/wire/x", json!({ "acr": "pwd" }), 0, Some("insufficient_user_authentication"))]
#[case::of_no_strength("/wire/x", json!({}), 0, Some("insufficient_user_authentication"))]
#[case::a_list_is_no_strength("/wire/x", json!({ "acr": ["key"] }), 0, Some("insufficient_user_authentication"))]
#[case::both_by_another_spelling("/pay/..%2fwire/x", json!({ "acr": "key" }), 61, Some("insufficient_user_authentication"))]
#[case::both("/pay/..%2fwire/x", json!({ "acr": "key" }), 60, None)]
#[case::who_lacks_the_role_is_not_sent_to_log_in("/staff/x", json!({}), 61, Some("access_denied"))]
#[case::who_has_it_is("/staff/x", json!({ "roles": ["staff"] }), 61, Some("insufficient_user_authentication"))]
fn the_login_is_as_old_as_the_token_says_or_else_as_the_session(
    #[case] path: &'static str,
    #[case] claims: Value,
    #[case] ago: u64,
    #[case] refusal: Option<&str>,
) {
    let guard = guard_of(&[]);
    let bearer = bearer_with(&guard, &claims);
    let check = check(&guard, &request("GET", path, &[("authorization", &bearer)]));
    let verdict = guard.judge(&check, found(Some(began(ago))), NOW);
    assert_eq!(verdict.err().map(|refusal| refusal.code()), refusal);
    let gone = guard.judge(&check, found(None), NOW).err().map(|refusal| refusal.code());
    assert_eq!(gone, Some("session_unknown"), "a session comes first");
}

#[test]
fn a_decision_that_was_cached_is_judged_anew_and_covers_no_path_that_asks_for_something_else() {
    let guard = guard_of(&[]);
    let bearer = bearer_with(&guard, &json!({}));
    let at = |path| request("GET", path, &[("authorization", &bearer)]);
    let plan = check(&guard, &at("/pay/x"));
    let later = |seconds| NOW.plus(Duration::from_secs(seconds));
    let passes = |seconds| guard.judge(&plan, found(Some(began(0))), later(seconds)).is_ok();
    assert!(plan.is_valid_at(later(61)));
    assert_eq!([passes(0), passes(60), passes(61)], [true, true, false]);
    assert!(guard.plan_applies_to(&plan, &at("/pay/y"), NOW));
    for path in ["/pay2/x", "/wire/x", "/x", "/pay/..%2fwire/x"] {
        assert!(!guard.plan_applies_to(&plan, &at(path), NOW), "{path}");
        assert!(!guard.plan_applies_to(&check(&guard, &at(path)), &at("/pay/x"), NOW), "{path}");
    }
}

#[test]
fn the_origin_is_not_asked_before_the_login_is_judged() {
    let guard = guard_of(&[("OVERLAP_SAFE_REQUESTS", "true")]);
    let bearer = bearer_with(&guard, &json!({ "acr": "key" }));
    for (path, overlaps) in [("/x", true), ("/pay/x", false), ("/wire/x", false)] {
        let check = check(&guard, &request("GET", path, &[("authorization", &bearer)]));
        assert_eq!(check.overlaps_store(), overlaps, "{path}");
    }
}

#[rstest]
#[case::without_a_session_nobody_knows("/pay/x", json!({}), Some("store_unavailable"))]
#[case::unless_the_token_does("/pay/x", json!({ "auth_time": seconds(60) }), None)]
#[case("/pay/x", json!({ "auth_time": seconds(61) }), Some("insufficient_user_authentication"))]
#[case::its_strength_is_the_tokens_to_say("/wire/x", json!({ "acr": "key" }), None)]
#[case("/wire/x", json!({}), Some("insufficient_user_authentication"))]
#[case("/x", json!({}), None)]
fn in_an_outage_a_login_of_unknown_age_is_not_fresh(
    #[case] path: &'static str,
    #[case] claims: Value,
    #[case] refusal: Option<&str>,
) {
    let guard = guard_of(&[("STORE_FAILURE", "allow-recent: 60 seconds")]);
    let bearer = bearer_with(&guard, &claims);
    let seen = check(&guard, &request("GET", "/", &[("authorization", &bearer)]));
    guard.judge(&seen, found(Some(began(0))), NOW).unwrap();
    let check = check(&guard, &request("GET", path, &[("authorization", &bearer)]));
    let verdict = guard.judge(&check, Err(StoreError::Unreachable("down".into())), NOW);
    assert_eq!(verdict.err().map(|refusal| refusal.code()), refusal);
}

#[test]
fn when_a_providers_session_was_first_seen_is_no_login() {
    let guard = guard_of(&[]);
    let first_seen =
        Session { jti: String::new(), deny_until: Some(Timestamp::FAR_FUTURE), ..began(0) };
    for (claims, passes) in [(json!({}), false), (json!({ "auth_time": seconds(60) }), true)] {
        let bearer = bearer_with(&guard, &claims);
        let check = check(&guard, &request("GET", "/pay/x", &[("authorization", &bearer)]));
        assert_eq!(
            guard.judge(&check, found(Some(first_seen.clone())), NOW).is_ok(),
            passes,
            "{claims}"
        );
    }
}

#[test]
fn a_person_is_sent_to_the_login_page_and_a_script_is_not_and_monitor_mode_notes_it() {
    let (guard, monitoring) = (guard_of(&[]), guard_of(&[("MODE", "monitor")]));
    let bearer = bearer_with(&guard, &json!({}));
    let headers = [("authorization", &*bearer), ("sec-fetch-mode", "navigate")];
    let opened = request("GET", "/pay/x?a=1", &headers);
    let check = check(&guard, &opened);
    let refusal = guard.judge(&check, found(Some(began(61))), NOW).unwrap_err();
    let page = "/_auth/login?redirect=/pay/x?a%3D1&reason=insufficient_user_authentication";
    let login = guard.refused(refusal.clone(), &opened, None).login.unwrap();
    assert_eq!(
        percent_encoding::percent_decode_str(&login).decode_utf8().unwrap(),
        percent_encoding::percent_decode_str(page).decode_utf8().unwrap()
    );
    let asked = request("GET", "/pay/x", &[("authorization", &bearer), ("sec-fetch-mode", "cors")]);
    assert_eq!(guard.refused(refusal, &asked, None).login, None);
    let Decision::CheckSession(noted) = monitoring.decide(&opened, NOW) else { panic!() };
    let refusal = monitoring.judge(&noted, found(Some(began(61))), NOW).unwrap_err();
    assert!(noted.forwards_without_identity());
    assert!(
        noted.log_fields(Some(&refusal)).contains(r#""code":"insufficient_user_authentication""#)
    );
}

#[test]
fn a_preflight_needs_no_login_at_all() {
    let guard = guard_of(&[]);
    let headers = [("origin", "https://a.example"), ("access-control-request-method", "POST")];
    let decision = guard.decide(&request("OPTIONS", "/pay/x", &headers), NOW);
    assert!(matches!(decision, Decision::Forward(_)), "{decision:?}");
}
