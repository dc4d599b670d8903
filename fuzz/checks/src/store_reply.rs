use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use auth::ledger::Ledger;
use auth::redis::{ReadConsistency, Redis};
use auth::session::{
    Block, DataKind, RightsChange, RightsOf, Session, SessionEnd, Sid, StoredDenial, Subject,
    TokenName, UserRecord, judge_token,
};
use auth::store::{Command, CommandResult, SessionSelector};
use auth::time::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Input: the first line is the status of a reply of Redis, the rest its body. Each line is also parsed as a message
/// between the Worker and a Durable Object.
pub fn store_reply(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (status, body) = text.split_once('\n').unwrap_or(("200", &text));
    if let Ok(status) = status.parse() {
        redis(status, body);
    }
    let (mut ledger, mut rows) = (Ledger::default(), Rows::default());
    for line in text.lines() {
        round_trips::<Session>(line);
        round_trips::<CommandResult>(line);
        round_trips::<StoredDenial>(line);
        round_trips::<UserRecord>(line);
        if let Some(command) = round_trips::<Command>(line) {
            apply(&mut ledger, &mut rows, &command);
        }
    }
    if let (Ok(one), Ok(other)) = (subject(status), subject(body)) {
        users_have_distinct_keys(&one, &other);
    }
}

/// A malformed reply is a failure of the store: neither a session nor its absence.
fn redis(status: u16, body: &str) {
    for command in every_command(body) {
        let Ok(answer) = Redis::answer(&command, status, body) else { continue };
        assert_eq!(status, 200, "{answer:?} to status {status}");
        let result = &serde_json::from_str::<Value>(body).unwrap()["result"];
        match (&command, answer) {
            (Command::Check { .. }, CommandResult::Found(None)) => assert!(result.is_null()),
            (Command::Check { .. }, CommandResult::Found(Some(session))) => {
                assert!(result.is_string());
                let late = Timestamp::from_millis(u64::MAX);
                assert!(
                    judge_token(Some(session), [&token()], late).is_err(),
                    "the session never expires"
                );
            }
            (Command::List { .. } | Command::ChangedAt { .. }, CommandResult::Listed(sessions)) => {
                assert_eq!(result.as_array().map(Vec::len), Some(sessions.len()));
            }
            (Command::End { .. } | Command::Block { .. }, CommandResult::Ends { now, before }) => {
                assert_eq!(result[0].as_array().map(Vec::len), Some(now.len()));
                assert_eq!(result[1].as_array().map(Vec::len), Some(before.len()));
            }
            (
                Command::Open { .. } | Command::Admit { .. },
                CommandResult::Ended(sessions) | CommandResult::Full(sessions),
            )
            | (Command::Refresh { .. }, CommandResult::Ended(sessions)) => {
                assert_eq!(result.as_array().map(Vec::len), Some(sessions.len() + 1));
            }
            (
                Command::Refresh { .. } | Command::SetData { .. } | Command::SetRights { .. },
                CommandResult::Found(_) | CommandResult::Changed(_),
            )
            | (Command::Admit { .. }, CommandResult::Found(Some(_)))
            | (Command::Open { .. } | Command::Admit { .. }, CommandResult::Blocked(_))
            | (Command::Admit { .. }, CommandResult::Denied(_)) => assert!(result.is_array()),
            (Command::Admit { .. }, CommandResult::Admitted { ended, .. }) => {
                assert_eq!(result.as_array().map(Vec::len), Some(ended.len() + 2));
            }
            (
                Command::User { .. } | Command::SetRights { .. },
                CommandResult::User { live, ended, .. },
            ) => assert_eq!(result.as_array().map(Vec::len), Some(live.len() + ended.len() + 2)),
            (command, answer) => panic!("{answer:?} to {command:?}"),
        }
    }
}

