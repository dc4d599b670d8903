//! What the store is asked about a provider's session, and what its answer means.

use super::*;

fn admitted(guard: &Guard, changes: Value) -> Command {
    let plan = check(guard, &asking(&token(changes)));
    guard.admission(plan.principal(), ClientInfo::default()).unwrap()
}

#[test]
fn a_session_is_named_by_issuer_user_and_session_claim_and_by_nothing_else() {
    let guard = guard_trusting(json!({}), &[]);
    learn(&guard);
    let sid_of = |changes: Value| match admitted(&guard, changes) {
        Command::Admit { session, .. } => session.sid,
        other => panic!("{other:?}"),
    };
    let user = Subject::try_from("idp|u-1".to_owned()).unwrap();
    let expected = Sid::of_provider("https://idp.example", &user, "s-1");
    assert_eq!(sid_of(json!({})), expected);
    assert_eq!(sid_of(json!({ "jti": "x", "iat": NOW.seconds() - 9, "client_id": "b" })), expected);
    assert_ne!(sid_of(json!({ "sid": "s-2" })), expected);
    assert_ne!(sid_of(json!({ "sub": "u-2" })), expected);
}

#[rstest]
#[case::as_is(json!({}), &[], Some(7), true, Timestamp::FAR_FUTURE)]
#[case::idle(json!({}), &[("SESSION_IDLE_TIMEOUT", "1 day")], Some(1), false, Timestamp::FAR_FUTURE)]
#[case::bounded(json!({ "max_session": "30 days" }), &[], Some(7), true, NOW.plus(Duration::from_secs(60 * 86_400)))]
fn a_session_begins_with_deadlines_of_here_and_a_denial_of_the_providers(
    #[case] rules: Value,
    #[case] settings: &[(&str, &str)],
    #[case] idle_days: Option<u64>,
    #[case] readmit: bool,
    #[case] deny_until: Timestamp,
) {
    let guard = guard_trusting(rules, settings);
    learn(&guard);
    let Command::Admit { session, idle_timeout, authenticated, .. } =
        admitted(&guard, json!({ "auth_time": 1_000 }))
    else {
        panic!("no admission")
    };
    let idle = idle_days.map(|days| Duration::from_secs(days * 86_400));
    assert_eq!((idle_timeout, session.idle_expires), (idle, idle.map(|idle| NOW.plus(idle))));
    assert_eq!((session.readmit, session.deny_until), (readmit, Some(deny_until)));
    assert_eq!(authenticated, Timestamp::from_millis(1_000_000));
    assert_eq!(
        (session.issuer.as_deref(), session.issuer_sid.as_deref()),
        (Some("https://idp.example"), Some("s-1"))
    );
}

#[rstest]
#[case(json!({ "agents": ["app"] }), DeviceClass::Agent)]
#[case(json!({ "agents": "*" }), DeviceClass::Agent)]
#[case(json!({ "agents": ["other"] }), DeviceClass::Other)]
#[case(json!({}), DeviceClass::Other)]
fn agents_are_a_class_of_their_own(#[case] rules: Value, #[case] class: DeviceClass) {
    let guard = guard_trusting(rules, &[]);
    learn(&guard);
    let Command::Admit { session, .. } = admitted(&guard, json!({})) else {
        panic!("no admission")
    };
    assert_eq!(session.device, class);
}

#[test]
fn a_session_of_our_own_is_never_admitted() {
    let guard = guard_trusting(json!({}), &[]);
    let plan = check(&guard, &request("GET", "/x", &[("authorization", &bearer(&guard))]));
    assert!(guard.admission(plan.principal(), ClientInfo::default()).is_none());
    assert!(!plan.principal().needs_admission(&found(None), NOW));
}

#[test]
fn a_check_that_finds_nothing_or_a_session_that_has_lapsed_needs_an_admission() {
    let guard = guard_trusting(json!({}), &[]);
    learn(&guard);
    let plan = check(&guard, &asking(&token(json!({}))));
    let Command::Admit { session, .. } = admitted(&guard, json!({})) else {
        panic!("no admission")
    };
    let needs = |answer, now| plan.principal().needs_admission(&answer, now);
    assert!(needs(found(None), NOW));
    assert!(!needs(found(Some(*session.clone())), NOW));
    assert!(needs(found(Some(*session.clone())), seconds_later(7 * 86_400)));
    let ended = Session { ended: Some(SessionEnd::Revoked { at: NOW }), ..*session };
    assert!(!needs(found(Some(ended)), seconds_later(7 * 86_400)), "it stays out");
    assert!(!needs(Err(StoreError::other_answer()), NOW), "nobody knows");
}

#[test]
fn what_an_admission_comes_to_is_judged() {
    let guard = guard_trusting(json!({}), &[]);
    learn(&guard);
    let plan = check(&guard, &asking(&token(json!({}))));
    let Command::Admit { session, .. } = admitted(&guard, json!({})) else {
        panic!("no admission")
    };
    let judge = |answer| guard.judge(&plan, Ok(answer), NOW).map(|live| live.is_some());
    let ended = SessionEnd::Revoked { at: NOW };
    let others = vec![*session.clone()];
    let admitted = CommandResult::Admitted { session, ended: Vec::new() };
    assert_eq!(judge(admitted), Ok(true));
    assert_eq!(judge(CommandResult::Full(others.clone())), Err(Refusal::AdmissionLimit(others)));
    let denied = CommandResult::Denied(Denial::Ended(ended.clone()));
    assert_eq!(judge(denied), Err(Refusal::Session(InvalidSession::Ended(ended))));
    let expired = CommandResult::Denied(Denial::Expired { at: NOW });
    assert_eq!(judge(expired), Err(Refusal::Session(InvalidSession::Expired { at: NOW })));
    let other = judge(CommandResult::Listed(Vec::new()));
    assert!(matches!(other, Err(Refusal::StoreUnavailable(_))), "{other:?}");
}
