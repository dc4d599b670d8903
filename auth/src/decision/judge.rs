//! Steps 4 and 5: what the store's answer means.

use std::rc::Rc;

use super::recent_sessions::RecentSessions;
use super::{ForwardPlan, Guard, Principal};
use crate::jwt::TokenError;
use crate::refusal::Refusal;
use crate::session::{LiveSession, Session, Sid, judge_session, judge_token};
use crate::store::{CommandResult, StoreError};
use crate::time::Timestamp;

impl Guard {
    /// Steps 4 and 5: is the session live, as the store answers, and may its user use the path? The session is
    /// `None` if the store could not be asked, and the session was seen live recently enough.
    ///
    /// # Errors
    /// Why the request ends here. A store that could not be asked is never taken for one that
    /// answered.
    pub fn judge(
        &self,
        check: &ForwardPlan,
        answer: Result<CommandResult, StoreError>,
        now: Timestamp,
    ) -> Result<Option<LiveSession>, Refusal> {
        match answer {
            // 5. Access.
            Ok(answer) => {
                let live = self.live_session(&check.principal, answer, now)?;
                if !check.principal.token.has_rights(live.rights()) {
                    return Err(rights_not_applied());
                }
                check.authorize(Some(&live), now).map(|()| Some(live))
            }
            Err(error) => {
                let was_seen = |it: &RecentSessions| it.contains(&check.principal, now);
                match self.recent.as_ref().is_some_and(was_seen)
                    && !check.needs_session_to_authorize()
                {
                    true => check.authorize(None, now).map(|()| None),
                    false => Err(Refusal::StoreUnavailable(error)),
                }
            }
        }
    }

    /// The live session that the store found.
    ///
    /// # Errors
    /// Why there is none.
    pub fn live_session(
        &self,
        caller: &Principal,
        answer: CommandResult,
        now: Timestamp,
    ) -> Result<LiveSession, Refusal> {
        let found = match answer {
            CommandResult::Found(found) => Ok(found),
            CommandResult::Admitted { session, .. } => Ok(Some(Rc::from(session))),
            CommandResult::Full(live) => Err(Refusal::AdmissionLimit(live)),
            CommandResult::Blocked(block) => Err(Refusal::UserBlocked(Box::new(block))),
            CommandResult::Denied(denial) => Err(Refusal::Session(denial.into())),
            _ => return Err(Refusal::StoreUnavailable(StoreError::other_answer())),
        };
        let judge = |found| {
            let live = judge_token(found, caller.token_names(), now).map_err(Refusal::Session)?;
            self.refuse_too_old(&live).map(|()| live)
        };
        let verdict = found.and_then(judge);
        if let Some(recent) = &self.recent {
            recent.record(caller, verdict.as_ref().ok(), now);
        }
        verdict
    }

    /// Did the session begin before `NOT_BEFORE`, or that of the issuer whose ID token began it? A refresh makes the
    /// token newer, not the login. A provider's own tokens were judged by what they say themselves.
    fn refuse_too_old(&self, live: &LiveSession) -> Result<(), Refusal> {
        let session = live.session();
        if session.is_of_provider() {
            return Ok(());
        }
        let issuer = session.issuer.as_deref().and_then(|name| self.issuer(name));
        let not_before = issuer.map_or(self.settings.not_before, |it| it.trusted.not_before);
        let is_too_old = not_before.is_some_and(|it| session.created < it);
        match is_too_old {
            true => Err(Refusal::Token(TokenError::TooOld)),
            false => Ok(()),
        }
    }

    /// A session that was live when its request was forwarded: may it still have the answer, which has
    /// come late?
    ///
    /// # Errors
    /// Why not.
    pub fn recheck(
        &self,
        sid: &Sid,
        found: Result<Option<Rc<Session>>, StoreError>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        match found {
            Ok(found) => {
                let verdict = judge_session(found, now).map_err(Refusal::Session);
                if let Some(recent) = &self.recent {
                    recent.record_session(sid, verdict.as_ref().ok(), now);
                }
                verdict.map(drop)
            }
            Err(error) => match &self.recent {
                Some(recent) if recent.contains_session(sid, now) => Ok(()),
                _ => Err(Refusal::StoreUnavailable(error)),
            },
        }
    }

    /// Forgets that sessions were seen live, because they were ended, or are to be: an outage must
    /// not keep alive what somebody wished to end.
    pub fn forget_recent<'a>(&self, sids: impl IntoIterator<Item = &'a Sid>) {
        for sid in sids {
            if let Some(recent) = &self.recent {
                recent.forget(sid);
            }
        }
    }
}

/// With other rights, the path may be for others, and the origin be told of others.
#[cold]
fn rights_not_applied() -> Refusal {
    Refusal::Failed("the session's rights were not applied".into())
}