fn every_command(record: &str) -> Vec<Command> {
    // The sid in the reply, because a record of another session is refused.
    let replied_sid = record.split(r#"sid\":\""#).nth(1).and_then(|rest| rest.split('\\').next());
    let replied_sid = replied_sid.and_then(|sid| Sid::try_from(sid.to_owned()).ok());
    let (now, sid) = (Timestamp::from_millis(0), replied_sid.unwrap_or(Sid::from_random([0; 16])));
    let idle_timeout = Some(Duration::from_secs(60));
    let mut commands = vec![
        Command::Check { sid: sid.clone(), jti: Some("j".into()), idle_timeout, is_use: true, now },
        Command::Refresh {
            sid: sid.clone(),
            token: token(),
            jti: "k".into(),
            idle_timeout,
            is_use: true,
            now,
        },
        Command::SetData {
            sid: sid.clone(),
            kind: DataKind::Data,
            old: None,
            new: Some("{}".into()),
            now,
        },
        Command::SetData {
            sid: sid.clone(),
            kind: DataKind::ClientData,
            old: None,
            new: Some("{}".into()),
            now,
        },
        Command::end(SessionSelector::All, SessionEnd::Revoked { at: now }),
        Command::List { now },
        Command::ChangedAt { at: now },
        Command::User { now },
        Command::Block { block: Some(Block { reason: None, until: None, at: now }), now },
    ];
    let change = RightsChange { roles: Some(None), ..RightsChange::default() };
    commands.extend([RightsOf::Session(sid), RightsOf::User].map(|whose| Command::SetRights {
        whose,
        change: change.clone(),
        now,
    }));
    if let Ok(session) = serde_json::from_str::<Box<Session>>(record) {
        let (session, limit, end) = (session, None, vec![]);
        let (new, authenticated) = (session.clone(), now);
        commands.push(Command::Open { session, limit, end, now });
        commands.push(Command::Admit { session: new, limit, authenticated, idle_timeout, now });
    }
    commands
}

fn token() -> TokenName {
    TokenName { jti: "jti".into(), issued: Timestamp::from_millis(0) }
}

/// A parsed value is the same after serialization and parsing.
fn round_trips<T: Serialize + DeserializeOwned + PartialEq + Debug>(json: &str) -> Option<T> {
    let read: T = serde_json::from_str(json).ok()?;
    let written = serde_json::to_string(&read).unwrap();
    assert_eq!(serde_json::from_str::<T>(&written).as_ref().ok(), Some(&read), "{written}");
    Some(read)
}

/// The records that a store has written.
#[derive(Default)]
struct Rows {
    sessions: BTreeMap<Sid, Session>,
    denials: BTreeMap<Sid, StoredDenial>,
    user: UserRecord,
}

/// The ledger's result fits the command, respects the limits, and reports all changes, so that rows can follow it.
fn apply(ledger: &mut Ledger, rows: &mut Rows, command: &Command) {
    let (answer, touched) = ledger.apply(command);
    rows.sessions.retain(|sid, _| !touched.forgotten.contains(sid));
    rows.denials.retain(|sid, _| !touched.lapsed.contains(sid));
    for sid in touched.written {
        let session = ledger.get(&sid).expect("a written session exists").clone();
        rows.sessions.insert(sid, session);
    }
    for sid in touched.denied {
        let denial = ledger.denial(&sid).expect("a written denial exists").clone();
        rows.denials.insert(sid, denial);
    }
    if touched.user {
        rows.user = ledger.user().clone();
    }
    let stored = Ledger::new(rows.sessions.values().cloned())
        .with_user(rows.denials.clone(), rows.user.clone());
    assert_eq!(format!("{stored:?}"), format!("{ledger:?}"), "after {command:?}");
    let live = |ledger: &mut Ledger, now| match ledger.apply(&Command::List { now }).0 {
        CommandResult::Listed(live) => live,
        other => panic!("{other:?} to a list"),
    };
    match (command, answer) {
        (Command::Check { sid, .. }, CommandResult::Found(found)) => {
            assert_eq!(found.as_deref(), ledger.get(sid));
        }
        (Command::Open { limit, now, .. }, CommandResult::Ended(_))
        | (Command::Admit { limit, now, .. }, CommandResult::Admitted { .. }) => {
            let Some(limit) = limit else { return };
            let counted = live(ledger, *now).into_iter().filter(|session| limit.counts(session));
            assert!(counted.count() <= limit.most.get() as usize, "too many for {limit:?}");
        }
        (Command::Open { limit: Some(limit), end, now, .. }, CommandResult::Full(full)) => {
            assert!(!limit.evicts && full.iter().all(|session| limit.counts(session)));
            assert!(full.iter().all(|session| !end.contains(&session.sid)));
            assert!(full.iter().all(|session| session.is_live(*now)));
        }
        (Command::Admit { session, now, .. }, CommandResult::Found(found)) => {
            assert!(
                found.is_some_and(
                    |it| Some(&*it) == ledger.get(&session.sid) && !it.has_lapsed(*now)
                )
            );
        }
        (Command::Admit { limit: Some(limit), .. }, CommandResult::Full(full)) => {
            assert!(!limit.evicts && full.iter().all(|session| limit.counts(session)));
        }
        (
            Command::Admit { session, now, .. },
            CommandResult::Denied(_) | CommandResult::Blocked(_),
        ) => {
            assert!(ledger.get(&session.sid).is_none_or(|it| !it.is_live(*now)));
        }
        (Command::Open { now, .. }, CommandResult::Blocked(block)) => assert!(block.holds(*now)),
        (Command::Block { block, now }, CommandResult::Ends { .. }) => {
            assert!(block.is_none() || live(ledger, *now).is_empty(), "some sessions are live");
        }
        (Command::User { now }, CommandResult::User { record, live, ended }) => {
            assert_eq!(record, *ledger.user());
            assert!(live.iter().all(|session| session.is_live(*now)));
            let is_told = |it: &Session| {
                let stored = ledger.get(&it.sid).cloned().map(Session::without_data);
                !it.is_live(*now) && stored.as_ref() == Some(it)
            };
            assert!(ended.iter().all(is_told));
        }
        (Command::SetRights { .. }, CommandResult::User { record, .. }) => {
            assert_eq!(record, *ledger.user());
        }
        (Command::SetRights { .. }, CommandResult::Changed(session)) => {
            assert_eq!(Some(&*session), ledger.get(&session.sid));
        }
        (Command::SetRights { now, .. }, CommandResult::Found(found)) => {
            assert!(found.is_none_or(|session| !session.is_live(*now)));
        }
        (Command::End { which, ending, .. }, CommandResult::Ends { now, before }) => {
            if *which == SessionSelector::All {
                assert_eq!(live(ledger, ending.at()), [], "some sessions are live");
            }
            assert!(now.iter().all(|session| session.ended.as_ref() == Some(ending)));
            assert!(
                before.iter().all(|it| it.ended.is_some() && it.ended.as_ref() != Some(ending))
            );
        }
        (Command::ChangedAt { at }, CommandResult::Listed(changed)) => {
            assert!(changed.iter().all(|session| session.bears(*at)));
        }
        (Command::Refresh { sid, .. }, CommandResult::Changed(session)) => {
            assert_eq!(Some(&*session), ledger.get(sid));
        }
        (Command::SetData { sid, kind, new, .. }, CommandResult::Changed(session)) => {
            assert_eq!(session.data_of(*kind), new.as_deref());
            assert_eq!(Some(&*session), ledger.get(sid));
        }
        (Command::SetData { sid, kind, old, now, .. }, CommandResult::Found(found)) => {
            assert_eq!(found.as_deref(), ledger.get(sid));
            assert!(
                found.is_none_or(|it| !it.is_live(*now) || it.data_of(*kind) != old.as_deref())
            );
        }
        (Command::Refresh { sid, token, now, .. }, CommandResult::Ended(ended)) => {
            assert!(ended.iter().all(|it| it.sid == *sid && it.jti != token.jti));
            assert!(
                ledger.get(sid).is_none_or(|it| !it.is_live(*now)),
                "the session is still live"
            );
        }
        (Command::Refresh { sid, now, .. }, CommandResult::Found(found)) => {
            assert_eq!(found.as_deref(), ledger.get(sid));
            assert!(found.is_none_or(|session| !session.is_live(*now)));
        }
        (Command::List { now }, CommandResult::Listed(live)) => {
            assert!(live.iter().all(|session| session.is_live(*now)));
        }
        (command, answer) => panic!("{answer:?} to {command:?}"),
    }
}

fn subject(text: &str) -> Result<Subject, &'static str> {
    Subject::try_from(text.to_owned())
}

fn users_have_distinct_keys(one: &Subject, other: &Subject) {
    let redis = Redis::new("guard:", ReadConsistency::Strong);
    assert_eq!(redis.key(one) == redis.key(other), one == other, "{one:?}, {other:?}");
}
