use super::*;
use crate::session::{Block, Denial, StoredDenial};
use crate::store::{MOVE_REMEMBERED, Parcel, Transfer, TransferResult, UserRecords};

const FAR: Timestamp = Timestamp::FAR_FUTURE;
const NOW: Timestamp = Timestamp::from_millis(100);

fn sid(name: &str) -> Sid {
    Sid::try_from(name.to_owned()).unwrap()
}

fn own(seen: u64, ended: Option<u64>) -> Session {
    let ended = ended.map(|moment| SessionEnd::Revoked { at: at(moment) });
    Session { seen: at(seen), ended, ..session("s", 1, 100_000) }
}

fn provided(created: u64) -> Session {
    Session { deny_until: Some(FAR), ..session("s", created, 100_000) }
}

fn records(sessions: Vec<Session>) -> UserRecords {
    UserRecords { sessions, ..UserRecords::default() }
}

fn denied() -> UserRecords {
    let denial = Denial::Ended(SessionEnd::Revoked { at: at(50) });
    let denials = [(sid("s"), StoredDenial { until: FAR, denial })].into();
    UserRecords { denials, ..UserRecords::default() }
}

fn of_user(user: UserRecord) -> UserRecords {
    UserRecords { user, ..UserRecords::default() }
}

fn barred(spared: Option<&str>) -> UserRecords {
    let (not_before, spared) = (Some(at(50)), spared.map(sid));
    of_user(UserRecord { seen: Some(at(50)), not_before, spared, ..UserRecord::default() })
}

fn blocked() -> UserRecords {
    let block = Some(Block { reason: None, until: None, at: at(50) });
    of_user(UserRecord { seen: Some(at(50)), block, ..UserRecord::default() })
}

fn many_ended() -> UserRecords {
    let ended = |number: u64| Session {
        sid: sid(&format!("ended-{number}")),
        ended: Some(SessionEnd::Revoked { at: at(40 + number) }),
        ..session("x", 1, 100_000)
    };
    records((0..20).map(ended).collect())
}

fn restored(into: &UserRecords, from: &UserRecords) -> Ledger {
    let mut ledger = Ledger::default();
    for all in [into, from] {
        let restore = Transfer::Restore(Box::new(all.clone()));
        assert_eq!(ledger.transfer(&restore, NOW).0, TransferResult::Done);
    }
    ledger
}

#[rstest]
#[case::ended_and_live(records(vec![own(90, Some(60))]), records(vec![own(99, None)]), false)]
#[case::a_newer_use_does_not_bring_it_back(records(vec![own(1, Some(2))]), records(vec![own(99, None)]), false)]
#[case::live_twice(records(vec![own(90, None)]), records(vec![own(99, None)]), true)]
#[case::unknown_there(records(vec![own(90, None)]), records(vec![]), true)]
#[case::denied(denied(), records(vec![own(99, None)]), false)]
#[case::all_were_ended(barred(None), records(vec![provided(50)]), false)]
#[case::it_began_later(barred(None), records(vec![provided(51)]), true)]
#[case::all_others_were_ended(barred(Some("s")), records(vec![provided(50)]), true)]
#[case::ones_own_is_not_barred(barred(None), records(vec![own(99, None)]), true)]
#[case::blocked(blocked(), records(vec![own(99, None)]), false)]
fn what_is_over_in_one_of_two_stores_is_over(
    #[case] one: UserRecords,
    #[case] other: UserRecords,
    #[case] is_live: bool,
) {
    for (into, from) in [(&one, &other), (&other, &one)] {
        let ledger = restored(into, from);
        let live = ledger.get(&sid("s")).is_some_and(|it| it.is_live(NOW));
        assert_eq!(live, is_live, "{into:?} {from:?}");
    }
}

/// Its tombstone may be among those that were deleted.
#[rstest]
#[case(41, true)]
#[case(40, false)]
fn a_backup_brings_no_session_back_that_may_have_been_ended_and_forgotten(
    #[case] seen: u64,
    #[case] is_live: bool,
) {
    let ledger = restored(&many_ended(), &records(vec![own(seen, None)]));
    assert_eq!(ledger.get(&sid("s")).is_some(), is_live);
}

