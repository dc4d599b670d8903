//! The steps of a move between stores.

use super::{Ledger, LedgerChanges};
use crate::session::UserRecord;
use crate::store::{MOVE_REMEMBERED, Parcel, Passage, Transfer, TransferResult, UserRecords};
use crate::time::Timestamp;

impl Ledger {
    /// The ledger with what the store knows of the user's moves.
    #[must_use]
    pub fn with_passage(self, passage: Passage) -> Self {
        Self { passage, ..self }
    }

    /// What the store knows of the user's moves.
    pub fn passage(&self) -> &Passage {
        &self.passage
    }

    /// Applies one step.
    pub fn transfer(
        &mut self,
        transfer: &Transfer,
        now: Timestamp,
    ) -> (TransferResult, LedgerChanges) {
        let mut touched = LedgerChanges::default();
        let before = self.passage.clone();
        let result = match transfer {
            Transfer::Take => TransferResult::Taken(self.take(now, &mut touched).map(Box::new)),
            Transfer::Receive(parcel) => {
                self.receive(parcel, now, &mut touched);
                TransferResult::Done
            }
            Transfer::Confirm(number) => {
                self.passage.parcel.take_if(|_| self.passage.left == *number);
                TransferResult::Done
            }
            Transfer::Look => TransferResult::Passage {
                gone: before.gone.then_some(before.left),
                parcel: before.pending().map(Box::new),
            },
            Transfer::Open(number) => {
                self.passage.gone &= self.passage.left != *number;
                TransferResult::Done
            }
            Transfer::Export | Transfer::Restore(_) if before.is_closed() => TransferResult::Moved,
            Transfer::Export => TransferResult::Records(Box::new(self.all_records())),
            Transfer::Restore(records) => {
                self.merge(records, now, &mut touched);
                TransferResult::Done
            }
        };
        touched.passage = self.passage != before;
        (result, touched)
    }

    /// Until when something here is needed; [`Timestamp::FAR_FUTURE`] if there is no end.
    pub fn needed_until(&self) -> Timestamp {
        let seen = self.last_seen();
        let of_sessions = self.sessions.values().map(|session| {
            let denied = session.denial().map(|it| super::first_sight::kept_until(it.until, seen));
            session.forget_at().max(denied.unwrap_or(session.forget_at()))
        });
        let of_denials =
            self.denials.values().map(|it| super::first_sight::kept_until(it.until, seen));
        let unseen = super::first_sight::kept_until(Timestamp::FAR_FUTURE, seen);
        let last = of_sessions.chain(of_denials).max().unwrap_or_default();
        last.max(self.user.kept_until(unseen)).max(self.passage.until).min(Timestamp::FAR_FUTURE)
    }

    /// All records but the passage.
    pub(crate) fn all_records(&self) -> UserRecords {
        UserRecords {
            sessions: self.sessions.values().cloned().collect(),
            denials: self.denials.clone(),
            user: self.user.clone(),
        }
    }

    fn has_records(&self) -> bool {
        let is_known = self.user != UserRecord::default();
        is_known || !self.sessions.is_empty() || !self.denials.is_empty()
    }

    fn take(&mut self, now: Timestamp, touched: &mut LedgerChanges) -> Option<Parcel> {
        // A closed store may have records: they came while those that it had sent were on their way.
        let is_left = self.passage.gone && !self.has_records();
        if self.passage.parcel.is_some() || is_left {
            return self.passage.pending();
        }
        self.step(now, touched, |_, _| ());
        let until = self.needed_until().max(now.plus(MOVE_REMEMBERED));
        let records = self.all_records();
        touched.written.clear();
        touched.denied.clear();
        touched.forgotten.extend(std::mem::take(&mut self.sessions).into_keys());
        touched.lapsed.extend(std::mem::take(&mut self.denials).into_keys());
        touched.user |= self.user != UserRecord::default();
        self.user = UserRecord::default();
        let left = now.max(Timestamp::from_millis(self.passage.left.millis() + 1));
        self.passage = Passage { gone: true, until, left, ..std::mem::take(&mut self.passage) };
        if !records.is_empty() {
            self.passage.sent = left;
            self.passage.after = self.passage.arrived;
            self.passage.parcel = Some(records);
        }
        self.passage.pending()
    }

    fn receive(&mut self, parcel: &Parcel, now: Timestamp, touched: &mut LedgerChanges) {
        let passage = &mut self.passage;
        if parcel.number <= passage.arrived {
            return;
        }
        passage.arrived = parcel.number;
        // If the parcels crossed, what was sent from here is not in this one, and the store is not complete yet.
        passage.gone &= parcel.after < passage.sent;
        passage.until = passage.until.max(parcel.until).max(now.plus(MOVE_REMEMBERED));
        self.merge(&parcel.records, now, touched);
    }
}
