//! One user's sessions in memory, and every step on them.
//!
//! The Durable Object runs this on its rows; the scripts in `redis/` do the same inside Redis,
//! and a test holds the two against each other.

use std::collections::{BTreeMap, BinaryHeap};
use std::rc::Rc;
use std::time::Duration;

use crate::limit::Limit;
use crate::session::{RightsOf, Session, SessionEnd, Sid, StoredDenial, UserRecord};
use crate::store::{
    Command, CommandResult, MAX_TOMBSTONES, Passage, REPEAT_END_EVENTS, SessionSelector,
};
use crate::time::Timestamp;

/// All records of one user: sessions, live and ended; denials; the user's own.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    sessions: BTreeMap<Sid, Session>,
    denials: BTreeMap<Sid, StoredDenial>,
    user: UserRecord,
    passage: Passage,
}

/// The records a step touched, so that a store writes those and no others. Deleting comes first: a
/// record can be forgotten and opened anew in one step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerChanges {
    /// To be written.
    pub written: Vec<Sid>,
    /// To be deleted.
    pub forgotten: Vec<Sid>,
    /// Denials to be written.
    pub denied: Vec<Sid>,
    /// Denials to be deleted.
    pub lapsed: Vec<Sid>,
    /// Must the user's own record be written, or deleted if it is empty?
    pub user: bool,
    /// Must what is known of the user's moves be written, or deleted if it is empty?
    pub passage: bool,
}

impl Ledger {
    /// A ledger of these records.
    pub fn new(records: impl IntoIterator<Item = Session>) -> Self {
        let mut sessions = BTreeMap::new();
        // Not collected, which sorts first: see `in_order`.
        sessions.extend(records.into_iter().map(|s| (s.sid.clone(), s)));
        Self { sessions, ..Self::default() }
    }

    /// The ledger with these denials and this record of the user.
    #[must_use]
    pub fn with_user(
        mut self,
        denials: impl IntoIterator<Item = (Sid, StoredDenial)>,
        user: UserRecord,
    ) -> Self {
        self.denials.extend(denials);
        Self { user, ..self }
    }

    /// One record.
    pub fn get(&self, sid: &Sid) -> Option<&Session> {
        self.sessions.get(sid)
    }

    /// Until when a check finds a session as it is and changes nothing, unless another command does;
    /// `None` if it is not there, or is changed by a check now.
    pub fn unchanged_until(&self, check: &Command) -> Option<Timestamp> {
        let (sid, jti, idle_timeout, is_use, now) = match check {
            Command::Check { sid, jti, idle_timeout, is_use, now } => {
                (sid, jti.as_ref(), *idle_timeout, *is_use, now)
            }
            Command::Admit { session, idle_timeout, now, .. } => {
                self.known(&session.sid, *now)?;
                (&session.sid, None, *idle_timeout, true, now)
            }
            _ => return None,
        };
        let session = self.sessions.get(sid)?;
        if jti.as_ref().is_some_and(|jti| session.records_token_use(jti, *now)) {
            return None;
        }
        let timeout = session.idle_timeout_or(idle_timeout).filter(|_| is_use);
        let until = match timeout {
            Some(timeout) if session.is_live(*now) => session.next_idle_update(timeout),
            _ => session.forget_at(),
        };
        // It may lapse then.
        let is_admitted = session.is_live(*now) && matches!(check, Command::Admit { .. });
        let until = if is_admitted { until.min(session.deadline()) } else { until };
        (*now < until).then_some(until)
    }

