//! What a store is asked.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::CommandResult;
use crate::limit::Limit;
use crate::session::{DataKind, Session, SessionEnd, Sid, TokenName};
use crate::time::Timestamp;

/// One atomic step on the sessions of one user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Finds a session, ended or not. A live one with an idle timeout has its idle deadline
    /// moved when that is due, and learns that its current token is used; nothing is ever created.
    /// Answered by [`CommandResult::Found`].
    Check {
        /// The session.
        sid: Sid,
        /// The `jti` of the token that is used, if one is.
        jti: Option<String>,
        /// The idle timeout, where there is one.
        idle_timeout: Option<Duration>,
        /// The present moment.
        now: Timestamp,
    },
    /// Adds a new session. Ends the live ones that are named, and, where the limit evicts, the
    /// oldest beyond it. Answered by [`CommandResult::Ended`] with those that were superseded; or, where
    /// the limit does not evict and there is no room, by [`CommandResult::Full`], and nothing has changed.
    Open {
        /// The new session.
        session: Box<Session>,
        /// `None`: any number.
        limit: Option<Limit>,
        /// Those that the new one replaces, whatever the limit.
        end: Vec<Sid>,
        /// The present moment.
        now: Timestamp,
    },
    /// Gives a live session a new token's `jti`, or, shortly after the last time, leaves it as it
    /// is. Answered by [`CommandResult::Changed`]; by [`CommandResult::Found`] if there is no live session; by
    /// [`CommandResult::Ended`] if the token was an old one, and the session is ended for that.
    Refresh {
        /// The session.
        sid: Sid,
        /// The token it is refreshed with.
        token: TokenName,
        /// The new token's `jti`.
        jti: String,
        /// The idle timeout, where there is one.
        idle_timeout: Option<Duration>,
        /// The present moment.
        now: Timestamp,
    },
    /// Sets private data of a live session, if it still is what it is thought to be. Answered by
    /// [`CommandResult::Changed`], or by [`CommandResult::Found`] with the session as it is.
    SetData {
        /// The session.
        sid: Sid,
        /// Whose data.
        kind: DataKind,
        /// The data as it is thought to be, a JSON object in text.
        old: Option<String>,
        /// The data as it is to be.
        new: Option<String>,
        /// The present moment.
        now: Timestamp,
    },
    /// Ends live sessions and leaves tombstones, where the store has room for them. Answered by
    /// [`CommandResult::Ends`].
    End {
        /// Which.
        which: SessionSelector,
        /// Why and when.
        ending: SessionEnd,
    },
    /// Lists the live sessions, oldest first. Answered by [`CommandResult::Listed`].
    List {
        /// The present moment.
        now: Timestamp,
    },
    /// Lists the sessions that were begun, refreshed or ended at this very moment, oldest first: what
    /// a command of that moment has changed, if its answer was lost. Answered by [`CommandResult::Listed`].
    ChangedAt {
        /// The command's moment.
        at: Timestamp,
    },
}

/// A check in a store's own words, around the moment at which it is made: what is the same for each
/// request with one token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckTemplate {
    /// What stands before the moment, in milliseconds since the Unix epoch.
    pub before: String,
    /// What stands after it; `None` if the store is not told the moment.
    pub after: Option<String>,
}

impl CheckTemplate {
    /// The check at this moment.
    pub fn at(&self, now: Timestamp) -> String {
        match &self.after {
            Some(after) => format!("{}{}{after}", self.before, now.millis()),
            None => self.before.clone(),
        }
    }
}

impl Command {
    /// The moment that it leaves in the sessions that it begins, refreshes or ends; `None` if it does
    /// none of these.
    pub fn changed_at(&self) -> Option<Timestamp> {
        match self {
            Self::Open { now, .. } | Self::Refresh { now, .. } => Some(*now),
            Self::End { ending, .. } => Some(ending.at()),
            Self::Check { .. } | Self::SetData { .. } | Self::List { .. } => None,
            Self::ChangedAt { .. } => None,
        }
    }

