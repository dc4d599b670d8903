//! A command as the arguments of its script, in the order in which the script reads them.

use super::{Redis, json, timeout};
use crate::device::DeviceClass;
use crate::session::{Sid, Subject};
use crate::store::{Command, MAX_TOMBSTONES, SessionSelector};
use crate::time::millis;

impl Redis {
    pub(super) fn words(
        &self,
        verb: &str,
        script: &str,
        user: &Subject,
        command: &Command,
    ) -> Vec<String> {
        let mut words = vec![verb.into(), script.into(), "1".into(), self.key(user)];
        let most = || MAX_TOMBSTONES.to_string();
        match command {
            Command::Check { sid, jti, idle_timeout, now } => {
                words.extend([now.millis().to_string(), sid.to_string(), timeout(*idle_timeout)]);
                words.extend(jti.clone());
            }
            Command::Open { session, limit, end, now } => {
                let class = limit.and_then(|limit| limit.among).map_or("", DeviceClass::name);
                let evicts = limit.is_some_and(|limit| limit.evicts);
                words.extend([
                    now.millis().to_string(),
                    json(session),
                    limit.map_or(0, |limit| limit.most.get()).to_string(),
                    class.into(),
                    if evicts { "evict".into() } else { "refuse".into() },
                    limit.map_or(0, |limit| millis(limit.reach)).to_string(),
                    most(),
                ]);
                words.extend(end.iter().map(Sid::to_string));
            }
            Command::Refresh { sid, token, jti, idle_timeout, now } => words.extend([
                now.millis().to_string(),
                sid.to_string(),
                token.jti.clone(),
                token.issued.millis().to_string(),
                jti.clone(),
                idle_timeout.map_or(String::new(), |timeout| millis(timeout).to_string()),
                most(),
            ]),
            Command::SetData { sid, kind, old, new, now } => words.extend([
                now.millis().to_string(),
                sid.to_string(),
                kind.name().into(),
                old.clone().unwrap_or_default(),
                new.clone().unwrap_or_default(),
            ]),
            Command::End { which, ending } => {
                let (word, first, second) = match which {
                    SessionSelector::One(sid) => ("one", sid.as_str(), ""),
                    SessionSelector::Others(sid) => ("others", sid.as_str(), ""),
                    SessionSelector::IssuerSession { issuer, sid } => {
                        ("issued", issuer.as_str(), sid.as_deref().unwrap_or_default())
                    }
                    SessionSelector::All => ("all", "", ""),
                };
                words.extend([
                    ending.at().millis().to_string(),
                    json(ending),
                    word.into(),
                    first.into(),
                    second.into(),
                    most(),
                ]);
            }
            Command::List { now: at } | Command::ChangedAt { at } => {
                words.push(at.millis().to_string());
            }
        }
        words
    }
}
