//! Merges records of the same user from elsewhere. What is over stays over; of two that are live, the newer counts.

use std::collections::BTreeSet;

use super::{Ledger, LedgerChanges};
use crate::session::{Session, SessionEnd, Sid, UserRecord};
use crate::store::{MAX_TOMBSTONES, UserRecords};
use crate::time::Timestamp;

impl Ledger {
    pub(super) fn merge(
        &mut self,
        records: &UserRecords,
        now: Timestamp,
        touched: &mut LedgerChanges,
    ) {
        self.step(now, touched, |ledger, touched| {
            let own = ledger.user.not_before;
            let forgotten = ledger.last_forgotten(now);
            ledger.bar_others(
                records.user.not_before.filter(|at| Some(*at) > own),
                records,
                touched,
            );
            let rights = ledger.user.rights.clone();
            let mut taken = BTreeSet::new();
            for session in &records.sessions {
                let barred = own.filter(|at| Some(*at) > records.user.not_before);
                if ledger.merge_session(session, barred, forgotten, touched) {
                    taken.insert(&session.sid);
                }
            }
            ledger.merge_user(&records.user, touched);
            ledger.hand_down_rights(
                |sid| if taken.contains(sid) { &records.user.rights } else { &rights },
                touched,
            );
            ledger.merge_denials(records, now, touched);
            ledger.end_of_blocked(now, touched);
        });
    }

    /// The latest moment at which a session may have ended whose tombstone is no longer kept.
    fn last_forgotten(&self, now: Timestamp) -> Option<Timestamp> {
        let over = self.sessions.values().filter(|it| !it.is_live(now));
        let moments = over.map(|it| it.ended.as_ref().map_or(it.deadline(), SessionEnd::at));
        let moments: Vec<Timestamp> = moments.collect();
        moments.iter().min().copied().filter(|_| moments.len() >= MAX_TOMBSTONES)
    }

    /// Ends sessions of providers that the other store does not know, and that began before it ended all.
    fn bar_others(
        &mut self,
        barred: Option<Timestamp>,
        records: &UserRecords,
        touched: &mut LedgerChanges,
    ) {
        let Some(at) = barred else { return };
        for session in self.sessions.values_mut() {
            let is_known = records.sessions.iter().any(|it| it.sid == session.sid);
            let is_spared = records.user.spared.as_ref() == Some(&session.sid);
            if !is_known && !is_spared && is_barred(session, at) {
                session.ended = Some(SessionEnd::Revoked { at });
                touched.written.push(session.sid.clone());
            }
        }
    }

    /// Takes a session in, if it counts. Returns whether it did.
    fn merge_session(
        &mut self,
        session: &Session,
        barred: Option<Timestamp>,
        forgotten: Option<Timestamp>,
        touched: &mut LedgerChanges,
    ) -> bool {
        let mut session = session.clone();
        match self.sessions.get(&session.sid) {
            Some(own) if !is_newer(&session, own) => return false,
            Some(_) => {}
            None => {
                // It may have been ended here, longer ago than tombstones go back.
                let is_own = !session.is_of_provider() && session.ended.is_none();
                if is_own && forgotten.is_some_and(|at| session.seen <= at) {
                    return false;
                }
                let is_spared = self.user.spared.as_ref() == Some(&session.sid);
                if let Some(at) = barred.filter(|at| !is_spared && is_barred(&session, *at)) {
                    session.ended = Some(SessionEnd::Revoked { at });
                }
            }
        }
        touched.written.push(session.sid.clone());
        self.sessions.insert(session.sid.clone(), session);
        true
    }

    /// A live session that had the rights of its user, `had`, in the store it was in, has the user's rights now.
    fn hand_down_rights<'a>(
        &mut self,
        had: impl Fn(&Sid) -> &'a Option<String>,
        touched: &mut LedgerChanges,
    ) {
        let now = &self.user.rights;
        for session in self.sessions.values_mut().filter(|it| it.ended.is_none()) {
            let before = had(&session.sid);
            if before != now && session.rights == *before {
                session.rights.clone_from(now);
                touched.written.push(session.sid.clone());
            }
        }
    }

    fn merge_user(&mut self, other: &UserRecord, touched: &mut LedgerChanges) {
        let before = self.user.clone();
        let user = &mut self.user;
        user.seen = user.seen.max(other.seen);
        if other.not_before > user.not_before {
            (user.not_before, user.spared) = (other.not_before, other.spared.clone());
        }
        let is_later = other.block.as_ref().map(|it| it.at) > user.block.as_ref().map(|it| it.at);
        if is_later {
            user.block.clone_from(&other.block);
        }
        if user.rights.is_none() {
            user.rights.clone_from(&other.rights);
        }
        touched.user |= *user != before;
    }

    /// What is denied is not live.
    fn merge_denials(
        &mut self,
        records: &UserRecords,
        now: Timestamp,
        touched: &mut LedgerChanges,
    ) {
        for (sid, denial) in &records.denials {
            if self.denials.get(sid).is_none_or(|own| own.until < denial.until) {
                self.deny(sid, denial.clone(), touched);
            }
        }
        let denials = &self.denials;
        let is_denied = |it: &Session| denials.get(&it.sid).is_some_and(|it| now < it.until);
        let denied = self.sessions.extract_if(.., |_, it| it.ended.is_none() && is_denied(it));
        touched.forgotten.extend(denied.map(|(sid, _)| sid));
    }

    fn end_of_blocked(&mut self, now: Timestamp, touched: &mut LedgerChanges) {
        if self.user.block.as_ref().is_some_and(|block| block.holds(now)) {
            let live = self.live(now);
            self.end(&live, &SessionEnd::Revoked { at: now }, touched);
        }
    }
}

/// Did it begin at its provider before this moment?
fn is_barred(session: &Session, at: Timestamp) -> bool {
    session.is_of_provider() && session.ended.is_none() && session.created <= at
}

/// Does the record of a session count more than our own? One that has ended does; otherwise the one that was refreshed
/// or used later.
fn is_newer(other: &Session, own: &Session) -> bool {
    match (&other.ended, &own.ended) {
        (_, Some(_)) => false,
        (Some(_), None) => true,
        (None, None) => {
            (other.created, other.refreshed, other.seen) > (own.created, own.refreshed, own.seen)
        }
    }
}
