//! Commands that take more than a line: login, refresh, ends, blocks and rights.

use std::rc::Rc;
use std::time::Duration;

use super::{Ledger, LedgerChanges};
use crate::limit::Limit;
use crate::session::{Block, RightsChange, Session, SessionEnd, Sid, TokenGeneration, TokenName};
use crate::store::{CommandResult, SessionSelector, UnseenSession};
use crate::time::Timestamp;

impl Ledger {
    /// [`Command::Open`](crate::store::Command::Open).
    pub(super) fn log_in(
        &mut self,
        session: &Session,
        limit: Option<Limit>,
        end: &[Sid],
        now: Timestamp,
        touched: &mut LedgerChanges,
    ) -> CommandResult {
        if let Some(blocked) = self.blocked(now, touched) {
            return blocked;
        }
        match self.superseded(limit, end, now) {
            Ok(superseded) => {
                let (_, ended) = self.open(session, &superseded, now, touched);
                CommandResult::Ended(ended)
            }
            Err(live) => CommandResult::Full(self.records(&live)),
        }
    }

    /// [`Command::Refresh`](crate::store::Command::Refresh).
    pub(super) fn refresh(
        &mut self,
        sid: &Sid,
        token: &TokenName,
        jti: &str,
        (idle_timeout, is_use): (Option<Duration>, bool),
        now: Timestamp,
        touched: &mut LedgerChanges,
    ) -> CommandResult {
        let Some(session) = self.sessions.get_mut(sid).filter(|it| it.is_live(now)) else {
            return self.found(sid);
        };
        if session.token_generation(token, now) == TokenGeneration::Outdated {
            let which = SessionSelector::One(sid.clone());
            let ending = SessionEnd::Reused { at: now };
            return CommandResult::Ended(self.end_and(&which, &ending, touched, |_, _| ()));
        }
        if session.refresh(token, jti.to_owned(), idle_timeout, is_use, now) {
            touched.written.push(sid.clone());
        }
        CommandResult::Changed(Box::new(session.clone()))
    }

    /// Changes a live session, if it `is_as_thought`. Returns it, or else what is found.
    pub(super) fn change(
        &mut self,
        sid: &Sid,
        now: Timestamp,
        touched: &mut LedgerChanges,
        is_as_thought: impl Fn(&Session) -> bool,
        change: impl FnOnce(&mut Session),
    ) -> CommandResult {
        let fits = |it: &&mut Session| it.is_live(now) && is_as_thought(it);
        let Some(session) = self.sessions.get_mut(sid).filter(fits) else {
            return self.found(sid);
        };
        change(session);
        touched.written.push(sid.clone());
        CommandResult::Changed(Box::new(session.clone()))
    }

    fn found(&self, sid: &Sid) -> CommandResult {
        CommandResult::Found(self.sessions.get(sid).cloned().map(Rc::new))
    }

    /// [`Command::End`](crate::store::Command::End).
    pub(super) fn end_selected(
        &mut self,
        which: &SessionSelector,
        ending: &SessionEnd,
        unseen: Option<&UnseenSession>,
        admits_unseen: bool,
        touched: &mut LedgerChanges,
    ) -> CommandResult {
        let before = self.ended_before(which, ending);
        let barred = admits_unseen.then(|| which.spared()).flatten();
        let now = self.end_and(which, ending, touched, |ledger, touched| {
            if let Some(unseen) = unseen {
                ledger.deny_unseen(unseen, ending, touched);
            }
            if let Some(spared) = barred {
                ledger.bar(ending.at(), spared, touched);
            }
        });
        CommandResult::Ends { now, before }
    }

    /// Blocks the user, and ends all sessions.
    pub(super) fn block(
        &mut self,
        block: &Block,
        now: Timestamp,
        touched: &mut LedgerChanges,
    ) -> CommandResult {
        let (which, ending) = (SessionSelector::All, SessionEnd::Revoked { at: now });
        let before = self.ended_before(&which, &ending);
        let now = self.end_and(&which, &ending, touched, |ledger, touched| {
            ledger.user.block = Some(block.clone());
            ledger.bar(now, None, touched);
        });
        CommandResult::Ends { now, before }
    }

    /// Lets the user in again. Sessions that were ended stay ended.
    pub(super) fn lift_block(
        &mut self,
        now: Timestamp,
        touched: &mut LedgerChanges,
    ) -> CommandResult {
        self.step(now, touched, |ledger, touched| {
            touched.user |= ledger.user.block.take().is_some();
        });
        CommandResult::Ends { now: Vec::new(), before: Vec::new() }
    }

    /// Changes the rights of all live sessions, and those that new ones begin with.
    pub(super) fn change_rights_of_user(
        &mut self,
        change: &RightsChange,
        now: Timestamp,
        touched: &mut LedgerChanges,
    ) -> CommandResult {
        self.step(now, touched, |ledger, touched| {
            for session in ledger.sessions.values_mut().filter(|it| it.is_live(now)) {
                session.rights = change.apply(session.rights.as_deref());
                touched.written.push(session.sid.clone());
            }
            ledger.user.rights = change.apply(ledger.user.rights.as_deref());
            touched.user = true;
        });
        let (record, live) = (self.user.clone(), self.live_records(now));
        CommandResult::User { record, live, ended: Vec::new() }
    }
}
