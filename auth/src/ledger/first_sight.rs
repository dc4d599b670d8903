//! Admission of a provider's sessions at first sight, and what keeps others out: denials and the user's own record.

use super::{Ledger, LedgerChanges};
use crate::limit::Limit;
use crate::session::{
    Denial, SEEN_ONCE_IN, Session, SessionEnd, Sid, StoredDenial, UNSEEN_FOR, UserRecord,
};
use crate::store::{CommandResult, Passage, UnseenSession};
use crate::time::Timestamp;

impl Ledger {
    /// The denial of a session whose record is deleted.
    pub fn denial(&self, sid: &Sid) -> Option<&StoredDenial> {
        self.denials.get(sid)
    }

    /// The user's own record; an empty one if there is none.
    pub fn user(&self) -> &UserRecord {
        &self.user
    }

    /// When what is stored is next to be deleted: the sessions first, the rest together. `None` when nothing is
    /// stored, [`Timestamp::FAR_FUTURE`] if it is never deleted.
    pub fn all_forgotten(&self) -> Option<Timestamp> {
        let sessions = self.sessions.values().map(Session::forget_at).max();
        if sessions.is_some() {
            return sessions;
        }
        let seen = self.user.seen;
        let user = (self.user != UserRecord::default())
            .then(|| self.user.kept_until(kept_until(Timestamp::FAR_FUTURE, seen)));
        let denials = self.denials.values().map(|it| kept_until(it.until, seen)).max();
        let passage = (self.passage != Passage::default()).then_some(self.passage.until);
        denials.max(user).max(passage)
    }

    /// Deletes what is over.
    pub fn forget_old(&mut self, now: Timestamp) -> LedgerChanges {
        let mut touched = LedgerChanges::default();
        self.step(now, &mut touched, |_, _| ());
        if self.passage != Passage::default() && now >= self.passage.until {
            self.passage = Passage::default();
            touched.passage = true;
        }
        touched
    }

    /// The record of a session that is not to be admitted again.
    pub(super) fn known(&self, sid: &Sid, now: Timestamp) -> Option<&Session> {
        self.sessions.get(sid).filter(|it| now < it.forget_at() && !it.has_lapsed(now))
    }

    /// Admits a session that is not known.
    pub(super) fn admit(
        &mut self,
        session: &Session,
        limit: Option<Limit>,
        authenticated: Timestamp,
        now: Timestamp,
        touched: &mut LedgerChanges,
    ) -> CommandResult {
        if let Some(blocked) = self.blocked(now, touched) {
            return blocked;
        }
        if let Some(denial) = self.denial_of(&session.sid, authenticated, now) {
            self.note_kept_out(now, touched);
            return CommandResult::Denied(denial);
        }
        match self.superseded(limit, &[], now) {
            Err(live) => CommandResult::Full(self.records(&live)),
            Ok(superseded) => {
                let (session, ended) = self.open(session, &superseded, now, touched);
                CommandResult::Admitted { session: Box::new(session), ended }
            }
        }
    }

    /// The answer to a user who is blocked.
    pub(super) fn blocked(
        &mut self,
        now: Timestamp,
        touched: &mut LedgerChanges,
    ) -> Option<CommandResult> {
        let block = self.user.block.clone().filter(|block| block.holds(now))?;
        self.note_kept_out(now, touched);
        Some(CommandResult::Blocked(block))
    }

    /// Why a session is not admitted.
    fn denial_of(&self, sid: &Sid, authenticated: Timestamp, now: Timestamp) -> Option<Denial> {
        let left = || self.sessions.get(sid).and_then(Session::denial);
        let denial = self.denials.get(sid).cloned().or_else(left);
        let seen = self.last_seen();
        if let Some(denial) = denial.filter(|it| now < kept_until(it.until, seen)) {
            return Some(denial.denial);
        }
        let is_spared = self.user.spared.as_ref() == Some(sid);
        let barred = self.user.not_before.filter(|at| authenticated <= *at && !is_spared)?;
        let holds = now < kept_until(Timestamp::FAR_FUTURE, seen);
        holds.then_some(Denial::Ended(SessionEnd::Revoked { at: barred }))
    }

    /// Denies a session of which there is no record.
    pub(super) fn deny_unseen(
        &mut self,
        UnseenSession { sid, deny_until }: &UnseenSession,
        ending: &SessionEnd,
        touched: &mut LedgerChanges,
    ) {
        let is_known = self.sessions.contains_key(sid) || self.denials.contains_key(sid);
        if !is_known && ending.at() < *deny_until {
            let denial = Denial::Ended(ending.clone());
            self.note_seen(ending.at(), touched);
            self.deny(sid, StoredDenial { until: *deny_until, denial }, touched);
        }
    }