    /// Applies one command.
    pub fn apply(&mut self, command: &Command) -> (CommandResult, LedgerChanges) {
        let mut touched = LedgerChanges::default();
        if self.passage.is_closed() && !self.has_session_of(command) {
            return (CommandResult::Moved, touched);
        }
        let answer = match command {
            Command::Check { sid, jti, idle_timeout, is_use, now } => {
                self.check(sid, jti.as_deref(), (*idle_timeout, *is_use), *now, &mut touched)
            }
            Command::Open { session, limit, end, now } => {
                self.log_in(session, *limit, end, *now, &mut touched)
            }
            Command::Admit { session, limit, authenticated, idle_timeout, now } => {
                match self.known(&session.sid, *now) {
                    Some(_) => {
                        self.check(&session.sid, None, (*idle_timeout, true), *now, &mut touched)
                    }
                    None => self.admit(session, *limit, *authenticated, *now, &mut touched),
                }
            }
            Command::Refresh { sid, token, jti, idle_timeout, is_use, now } => {
                self.refresh(sid, token, jti, (*idle_timeout, *is_use), *now, &mut touched)
            }
            Command::SetData { sid, kind, old, new, now } => {
                let is_as_thought = |it: &Session| it.data_of(*kind) == old.as_deref();
                let set = |it: &mut Session| it.set_data(*kind, new.clone());
                self.change(sid, *now, &mut touched, is_as_thought, set)
            }
            Command::End { which, ending, unseen, admits_unseen } => {
                self.end_selected(which, ending, unseen.as_ref(), *admits_unseen, &mut touched)
            }
            Command::List { now } => CommandResult::Listed(self.live_records(*now)),
            Command::User { now } => self.user_and_sessions(*now),
            Command::Block { block: None, now } => self.lift_block(*now, &mut touched),
            Command::Block { block: Some(block), now } => self.block(block, *now, &mut touched),
            Command::SetRights { whose: RightsOf::Session(sid), change, now } => {
                let set = |it: &mut Session| it.rights = change.apply(it.rights.as_deref());
                self.change(sid, *now, &mut touched, |_| true, set)
            }
            Command::SetRights { whose: RightsOf::User, change, now } => {
                self.change_rights_of_user(change, *now, &mut touched)
            }
            Command::ChangedAt { at } => {
                let changed =
                    self.by_age(|session| *at < session.forget_at() && session.bears(*at));
                CommandResult::Listed(self.records(&changed))
            }
        };
        (answer, touched)
    }

    /// Is there a record of the one session that a command is about?
    fn has_session_of(&self, command: &Command) -> bool {
        match command {
            Command::Check { sid, .. }
            | Command::Refresh { sid, .. }
            | Command::SetData { sid, .. }
            | Command::SetRights { whose: RightsOf::Session(sid), .. } => {
                self.sessions.contains_key(sid)
            }
            Command::Admit { session, now, .. } => self.known(&session.sid, *now).is_some(),
            _ => false,
        }
    }

    fn check(
        &mut self,
        sid: &Sid,
        jti: Option<&str>,
        (idle_timeout, is_use): (Option<Duration>, bool),
        now: Timestamp,
        touched: &mut LedgerChanges,
    ) -> CommandResult {
        CommandResult::Found(self.sessions.get_mut(sid).map(|session| {
            let learns = jti.is_some_and(|jti| session.record_token_use(jti, now));
            let timeout = session.idle_timeout_or(idle_timeout).filter(|_| is_use);
            let slides = timeout.is_some_and(|timeout| session.extend_idle_deadline(timeout, now));
            if learns || slides {
                touched.written.push(sid.clone());
            }
            Rc::new(session.clone())
        }))
    }

    /// The live sessions that a new one ends, oldest first.
    ///
    /// # Errors
    /// Those that leave no room for it.
    fn superseded(
        &self,
        limit: Option<Limit>,
        named: &[Sid],
        now: Timestamp,
    ) -> Result<Vec<Sid>, Vec<Sid>> {
        let live = self.live(now);
        let counts = |sid: &&Sid| limit.is_some_and(|limit| limit.counts(&self.sessions[*sid]));
        let counted = live.iter().filter(|sid| !named.contains(sid)).filter(counts);
        let counted: Vec<Sid> = counted.cloned().collect();
        let excess = limit.map_or(0, |limit| limit.excess(counted.len()));
        let is_out_of_reach =
            |sid: &Sid| limit.is_some_and(|limit| limit.is_out_of_reach(&self.sessions[sid], now));
        // Those that nobody can use make room first; of the others, the oldest.
        let (mut first, others): (Vec<Sid>, Vec<Sid>) =
            counted.into_iter().partition(is_out_of_reach);
        if excess > first.len() && limit.is_some_and(|limit| !limit.evicts) {
            return Err(others);
        }
        first.extend(others);
        let mut counted = first;
        counted.truncate(excess);
        Ok(live.into_iter().filter(|sid| named.contains(sid) || counted.contains(sid)).collect())
    }

