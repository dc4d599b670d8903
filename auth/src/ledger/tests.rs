mod first_sight;
mod transfer;

use super::*;
use crate::device::DeviceClass;
use crate::session::tests::session;
use crate::session::{DataKind, TokenName};
use rstest::rstest;
use std::num::NonZeroU32;
use std::time::Duration;

/// Longer than any session lives.
const FOREVER: Duration = Duration::from_secs(1_000_000);

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn open(ledger: &mut Ledger, sid: &str, limit: u32, now: u64) -> Vec<String> {
    let session = Box::new(session(sid, now, now + 1000));
    let most = NonZeroU32::new(limit);
    let limit = most.map(|most| Limit { most, among: None, evicts: true, reach: FOREVER });
    let command = Command::Open { session, limit, end: vec![], now: at(now) };
    match ledger.apply(&command).0 {
        CommandResult::Ended(ended) => ended.into_iter().map(|s| s.sid.into()).collect(),
        other => panic!("{other:?}"),
    }
}

fn live(ledger: &Ledger, now: u64) -> Vec<String> {
    ledger.live(at(now)).into_iter().map(String::from).collect()
}

#[test]
fn a_login_beyond_the_limit_ends_the_oldest() {
    let mut ledger = Ledger::default();
    assert!(open(&mut ledger, "a", 2, 1).is_empty());
    assert!(open(&mut ledger, "b", 2, 2).is_empty());
    assert_eq!(open(&mut ledger, "c", 2, 3), ["a"]);
    assert_eq!(live(&ledger, 4), ["b", "c"]);
}

#[test]
fn a_lower_limit_ends_as_many_as_it_takes_and_never_the_newcomer() {
    let mut ledger = Ledger::default();
    for (n, sid) in ["a", "b", "c"].iter().enumerate() {
        open(&mut ledger, sid, 0, n as u64);
    }
    assert_eq!(open(&mut ledger, "0", 1, 2), ["a", "b", "c"]);
    assert_eq!(live(&ledger, 3), ["0"]);
}

#[test]
fn a_check_is_answered_as_the_last_time_only_while_it_would_change_nothing() {
    let mut ledger = Ledger::default();
    open(&mut ledger, "a", 0, 0);
    let check = |sid: &str, idle: Option<u64>, now| Command::Check {
        sid: Sid::try_from(sid.to_owned()).unwrap(),
        jti: Some("jti".into()),
        idle_timeout: idle.map(std::time::Duration::from_millis),
        is_use: true,
        now: at(now),
    };
    let forgotten = ledger.get(&Sid::try_from("a".to_owned()).unwrap()).unwrap().forget_at();
    for (command, until) in [
        (check("a", None, 500), Some(forgotten)),
        (check("a", None, forgotten.millis()), None),
        (check("a", Some(100), 9), Some(at(10))),
        (check("a", Some(91), 9), Some(at(10))),
        (check("a", Some(100), 10), None),
        (check("a", Some(100), forgotten.millis() - 1), Some(forgotten)),
        (check("b", None, 1), None),
        (Command::List { now: at(1) }, None),
    ] {
        assert_eq!(ledger.unchanged_until(&command), until, "{command:?}");
        let Command::Check { sid, jti, idle_timeout, now, .. } = &command else { continue };
        let Some(until) = until else { continue };
        let (answer, _) = ledger.clone().apply(&command);
        for now in [*now, Timestamp::from_millis(until.millis() - 1)] {
            let (sid, jti, idle_timeout) = (sid.clone(), jti.clone(), *idle_timeout);
            let again = Command::Check { sid, jti, idle_timeout, is_use: true, now };
            let (applied, touched) = ledger.clone().apply(&again);
            assert_eq!((applied, touched), (answer.clone(), LedgerChanges::default()), "{again:?}");
        }
    }
}

#[test]
fn a_check_never_creates_and_never_revives() {
    let mut ledger = Ledger::default();
    let check = |sid: &str, now| Command::Check {
        sid: Sid::try_from(sid.to_owned()).unwrap(),
        jti: None,
        idle_timeout: Some(std::time::Duration::from_millis(10)),
        is_use: true,
        now: at(now),
    };
    let (answer, touched) = ledger.apply(&check("a", 1));
    assert_eq!((answer, touched), (CommandResult::Found(None), LedgerChanges::default()));
    open(&mut ledger, "a", 1, 1);
    open(&mut ledger, "b", 1, 2);
    let (answer, touched) = ledger.apply(&check("a", 900));
    assert!(matches!(answer, CommandResult::Found(Some(s)) if s.ended.is_some()));
    assert_eq!(touched, LedgerChanges::default());
}

#[test]
fn at_most_twenty_tombstones_are_kept_and_the_oldest_go_first() {
    let mut ledger = Ledger::default();
    for n in 0..30 {
        open(&mut ledger, &format!("s{n:02}"), 1, n);
    }
    assert_eq!(ledger.sessions.len(), MAX_TOMBSTONES + 1);
    assert!(ledger.get(&Sid::try_from("s08".to_owned()).unwrap()).is_none());
    assert!(ledger.get(&Sid::try_from("s09".to_owned()).unwrap()).is_some());
}

