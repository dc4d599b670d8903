//! One user's sessions in memory, and every step on them.
//!
//! The Durable Object runs this on its rows; the scripts in `redis/` do the same inside Redis,
//! and a test holds the two against each other.

use std::collections::{BTreeMap, BinaryHeap};
use std::rc::Rc;

use crate::limit::Limit;
use crate::session::{Session, SessionEnd, Sid, TokenGeneration};
use crate::store::{Command, CommandResult, MAX_TOMBSTONES, REPEAT_END_EVENTS, SessionSelector};
use crate::time::Timestamp;

/// All records of one user, live and ended.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    sessions: BTreeMap<Sid, Session>,
}

/// The records a step touched, so that a store writes those and no others. Deleting comes first: a
/// record can be forgotten and opened anew in one step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerChanges {
    /// To be written.
    pub written: Vec<Sid>,
    /// To be deleted.
    pub forgotten: Vec<Sid>,
}

impl Ledger {
    /// A ledger of these records.
    pub fn new(records: impl IntoIterator<Item = Session>) -> Self {
        let mut sessions = BTreeMap::new();
        // Not collected, which sorts first: see `in_order`.
        sessions.extend(records.into_iter().map(|s| (s.sid.clone(), s)));
        Self { sessions }
    }

    /// One record.
    pub fn get(&self, sid: &Sid) -> Option<&Session> {
        self.sessions.get(sid)
    }

    /// When the last record can be forgotten; `None` when there is none.
    pub fn all_forgotten(&self) -> Option<Timestamp> {
        self.sessions.values().map(Session::forget_at).max()
    }

    /// Until when a check finds a session as it is and changes nothing, unless another command does;
    /// `None` if it is not there, or is changed by a check now.
    pub fn unchanged_until(&self, check: &Command) -> Option<Timestamp> {
        let Command::Check { sid, jti, idle_timeout, now } = check else { return None };
        let session = self.sessions.get(sid)?;
        if jti.as_ref().is_some_and(|jti| session.records_token_use(jti, *now)) {
            return None;
        }
        let until = match idle_timeout {
            Some(timeout) if session.is_live(*now) => session.next_idle_update(*timeout),
            _ => session.forget_at(),
        };
        (*now < until).then_some(until)
    }

    /// Applies one command.
    pub fn apply(&mut self, command: &Command) -> (CommandResult, LedgerChanges) {
        let mut touched = LedgerChanges::default();
        let answer = match command {
            Command::Check { sid, jti, idle_timeout, now } => {
                let found = self.sessions.get_mut(sid);
                CommandResult::Found(found.map(|session| {
                    let learns =
                        jti.as_ref().is_some_and(|jti| session.record_token_use(jti, *now));
                    let slides = idle_timeout
                        .is_some_and(|timeout| session.extend_idle_deadline(timeout, *now));
                    if learns || slides {
                        touched.written.push(sid.clone());
                    }
                    Rc::new(session.clone())
                }))
            }
            Command::Open { session, limit, end, now } => {
                match self.superseded(*limit, end, *now) {
                    Ok(superseded) => self.open(session, &superseded, *now, &mut touched),
                    Err(live) => CommandResult::Full(self.records(&live)),
                }
            }
            Command::Refresh { sid, token, jti, idle_timeout, now } => {
                match self.sessions.get_mut(sid).filter(|session| session.is_live(*now)) {
                    None => CommandResult::Found(self.sessions.get(sid).cloned().map(Rc::new)),
                    Some(session)
                        if session.token_generation(token, *now) == TokenGeneration::Outdated =>
                    {
                        let which = SessionSelector::One(sid.clone());
                        CommandResult::Ended(self.end_which(
                            &which,
                            &SessionEnd::Reused { at: *now },
                            &mut touched,
                        ))
                    }
                    Some(session) => {
                        if session.refresh(token, jti.clone(), *idle_timeout, *now) {
                            touched.written.push(sid.clone());
                        }
                        CommandResult::Changed(Box::new(session.clone()))
                    }
                }
            }
            Command::SetData { sid, kind, old, new, now } => {
                let is_as_thought =
                    |it: &&mut Session| it.is_live(*now) && it.data_of(*kind) == old.as_deref();
                match self.sessions.get_mut(sid).filter(is_as_thought) {
                    None => CommandResult::Found(self.sessions.get(sid).cloned().map(Rc::new)),
                    Some(session) => {
                        session.set_data(*kind, new.clone());
                        touched.written.push(sid.clone());
                        CommandResult::Changed(Box::new(session.clone()))
                    }
                }
            }
            Command::End { which, ending } => {
                let before = self.ended_before(which, ending);
                CommandResult::Ends { now: self.end_which(which, ending, &mut touched), before }
            }
            Command::List { now } => {
                let live = self.live(*now);
                CommandResult::Listed(self.records(&live))
            }
            Command::ChangedAt { at } => {
                let changed =
                    self.by_age(|session| *at < session.forget_at() && session.bears(*at));
                CommandResult::Listed(self.records(&changed))
            }
        };
        (answer, touched)
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

    fn open(
        &mut self,
        session: &Session,
        superseded: &[Sid],
        now: Timestamp,
        touched: &mut LedgerChanges,
    ) -> CommandResult {
        touched.forgotten = self.forget_old(now);
        let ending = SessionEnd::Superseded { at: now, by: session.device };
        let ended = self.end(superseded, &ending, touched);
        touched.written.push(session.sid.clone());
        self.sessions.insert(session.sid.clone(), session.clone());
        touched.forgotten.extend(self.forget_excess_tombstones(now));
        touched.written.retain(|sid| self.sessions.contains_key(sid));
        CommandResult::Ended(ended)
    }

    /// Ends the live sessions. Those that bear this very ending are ended by it, too: the command
    /// may have come before.
    fn end_which(
        &mut self,
        which: &SessionSelector,
        ending: &SessionEnd,
        touched: &mut LedgerChanges,
    ) -> Vec<Session> {
        let at = ending.at();
        touched.forgotten = self.forget_old(at);
        let is_chosen = |it: &Session| which.includes(it);
        let bears = |it: &Session| it.ended.as_ref() == Some(ending);
        let chosen = self.by_age(|it| is_chosen(it) && (it.is_live(at) || bears(it)));
        let ended = self.end(&chosen, ending, touched);
        touched.forgotten.extend(self.forget_excess_tombstones(at));
        touched.written.retain(|sid| self.sessions.contains_key(sid));
        ended
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

    /// Forgets every record whose time has come, and says which.
    pub fn forget_old(&mut self, now: Timestamp) -> Vec<Sid> {
        self.sessions.extract_if(.., |_, s| now >= s.forget_at()).map(|(sid, _)| sid).collect()
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
    /// those of one moment in the order of their names.
    fn forget_excess_tombstones(&mut self, now: Timestamp) -> Vec<Sid> {
        let over = self.sessions.values().filter(|s| !s.is_live(now));
        let moment = |s: &Session| s.ended.as_ref().map_or(s.deadline(), SessionEnd::at);
        let mut oldest = in_order(over.map(|s| (moment(s), &s.sid)).collect());
        oldest.truncate(oldest.len().saturating_sub(MAX_TOMBSTONES));
        for sid in &oldest {
            self.sessions.remove(sid);
        }
        oldest
    }
}

/// Names by their moments. A heap, because the code of the standard sort is large.
fn in_order(names: BinaryHeap<(Timestamp, &Sid)>) -> Vec<Sid> {
    names.into_sorted_vec().into_iter().map(|(_, sid)| sid.clone()).collect()
}

#[cfg(test)]
mod tests;