    /// Keeps out all sessions of providers that began before, but for one.
    pub(super) fn bar(&mut self, at: Timestamp, spared: Option<&Sid>, touched: &mut LedgerChanges) {
        self.user.not_before = self.user.not_before.max(Some(at));
        self.user.spared = spared.cloned();
        self.note_seen(at, touched);
        touched.user = true;
    }

    /// The answer to [`Command::User`](crate::store::Command::User).
    pub(super) fn user_and_sessions(&self, now: Timestamp) -> CommandResult {
        let over = self.by_age(|it| now < it.forget_at() && !it.is_live(now));
        let ended = self.records(&over).into_iter().map(Session::without_data).collect();
        CommandResult::User { record: self.user.clone(), live: self.live_records(now), ended }
    }

    /// A step that writes: deletes what is over before, and leaves denials and the user's record in order.
    pub(super) fn step<T>(
        &mut self,
        now: Timestamp,
        touched: &mut LedgerChanges,
        step: impl FnOnce(&mut Self, &mut LedgerChanges) -> T,
    ) -> T {
        let seen = self.delete_old(now, touched);
        let answer = step(self, touched);
        self.tidy(seen, now, touched);
        answer
    }

    /// Deletes what is over. Returns when the user was last seen.
    fn delete_old(&mut self, now: Timestamp, touched: &mut LedgerChanges) -> Option<Timestamp> {
        let seen = self.last_seen();
        let old: Vec<Session> =
            self.sessions.extract_if(.., |_, s| now >= s.forget_at()).map(|(_, s)| s).collect();
        self.forget(old, seen, now, touched);
        let over = self.denials.extract_if(.., |_, it| now >= kept_until(it.until, seen));
        touched.lapsed.extend(over.map(|(sid, _)| sid));
        seen
    }

    fn tidy(&mut self, seen: Option<Timestamp>, now: Timestamp, touched: &mut LedgerChanges) {
        let seen = seen.max(self.last_seen());
        let excess = self.take_excess_tombstones(now);
        self.forget(excess, seen, now, touched);
        touched.written.retain(|sid| self.sessions.contains_key(sid));
        self.tidy_user(seen, now, touched);
    }

    /// Leaves denials of these records, which are deleted.
    fn forget(
        &mut self,
        records: Vec<Session>,
        seen: Option<Timestamp>,
        now: Timestamp,
        touched: &mut LedgerChanges,
    ) {
        for session in records {
            if let Some(denial) = session.denial().filter(|it| now < kept_until(it.until, seen)) {
                self.deny(&session.sid, denial, touched);
            }
            touched.forgotten.push(session.sid);
        }
    }

    pub(super) fn deny(&mut self, sid: &Sid, denial: StoredDenial, touched: &mut LedgerChanges) {
        touched.denied.push(sid.clone());
        self.denials.insert(sid.clone(), denial);
    }

    /// Deletes what has no effect any more from the user's record; all of it, if it keeps nobody out.
    fn tidy_user(&mut self, seen: Option<Timestamp>, now: Timestamp, touched: &mut LedgerChanges) {
        let before = self.user.clone();
        let user = &mut self.user;
        user.block.take_if(|block| !block.holds(now));
        if now >= kept_until(Timestamp::FAR_FUTURE, seen) {
            (user.not_before, user.spared) = (None, None);
        }
        let is_needed = !self.denials.is_empty()
            || user.block.is_some()
            || user.not_before.is_some()
            || user.rights.is_some();
        match is_needed {
            true => self.note_seen(seen.unwrap_or(now), touched),
            false => self.user = UserRecord::default(),
        }
        touched.user |= self.user != before;
    }

    /// Notes that a user was seen, but kept out: what keeps out must last while the provider goes on refreshing.
    fn note_kept_out(&mut self, now: Timestamp, touched: &mut LedgerChanges) {
        if self.user.seen.is_none() {
            // The record is due to be replaced by its denial.
            self.step(now, touched, |_, _| ());
        }
        if self.user.seen.is_some() {
            self.note_seen(now, touched);
        }
    }

    fn note_seen(&mut self, at: Timestamp, touched: &mut LedgerChanges) {
        if self.user.seen.is_none_or(|seen| at >= seen.plus(SEEN_ONCE_IN)) {
            self.user.seen = Some(at);
            touched.user = true;
        }
    }

    /// When the user was last seen, if that is known.
    pub(super) fn last_seen(&self) -> Option<Timestamp> {
        self.sessions.values().map(|session| session.seen).max().max(self.user.seen)
    }
}

/// When what is kept until this moment is deleted: what has no end, a year after the user was last `seen`.
pub(super) fn kept_until(until: Timestamp, seen: Option<Timestamp>) -> Timestamp {
    match seen {
        Some(seen) if until >= Timestamp::FAR_FUTURE => seen.plus(UNSEEN_FOR),
        _ => until,
    }
}
