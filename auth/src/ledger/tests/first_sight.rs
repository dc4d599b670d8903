use super::*;
use crate::limit::Limit;
use crate::session::{Block, Denial, RightsChange, UNSEEN_FOR};
use crate::store::UnseenSession;

const DAY: u64 = 86_400_000;
const YEAR: u64 = 365 * DAY;
const IDLE: u64 = 1_000;
const FAR: Timestamp = Timestamp::FAR_FUTURE;

fn sid(name: &str) -> Sid {
    Sid::try_from(name.to_owned()).unwrap()
}

/// A provider's session that begins now.
fn provided(name: &str, now: u64) -> Session {
    let idle_expires = Some(at(now + IDLE));
    Session {
        jti: String::new(),
        deny_until: Some(FAR),
        idle_expires,
        ..session(name, now, now + 10 * YEAR)
    }
}

fn admit(
    ledger: &mut Ledger,
    session: Session,
    limit: u32,
    authenticated: u64,
    now: u64,
) -> CommandResult {
    let most = NonZeroU32::new(limit);
    ledger
        .apply(&Command::Admit {
            session: Box::new(session),
            limit: most.map(|most| Limit {
                most,
                among: None,
                evicts: true,
                reach: Duration::ZERO,
            }),
            authenticated: at(authenticated),
            idle_timeout: Some(Duration::from_millis(IDLE)),
            now: at(now),
        })
        .0
}

/// What becomes of a first request with this session's token, in a word.
fn visit(ledger: &mut Ledger, name: &str, now: u64) -> String {
    match admit(ledger, provided(name, now), 0, now, now) {
        CommandResult::Found(Some(it)) if it.is_live(at(now)) => "live".into(),
        CommandResult::Found(Some(it)) if it.ended.is_some() => "ended".into(),
        CommandResult::Found(Some(_)) => "expired".into(),
        CommandResult::Admitted { ended, .. } => {
            format!("admitted{}", " ended".repeat(ended.len()))
        }
        CommandResult::Denied(Denial::Ended(_)) => "denied: ended".into(),
        CommandResult::Denied(Denial::Expired { .. }) => "denied: expired".into(),
        CommandResult::Blocked(_) => "blocked".into(),
        other => panic!("{other:?}"),
    }
}

