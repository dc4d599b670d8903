//! How the store's reply decides, and what happens when there is none.

use super::*;

#[test]
fn the_stores_answer_decides() {
    let guard = guard();
    let check = check(&guard, &request("GET", "/", &[("authorization", &bearer(&guard))]));
    let judge = |answer| guard.judge(&check, answer, NOW).map(drop);
    let live = session("a", NOW.millis(), NOW.millis() + 1000);
    let mut ended = live.clone();
    let ending = SessionEnd::Revoked { at: NOW };
    ended.ended = Some(ending.clone());
    assert_eq!(judge(found(Some(live))), Ok(()));
    assert_eq!(judge(found(Some(ended))), Err(Refusal::Session(InvalidSession::Ended(ending))));
    assert_eq!(judge(found(None)), Err(Refusal::Session(InvalidSession::Unknown)));
    let down = StoreError::Unreachable("down".into());
    assert_eq!(judge(Err(down.clone())), Err(Refusal::StoreUnavailable(down)));
    let other = judge(Ok(CommandResult::Listed(vec![])));
    assert!(matches!(other, Err(Refusal::StoreUnavailable(_))), "{other:?}");
}

#[test]
fn in_an_outage_only_sessions_seen_live_recently_pass_and_only_when_allowed() {
    let guard = guard_with(&[("STORE_FAILURE", "allow-recent: 60 seconds")]);
    let check = check(&guard, &request("GET", "/", &[("authorization", &bearer(&guard))]));
    let down = || Err(StoreError::Unreachable("down".into()));
    let later = |seconds| NOW.plus(Duration::from_secs(seconds));
    assert!(guard.judge(&check, down(), NOW).is_err(), "never seen");
    let live = session("a", NOW.millis(), NOW.millis() + 1_000_000);
    guard.judge(&check, found(Some(live.clone())), NOW).unwrap();
    assert!(guard.judge(&check, down(), later(59)).is_ok());
    assert!(guard.judge(&check, down(), later(60)).is_err(), "too long ago");
    guard.judge(&check, found(Some(live)), NOW).unwrap();
    guard.judge(&check, found(None), NOW).unwrap_err();
    assert!(guard.judge(&check, down(), later(1)).is_err(), "known to be gone");
    let short = session("a", NOW.millis(), NOW.millis() + 10_000);
    guard.judge(&check, found(Some(short.clone())), NOW).unwrap();
    assert!(guard.judge(&check, down(), later(9)).is_ok());
    assert!(guard.judge(&check, down(), later(10)).is_err(), "past its own deadline");
    guard.judge(&check, found(Some(short)), NOW).unwrap();
    guard.forget_recent([check.principal().sid()]);
    assert!(guard.judge(&check, down(), later(1)).is_err(), "ended here");
}
