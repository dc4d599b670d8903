//! Tokens of two sessions in one request.

use super::*;

#[rstest]
#[case::bearer_and_cookie(&[(BEARER, "Bearer {a}"), (COOKIE, "__Host-session={b}")], ["bearer", "cookie"])]
#[case::two_cookies(&[(COOKIE, "__Host-session={a}; __Host-session={b}")], ["Two", "cookies"])]
#[case::named_and_cookie(&[(NAMED, "{a}"), (COOKIE, "__Host-session={b}")], ["another header", "cookie"])]
#[case::named_and_bearer(&[(NAMED, "{a}"), (BEARER, "Bearer {b}")], ["bearer", "another header"])]
#[case::a_session_twice(&[(BEARER, "Bearer {a}"), (COOKIE, "__Host-session={a+}; __Host-session={b}")], ["cookies", "cookies"])]
fn two_sessions_are_asked_about_and_refused_only_if_both_are_live(
    #[case] sent: &[(&'static str, &str)],
    #[case] places: [&str; 2],
) {
    let guard = lenient_guard();
    let request = || asked(&guard, "GET", "/x", sent);
    let Decision::ConflictingTokens(sessions) = guard.decide(&request(), NOW) else {
        panic!("two")
    };
    let names: Vec<_> = sessions.iter().map(|it| it.sid().as_str()).collect();
    assert!(matches!(&names[..], ["a", "b"] | ["b", "a"]), "{names:?}");
    for (over, counts) in [("a", "b"), ("b", "a")] {
        match guard.decide(&AfterEnds(request(), vec![sid(over)]), NOW) {
            Decision::CheckSession(check) => {
                assert_eq!(check.principal().sid().as_str(), counts);
                let sent = HeaderFilter::default();
                let changes = format!("{:?}", check.header_changes(&sent));
                assert!(!changes.contains("__Host-session"), "{changes}");
            }
            other => panic!("{over} is over: {other:?}"),
        }
    }
    let Decision::Refuse(refused) = guard.decide(&AfterEnds(request(), vec![]), NOW) else {
        panic!("a choice would be a guess")
    };
    let (code, detail) = (refused.refusal.code(), refused.refusal.detail());
    assert!(code == "bad_request" && places.iter().all(|it| detail.contains(it)), "{detail}");
}

#[test]
fn only_a_few_sessions_are_asked_about() {
    let guard = guard();
    let many = |count: usize| {
        let tokens = (0..count).map(|n| token(&guard, &format!("s{n}"), "j", 0, 60));
        let cookies: Vec<_> = tokens.map(|token| format!("__Host-session={token}")).collect();
        request("GET", "/x", &[(COOKIE, &cookies.join("; "))])
    };
    assert!(
        matches!(guard.decide(&many(4), NOW), Decision::ConflictingTokens(all) if all.len() == 4)
    );
    assert_eq!(refusal(&guard, &many(5)).refusal.code(), "bad_request");
}

#[test]
fn in_monitor_mode_a_request_of_two_sessions_goes_on_without_an_identity_and_is_noted() {
    let guard = guard_with(&[("MODE", "monitor")]);
    let sent = [(BEARER, "Bearer {a}"), (COOKIE, "__Host-session={b}; t=1")];
    let request = asked(&guard, "GET", "/x", &sent);
    let Decision::Forward(anonymous) = guard.decide(&AfterEnds(request, vec![]), NOW) else {
        panic!()
    };
    assert!(
        anonymous.log_fields().contains(r#""code":"bad_request""#),
        "{}",
        anonymous.log_fields()
    );
    let sent = HeaderFilter::default();
    let changes = anonymous.header_changes(&sent);
    assert_eq!((changes.remove, changes.set), (vec!["authorization"], vec![("Cookie", "t=1")]));
}

/// Of an old and a current token of one session, the current one says whether the session is over.
#[test]
fn a_contested_session_is_asked_about_by_its_newest_token() {
    let guard = lenient_guard();
    let old = token(&guard, "a", "old", -20, 900);
    let current = token(&guard, "a", "current", -10, 900);
    let other = token(&guard, "b", "other", -5, 900);
    let cookies = format!("__Host-session={current}; __Host-session={other}");
    let authorization = format!("Bearer {old}");
    let headers = [("authorization", authorization.as_str()), ("cookie", cookies.as_str())];
    let decision = guard.decide(&request("GET", "/x", &headers), NOW);
    let Decision::ConflictingTokens(sessions) = decision else { panic!("{decision:?}") };
    let names: Vec<&str> = sessions.iter().map(|it| it.name().jti.as_str()).collect();
    assert_eq!(names, ["other", "current"]);
}
