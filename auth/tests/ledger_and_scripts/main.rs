//! The ledger and the Redis scripts are two tellings of one story. Random commands go to both,
//! the scripts on a real redis-server, and every answer must be the same.

mod lifetime;
mod moves;
mod places;
mod races;
mod server;
mod steps;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use auth::ledger::{Ledger, LedgerChanges};
use auth::redis::{ReadConsistency, Redis};
use auth::session::{Block, RightsOf, Session, SessionEnd, Sid, StoredDenial, Subject, UserRecord};
use auth::store::{Command, CommandResult, SessionSelector, UnseenSession};
use auth::time::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use server::*;
use steps::*;

const HOUR: Duration = Duration::from_secs(3600);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// The fields of a user's hash, as the ledger's changes write them.
#[derive(Default)]
struct Rows(BTreeMap<String, Value>);

impl Rows {
    fn follow(&mut self, ledger: &Ledger, changes: &LedgerChanges) {
        for sid in &changes.forgotten {
            self.0.remove(sid.as_str());
        }
        for sid in &changes.lapsed {
            self.0.remove(&format!("!{sid}"));
        }
        for sid in &changes.written {
            self.0.insert(sid.to_string(), json!(ledger.get(sid)));
        }
        for sid in &changes.denied {
            self.0.insert(format!("!{sid}"), json!(ledger.denial(sid)));
        }
        match (changes.user, *ledger.user() == UserRecord::default()) {
            (false, _) => {}
            (true, true) => drop(self.0.remove("!")),
            (true, false) => drop(self.0.insert("!".into(), json!(ledger.user()))),
        }
    }
}

/// The ledger of a user's hash.
fn ledger_of(fields: &BTreeMap<String, String>) -> Ledger {
    let sessions = fields.iter().filter(|(field, _)| !field.starts_with('!'));
    let sessions = sessions.map(|(_, text)| serde_json::from_str::<Session>(text).unwrap());
    let denials = fields.iter().filter(|(field, _)| field.len() > 1).filter_map(|(field, text)| {
        let sid = Sid::try_from(field.strip_prefix('!')?.to_owned()).unwrap();
        Some((sid, serde_json::from_str::<StoredDenial>(text).unwrap()))
    });
    let user = fields.get("!").map(|text| serde_json::from_str(text).unwrap()).unwrap_or_default();
    Ledger::new(sessions).with_user(denials, user)
}

fn moment(command: &Command) -> Timestamp {
    match command {
        Command::Check { now, .. }
        | Command::Open { now, .. }
        | Command::Admit { now, .. }
        | Command::Refresh { now, .. }
        | Command::SetData { now, .. }
        | Command::List { now }
        | Command::User { now }
        | Command::Block { now, .. }
        | Command::SetRights { now, .. } => *now,
        Command::End { ending, .. } => ending.at(),
        Command::ChangedAt { at } => *at,
    }
}

/// The provider's sessions that were ended, until when their tokens may come, and when the user was last here.
#[derive(Default)]
struct Ended {
    until: BTreeMap<Sid, Timestamp>,
    last: u64,
}

impl Ended {
    /// Has a session begun again that must not?
    fn is_violated(&mut self, command: &Command, answer: &CommandResult) -> bool {
        let none = Vec::new();
        let (begun, ended) = match answer {
            CommandResult::Admitted { session, ended } => (Some(session), ended),
            CommandResult::Ended(ended) | CommandResult::Ends { now: ended, .. } => (None, ended),
            _ => (None, &none),
        };
        let now = moment(command).millis();
        let is_away = now >= self.last + (YEAR - 24 * HOUR).as_millis() as u64;
        let over = |until: &Timestamp| match *until {
            Timestamp::FAR_FUTURE => is_away,
            until => now >= until.millis(),
        };
        let until = begun.and_then(|begun| self.until.remove(&begun.sid));
        let is_violated = until.is_some_and(|until| !over(&until));
        let is_here = begun.is_some()
            || matches!(answer, CommandResult::Denied(_))
            || matches!(command, Command::Open { .. });
        if is_here {
            // They have lapsed, though this very step brings the user back.
            self.until.retain(|_, until| !is_away || *until != Timestamp::FAR_FUTURE);
            self.last = now;
        }
        for session in ended {
            self.until.extend(session.deny_until.map(|until| (session.sid.clone(), until)));
        }
        is_violated
    }
}

