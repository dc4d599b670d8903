//! Between steps 4 and 5: the rights that a session has in place of what its token says.

use serde_json::{Map, Value};

use super::{Guard, Principal};
use crate::refusal::Refusal;
use crate::rights::Rights;
use crate::session::{RightsChange, Session, Subject};
use crate::store::{CommandResult, StoreError};
use crate::token::{InvalidRights, Verified};

impl Guard {
    /// The caller's token with the rights that its session has by the store's answer; `None` if it has these already.
    /// In an outage, those that the session was last seen with, if they are still known.
    ///
    /// # Errors
    /// Why they cannot be applied.
    pub fn token_with_rights(
        &self,
        caller: &Principal,
        answer: &Result<CommandResult, StoreError>,
    ) -> Result<Option<Verified>, Refusal> {
        let token = &caller.token;
        let last = match (answer, &self.recent) {
            (Err(_), Some(recent)) if !recent.has_rights(caller.sid(), None) => token.last_rights(),
            _ => None,
        };
        let rights = match answer {
            Ok(CommandResult::Found(Some(session))) if session.ended.is_none() => {
                session.rights.as_deref()
            }
            Ok(CommandResult::Admitted { session, .. }) => session.rights.as_deref(),
            Ok(_) => return Ok(None),
            Err(_) => last.as_deref(),
        };
        if token.rights() == rights {
            return Ok(None);
        }
        self.with_rights(token, rights).map(Some)
    }

    /// The caller with the rights of its session.
    ///
    /// # Errors
    /// Why they cannot be applied.
    pub fn principal_with_rights(
        &self,
        caller: Principal,
        session: &Session,
    ) -> Result<Principal, Refusal> {
        let token = self.with_rights(&caller.token, session.rights.as_deref())?;
        Ok(caller.with_token(token))
    }

    /// A token's claims with the rights of its session.
    ///
    /// # Errors
    /// Why they cannot be applied.
    pub fn claims_with_rights(
        &self,
        claims: Map<String, Value>,
        session: &Session,
    ) -> Result<Map<String, Value>, Refusal> {
        match session.rights.as_deref().map(Rights::parse) {
            None => Ok(claims),
            Some(Ok(rights)) => Ok(rights.apply(claims)),
            Some(Err(error)) => Err(refusal(&InvalidRights::Unreadable(error))),
        }
    }

    /// Can the origin be told of these rights? With those of a token, they may be too large all the same.
    ///
    /// # Errors
    /// What to change.
    pub fn check_rights_change(&self, user: &Subject, to: &RightsChange) -> Result<(), Refusal> {
        let checked = self.tokens.check_claims(user, &Rights::from(to.clone()).apply(Map::new()));
        checked.map_err(|error| Refusal::BadBody(format!("{error}.")))
    }

    fn with_rights(&self, token: &Verified, rights: Option<&str>) -> Result<Verified, Refusal> {
        self.tokens.with_rights(token, rights).map_err(|error| refusal(&error))
    }
}

fn refusal(error: &InvalidRights) -> Refusal {
    let cause = error.to_string();
    match error {
        InvalidRights::Unreadable(_) => Refusal::StoreUnavailable(StoreError::Unreadable(cause)),
        InvalidRights::TooLarge(_) => Refusal::Failed(cause),
    }
}