#[test]
fn the_newer_of_two_live_records_counts_and_a_tie_is_our_own() {
    let with_data = |seen, data: &str| Session { data: Some(data.into()), ..own(seen, None) };
    for (seen, expected) in [(9, "own"), (10, "own"), (11, "other")] {
        let (into, from) = (with_data(10, "own"), with_data(seen, "other"));
        let ledger = restored(&records(vec![into]), &records(vec![from]));
        assert_eq!(ledger.get(&sid("s")).unwrap().data.as_deref(), Some(expected), "{seen}");
    }
}

/// The rights of the user and the session in the store, those in the backup, and what the session has then.
#[rstest]
#[case::of_the_backup((None, None), (Some("reader"), Some("reader")), Some("reader"))]
#[case::changed_since((Some("reader"), None), (Some("admin"), Some("admin")), Some("reader"))]
#[case::first_set_since((Some("reader"), None), (None, None), Some("reader"))]
#[case::of_the_session_alone((Some("reader"), None), (None, Some("writer")), Some("writer"))]
fn a_session_has_the_rights_of_its_user_wherever_they_come_from(
    #[case] here: (Option<&str>, Option<&str>),
    #[case] there: (Option<&str>, Option<&str>),
    #[case] expected: Option<&str>,
) {
    let text = |rights: Option<&str>| rights.map(str::to_owned);
    let all = |(user, session): (Option<&str>, Option<&str>), sessions: Vec<Session>| {
        let sessions = sessions.into_iter().map(|it| Session { rights: text(session), ..it });
        let user = UserRecord { rights: text(user), ..UserRecord::default() };
        UserRecords { user, ..records(sessions.collect()) }
    };
    let logged_in = || session("later", 2, 100_000);
    let ledger =
        restored(&all((here.0, here.0), vec![logged_in()]), &all(there, vec![own(9, None)]));
    assert_eq!(ledger.get(&sid("s")).unwrap().rights.as_deref(), expected);
    let merged = here.0.or(there.0);
    assert_eq!(ledger.get(&sid("later")).unwrap().rights.as_deref(), merged);
}

#[test]
fn a_restoration_can_be_repeated() {
    let all = [
        records(vec![own(9, None)]),
        records(vec![own(9, Some(3))]),
        denied(),
        barred(Some("x")),
        blocked(),
        many_ended(),
    ];
    for from in all {
        let (once, twice) = (restored(&UserRecords::default(), &from), restored(&from, &from));
        assert_eq!(once.all_records(), twice.all_records(), "{from:?}");
    }
}

fn take(ledger: &mut Ledger, now: u64) -> Option<Parcel> {
    match ledger.transfer(&Transfer::Take, at(now)).0 {
        TransferResult::Taken(parcel) => parcel.map(|parcel| *parcel),
        other => panic!("{other:?}"),
    }
}

fn step(ledger: &mut Ledger, step: Transfer, now: u64) -> LedgerChanges {
    let (result, changes) = ledger.transfer(&step, at(now));
    assert_eq!(result, TransferResult::Done);
    changes
}

#[test]
fn a_parcel_arrives_once_however_often_it_is_sent() {
    let (mut old, mut new) = (Ledger::default(), Ledger::default());
    open(&mut old, "a", 0, 1);
    let parcel = take(&mut old, 2).unwrap();
    assert_eq!(take(&mut old, 3), Some(parcel.clone()), "until it is confirmed");
    let receive = Transfer::Receive(Box::new(parcel.clone()));
    step(&mut new, receive.clone(), 4);
    assert_eq!(live(&new, 5), ["a"]);
    let end = Command::end(SessionSelector::All, SessionEnd::Revoked { at: at(5) });
    new.apply(&end);
    for now in [6, 7] {
        assert_eq!(step(&mut new, receive.clone(), now), LedgerChanges::default());
        step(&mut old, Transfer::Confirm(parcel.number), now);
    }
    assert!(live(&new, 8).is_empty());
    assert_eq!(take(&mut old, 8), None);
    assert_eq!(old.apply(&Command::List { now: at(8) }).0, CommandResult::Moved);

    // Back again, and a late parcel of before.
    let back = take(&mut new, 9).unwrap();
    step(&mut old, Transfer::Receive(Box::new(back)), 10);
    assert_eq!(step(&mut new, receive, 11), LedgerChanges::default());
    assert_eq!(new.apply(&Command::List { now: at(11) }).0, CommandResult::Moved);
    assert_eq!(old.apply(&Command::List { now: at(11) }).0, CommandResult::Listed(vec![]));
}