/// Has this answer's command put the key's expiry in order?
fn sets_expiry(command: &Command, answer: &CommandResult) -> bool {
    matches!(
        (command, answer),
        (Command::Open { .. }, CommandResult::Ended(_))
            | (Command::Admit { .. }, CommandResult::Admitted { .. })
            | (Command::End { .. } | Command::Block { .. }, _)
            | (Command::SetRights { whose: RightsOf::User, .. }, _)
    )
}

#[test]
fn the_ledger_and_the_scripts_always_answer_alike() {
    let server = RefCell::new(Server::start());
    let redis = Redis::new("test:", ReadConsistency::Strong);
    let users = Cell::new(0);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 500,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let verdict = runner.run(&steps(), |steps| {
        users.set(users.get() + 1);
        let user = Subject::try_from(format!("user {}", users.get())).unwrap();
        let (mut ledger, mut rows) = (Ledger::default(), Rows::default());
        let mut ended = Ended::default();
        for command in commands(&steps) {
            let (expected, changes) = ledger.apply(&command);
            rows.follow(&ledger, &changes);
            let mut server = server.borrow_mut();
            let reply = server.send(&redis.request_with_text(&user, &command));
            let status = if reply.starts_with(r#"{"error"#) { 400 } else { 200 };
            let answer = Redis::answer(&command, status, &reply);
            let fields = server.records(&redis.key(&user));
            let context = format!("{command:?}, reply {reply}, fields {fields:?}");
            prop_assert_eq!(&answer, &Ok(expected), "{}", context);
            let read = |(field, text): (&String, &String)| {
                (field.clone(), serde_json::from_str::<Value>(text).unwrap())
            };
            prop_assert_eq!(
                fields.iter().map(read).collect::<BTreeMap<_, _>>(),
                rows.0.clone(),
                "{}",
                context
            );
            let is_violated = ended.is_violated(&command, answer.as_ref().unwrap());
            prop_assert!(!is_violated, "it begins again: {}", context);
            if sets_expiry(&command, answer.as_ref().unwrap()) && !fields.is_empty() {
                let never = ledger.user().rights.is_some()
                    || ledger.user().block.as_ref().is_some_and(|block| block.until.is_none());
                let expires = server.expires(&redis.key(&user));
                prop_assert_eq!(expires.is_none(), never, "{}", context);
                let mut then = ledger.clone();
                let left = expires.map(|at| {
                    then.forget_old(Timestamp::from_millis(at));
                    // What is left of sessions may be a denial.
                    then.all_forgotten()
                });
                prop_assert_eq!(left.flatten(), None, "{}, expires {:?}", context, expires);
            }
        }
        Ok(())
    });
    if let Err(error) = verdict {
        panic!("{error}");
    }
}

/// Redis with `maxmemory` reached and nothing to evict: what ends sessions needs no memory, what does
/// need it changes nothing, and nobody who is logged in is shut out.
#[test]
fn a_full_redis_ends_sessions_and_never_takes_half_a_step() {
    let server = RefCell::new(Server::start());
    let redis = Redis::new("test:", ReadConsistency::Strong);
    let users = Cell::new(0);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let fullness = prop::collection::vec(any::<bool>(), 80);
    let verdict = runner.run(&(steps(), fullness), |(steps, fullness)| {
        users.set(users.get() + 1);
        let user = Subject::try_from(format!("user {}", users.get())).unwrap();
        let mut server = server.borrow_mut();
        for (command, full) in commands(&steps).iter().zip(fullness) {
            let before = server.records(&redis.key(&user));
            let mut ledger = ledger_of(&before);
            let (expected, changes) = ledger.apply(command);
            server.set_full(full);
            let reply = server.send(&redis.request_with_text(&user, command));
            server.set_full(false);
            let after = server.records(&redis.key(&user));
            let status = if reply.starts_with(r#"{"error"#) { 400 } else { 200 };
            let answer = Redis::answer(command, status, &reply);
            let context = format!("full: {full}, {command:?}, reply {reply}, before {before:?}");
            // The end of one's own sessions needs no memory; what keeps a provider's out does.
            let ends = match (command, &expected) {
                (Command::End { .. }, CommandResult::Ends { now, .. }) => {
                    let is_new =
                        |it: &Session| before.get(it.sid.as_str()) != Some(&json!(it).to_string());
                    let fails = now.iter().any(|it| it.deny_until.is_some() && is_new(it))
                        || !changes.denied.is_empty()
                        || changes.user;
                    !fails
                }
                (Command::Refresh { .. }, CommandResult::Ended(_)) => true,
                _ => false,
            };
            match (command, answer) {
                (
                    Command::Check { .. } | Command::Admit { .. },
                    Ok(CommandResult::Found(found)),
                ) if full => {
                    let CommandResult::Found(expected) = expected else { unreachable!() };
                    let is = |it: &Option<Rc<Session>>| {
                        it.as_ref().map(|it| (it.sid.clone(), it.ended.clone()))
                    };
                    prop_assert_eq!(is(&found), is(&expected), "{}", context);
                    prop_assert_eq!(before, after, "{}", context);
                }
                (
                    Command::Check { .. }
                    | Command::List { .. }
                    | Command::User { .. }
                    | Command::ChangedAt { .. },
                    answer,
                ) => {
                    prop_assert_eq!(answer, Ok(expected), "{}", context);
                }
                (
                    Command::Open { .. } | Command::Admit { .. },
                    Ok(answer @ (CommandResult::Ended(_) | CommandResult::Admitted { .. })),
                ) if full => {
                    prop_assert!(false, "{answer:?}: {}", context);
                }
                (_, Err(error)) => {
                    prop_assert!(full && !ends, "{error:?}: {}", context);
                    prop_assert_eq!(before, after, "{}", context);
                }
                (_, answer) => {
                    prop_assert_eq!(answer, Ok(expected), "{}", context);
                    // Tombstones may be missing, and denials, while the record is there.
                    let stored = ledger_of(&after);
                    // Of the user's record, what is over may still be there.
                    let [mut tidied, mut tidied_ledger] = [stored.clone(), ledger.clone()];
                    tidied.forget_old(moment(command));
                    tidied_ledger.forget_old(moment(command));
                    for field in after.keys() {
                        match field.strip_prefix('!') {
                            Some("") => {
                                let (expected, user) = (tidied_ledger.user(), tidied.user());
                                prop_assert_eq!(&expected.block, &user.block, "{}", context);
                                prop_assert_eq!(&expected.rights, &user.rights, "{}", context);
                                // When the user was seen may not have been noted.
                                if expected.seen == user.seen {
                                    prop_assert_eq!(expected, user, "{}", context);
                                }
                            }
                            Some(sid) => {
                                let sid = Sid::try_from(sid.to_owned()).unwrap();
                                prop_assert_eq!(
                                    ledger.denial(&sid),
                                    stored.denial(&sid),
                                    "{}",
                                    context
                                );
                            }
                            None => {
                                let sid = Sid::try_from(field.clone()).unwrap();
                                if ledger.denial(&sid).is_none() {
                                    prop_assert_eq!(
                                        ledger.get(&sid),
                                        stored.get(&sid),
                                        "{}",
                                        context
                                    );
                                }
                            }
                        }
                    }
                    // A provider's session that is over must not begin anew.
                    for sid in &changes.written {
                        let is_provided = ledger.get(sid).is_some_and(|it| it.deny_until.is_some());
                        prop_assert!(
                            !is_provided || stored.get(sid).is_some(),
                            "{sid}: {}",
                            context
                        );
                    }
                    for sid in &changes.denied {
                        let is_kept = stored.denial(sid).is_some() || stored.get(sid).is_some();
                        prop_assert!(is_kept, "{sid}: {}", context);
                    }
                    let list = Command::List { now: moment(command) };
                    let CommandResult::Listed(live) = ledger.apply(&list).0 else { unreachable!() };
                    for session in live {
                        prop_assert!(after.contains_key(session.sid.as_str()), "{}", context);
                    }
                }
            }
        }
        Ok(())
    });
    if let Err(error) = verdict {
        panic!("{error}");
    }
}
