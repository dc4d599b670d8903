//! The commands of a session store.

mod read;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{CommandResult, SessionCriteria};
use crate::limit::Limit;
use crate::session::{
    Block, DataKind, RightsChange, RightsOf, Session, SessionEnd, Sid, TokenName,
};
use crate::time::Timestamp;

/// One atomic step on the sessions of one user.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Finds a session, ended or not. Extends the idle deadline of a live one when that is due, by the session's own
    /// timeout or else this one, and records that its current token is used; never creates anything. Returns
    /// [`CommandResult::Found`].
    Check {
        /// The session.
        sid: Sid,
        /// The `jti` of the token that is used, if one is.
        jti: Option<String>,
        /// The idle timeout, where there is one, unless the session has its own.
        idle_timeout: Option<Duration>,
        /// Is it a use of the session, which extends the idle deadline?
        is_use: bool,
        /// The current time.
        now: Timestamp,
    },
    /// Adds a new session. Ends the live ones that are named, and, if the limit evicts, the oldest beyond it. Returns
    /// [`CommandResult::Ended`] with those that were superseded. If the limit does not evict and is reached, it changes
    /// nothing and returns [`CommandResult::Full`]; [`CommandResult::Blocked`] if the user is blocked.
    /// The session begins with the rights of the user, if those were changed.
    Open {
        /// The new session.
        session: Box<Session>,
        /// `None`: unlimited.
        limit: Option<Limit>,
        /// Those that the new one replaces, whatever the limit.
        end: Vec<Sid>,
        /// The current time.
        now: Timestamp,
    },
    /// Admits a provider's session at its first sight.
    ///
    /// If there is a record of it that has not lapsed, this is a [`Command::Check`] without a token, and returns
    /// [`CommandResult::Found`]. Otherwise the session begins like one of [`Command::Open`]: returns
    /// [`CommandResult::Admitted`]; or [`CommandResult::Blocked`], [`CommandResult::Denied`] or
    /// [`CommandResult::Full`], in this order.
    Admit {
        /// The session, with [`Session::deny_until`].
        session: Box<Session>,
        /// `None`: unlimited.
        limit: Option<Limit>,
        /// When the user logged in at the provider: after [`UserRecord::not_before`](crate::session::UserRecord::not_before),
        /// or the session is denied.
        authenticated: Timestamp,
        /// The idle timeout, where there is one.
        idle_timeout: Option<Duration>,
        /// The current time.
        now: Timestamp,
    },
    /// Gives a live session a new token's `jti`, except shortly after the last refresh. Returns
    /// [`CommandResult::Changed`]; [`CommandResult::Found`] if there is no live session; [`CommandResult::Ended`] if
    /// the token was outdated, for which it ends the session.
    Refresh {
        /// The session.
        sid: Sid,
        /// The token it is refreshed with.
        token: TokenName,
        /// The new token's `jti`.
        jti: String,
        /// The idle timeout, where there is one, unless the session has its own.
        idle_timeout: Option<Duration>,
        /// Is it a use of the session, which extends the idle deadline?
        is_use: bool,
        /// The current time.
        now: Timestamp,
    },
    /// Sets private data of a live session, if it still is `old`. Returns
    /// [`CommandResult::Changed`], or [`CommandResult::Found`] with the session as it is.
    SetData {
        /// The session.
        sid: Sid,
        /// Whose data.
        kind: DataKind,
        /// The expected current data, as JSON text.
        old: Option<String>,
        /// The new data.
        new: Option<String>,
        /// The current time.
        now: Timestamp,
    },
    /// Ends live sessions, and a provider's sessions that have lapsed. Leaves tombstones where the store has room for
    /// them. Returns [`CommandResult::Ends`].
    End {
        /// Which.
        which: SessionSelector,
        /// Why and when.
        ending: SessionEnd,
        /// A provider's session that is to be denied if there is no record of it.
        unseen: Option<UnseenSession>,
        /// Are there providers whose sessions are admitted at first sight? Then an end of all sessions, of all others,
        /// or of all of an issuer's also keeps out sessions that began before it, but that the store has not seen.
        admits_unseen: bool,
    },
    /// Finds the user's own record, the live sessions, and those that are over and still on record. Returns
    /// [`CommandResult::User`].
    User {
        /// The current time.
        now: Timestamp,
    },
    /// Blocks the user, which ends all sessions as revoked and keeps out those of providers that began before; or
    /// lifts the block. Returns [`CommandResult::Ends`].
    Block {
        /// `None`: the block is lifted.
        block: Option<Block>,
        /// The current time.
        now: Timestamp,
    },
    /// Changes the rights of a live session, or of all of the user's and of those that begin later. Returns
    /// [`CommandResult::Changed`], or [`CommandResult::Found`] if the session is not live; for the user,
    /// [`CommandResult::User`] as it is then.
    SetRights {
        /// Whose.
        whose: RightsOf,
        /// The change.
        change: RightsChange,
        /// The current time.
        now: Timestamp,
    },
    /// Lists the live sessions, oldest first. Returns [`CommandResult::Listed`].
    List {
        /// The current time.
        now: Timestamp,
    },
    /// Lists the sessions that were created, refreshed or ended at exactly this time, oldest first: what a
    /// command with that timestamp changed, if its response was lost. Returns [`CommandResult::Listed`].
    ChangedAt {
        /// The command's timestamp.
        at: Timestamp,
    },
}

