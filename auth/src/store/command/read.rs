//! Reads a command from its JSON: `{"check": {…}}`. All commands share one set of members, because code that is derived
//! for each command would be several times as large.

use std::fmt;
use std::time::Duration;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Command, SessionSelector, UnseenSession};
use crate::limit::Limit;
use crate::session::{
    Block, DataKind, RightsChange, RightsOf, Session, SessionEnd, Sid, TokenName,
};
use crate::time::Timestamp;

/// The members of any command.
#[derive(Deserialize)]
struct Members {
    sid: Option<Sid>,
    jti: Option<String>,
    idle_timeout: Option<Duration>,
    now: Option<Timestamp>,
    session: Option<Box<Session>>,
    limit: Option<Limit>,
    end: Option<Vec<Sid>>,
    authenticated: Option<Timestamp>,
    token: Option<TokenName>,
    is_use: Option<bool>,
    kind: Option<DataKind>,
    old: Option<String>,
    new: Option<String>,
    which: Option<SessionSelector>,
    ending: Option<SessionEnd>,
    unseen: Option<UnseenSession>,
    admits_unseen: Option<bool>,
    block: Option<Block>,
    whose: Option<RightsOf>,
    change: Option<RightsChange>,
    at: Option<Timestamp>,
}

impl Members {
    /// The command of this name; `None` if there is none, or one of its members is missing.
    fn command(self, name: &str) -> Option<Command> {
        let Self { sid, jti, idle_timeout, now, session, limit, .. } = self;
        // A Worker of an earlier version does not say.
        let is_use = self.is_use.unwrap_or(true);
        Some(match name {
            "check" => Command::Check { sid: sid?, jti, idle_timeout, is_use, now: now? },
            "open" => Command::Open { session: session?, limit, end: self.end?, now: now? },
            "admit" => Command::Admit {
                session: session?,
                limit,
                authenticated: self.authenticated?,
                idle_timeout,
                now: now?,
            },
            "refresh" => Command::Refresh {
                sid: sid?,
                token: self.token?,
                jti: jti?,
                idle_timeout,
                is_use,
                now: now?,
            },
            "set_data" => Command::SetData {
                sid: sid?,
                kind: self.kind?,
                old: self.old,
                new: self.new,
                now: now?,
            },
            "end" => Command::End {
                which: self.which?,
                ending: self.ending?,
                unseen: self.unseen,
                admits_unseen: self.admits_unseen.unwrap_or_default(),
            },
            "list" => Command::List { now: now? },
            "user" => Command::User { now: now? },
            "block" => Command::Block { block: self.block, now: now? },
            "set_rights" => {
                Command::SetRights { whose: self.whose?, change: self.change?, now: now? }
            }
            "changed_at" => Command::ChangedAt { at: self.at? },
            _ => return None,
        })
    }
}

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_map(ByName)
    }
}

/// Reads the one member, which is named like the command.
struct ByName;

impl<'de> Visitor<'de> for ByName {
    type Value = Command;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a command")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut json: A) -> Result<Command, A::Error> {
        let unknown = || A::Error::custom("an unknown command, or one without a member");
        let (name, members) = json.next_entry::<String, Members>()?.ok_or_else(unknown)?;
        members.command(&name).ok_or_else(unknown)
    }
}