fn end(ledger: &mut Ledger, which: SessionSelector, now: u64) -> usize {
    let ending = SessionEnd::Revoked { at: at(now) };
    match ledger.apply(&Command::End { which, ending, unseen: None, admits_unseen: true }).0 {
        CommandResult::Ends { now, .. } => now.len(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_session_is_admitted_once_and_found_from_then_on() {
    let mut ledger = Ledger::default();
    assert_eq!(visit(&mut ledger, "a", 1), "admitted");
    assert_eq!(*ledger.user(), UserRecord::default(), "nothing else is stored");
    assert_eq!(visit(&mut ledger, "a", 2), "live");
    assert_eq!(ledger.get(&sid("a")).unwrap().created, at(1));
    assert_eq!(visit(&mut ledger, "a", 900), "live");
    assert_eq!(visit(&mut ledger, "a", 1_800), "live", "its idle deadline slides");
}

#[test]
fn beyond_the_limit_the_oldest_session_ends_and_stays_out_though_its_token_is_good() {
    let mut ledger = Ledger::default();
    for (n, name) in ["a", "b", "c"].into_iter().enumerate() {
        let now = n as u64;
        let answer = admit(&mut ledger, provided(name, now), 1, now, now);
        let CommandResult::Admitted { ended, session } = answer else { panic!("{answer:?}") };
        assert_eq!((ended.len(), session.sid), (n.min(1), sid(name)));
    }
    assert_eq!(visit(&mut ledger, "a", 4), "ended");
    for now in [62_000, 70_000, DAY, 100 * DAY] {
        assert_eq!(visit(&mut ledger, "a", now), "denied: ended", "{now}");
    }
    let mut own = Ledger::default();
    open(&mut own, "own", 1, 0);
    let limit =
        NonZeroU32::new(1).map(|most| Limit { most, among: None, evicts: false, reach: FOREVER });
    let full = Command::Admit {
        session: Box::new(provided("a", 1)),
        limit,
        authenticated: at(1),
        idle_timeout: None,
        now: at(1),
    };
    let (answer, touched) = own.apply(&full);
    assert!(matches!(&answer, CommandResult::Full(live) if sids(live) == ["own"]), "{answer:?}");
    assert_eq!(touched, LedgerChanges::default());
}

#[rstest]
#[case::soft(true, "admitted")]
#[case::hard(false, "denied: expired")]
fn past_its_idle_deadline_a_session_begins_anew_or_is_denied(
    #[case] readmit: bool,
    #[case] then: &str,
) {
    let mut ledger = Ledger::default();
    let new = |now| Session { readmit, ..provided("a", now) };
    admit(&mut ledger, new(0), 0, 0, 0);
    let soon = admit(&mut ledger.clone(), new(IDLE), 0, IDLE, IDLE);
    match readmit {
        true => assert!(matches!(soon, CommandResult::Admitted { .. }), "{soon:?}"),
        false => assert!(matches!(soon, CommandResult::Found(Some(_))), "{soon:?}"),
    }
    for mut ledger in [ledger.clone(), {
        ledger.forget_old(at(DAY));
        ledger
    }] {
        let late = DAY + 1;
        let answer = match admit(&mut ledger, new(late), 0, late, late) {
            CommandResult::Admitted { .. } => "admitted",
            CommandResult::Denied(Denial::Expired { at: moment }) if moment == at(IDLE) => {
                "denied: expired"
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(answer, then);
    }
}

#[test]
fn a_lapsed_session_can_be_ended_and_does_not_begin_anew_then() {
    let mut ledger = Ledger::default();
    admit(&mut ledger, Session { readmit: true, ..provided("a", 0) }, 0, 0, 0);
    assert_eq!(end(&mut ledger, SessionSelector::One(sid("a")), IDLE + 1), 1);
    assert_eq!(visit(&mut ledger, "a", IDLE + 2), "ended");
    assert_eq!(visit(&mut ledger, "a", DAY), "denied: ended");
}

#[test]
fn any_number_of_sessions_that_ended_stay_out_each_until_no_token_of_it_can_come() {
    let mut ledger = Ledger::default();
    let name = |n: u64| format!("s{n}");
    for n in 0..1_000 {
        let deny_until = Some(if n == 7 { at(50 * DAY) } else { FAR });
        admit(&mut ledger, Session { deny_until, ..provided(&name(n), n) }, 1, n, n);
    }
    assert_eq!(ledger.sessions.len(), MAX_TOMBSTONES + 1);
    for n in 0..999 {
        let answer = visit(&mut ledger, &name(n), 1_000);
        assert!(["ended", "denied: ended"].contains(&answer.as_str()), "{n}: {answer}");
    }
    assert_eq!(visit(&mut ledger, "s7", 50 * DAY - 1), "denied: ended");
    assert_eq!(visit(&mut ledger, "s7", 50 * DAY), "admitted");
    assert_eq!(ledger.denial(&sid("s7")), None);
}

#[test]
fn a_denial_without_an_end_lasts_a_year_from_when_the_user_was_last_seen() {
    let mut ledger = Ledger::default();
    visit(&mut ledger, "a", 0);
    end(&mut ledger, SessionSelector::One(sid("a")), 1);
    ledger.forget_old(at(DAY));
    let mut away = ledger.clone();
    assert_eq!(away.all_forgotten(), Some(at(YEAR)));
    assert_eq!(visit(&mut away, "a", YEAR), "admitted");
    // The provider goes on refreshing, and its tokens come back.
    for month in 1..40 {
        assert_eq!(visit(&mut ledger, "a", month * 30 * DAY), "denied: ended", "{month}");
    }
    let last = 39 * 30 * DAY;
    assert_eq!(ledger.user().seen, Some(at(last)));
    // Another session of the user counts, too, though nothing is noted with it.
    ledger.sessions.insert(
        sid("own"),
        Session { seen: at(last + 300 * DAY), ..session("own", last, last + 400 * DAY) },
    );
    assert_eq!(visit(&mut ledger, "a", last + YEAR), "denied: ended");
    assert_eq!(UNSEEN_FOR, Duration::from_millis(YEAR));
}

#[test]
fn who_is_kept_out_is_noted_once_a_day() {
    let mut ledger = Ledger::default();
    visit(&mut ledger, "a", 0);
    end(&mut ledger, SessionSelector::One(sid("a")), 1);
    ledger.forget_old(at(70_000));
    let mut writes = |now: u64| {
        let command = Command::Admit {
            session: Box::new(provided("a", now)),
            limit: None,
            authenticated: at(now),
            idle_timeout: None,
            now: at(now),
        };
        let (answer, touched) = ledger.apply(&command);
        assert!(matches!(answer, CommandResult::Denied(_)), "{answer:?}");
        touched != LedgerChanges::default()
    };
    let moments = [70_001, DAY - 1, DAY, DAY + 1, 2 * DAY];
    assert_eq!(moments.map(&mut writes), [false, false, true, false, true]);
}

#[rstest]
#[case::all(SessionSelector::All, "denied: ended", "denied: ended")]
#[case::others(SessionSelector::Others(sid("kept")), "admitted", "denied: ended")]
#[case::of_an_issuer(SessionSelector::IssuerSession { issuer: "idp".into(), sid: None }, "denied: ended", "denied: ended")]
#[case::one(SessionSelector::One(sid("kept")), "admitted", "admitted")]
fn the_end_of_all_keeps_out_what_began_before_and_was_never_seen(
    #[case] which: SessionSelector,
    #[case] kept: &str,
    #[case] other: &str,
) {
    let mut ledger = Ledger::default();
    end(&mut ledger, which, 100);
    let mut came = |name, authenticated| match admit(
        &mut ledger,
        provided(name, 200),
        0,
        authenticated,
        200,
    ) {
        CommandResult::Admitted { .. } => "admitted",
        CommandResult::Denied(Denial::Ended(SessionEnd::Revoked { at: moment }))
            if moment == at(100) =>
        {
            "denied: ended"
        }
        answer => panic!("{answer:?}"),
    };
    assert_eq!(
        [came("kept", 100), came("other", 100), came("later", 101)],
        [kept, other, "admitted"]
    );
}

#[test]
fn without_providers_an_end_of_all_stores_nothing_of_the_user() {
    let mut ledger = Ledger::default();
    open(&mut ledger, "a", 0, 0);
    let (_, touched) =
        ledger.apply(&Command::end(SessionSelector::All, SessionEnd::Revoked { at: at(1) }));
    assert_eq!((touched.user, touched.denied), (false, vec![]));
    assert_eq!(*ledger.user(), UserRecord::default());
}

#[test]
fn a_session_that_was_never_seen_can_be_ended() {
    let mut ledger = Ledger::default();
    let mut logout = |name: &str, deny_until, now| {
        let unseen = Some(UnseenSession { sid: sid(name), deny_until });
        let which = SessionSelector::IssuerSession { issuer: "idp".into(), sid: Some("s".into()) };
        let ending = SessionEnd::Revoked { at: at(now) };
        ledger.apply(&Command::End { which, ending, unseen, admits_unseen: true }).0
    };
    let none = CommandResult::Ends { now: vec![], before: vec![] };
    assert_eq!(
        [logout("a", at(9_000), 1), logout("b", FAR, 1), logout("a", FAR, 5)],
        [none.clone(), none.clone(), none]
    );
    assert_eq!(visit(&mut ledger, "a", 8_999), "denied: ended");
    assert_eq!(visit(&mut ledger, "a", 9_000), "admitted", "the first end stands");
    assert_eq!(visit(&mut ledger, "b", 9_000), "denied: ended");
    assert_eq!(visit(&mut ledger, "c", 9_000), "admitted");
}

#[rstest]
#[case::until_it_is_lifted(None)]
#[case::until_its_end(Some(5_000))]
fn a_block_ends_all_sessions_and_lets_none_begin(#[case] until: Option<u64>) {
    let mut ledger = Ledger::default();
    open(&mut ledger, "own", 0, 0);
    visit(&mut ledger, "a", 0);
    let block = Block { reason: Some("fraud".into()), until: until.map(at), at: at(10) };
    let set = Command::Block { block: Some(block.clone()), now: at(10) };
    let (answer, _) = ledger.apply(&set);
    assert!(matches!(&answer, CommandResult::Ends { now, .. } if now.len() == 2), "{answer:?}");
    assert_eq!(ledger.apply(&set).0, answer, "it can come twice");
    assert_eq!(visit(&mut ledger, "a", 11), "ended");
    assert_eq!(visit(&mut ledger, "b", 11), "blocked");
    let login = |now| Command::Open {
        session: Box::new(session("new", now, now + 9)),
        limit: None,
        end: vec![],
        now: at(now),
    };
    assert_eq!(ledger.apply(&login(11)).0, CommandResult::Blocked(block));
    if until.is_none() {
        assert_eq!(visit(&mut ledger, "b", 30 * YEAR), "blocked", "for ever");
        ledger.forget_old(at(30 * YEAR));
        assert_eq!(ledger.all_forgotten(), Some(FAR));
        ledger.apply(&Command::Block { block: None, now: at(5_000) });
    }
    assert_eq!(ledger.apply(&login(5_000)).0, CommandResult::Ended(vec![]));
    assert_eq!(visit(&mut ledger, "b", 5_000), "admitted");
    let before = admit(&mut ledger, provided("c", 5_000), 0, 10, 5_000);
    assert!(matches!(before, CommandResult::Denied(_)), "it began before the block: {before:?}");
}

#[test]
fn changed_rights_hold_for_live_sessions_and_for_those_that_begin_later() {
    let mut ledger = Ledger::default();
    open(&mut ledger, "own", 0, 0);
    visit(&mut ledger, "a", 0);
    let mut set = |whose, change: &str, now| {
        let change: RightsChange = serde_json::from_str(change).unwrap();
        ledger.apply(&Command::SetRights { whose, change, now: at(now) }).0
    };
    let one = set(RightsOf::Session(sid("a")), r#"{"scopes":[]}"#, 1);
    assert!(
        matches!(one, CommandResult::Changed(it) if it.rights.as_deref() == Some(r#"{"scopes":[]}"#))
    );
    let all = set(RightsOf::User, r#"{"roles":["x"]}"#, 2);
    let CommandResult::User { record, live, .. } = all else { panic!("{all:?}") };
    let rights =
        |live: &[Session]| live.iter().map(|it| it.rights.clone().unwrap()).collect::<Vec<_>>();
    assert_eq!(rights(&live), [r#"{"roles":["x"],"scopes":[]}"#, r#"{"roles":["x"]}"#]);
    assert_eq!(record.rights.as_deref(), Some(r#"{"roles":["x"]}"#));
    assert!(matches!(set(RightsOf::Session(sid("none")), "{}", 3), CommandResult::Found(None)));
    visit(&mut ledger, "b", 3);
    open(&mut ledger, "new", 0, 3);
    let begun = ["b", "new"].map(|name| ledger.get(&sid(name)).unwrap().rights.clone());
    assert_eq!(begun, [record.rights.clone(), record.rights]);
    ledger.forget_old(at(20 * YEAR));
    assert!(ledger.user().rights.is_some(), "until they are changed");
    let change = serde_json::from_str(r#"{"roles":null}"#).unwrap();
    ledger.apply(&Command::SetRights { whose: RightsOf::User, change, now: at(20 * YEAR) });
    assert_eq!((ledger.user(), ledger.all_forgotten()), (&UserRecord::default(), None));
}

#[rstest]
#[case::live("a", 1, Some(100))]
#[case::that_will_lapse_before_the_idle_deadline_moves("soon", 1, Some(30))]
#[case::ended("ended", 1, Some(61_000))]
#[case::not_known("b", 1, None)]
#[case::whose_idle_deadline_moves("a", 100, None)]
fn the_admission_of_a_known_session_is_answered_as_the_last_time_only_while_nothing_changes(
    #[case] name: &str,
    #[case] now: u64,
    #[case] expected: Option<u64>,
) {
    let soon = Session { idle_expires: Some(at(30)), readmit: true, ..provided("soon", 0) };
    let ended = Session { ended: Some(SessionEnd::Revoked { at: at(0) }), ..provided("ended", 0) };
    let ledger = Ledger::new([provided("a", 0), soon, ended]);
    let command = |now| Command::Admit {
        session: Box::new(provided(name, now)),
        limit: None,
        authenticated: at(now),
        idle_timeout: Some(Duration::from_millis(IDLE)),
        now: at(now),
    };
    let until = ledger.unchanged_until(&command(now));
    assert_eq!(until, expected.map(at));
    let Some(until) = expected else { return };
    let answer = ledger.clone().apply(&command(now)).0;
    assert_eq!(ledger.clone().apply(&command(until - 1)), (answer, LedgerChanges::default()));
}
