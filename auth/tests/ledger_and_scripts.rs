//! The ledger and the Redis scripts are two tellings of one story. Random commands go to both,
//! the scripts on a real redis-server, and every answer must be the same.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::process::{Child, Command as Process, Stdio};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use auth::device::DeviceClass;
use auth::ledger::{Ledger, LedgerChanges};
use auth::limit::Limit;
use auth::redis::{ReadConsistency, Redis, RestRequest};
use auth::session::{
    Block, DataKind, RightsChange, RightsOf, Session, SessionEnd, Sid, StoredDenial, Subject,
    TokenName, UserRecord,
};
use auth::store::{Command, CommandResult, SessionCriteria, SessionSelector, UnseenSession};
use auth::time::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A redis-server on a socket of its own, killed when the test ends.
struct Server {
    process: Child,
    connection: redis::Connection,
}

impl Server {
    fn start() -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("session-guard-{}-{number}.sock", std::process::id());
        let socket = std::env::temp_dir().join(name);
        let process = Process::new("redis-server")
            .args(["--port", "0", "--save", "", "--unixsocket"])
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .expect("this test needs redis-server; install it (Debian: apt install redis-server)");
        let client = redis::Client::open(format!("unix://{}", socket.display())).unwrap();
        let connection = (0..200)
            .find_map(|_| {
                std::thread::sleep(Duration::from_millis(25));
                client.get_connection().ok()
            })
            .expect("redis-server does not answer");
        Self { process, connection }
    }

    /// Lets Redis be full, so that it refuses what needs memory, or not.
    fn set_full(&mut self, full: bool) {
        let most = if full { "1" } else { "0" };
        let mut set = redis::cmd("CONFIG");
        set.arg(&["SET", "maxmemory", most]).query::<()>(&mut self.connection).unwrap();
    }

    /// All records under a key.
    fn records(&mut self, key: &str) -> BTreeMap<String, String> {
        redis::cmd("HGETALL").arg(key).query(&mut self.connection).unwrap()
    }

    /// When a key expires, in milliseconds since the Unix epoch; `None` if it never does.
    fn expires(&mut self, key: &str) -> Option<u64> {
        let at: i64 = redis::cmd("PEXPIRETIME").arg(key).query(&mut self.connection).unwrap();
        u64::try_from(at).ok()
    }

    /// Sends the words of a request, as the REST endpoint would, and answers in its form.
    fn send(&mut self, request: &RestRequest) -> String {
        let words: Vec<String> = serde_json::from_str(request.body.as_ref().unwrap()).unwrap();
        let mut command = redis::cmd(&words[0]);
        // Redis does not know the flag of the first line.
        command.arg(words[1].split_once('\n').unwrap().1).arg(&words[2..]);
        match command.query::<redis::Value>(&mut self.connection) {
            Ok(value) => json!({ "result": as_json(value) }).to_string(),
            Err(error) => json!({ "error": error.to_string() }).to_string(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn as_json(value: redis::Value) -> Value {
    match value {
        redis::Value::Nil => Value::Null,
        redis::Value::BulkString(bytes) => String::from_utf8(bytes).unwrap().into(),
        redis::Value::Array(items) => items.into_iter().map(as_json).collect(),
        other => panic!("no script answers {other:?}"),
    }
}

/// A step with the time since the one before, in milliseconds.
#[derive(Clone, Debug)]
enum Step {
    Check { sid: u8, token: u8, idle: bool },
    Open { lifetime: u64, idle: bool, limit: u32, end: Vec<u8>, text: String },
    Refresh { sid: u8, token: u8, age: u64, idle: bool },
    Admit { sid: u8, age: u64, lifetime: u64, idle: u64, limit: u32, kind: u8, text: String },
    SetData { sid: u8, kind: DataKind, old: u8, new: u8 },
    SetRights { sid: Option<u8>, roles: u8, scopes: u8, claims: u8 },
    End { which: u8, sid: u8, unseen: Option<u8>, admits_unseen: bool },
    Block { kind: u8 },
    User,
    Again,
    ChangedAt { back: usize },
    List,
}

/// Far ahead, because Redis forgets a key by its own clock.
const START: u64 = 4_000_000_000_000;

const IDLE: Duration = Duration::from_millis(500);

fn steps() -> impl Strategy<Value = Vec<(u64, Step)>> {
    let sid = any::<u8>();
    let named = prop_oneof![3 => Just(vec![]), 1 => prop::collection::vec(any::<u8>(), 1..4)];
    let step = prop_oneof![
        4 => (sid, any::<u8>(), any::<bool>())
            .prop_map(|(sid, token, idle)| Step::Check { sid, token, idle }),
        6 => (1_u64..300_000, any::<bool>(), 0_u32..5, named, ".{0,12}").prop_map(
            |(lifetime, idle, limit, end, text)| Step::Open { lifetime, idle, limit, end, text }
        ),
        4 => (sid, any::<u8>(), prop_oneof![0_u64..1_500, 0_u64..60_000], any::<bool>())
            .prop_map(|(sid, token, age, idle)| Step::Refresh { sid, token, age, idle }),
        3 => (sid, any::<bool>(), any::<u8>(), any::<u8>()).prop_map(|(sid, data, old, new)| {
            let kind = if data { DataKind::Data } else { DataKind::ClientData };
            Step::SetData { sid, kind, old, new }
        }),
        8 => (sid, prop_oneof![0_u64..3_000, 0_u64..60_000], 1_u64..300_000, 1_u64..2_000, 0_u32..5, any::<u8>(), ".{0,12}")
            .prop_map(|(sid, age, lifetime, idle, limit, kind, text)| Step::Admit { sid, age, lifetime, idle, limit, kind, text }),
        2 => (prop::option::of(sid), any::<u8>(), any::<u8>(), any::<u8>())
            .prop_map(|(sid, roles, scopes, claims)| Step::SetRights { sid, roles, scopes, claims }),
        3 => (0_u8..5, sid, prop::option::of(sid), any::<bool>())
            .prop_map(|(which, sid, unseen, admits_unseen)| Step::End { which, sid, unseen, admits_unseen }),
        1 => any::<u8>().prop_map(|kind| Step::Block { kind }),
        1 => Just(Step::User),
        1 => Just(Step::Again),
        1 => (0_usize..6).prop_map(|back| Step::ChangedAt { back }),
        1 => Just(Step::List),
    ];
    let pause = prop_oneof![8 => 0_u64..60, 2 => 100_u64..2_000, 1 => 25_000_u64..90_000, 1 => 29_000_u64..30_001, 1 => 595_000_u64..605_000, 1 => prop_oneof![86_400_000_u64..90_000_000, 31_400_000_000_u64..31_600_000_000]];
    prop::collection::vec((pause, step), 1..80)
}

fn sid(number: usize) -> Sid {
    Sid::try_from(format!("sid-{number}")).unwrap()
}

/// A provider's session, of which a few come again and again.
fn provider_sid(number: u8) -> Sid {
    Sid::of_provider(
        "issuer 0",
        &Subject::try_from("ada".to_owned()).unwrap(),
        &format!("{}", number % 6),
    )
}

/// Names and values that look like members of rights.
fn rights(roles: u8, scopes: u8, claims: u8) -> RightsChange {
    let lists =
        [json!([]), json!(["a", r#""claims":{}"#]), json!(["scopes", ":", "é"]), Value::Null];
    let objects = [
        json!({}),
        json!({ "scopes": [], "a": { "x": 1, "roles": [] } }),
        json!({ "z": null, "a": 1.5 }),
        Value::Null,
    ];
    let change =
        [("roles", &lists, roles), ("scopes", &lists, scopes), ("claims", &objects, claims)]
            .into_iter()
            .filter(|(_, _, number)| number % 3 > 0)
            .map(|(name, values, number)| {
                (name.to_owned(), values[usize::from(number / 3 % 4)].clone())
            });
    serde_json::from_value(Value::Object(change.collect())).unwrap()
}

/// One of a few, so that one step may meet what another has set.
fn data(number: u8) -> Option<String> {
    let text = ["", "é\"\\", "\u{0}/"][usize::from(number % 3)];
    (number & 3 > 0).then(|| json!({ "a": [], "b": {}, "c": text }).to_string())
}

/// From none at all to more than any session lives.
const REACHES: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(90), Duration::from_secs(40), Duration::from_secs(999)];

const DEVICES: [DeviceClass; 3] = [DeviceClass::Mobile, DeviceClass::Desktop, DeviceClass::Other];

fn before(now: Timestamp, millis: u64) -> Timestamp {
    Timestamp::from_millis(now.millis() - millis)
}

/// The command of a step. `index` is new with every step, as a login's `sid` is; the others pick
/// one that may have been opened before.
fn command(step: &Step, index: usize, now: Timestamp) -> Command {
    // Of the last few, or most would be of steps that opened none.
    let recent = |number: &u8| index - usize::from(*number) % (index + 1).min(5);
    let earlier = |number: &u8| sid(recent(number));
    match step {
        Step::Check { sid: number, token, idle } => Command::Check {
            sid: if token % 8 > 5 { provider_sid(*number) } else { earlier(number) },
            jti: (token % 4 > 0).then(|| format!("jti-{}-{}", recent(number), token % 4 - 1)),
            idle_timeout: idle.then_some(IDLE),
            now,
        },
        Step::Open { lifetime, idle, limit, end, text } => {
            let session = Session {
                sid: sid(index),
                jti: format!("jti-{index}-0"),
                previous_jti: None,
                refreshed: None,
                unused: false,
                created: now,
                seen: now,
                expires: now.plus(Duration::from_millis(*lifetime)),
                idle_expires: idle.then(|| now.plus(IDLE)),
                device: DEVICES[text.len() % 3],
                user_agent: text.clone(),
                place: (text.len() > 3).then(|| text.clone()),
                data: data(u8::try_from(text.len()).unwrap()),
                client_data: None,
                issuer: (text.len() % 3 > 0).then(|| format!("issuer {}", text.len() % 2)),
                issuer_sid: (text.len() % 5 > 1).then(|| format!("sid {}", text.len() % 2)),
                admin: text.len() % 2 == 0,
                deny_until: None,
                readmit: false,
                rights: None,
                ended: None,
            };
            let limit = NonZeroU32::new(*limit).map(|most| Limit {
                most,
                among: (text.len() % 2 > 0).then_some(session.device),
                evicts: text.len() % 3 > 0,
                reach: REACHES[text.len() % 4],
            });
            let end = end.iter().map(earlier).collect();
            Command::Open { session: Box::new(session), limit, end, now }
        }
        Step::Refresh { sid: number, token, age, idle } => Command::Refresh {
            sid: earlier(number),
            // The current token, one before it, or another.
            token: TokenName {
                jti: format!("jti-{}-{}", recent(number), token % 3),
                issued: Timestamp::from_millis(now.millis() - age),
            },
            jti: format!("jti-{}-{}", recent(number), index % 3),
            idle_timeout: idle.then_some(IDLE),
            now,
        },
        Step::SetData { sid: number, kind, old, new } => {
            let (sid, old, new) = (earlier(number), data(*old), data(*new));
            Command::SetData { sid, kind: *kind, old, new, now }
        }
        Step::Admit { sid: number, age, lifetime, idle, limit, kind, text } => {
            let idle_timeout = Some(Duration::from_millis(*idle));
            let sid = provider_sid(*number);
            let Command::Open { mut session, limit, .. } = command(
                &Step::Open {
                    lifetime: *lifetime,
                    idle: true,
                    limit: *limit,
                    end: vec![],
                    text: text.clone(),
                },
                index,
                now,
            ) else {
                unreachable!()
            };
            session.jti = String::new();
            session.issuer = Some("issuer 0".into());
            session.issuer_sid = Some(format!("sid {}", number % 2));
            session.idle_expires = Some(now.plus(Duration::from_millis(*idle)));
            session.readmit = kind % 2 > 0;
            session.deny_until = Some(match kind / 2 % 3 {
                0 => Timestamp::FAR_FUTURE,
                1 => now.plus(Duration::from_secs(400)),
                _ => now.plus(Duration::from_secs(100_000)),
            });
            let authenticated = Timestamp::from_millis(now.millis() - age);
            let session = Box::new(Session { sid, ..*session });
            Command::Admit { session, limit, authenticated, idle_timeout, now }
        }
        Step::SetRights { sid: number, roles, scopes, claims } => {
            let whose = match number {
                None => RightsOf::User,
                Some(number) if number % 2 > 0 => RightsOf::Session(provider_sid(number / 2)),
                Some(number) => RightsOf::Session(earlier(number)),
            };
            Command::SetRights { whose, change: rights(*roles, *scopes, *claims), now }
        }
        Step::Block { kind } => {
            let until =
                (kind % 2 > 0).then(|| now.plus(Duration::from_millis(u64::from(*kind) * 50)));
            let reason = (kind % 3 > 0).then(|| format!("reason \"{kind}\""));
            let block = (kind % 5 > 1).then_some(Block { reason, until, at: now });
            Command::Block { block, now }
        }
        Step::User => Command::User { now },
        Step::End { which, sid: number, unseen, admits_unseen } => {
            let which = match which {
                0 if number % 2 > 0 => SessionSelector::One(provider_sid(number / 2)),
                0 => SessionSelector::One(earlier(number)),
                1 if number % 2 > 0 => SessionSelector::Others(provider_sid(number / 2)),
                1 => SessionSelector::Others(earlier(number)),
                2 => SessionSelector::IssuerSession {
                    issuer: format!("issuer {}", number % 2),
                    sid: (number % 3 > 0).then(|| format!("sid {}", number / 2 % 2)),
                },
                3 => SessionSelector::Matching(Box::new(SessionCriteria {
                    except: (number % 4 == 0).then(|| earlier(number).into()),
                    sids: match number % 8 {
                        1 => vec![earlier(number).into(), provider_sid(*number).into()],
                        _ => vec![],
                    },
                    issuers: match number % 3 {
                        0 => vec![format!("issuer {}", number % 2)],
                        _ => vec![],
                    },
                    devices: DEVICES[..usize::from(number % 3)]
                        .iter()
                        .map(|device| device.name().to_owned())
                        .collect(),
                    created_before: (number % 7 < 3).then(|| before(now, u64::from(*number) * 9)),
                    unused_since: (number % 6 < 2).then(|| before(now, u64::from(*number) * 2)),
                })),
                _ => SessionSelector::All,
            };
            let unseen = unseen.map(|number| UnseenSession {
                sid: provider_sid(number),
                deny_until: match number % 2 {
                    0 => Timestamp::FAR_FUTURE,
                    _ => now.plus(Duration::from_secs(400)),
                },
            });
            let ending = SessionEnd::Revoked { at: now };
            Command::End { which, ending, unseen, admits_unseen: *admits_unseen }
        }
        Step::List => Command::List { now },
        Step::Again | Step::ChangedAt { .. } => unreachable!("they are made of earlier commands"),
    }
}

/// The commands of these steps, in their order.
fn commands(steps: &[(u64, Step)]) -> Vec<Command> {
    let (mut now, mut commands): (_, Vec<Command>) = (START, Vec::new());
    for (index, (pause, step)) in steps.iter().enumerate() {
        now += pause;
        let earlier = |back: usize| commands.iter().rev().nth(back);
        commands.push(match step {
            Step::Again => match earlier(0) {
                // Names are new with every login.
                None | Some(Command::Open { .. }) => continue,
                Some(command) => command.clone(),
            },
            Step::ChangedAt { back } => match earlier(*back).and_then(Command::changed_at) {
                None => continue,
                Some(at) => Command::ChangedAt { at },
            },
            step => command(step, index, Timestamp::from_millis(now)),
        });
    }
    commands
}

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

/// One user's hash in a Redis.
struct Hash {
    server: Server,
    redis: Redis,
    user: Subject,
}

const HOUR: Duration = Duration::from_secs(3600);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

impl Hash {
    fn new() -> Self {
        let redis = Redis::new("test:", ReadConsistency::Strong);
        let user = Subject::try_from("ada".to_owned()).unwrap();
        Self { server: Server::start(), redis, user }
    }

    fn apply(&mut self, command: &Command) -> CommandResult {
        let reply = self.server.send(&self.redis.request_with_text(&self.user, command));
        Redis::answer(command, 200, &reply).unwrap_or_else(|error| panic!("{error:?}: {reply}"))
    }

    /// The time by Redis's clock, because it lets the key expire by that.
    fn today(&mut self) -> Timestamp {
        let (seconds, _): (u64, u64) =
            redis::cmd("TIME").query(&mut self.server.connection).unwrap();
        Timestamp::from_millis(seconds * 1000)
    }

    fn fields(&mut self) -> Vec<String> {
        self.server.records(&self.redis.key(&self.user)).into_keys().collect()
    }

    /// How long the key lives after this moment, in whole seconds; `None`: for ever.
    fn lives(&mut self, after: Timestamp) -> Option<u64> {
        let at = self.server.expires(&self.redis.key(&self.user))?;
        Some(Timestamp::from_millis(at).since(after).as_secs())
    }
}

/// The admission of a session that idles for an hour at most.
fn admission(sid: &str, readmit: bool, deny_until: Timestamp, now: Timestamp) -> Command {
    let text = json!({
        "sid": sid, "jti": "", "created": now, "seen": now, "expires": now.plus(20 * YEAR),
        "idle_expires": now.plus(HOUR), "device": "desktop", "deny_until": deny_until, "readmit": readmit,
    });
    Command::Admit {
        session: serde_json::from_value(text).unwrap(),
        limit: None,
        authenticated: now,
        idle_timeout: Some(HOUR),
        now,
    }
}

/// What a user's hash holds, and how long it lives.
#[test]
fn the_hash_of_a_user_lives_as_long_as_something_must_be_kept_out() {
    let minute = 60;
    let hour = HOUR.as_secs();
    let mut hash = Hash::new();
    let now = hash.today();
    let before = Timestamp::from_millis(now.millis() - 1_800_000);
    hash.apply(&admission("soft", true, Timestamp::FAR_FUTURE, before));
    assert_eq!((hash.fields(), hash.lives(before)), (vec!["soft".into()], Some(hour + minute)));
    // Its idle deadline moves, and the key's with it.
    hash.apply(&admission("soft", true, Timestamp::FAR_FUTURE, now));
    let lives = hash.lives(now).unwrap();
    assert!((hour + minute..hour + minute + 5).contains(&lives), "{lives}");

    hash.apply(&admission("bounded", false, now.plus(48 * HOUR), now));
    assert_eq!(hash.lives(now), Some(48 * hour));
    hash.apply(&admission("hard", false, Timestamp::FAR_FUTURE, now));
    assert_eq!(hash.lives(now), Some(YEAR.as_secs()), "after the user was last seen");

    let later = now.plus(HOUR / 2);
    let ending = SessionEnd::Revoked { at: later };
    hash.apply(&Command::end(SessionSelector::All, ending));
    assert_eq!(hash.fields(), ["bounded", "hard", "soft"], "tombstones");
    let much_later = later.plus(100 * HOUR);
    hash.apply(&admission("new", true, Timestamp::FAR_FUTURE, much_later));
    assert_eq!(hash.fields(), ["!", "!hard", "!soft", "new"]);
    assert_eq!(hash.lives(much_later), Some(YEAR.as_secs()));

    let block = |block| Command::Block { block, now: much_later };
    hash.apply(&block(Some(Block { reason: None, until: None, at: much_later })));
    assert_eq!(hash.lives(now), None, "a block without an end");
    hash.apply(&block(None));
    assert_eq!(hash.lives(much_later), Some(YEAR.as_secs()));
}

/// The provider goes on refreshing: each day the key lives on, though nothing else is written.
#[test]
fn the_hash_of_a_user_who_is_kept_out_lives_on_while_the_user_comes() {
    let mut hash = Hash::new();
    let now = hash.today();
    hash.apply(&admission("a", false, Timestamp::FAR_FUTURE, now));
    hash.apply(&Command::end(SessionSelector::All, SessionEnd::Revoked { at: now }));
    for days in [1, 2, 300] {
        let then = now.plus(24 * HOUR * days);
        assert!(matches!(
            hash.apply(&admission("a", false, Timestamp::FAR_FUTURE, then)),
            CommandResult::Denied(_)
        ));
        assert_eq!(hash.fields(), ["!", "!a"]);
        // By Redis's clock, which has not moved.
        let lives = hash.lives(now).unwrap();
        assert!(lives >= YEAR.as_secs() - 5, "{days}: {lives}");
    }
}

/// A thousand denials are not read for the check of a live session, nor for one who is kept out.
#[test]
fn a_thousand_denials_of_a_user_cost_little() {
    let mut hash = Hash::new();
    let now = hash.today();
    for number in 0..1_000 {
        let (sid, deny_until) = (sid(number), Timestamp::FAR_FUTURE);
        let unseen = Some(UnseenSession { sid: sid.clone(), deny_until });
        let which = SessionSelector::One(sid);
        let ending = SessionEnd::Revoked { at: now };
        hash.apply(&Command::End { which, ending, unseen, admits_unseen: false });
    }
    assert_eq!(hash.fields().len(), 1_001);
    hash.apply(&admission("live", false, Timestamp::FAR_FUTURE, now));
    let live = Command::Check {
        sid: Sid::try_from("live".to_owned()).unwrap(),
        jti: None,
        idle_timeout: Some(HOUR),
        now,
    };
    let mut time = |command: &Command| {
        redis::cmd("CONFIG").arg("RESETSTAT").query::<()>(&mut hash.server.connection).unwrap();
        for _ in 0..50 {
            hash.apply(command);
        }
        let mut info = redis::cmd("INFO");
        let stats: String = info.arg("commandstats").query(&mut hash.server.connection).unwrap();
        let (_, spent) = stats.split_once("cmdstat_eval:calls=50,usec=").unwrap();
        Duration::from_micros(spent.split_once(',').unwrap().0.parse().unwrap()) / 50
    };
    let check = time(&live);
    let known = time(&admission("live", false, Timestamp::FAR_FUTURE, now));
    let denied = time(&admission("sid-7", false, Timestamp::FAR_FUTURE, now));
    let listed = time(&Command::List { now });
    println!("a check {check:?}, known {known:?}, denied {denied:?}, a list {listed:?}");
    for quick in [check, known, denied] {
        assert!(quick < listed, "{quick:?} is not quicker than reading all in {listed:?}");
    }
    assert!(listed < Duration::from_millis(50), "{listed:?}");
}