#[test]
fn records_are_forgotten_a_minute_past_their_absolute_deadline() {
    let mut ledger = Ledger::default();
    let a = Sid::try_from("a".to_owned()).unwrap();
    open(&mut ledger, "a", 0, 0);
    open(&mut ledger, "b", 0, 60_999);
    assert!(ledger.get(&a).is_some());
    open(&mut ledger, "c", 0, 61_000);
    assert!(ledger.get(&a).is_none());
    assert_eq!(ledger.all_forgotten(), Some(at(61_000 + 1_000 + 60_000)));
}

#[test]
fn ending_touches_only_what_was_live() {
    let mut ledger = Ledger::default();
    open(&mut ledger, "a", 1, 0);
    open(&mut ledger, "b", 1, 1);
    let all = Command::end(SessionSelector::All, SessionEnd::Revoked { at: at(2) });
    let (answer, touched) = ledger.apply(&all);
    assert!(
        matches!(answer, CommandResult::Ends { now, before } if now.len() == 1 && before.len() == 1)
    );
    assert_eq!(touched.written.len(), 1);
    let first = ledger.get(&Sid::try_from("a".to_owned()).unwrap()).unwrap();
    let superseded = SessionEnd::Superseded { at: at(1), by: DeviceClass::Desktop };
    assert_eq!(first.ended, Some(superseded), "the first reason stands");
}

fn sids(sessions: &[Session]) -> Vec<&str> {
    sessions.iter().map(|session| session.sid.as_str()).collect()
}

#[test]
fn an_end_that_comes_twice_is_answered_alike_and_a_later_one_hears_of_the_first() {
    let mut ledger = Ledger::default();
    for sid in ["a", "b"] {
        ledger.apply(&Command::Open {
            session: Box::new(session(sid, 0, 10_000_000)),
            limit: None,
            end: vec![],
            now: at(0),
        });
    }
    let mut end = |sid: &str, now: u64| {
        let which = SessionSelector::One(Sid::try_from(sid.to_owned()).unwrap());
        match ledger.apply(&Command::end(which, SessionEnd::Revoked { at: at(now) })).0 {
            CommandResult::Ends { now, before } => (now, before),
            other => panic!("{other:?}"),
        }
    };
    let once = end("a", 5);
    assert_eq!((sids(&once.0), sids(&once.1)), (vec!["a"], vec![]));
    assert_eq!(end("a", 5), once);
    let (now, before) = end("a", 6);
    assert_eq!((now, before), (vec![], once.0), "the first moment stands");
    assert_eq!(end("a", 5 + 600_000), (vec![], vec![]), "it was told long ago");
    assert_eq!(end("none", 7), (vec![], vec![]));
}

#[test]
fn what_a_command_has_changed_is_found_by_its_moment() {
    let mut ledger = Ledger::default();
    open(&mut ledger, "a", 1, 1);
    open(&mut ledger, "b", 1, 2);
    let mut changed = |moment| match ledger.apply(&Command::ChangedAt { at: at(moment) }).0 {
        CommandResult::Listed(changed) => sids(&changed).join(" "),
        other => panic!("{other:?}"),
    };
    assert_eq!([1, 2, 3].map(&mut changed), ["a", "a b", ""]);
}

#[test]
fn a_check_learns_once_that_the_current_token_is_used_and_leaves_all_else_as_it_is() {
    let mut ledger = Ledger::default();
    open(&mut ledger, "a", 0, 0);
    let sid = Sid::try_from("a".to_owned()).unwrap();
    let (token, now) = (TokenName { jti: "jti".into(), issued: at(0) }, at(5));
    let refresh = Command::Refresh {
        sid: sid.clone(),
        token,
        jti: "next".into(),
        idle_timeout: None,
        is_use: true,
        now,
    };
    assert!(matches!(ledger.apply(&refresh).0, CommandResult::Changed(session) if session.unused));
    let check = |jti: Option<&str>, now| Command::Check {
        sid: sid.clone(),
        jti: jti.map(str::to_owned),
        idle_timeout: None,
        is_use: true,
        now: at(now),
    };
    for (jti, now) in [(None, 6), (Some("jti"), 7), (Some("of-old"), 8), (Some("next"), 1_000)] {
        let command = check(jti, now);
        assert!(ledger.unchanged_until(&command).is_some(), "{command:?}");
        assert_eq!(ledger.apply(&command).1, LedgerChanges::default(), "{command:?}");
    }
    let used = check(Some("next"), 9);
    assert_eq!(ledger.unchanged_until(&used), None);
    let (answer, touched) = ledger.apply(&used);
    assert!(
        matches!(&answer, CommandResult::Found(Some(session)) if !session.unused),
        "{answer:?}"
    );
    assert_eq!(touched.written, std::slice::from_ref(&sid));
    assert!(ledger.unchanged_until(&used).is_some());
    assert_eq!(ledger.apply(&used), (answer, LedgerChanges::default()));
}