    /// Can it be sent once more when nobody knows whether it was applied? Twice, it must come to the
    /// same as once.
    pub fn is_repeatable(&self) -> bool {
        match self {
            // A second login would find the first in its place.
            Self::Open { .. } => false,
            // What is changed is the same the second time: the ending's moment, and the new `jti`,
            // which is in its grace then. Data that is no longer as it was thought to be is merged
            // anew by its caller.
            Self::End { .. } | Self::Refresh { .. } | Self::SetData { .. } => true,
            Self::Check { .. } | Self::List { .. } | Self::ChangedAt { .. } => true,
        }
    }

    /// Can this be the answer to it? One to another command, or about a session that was not asked
    /// about, is none.
    pub fn is_answered_by(&self, answer: &CommandResult) -> bool {
        let all = |list: &[Session], is: &dyn Fn(&Session) -> bool| list.iter().all(is);
        match (self, answer) {
            (
                Self::Check { sid, .. } | Self::Refresh { sid, .. } | Self::SetData { sid, .. },
                CommandResult::Found(found),
            ) => found.as_ref().is_none_or(|session| session.sid == *sid),
            (
                Self::Refresh { sid, .. } | Self::SetData { sid, .. },
                CommandResult::Changed(session),
            ) => session.sid == *sid && session.ended.is_none(),
            (Self::Refresh { sid, .. }, CommandResult::Ended(ended)) => {
                all(ended, &|it| it.sid == *sid && it.ended.is_some())
            }
            (Self::Open { session, .. }, CommandResult::Ended(ended)) => {
                all(ended, &|it| it.sid != session.sid && it.ended.is_some())
            }
            (Self::Open { session, .. }, CommandResult::Full(live)) => {
                all(live, &|it| it.sid != session.sid && it.ended.is_none())
            }
            (Self::End { which, ending }, CommandResult::Ends { now, before }) => {
                all(now, &|it| which.includes(it) && it.ended.as_ref() == Some(ending))
                    && all(before, &|it| which.includes(it) && it.ended.is_some())
            }
            (Self::List { .. }, CommandResult::Listed(live)) => all(live, &|it| it.ended.is_none()),
            (Self::ChangedAt { at }, CommandResult::Listed(changed)) => {
                all(changed, &|it| it.bears(*at))
            }
            _ => false,
        }
    }

    /// [`Command::Check`] as JSON, around its moment.
    pub fn check_frame(sid: &Sid, jti: &str, idle_timeout: Option<Duration>) -> CheckTemplate {
        let (sid, jti, now) = (sid.clone(), Some(jti.to_owned()), Timestamp::from_millis(0));
        let json = serde_json::to_string(&Self::Check { sid, jti, idle_timeout, now });
        let json = json.unwrap_or_default();
        // The moment comes last.
        let (before, after) = json.rsplit_once('0').unwrap_or((&json, ""));
        CheckTemplate { before: before.to_owned(), after: Some(after.to_owned()) }
    }
}

/// Which of a user's sessions to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionSelector {
    /// This one.
    One(Sid),
    /// All but this one.
    Others(Sid),
    /// Those that an issuer's ID tokens began.
    IssuerSession {
        /// The issuer.
        issuer: String,
        /// Its own session; `None`: any.
        sid: Option<String>,
    },
    /// All.
    All,
}

impl SessionSelector {
    /// Is this session one of them?
    pub fn includes(&self, session: &Session) -> bool {
        match self {
            Self::One(sid) => session.sid == *sid,
            Self::Others(sid) => session.sid != *sid,
            Self::IssuerSession { issuer, sid } => {
                session.issuer.as_ref() == Some(issuer)
                    && sid.as_ref().is_none_or(|sid| session.issuer_sid.as_ref() == Some(sid))
            }
            Self::All => true,
        }
    }
}
