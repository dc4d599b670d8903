//! Several tokens of one session in one request.

use super::*;

#[test]
fn the_other_tokens_that_a_decision_keeps_count_as_what_it_holds() {
    let guard = guard();
    let bytes = |cookie| {
        let sent = [(BEARER, "Bearer {a+}"), (COOKIE, cookie)];
        check(&guard, &asked(&guard, "GET", "/x", &sent)).bytes()
    };
    let with_other = bytes("__Host-session={a}");
    assert!(with_other > bytes("__Host-session={a+}") + token(&guard, "a", "a0", 0, 60).len());
}

#[rstest]
#[case(&[(BEARER, "Bearer {a}")], false)]
#[case(&[(COOKIE, "__Host-session={a}")], true)]
#[case(&[(BEARER, "Bearer {a+}"), (COOKIE, "__Host-session={a}")], true)]
#[case(&[(BEARER, "Bearer {a}"), (COOKIE, "__Host-session={a!}")], true)]
#[case(&[(BEARER, "Bearer {a}"), (COOKIE, "__Host-session={b!}")], false)]
#[case(&[(BEARER, "Bearer {a}"), (COOKIE, "__Host-session=theirs")], false)]
fn a_cookie_is_renewed_if_a_token_of_the_session_came_in_it(
    #[case] sent: &[(&'static str, &str)],
    #[case] in_cookie: bool,
) {
    let guard = lenient_guard();
    let caller = guard.authenticate(&asked(&guard, "GET", "/_auth/refresh", sent), NOW).unwrap();
    assert_eq!(caller.in_cookie(), in_cookie);
    let bears = sent.iter().any(|(name, _)| *name == BEARER);
    assert_eq!(caller.source() == Source::Bearer, bears);
}

#[test]
fn of_two_tokens_of_one_second_the_session_knows_which_is_current() {
    let guard = guard();
    let bearer = format!("Bearer {}", token(&guard, "a", "old", 0, 60));
    let cookie = format!("__Host-session={}", token(&guard, "a", "new", 0, 60));
    let request = request("GET", "/x", &[(BEARER, &bearer), (COOKIE, &cookie)]);
    let caller = guard.authenticate(&request, NOW).unwrap();
    assert_eq!((caller.token().name().jti.as_str(), caller.has_several_tokens()), ("old", true));
    let mut live = session("a", NOW.millis(), NOW.millis() + 100_000);
    (live.jti, live.previous_jti, live.refreshed) = ("new".into(), Some("old".into()), Some(NOW));
    let later = NOW.plus(Duration::from_secs(40));
    let current = caller.clone().with_current_token(&live, later);
    assert_eq!(current.token().name().jti, "new");
    let verdict =
        guard.live_session(&caller, CommandResult::Found(Some(live.clone().into())), later);
    assert!(verdict.is_ok(), "the old one alone would end it: {verdict:?}");
    live.jti = "third".into();
    let verdict = guard.live_session(&caller, CommandResult::Found(Some(live.into())), later);
    assert_eq!(verdict, Err(Refusal::Session(InvalidSession::Outdated)));
}

#[test]
fn in_an_outage_another_token_of_a_session_that_was_seen_does_not_pass() {
    let guard = guard_with(&[("STORE_FAILURE", "allow-recent: 60 seconds")]);
    let checks = ["{a}", "{a+}"].map(|token| {
        let bearer = format!("Bearer {token}");
        check(&guard, &asked(&guard, "GET", "/x", &[(BEARER, &bearer)]))
    });
    let down = || Err(StoreError::Unreachable("down".into()));
    let live = session("a", NOW.millis(), NOW.millis() + 1_000_000);
    guard.judge(&checks[1], found(Some(live.clone())), NOW).unwrap();
    assert!(guard.judge(&checks[1], down(), NOW).is_ok());
    assert!(guard.judge(&checks[0], down(), NOW).is_err(), "it may be an old one");
    guard.judge(&checks[0], found(Some(live)), NOW).unwrap();
    assert!(checks.iter().all(|check| guard.judge(check, down(), NOW).is_ok()), "both were seen");
    guard.forget_recent([checks[0].principal().sid()]);
    assert!(checks.iter().all(|check| guard.judge(check, down(), NOW).is_err()), "it was ended");
}
