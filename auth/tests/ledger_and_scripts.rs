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
use auth::ledger::Ledger;
use auth::limit::Limit;
use auth::redis::{ReadConsistency, Redis, RestRequest};
use auth::session::{DataKind, Session, SessionEnd, Sid, Subject, TokenName};
use auth::store::{Command, CommandResult, SessionSelector};
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
    SetData { sid: u8, kind: DataKind, old: u8, new: u8 },
    End { which: u8, sid: u8 },
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
        2 => (0_u8..4, sid).prop_map(|(which, sid)| Step::End { which, sid }),
        1 => Just(Step::Again),
        1 => (0_usize..6).prop_map(|back| Step::ChangedAt { back }),
        1 => Just(Step::List),
    ];
    let pause = prop_oneof![8 => 0_u64..60, 2 => 100_u64..2_000, 1 => 25_000_u64..90_000, 1 => 29_000_u64..30_001, 1 => 595_000_u64..605_000];
    prop::collection::vec((pause, step), 1..80)
}

fn sid(number: usize) -> Sid {
    Sid::try_from(format!("sid-{number}")).unwrap()
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

/// The command of a step. `index` is new with every step, as a login's `sid` is; the others pick
/// one that may have been opened before.
fn command(step: &Step, index: usize, now: Timestamp) -> Command {
    // Of the last few, or most would be of steps that opened none.
    let recent = |number: &u8| index - usize::from(*number) % (index + 1).min(5);
    let earlier = |number: &u8| sid(recent(number));
    match step {
        Step::Check { sid: number, token, idle } => Command::Check {
            sid: earlier(number),
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
        Step::End { which, sid: number } => {
            let which = match which {
                0 => SessionSelector::One(earlier(number)),
                1 => SessionSelector::Others(earlier(number)),
                2 => SessionSelector::IssuerSession {
                    issuer: format!("issuer {}", number % 2),
                    sid: (number % 3 > 0).then(|| format!("sid {}", number / 2 % 2)),
                },
                _ => SessionSelector::All,
            };
            Command::End { which, ending: SessionEnd::Revoked { at: now } }
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
        let mut ledger = Ledger::default();
        for command in commands(&steps) {
            let (expected, _) = ledger.apply(&command);
            let reply = server.borrow_mut().send(&redis.request_with_text(&user, &command));
            let status = if reply.starts_with(r#"{"error"#) { 400 } else { 200 };
            let answer = Redis::answer(&command, status, &reply);
            let context = format!("{command:?}, reply {reply}");
            prop_assert_eq!(answer, Ok(expected), "{}", context);
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
            let read = |record: &String| serde_json::from_str::<Session>(record).unwrap();
            let mut ledger = Ledger::new(before.values().map(read));
            let (expected, _) = ledger.apply(command);
            server.set_full(full);
            let reply = server.send(&redis.request_with_text(&user, command));
            server.set_full(false);
            let after = server.records(&redis.key(&user));
            let status = if reply.starts_with(r#"{"error"#) { 400 } else { 200 };
            let answer = Redis::answer(command, status, &reply);
            let context = format!("full: {full}, {command:?}, reply {reply}, before {before:?}");
            let ends = match command {
                Command::End { .. } => true,
                Command::Refresh { .. } => matches!(expected, CommandResult::Ended(_)),
                _ => false,
            };
            match (command, answer) {
                (Command::Check { .. }, Ok(CommandResult::Found(found))) if full => {
                    let CommandResult::Found(expected) = expected else { unreachable!() };
                    let is = |it: &Option<Rc<Session>>| {
                        it.as_ref().map(|it| (it.sid.clone(), it.ended.clone()))
                    };
                    prop_assert_eq!(is(&found), is(&expected), "{}", context);
                    prop_assert_eq!(before, after, "{}", context);
                }
                (
                    Command::Check { .. } | Command::List { .. } | Command::ChangedAt { .. },
                    answer,
                ) => {
                    prop_assert_eq!(answer, Ok(expected), "{}", context);
                }
                (Command::Open { .. }, Ok(answer @ CommandResult::Ended(_))) if full => {
                    prop_assert!(false, "{answer:?}: {}", context);
                }
                (_, Err(error)) => {
                    prop_assert!(full && !ends, "{error:?}: {}", context);
                    prop_assert_eq!(before, after, "{}", context);
                }
                (_, answer) => {
                    prop_assert_eq!(answer, Ok(expected), "{}", context);
                    // Tombstones may be missing.
                    for (sid, record) in &after {
                        let sid = Sid::try_from(sid.clone()).unwrap();
                        prop_assert_eq!(ledger.get(&sid), Some(&read(record)), "{}", context);
                    }
                    let now = command.changed_at().map_or(0, Timestamp::millis);
                    let now = Timestamp::from_millis(now);
                    let CommandResult::Listed(live) = ledger.apply(&Command::List { now }).0 else {
                        unreachable!()
                    };
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
