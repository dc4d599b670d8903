//! A command as the arguments of its script, in the order in which the script reads them.

use super::{Redis, json, timeout};
use crate::device::DeviceClass;
use crate::limit::Limit;
use crate::session::{RightsOf, Session, SessionEnd, Sid, Subject};
use crate::store::{Command, MAX_TOMBSTONES, SessionSelector};
use crate::time::{Timestamp, millis};

impl Redis {
    pub(super) fn words(
        &self,
        verb: &str,
        script: &str,
        user: &Subject,
        command: &Command,
    ) -> Vec<String> {
        let mut words = vec![verb.into(), script.into(), "1".into(), self.key(user)];
        match command {
            Command::Check { sid, jti, idle_timeout, is_use, now } => {
                let timeout = timeout(*idle_timeout, *is_use);
                words.extend([now.millis().to_string(), sid.to_string(), timeout]);
                words.extend(jti.clone());
            }
            Command::Open { session, limit, end, now } => {
                words.extend(begin(session, *limit, *now));
                words.extend(end.iter().map(Sid::to_string));
            }
            Command::Admit { session, limit, authenticated, idle_timeout, now } => {
                words.extend(begin(session, *limit, *now));
                words.extend([authenticated.millis().to_string(), timeout(*idle_timeout, true)]);
            }
            Command::Refresh { sid, token, jti, idle_timeout, is_use, now } => words.extend([
                now.millis().to_string(),
                sid.to_string(),
                token.jti.clone(),
                token.issued.millis().to_string(),
                jti.clone(),
                idle_timeout.map_or(String::new(), |timeout| millis(timeout).to_string()),
                most(),
                if *is_use { "use" } else { "" }.into(),
            ]),
            Command::SetData { sid, kind, old, new, now } => words.extend([
                now.millis().to_string(),
                sid.to_string(),
                kind.name().into(),
                old.clone().unwrap_or_default(),
                new.clone().unwrap_or_default(),
            ]),
            Command::SetRights { whose, change, now } => {
                let sid = match whose {
                    RightsOf::Session(sid) => sid.as_str(),
                    RightsOf::User => "",
                };
                words.extend([now.millis().to_string(), sid.into()]);
                words.extend(change.texts().map(Option::unwrap_or_default));
                words.push(most());
            }
            Command::End { which, ending, unseen, admits_unseen } => {
                let matching;
                let (word, first, second) = match which {
                    SessionSelector::One(sid) => ("one", sid.as_str(), ""),
                    SessionSelector::Others(sid) => ("others", sid.as_str(), ""),
                    SessionSelector::IssuerSession { issuer, sid } => {
                        ("issued", issuer.as_str(), sid.as_deref().unwrap_or_default())
                    }
                    SessionSelector::Matching(criteria) => {
                        matching = json(criteria);
                        ("matching", matching.as_str(), "")
                    }
                    SessionSelector::All => ("all", "", ""),
                };
                words.extend(end(ending, word, [first, second]));
                let deny_until = unseen.as_ref().map_or(0, |unseen| unseen.deny_until.millis());
                words.extend([
                    unseen.as_ref().map_or(String::new(), |unseen| unseen.sid.to_string()),
                    deny_until.to_string(),
                    if *admits_unseen && which.spared().is_some() { "bar" } else { "" }.into(),
                    String::new(),
                ]);
            }
            Command::Block { block, now } => {
                let ending = SessionEnd::Revoked { at: *now };
                let (which, bar) = if block.is_some() { ("all", "bar") } else { ("none", "") };
                words.extend(end(&ending, which, ["", ""]));
                let block = block.as_ref().map_or("lift".into(), json);
                words.extend([String::new(), "0".into(), bar.into(), block]);
            }
            Command::User { now: at } | Command::List { now: at } | Command::ChangedAt { at } => {
                words.push(at.millis().to_string());
            }
        }
        words
    }
}

/// The arguments of a script that begins a session.
fn begin(session: &Session, limit: Option<Limit>, now: Timestamp) -> [String; 7] {
    let class = limit.and_then(|limit| limit.among).map_or("", DeviceClass::name);
    let evicts = limit.is_some_and(|limit| limit.evicts);
    [
        now.millis().to_string(),
        json(session),
        limit.map_or(0, |limit| limit.most.get()).to_string(),
        class.into(),
        if evicts { "evict".into() } else { "refuse".into() },
        limit.map_or(0, |limit| millis(limit.reach)).to_string(),
        most(),
    ]
}

/// The first arguments of the script that ends sessions.
fn end(ending: &SessionEnd, which: &str, names: [&str; 2]) -> [String; 6] {
    let [first, second] = names.map(str::to_owned);
    [ending.at().millis().to_string(), json(ending), which.into(), first, second, most()]
}

fn most() -> String {
    MAX_TOMBSTONES.to_string()
}