/// A [`Command::Check`] as a store's protocol has it, around its timestamp: the part that is the same for
/// each request with one token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckTemplate {
    /// The text before the timestamp, which is in milliseconds since the Unix epoch.
    pub before: String,
    /// The text after it; `None` if the store gets no timestamp.
    pub after: Option<String>,
}

impl CheckTemplate {
    /// The check at this time.
    pub fn at(&self, now: Timestamp) -> String {
        match &self.after {
            Some(after) => format!("{}{}{after}", self.before, now.millis()),
            None => self.before.clone(),
        }
    }
}

impl Command {
    /// The timestamp that it leaves in sessions that it creates, refreshes or ends; `None` if it does none
    /// of these.
    pub fn changed_at(&self) -> Option<Timestamp> {
        match self {
            Self::Open { now, .. } | Self::Admit { now, .. } | Self::Refresh { now, .. } => {
                Some(*now)
            }
            Self::End { ending, .. } => Some(ending.at()),
            Self::Block { block, now } => block.as_ref().map(|_| *now),
            Self::Check { .. } | Self::SetData { .. } | Self::List { .. } => None,
            Self::User { .. } | Self::SetRights { .. } => None,
            Self::ChangedAt { .. } => None,
        }
    }

    /// Is it idempotent, so that it can be retried if it is unknown whether it was applied?
    pub fn is_repeatable(&self) -> bool {
        match self {
            // The second login would supersede the first.
            Self::Open { .. } => false,
            // The end's timestamp and the new `jti`, within its grace period, are the same the second
            // time. If data is no longer `old`, the caller merges again.
            Self::End { .. } | Self::Refresh { .. } | Self::SetData { .. } => true,
            // A session that was admitted is found the second time.
            Self::Admit { .. } | Self::Block { .. } | Self::SetRights { .. } => true,
            Self::User { .. } => true,
            Self::Check { .. } | Self::List { .. } | Self::ChangedAt { .. } => true,
        }
    }