/// What was sent from here is in none of the other store's parcels that were packed before it came.
#[test]
fn a_store_is_not_open_before_all_that_it_sent_is_back() {
    let receive = |parcel: &Parcel| Transfer::Receive(Box::new(parcel.clone()));
    let (mut one, mut other) = (Ledger::default(), Ledger::default());
    open(&mut one, "a", 0, 1);
    open(&mut other, "b", 0, 1);
    let parcels = [take(&mut one, 2).unwrap(), take(&mut other, 3).unwrap()];
    step(&mut other, receive(&parcels[0]), 4);
    step(&mut one, Transfer::Confirm(parcels[0].number), 5);
    step(&mut one, receive(&parcels[1]), 6);
    step(&mut other, Transfer::Confirm(parcels[1].number), 7);
    for ledger in [&mut one, &mut other] {
        assert_eq!(ledger.apply(&Command::List { now: at(8) }).0, CommandResult::Moved);
    }

    let rest = take(&mut other, 9).unwrap();
    step(&mut one, receive(&rest), 10);
    assert_eq!(live(&one, 11), ["a", "b"]);
    assert!(!one.passage().is_closed());
}

/// An empty store that was closed has sent nothing that could be missing.
#[test]
fn the_first_parcel_opens_a_store_that_was_closed_while_it_was_empty() {
    let (mut empty, mut other) = (Ledger::default(), Ledger::default());
    assert_eq!(take(&mut empty, 2), None);
    open(&mut other, "a", 0, 3);
    let parcel = take(&mut other, 4).unwrap();
    step(&mut empty, Transfer::Receive(Box::new(parcel)), 5);
    assert!(!empty.passage().is_closed());
}

#[test]
fn numbers_grow_though_the_clock_stands_still_or_goes_back() {
    let mut ledger = Ledger::default();
    let mut last = at(0);
    for now in [50, 50, 20] {
        open(&mut ledger, "a", 0, now);
        let parcel = take(&mut ledger, now).unwrap();
        assert!(parcel.number > last);
        last = parcel.number;
        step(&mut ledger, Transfer::Confirm(last), now);
        step(&mut ledger, Transfer::Open(last), now);
    }
}

#[test]
fn only_who_knows_the_last_parcel_opens_a_store() {
    let mut ledger = Ledger::default();
    assert_eq!(take(&mut ledger, 7), None);
    step(&mut ledger, Transfer::Open(at(6)), 8);
    assert_eq!(ledger.apply(&Command::List { now: at(8) }).0, CommandResult::Moved);
    step(&mut ledger, Transfer::Open(at(7)), 8);
    assert_eq!(ledger.apply(&Command::List { now: at(8) }).0, CommandResult::Listed(vec![]));
}

#[test]
fn a_move_is_remembered_for_a_day_and_as_long_as_its_parcel_can_be_sent() {
    let day = u64::try_from(MOVE_REMEMBERED.as_millis()).unwrap();
    let mut ledger = Ledger::default();
    take(&mut ledger, 5);
    assert_eq!(ledger.all_forgotten(), Some(at(5 + day)));
    assert!(!ledger.forget_old(at(4 + day)).passage);
    assert!(ledger.forget_old(at(5 + day)).passage);
    assert_eq!(ledger.all_forgotten(), None);

    let mut old = Ledger::new([session("a", 1, 3 * day)]);
    let parcel = take(&mut old, 5).unwrap();
    assert_eq!(parcel.until, at(3 * day + 60_000));
    let mut new = Ledger::default();
    step(&mut new, Transfer::Receive(Box::new(parcel)), 6);
    let end = Command::end(SessionSelector::All, SessionEnd::Revoked { at: at(7) });
    new.apply(&end);
    assert!(!new.forget_old(at(3 * day)).passage);
    assert_eq!(new.needed_until(), at(3 * day + 60_000));
}
