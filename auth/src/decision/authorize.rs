//! Step 5: may this user use the path, and is the login behind the session fresh and strong enough for it?

use super::ForwardPlan;
use crate::refusal::Refusal;
use crate::session::LiveSession;
use crate::time::Timestamp;

impl ForwardPlan {
    /// May the request pass now? Roles and scopes come first: without them, a new login would be for nothing.
    ///
    /// # Errors
    /// [`Refusal::RouteDenied`], or [`Refusal::InsufficientAuthentication`].
    pub(super) fn authorize(
        &self,
        live: Option<&LiveSession>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if let Some(denied) = &self.denied {
            return Err(denied.clone());
        }
        let Some(step_up) = &self.step_up else { return Ok(()) };
        match step_up.is_satisfied_by(self.login_time(live), self.principal.token().acr(), now) {
            true => Ok(()),
            false => Err(Refusal::InsufficientAuthentication(step_up.clone())),
        }
    }

    /// Does the answer depend on the session? Only then: `max_age` is asked, and the token does not say when the login
    /// was.
    pub(super) fn needs_session_to_authorize(&self) -> bool {
        self.step_up.as_ref().is_some_and(|it| it.max_age.is_some())
            && self.principal.token().auth_time().is_none()
    }

    /// When the user logged in: the token's `auth_time`, or else when the session began. A provider's session
    /// began at an unknown moment before it was first seen here, so only `auth_time` counts.
    fn login_time(&self, live: Option<&LiveSession>) -> Option<Timestamp> {
        let session = live.map(LiveSession::session).filter(|session| !session.is_of_provider());
        self.principal.token().auth_time().or(session.map(|session| session.created))
    }
}