#[test]
fn the_origins_data_and_the_clients_are_set_apart() {
    let mut ledger = Ledger::default();
    open(&mut ledger, "one", 0, 0);
    let sid = Sid::try_from("one".to_owned()).unwrap();
    let mut set = |kind, old: Option<&str>, new: &str| {
        let (old, new) = (old.map(str::to_owned), Some(new.to_owned()));
        let now = Timestamp::from_millis(1);
        let (answer, _) = ledger.apply(&Command::SetData { sid: sid.clone(), kind, old, new, now });
        let CommandResult::Changed(session) = answer else { panic!("{answer:?}") };
        (session.data, session.client_data)
    };
    let text = |text: &str| Some(text.to_owned());
    let clients = set(DataKind::ClientData, None, r#"{"a":1}"#);
    assert_eq!(clients, (None, text(r#"{"a":1}"#)));
    let both = set(DataKind::Data, None, r#"{"b":2}"#);
    assert_eq!(both, (text(r#"{"b":2}"#), text(r#"{"a":1}"#)));
    let changed = set(DataKind::ClientData, Some(r#"{"a":1}"#), "{}");
    assert_eq!(changed, (text(r#"{"b":2}"#), text("{}")));
}

/// What becomes of a login at 1,000 beside sessions that began then and there, of which one was refreshed.
#[rstest]
#[case::all_can_be_used(2, false, 1_000, Err(vec!["a", "b"]))]
#[case::one_cannot(2, false, 900, Ok(vec!["b"]))]
#[case::none_can(2, false, 300, Ok(vec!["a"]))]
#[case::one_cannot_and_the_oldest_stays(2, true, 900, Ok(vec!["b"]))]
#[case::one_that_cannot_leaves_no_room(1, false, 900, Err(vec!["a"]))]
#[case::then_the_oldest_goes_too(1, true, 900, Ok(vec!["a", "b"]))]
#[case::there_is_room(3, false, 300, Ok(vec![]))]
#[case::then_there_is_room_by_eviction(3, true, 300, Ok(vec![]))]
fn a_session_of_which_no_token_can_be_used_makes_room_first(
    #[case] most: u32,
    #[case] evicts: bool,
    #[case] reach: u64,
    #[case] expected: Result<Vec<&str>, Vec<&str>>,
) {
    // The one that is older was refreshed later.
    let refreshed = Session { refreshed: Some(at(500)), ..session("a", 0, 9_000) };
    let mut ledger = Ledger::new([refreshed, session("b", 100, 9_000)]);
    let reach = Duration::from_millis(reach);
    let limit = NonZeroU32::new(most).map(|most| Limit { most, among: None, evicts, reach });
    let session = Box::new(session("new", 1_000, 9_000));
    let (answer, _) = ledger.apply(&Command::Open { session, limit, end: vec![], now: at(1_000) });
    let sids = |sessions: Vec<Session>| sessions.into_iter().map(|it| it.sid.to_string()).collect();
    let answer: Result<Vec<String>, Vec<String>> = match answer {
        CommandResult::Ended(ended) => Ok(sids(ended)),
        CommandResult::Full(full) => Err(sids(full)),
        other => panic!("{other:?}"),
    };
    let owned = |all: Vec<&str>| all.into_iter().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(answer, expected.map(owned).map_err(owned));
}

#[test]
fn what_is_over_is_told_of_a_user_while_its_record_is_kept_and_without_private_data() {
    let gone = Session { client_data: Some("{}".into()), ..session("gone", 0, 50_000) };
    let idle = Session { idle_expires: Some(at(10)), ..session("idle", 0, 50_000) };
    let mut ledger = Ledger::new([gone, idle, session("old", 0, 5)]);
    let ending = SessionEnd::Revoked { at: at(2) };
    let which = SessionSelector::One(Sid::try_from("gone".to_owned()).unwrap());
    ledger.apply(&Command::end(which, ending.clone()));
    open(&mut ledger, "new", 0, 3);
    let mut told = |now| match ledger.apply(&Command::User { now: at(now) }).0 {
        CommandResult::User { live, ended, .. } => (live, ended),
        other => panic!("{other:?}"),
    };
    let names = |list: &[Session]| list.iter().map(|it| it.sid.to_string()).collect::<Vec<_>>();
    let (live, ended) = told(4);
    assert_eq!(
        (names(&live), names(&ended)),
        (vec!["idle".into(), "old".into(), "new".into()], vec!["gone".into()])
    );
    assert_eq!((&ended[0].ended, &ended[0].client_data), (&Some(ending), &None));
    assert_eq!(names(&told(20).1), ["gone", "idle", "old"]);
    assert_eq!(names(&told(105_000).1), ["gone", "idle"], "a minute after the last deadline");
}
