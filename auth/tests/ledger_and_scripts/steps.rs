//! Random steps, and the commands that they become.

use std::num::NonZeroU32;
use std::time::Duration;

use auth::device::DeviceClass;
use auth::limit::Limit;
use auth::session::{
    Block, DataKind, RightsChange, RightsOf, Session, SessionEnd, Sid, Subject, TokenName,
};
use auth::store::{Command, SessionCriteria, SessionSelector, UnseenSession};
use auth::time::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A step with the time since the one before, in milliseconds.
#[derive(Clone, Debug)]
pub enum Step {
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
pub const START: u64 = 4_000_000_000_000;

pub const IDLE: Duration = Duration::from_millis(500);

pub fn steps() -> impl Strategy<Value = Vec<(u64, Step)>> {
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

pub fn sid(number: usize) -> Sid {
    Sid::try_from(format!("sid-{number}")).unwrap()
}

/// A provider's session, of which a few come again and again.
pub fn provider_sid(number: u8) -> Sid {
    Sid::of_provider(
        "issuer 0",
        &Subject::try_from("ada".to_owned()).unwrap(),
        &format!("{}", number % 6),
    )
}

/// Names and values that look like members of rights.
pub fn rights(roles: u8, scopes: u8, claims: u8) -> RightsChange {
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
pub fn data(number: u8) -> Option<String> {
    let text = ["", "é\"\\", "\u{0}/"][usize::from(number % 3)];
    (number & 3 > 0).then(|| json!({ "a": [], "b": {}, "c": text }).to_string())
}

/// From none at all to more than any session lives.
pub const REACHES: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(90), Duration::from_secs(40), Duration::from_secs(999)];

pub const DEVICES: [DeviceClass; 3] =
    [DeviceClass::Mobile, DeviceClass::Desktop, DeviceClass::Other];

pub fn before(now: Timestamp, millis: u64) -> Timestamp {
    Timestamp::from_millis(now.millis() - millis)
}

/// The command of a step. `index` is new with every step, as a login's `sid` is; the others pick
/// one that may have been opened before.
pub fn command(step: &Step, index: usize, now: Timestamp) -> Command {
    // Of the last few, or most would be of steps that opened none.
    let recent = |number: &u8| index - usize::from(*number) % (index + 1).min(5);
    let earlier = |number: &u8| sid(recent(number));
    match step {
        Step::Check { sid: number, token, idle } => Command::Check {
            sid: if token % 8 > 5 { provider_sid(*number) } else { earlier(number) },
            jti: (token % 4 > 0).then(|| format!("jti-{}-{}", recent(number), token % 4 - 1)),
            idle_timeout: idle.then_some(IDLE),
            is_use: token % 16 < 12,
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
                idle_timeout: (text.len() % 4 == 1).then_some(700),
                transient: text.len() % 4 == 2,
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
            is_use: age % 3 > 0,
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
pub fn commands(steps: &[(u64, Step)]) -> Vec<Command> {
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