    /// Begins a session with the user's rights and ends others. Returns it, and them.
    fn open(
        &mut self,
        session: &Session,
        superseded: &[Sid],
        now: Timestamp,
        touched: &mut LedgerChanges,
    ) -> (Session, Vec<Session>) {
        let mut session = session.clone();
        let ended = self.step(now, touched, |ledger, touched| {
            let ending = SessionEnd::Superseded { at: now, by: session.device };
            let ended = ledger.end(superseded, &ending, touched);
            if let Some(rights) = &ledger.user.rights {
                session.rights = Some(rights.clone());
            }
            touched.written.push(session.sid.clone());
            ledger.sessions.insert(session.sid.clone(), session.clone());
            ended
        });
        (session, ended)
    }

    /// Ends the live sessions, and those that have lapsed. Those that bear this very ending are ended by it,
    /// too: the command may have come before. Then does more in the same step.
    fn end_and(
        &mut self,
        which: &SessionSelector,
        ending: &SessionEnd,
        touched: &mut LedgerChanges,
        more: impl FnOnce(&mut Self, &mut LedgerChanges),
    ) -> Vec<Session> {
        let at = ending.at();
        self.step(at, touched, |ledger, touched| {
            let bears = |it: &Session| it.ended.as_ref() == Some(ending);
            let can_end = |it: &Session| it.is_live(at) || it.has_lapsed(at) || bears(it);
            let chosen = ledger.by_age(|it| which.includes(it) && can_end(it));
            let ended = ledger.end(&chosen, ending, touched);
            more(ledger, touched);
            ended
        })
    }

    /// Those of the chosen that were ended otherwise, a moment ago.
    fn ended_before(&self, which: &SessionSelector, ending: &SessionEnd) -> Vec<Session> {
        let is_recent = |it: &Session| match &it.ended {
            Some(other) => other != ending && ending.at() < other.at().plus(REPEAT_END_EVENTS),
            None => false,
        };
        let is_kept = |it: &Session| ending.at() < it.forget_at();
        self.records(&self.by_age(|it| is_kept(it) && which.includes(it) && is_recent(it)))
    }

    fn records(&self, sids: &[Sid]) -> Vec<Session> {
        sids.iter().map(|sid| self.sessions[sid].clone()).collect()
    }

    fn live_records(&self, now: Timestamp) -> Vec<Session> {
        self.records(&self.live(now))
    }

    fn live(&self, now: Timestamp) -> Vec<Sid> {
        self.by_age(|session| session.is_live(now))
    }

    /// Some sessions, oldest first; those of one moment in the order of their names.
    fn by_age(&self, are: impl Fn(&Session) -> bool) -> Vec<Sid> {
        let some = self.sessions.values().filter(|session| are(session));
        in_order(some.map(|s| (s.created, &s.sid)).collect())
    }

    fn end(
        &mut self,
        which: &[Sid],
        ending: &SessionEnd,
        touched: &mut LedgerChanges,
    ) -> Vec<Session> {
        let mut ended = Vec::with_capacity(which.len());
        for sid in which {
            if let Some(session) = self.sessions.get_mut(sid) {
                session.ended = Some(ending.clone());
                touched.written.push(sid.clone());
                ended.push(session.clone());
            }
        }
        ended
    }

    /// Keeps the newest records of what is no longer live, be it ended or idle for too long;
    /// those of one moment in the order of their names. Returns the others, which are no longer there.
    fn take_excess_tombstones(&mut self, now: Timestamp) -> Vec<Session> {
        let over = self.sessions.values().filter(|s| !s.is_live(now));
        let mut oldest = in_order(over.map(|s| (s.over_at(), &s.sid)).collect());
        oldest.truncate(oldest.len().saturating_sub(MAX_TOMBSTONES));
        oldest.iter().filter_map(|sid| self.sessions.remove(sid)).collect()
    }
}

/// Names by their moments. A heap, because the code of the standard sort is large.
fn in_order(names: BinaryHeap<(Timestamp, &Sid)>) -> Vec<Sid> {
    names.into_sorted_vec().into_iter().map(|(_, sid)| sid.clone()).collect()
}

mod commands;
mod first_sight;
mod merge;
mod transfer;

#[cfg(test)]
mod tests;