    /// Can this be its result? Not if it belongs to another command, or to another session.
    pub fn is_answered_by(&self, answer: &CommandResult) -> bool {
        let all = |list: &[Session], is: &dyn Fn(&Session) -> bool| list.iter().all(is);
        match (self, answer) {
            (_, CommandResult::Moved) => true,
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
            (
                Self::Open { session, .. } | Self::Admit { session, .. },
                CommandResult::Full(live),
            ) => all(live, &|it| it.sid != session.sid && it.ended.is_none()),
            (Self::Admit { session, .. }, CommandResult::Found(found)) => {
                found.as_ref().is_some_and(|it| it.sid == session.sid)
            }
            (Self::Admit { session: new, .. }, CommandResult::Admitted { session, ended }) => {
                session.sid == new.sid
                    && session.ended.is_none()
                    && all(ended, &|it| it.sid != new.sid && it.ended.is_some())
            }
            (Self::Admit { .. }, CommandResult::Denied(_)) => true,
            (Self::Open { .. } | Self::Admit { .. }, CommandResult::Blocked(_)) => true,
            (Self::End { which, ending, .. }, CommandResult::Ends { now, before }) => {
                all(now, &|it| which.includes(it) && it.ended.as_ref() == Some(ending))
                    && all(before, &|it| which.includes(it) && it.ended.is_some())
            }
            (Self::Block { now: at, .. }, CommandResult::Ends { now, before }) => {
                all(now, &|it| it.ended == Some(SessionEnd::Revoked { at: *at }))
                    && all(before, &|it| it.ended.is_some())
            }
            (Self::User { now }, CommandResult::User { live, ended, .. }) => {
                all(live, &|it| it.is_live(*now)) && all(ended, &|it| !it.is_live(*now))
            }
            (
                Self::SetRights { whose: RightsOf::User, .. },
                CommandResult::User { live, ended, .. },
            ) => all(live, &|it| it.ended.is_none()) && ended.is_empty(),
            (
                Self::SetRights { whose: RightsOf::Session(sid), .. },
                CommandResult::Found(found),
            ) => found.as_ref().is_none_or(|session| session.sid == *sid),
            (
                Self::SetRights { whose: RightsOf::Session(sid), .. },
                CommandResult::Changed(session),
            ) => session.sid == *sid && session.ended.is_none(),
            (Self::List { .. }, CommandResult::Listed(live)) => all(live, &|it| it.ended.is_none()),
            (Self::ChangedAt { at }, CommandResult::Listed(changed)) => {
                all(changed, &|it| it.bears(*at))
            }
            _ => false,
        }
    }

    /// [`Command::End`] of sessions that the store has seen.
    pub fn end(which: SessionSelector, ending: SessionEnd) -> Self {
        Self::End { which, ending, unseen: None, admits_unseen: false }
    }

    /// [`Command::Check`] of a use as JSON, around its timestamp.
    pub fn check_frame(
        sid: &Sid,
        jti: Option<&str>,
        idle_timeout: Option<Duration>,
    ) -> CheckTemplate {
        let (sid, jti, now) = (sid.clone(), jti.map(str::to_owned), Timestamp::from_millis(0));
        let json =
            serde_json::to_string(&Self::Check { sid, jti, idle_timeout, is_use: true, now });
        let json = json.unwrap_or_default();
        // The timestamp comes last.
        let (before, after) = json.rsplit_once('0').unwrap_or((&json, ""));
        CheckTemplate { before: before.to_owned(), after: Some(after.to_owned()) }
    }
}

/// A provider's session that the store may not have seen yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnseenSession {
    /// Its name.
    pub sid: Sid,
    /// Until when a token of it may come.
    pub deny_until: Timestamp,
}

/// Which of a user's sessions to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionSelector {
    /// This one.
    One(Sid),
    /// All but this one.
    Others(Sid),
    /// Those that an issuer's ID tokens or access tokens began.
    IssuerSession {
        /// The issuer.
        issuer: String,
        /// Its own session; `None`: any.
        sid: Option<String>,
    },
    /// Those that meet these criteria.
    Matching(Box<SessionCriteria>),
    /// All.
    All,
}

impl SessionSelector {
    /// Does it stand for all sessions, also for those that the store has not seen? `Some` with the one that is spared,
    /// if one is; `None` if it names particular ones.
    pub(crate) fn spared(&self) -> Option<Option<&Sid>> {
        match self {
            Self::All | Self::IssuerSession { sid: None, .. } => Some(None),
            Self::Others(sid) => Some(Some(sid)),
            Self::One(_) | Self::IssuerSession { .. } | Self::Matching(_) => None,
        }
    }

    /// Is this session one of them?
    pub fn includes(&self, session: &Session) -> bool {
        match self {
            Self::One(sid) => session.sid == *sid,
            Self::Others(sid) => session.sid != *sid,
            Self::IssuerSession { issuer, sid } => {
                session.issuer.as_ref() == Some(issuer)
                    && sid.as_ref().is_none_or(|sid| session.issuer_sid.as_ref() == Some(sid))
            }
            Self::Matching(criteria) => criteria.include(session),
            Self::All => true,
        }
    }
}
