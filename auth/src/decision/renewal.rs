//! Renewal of the session cookie on the way of an ordinary request, so that no page needs code for it.
//!
//! A cookie that comes too late is worse than none: by then the browser may have a newer one, and the older token
//! would end the session. A cookie that gets lost is no harm: the store lets the token before it pass until the new one
//! is used.

use std::time::Duration;

use super::{ForwardPlan, Guard, Principal};
use crate::cookie::SessionCookie;
use crate::credential::Source;
use crate::http::Recipient;
use crate::jwt::LEEWAY;
use crate::session::{LiveSession, REFRESH_GRACE, Session, due_from};
use crate::time::Timestamp;
use crate::token::Verified;

/// How long an answer may be on its way to the browser.
const IN_FLIGHT: Duration = Duration::from_secs(10);

impl Guard {
    /// From when on a request of this caller renews its cookie. Never, if other places than the cookie hold a token of
    /// the session: that would become outdated.
    pub(super) fn renews_from(&self, caller: &Principal) -> Timestamp {
        let is_possible = self.settings.token_ttl < self.settings.session_ttl;
        match is_possible && caller.source == Source::Cookie && caller.token.provider().is_none() {
            true => caller.token.due_from(),
            false => Timestamp::FAR_FUTURE,
        }
    }

    /// Whose session is to be refreshed beside a request that passes; `None` if its token is new enough, or its session
    /// ends with it.
    pub fn renewal(
        &self,
        plan: &ForwardPlan,
        live: &LiveSession,
        now: Timestamp,
    ) -> Option<Principal> {
        if now < plan.renews_from.get() {
            return None;
        }
        let caller = plan.principal.clone().with_current_token(live.session(), now);
        if outlives(live.session(), caller.token.expires()) {
            return Some(caller);
        }
        plan.renews_from.set(Timestamp::FAR_FUTURE);
        None
    }

    /// In how long a client should refresh its token; `None` if it cannot, or its session ends with it.
    pub fn refresh_in(
        &self,
        token: &Verified,
        session: &Session,
        now: Timestamp,
    ) -> Option<Duration> {
        let is_ours = token.provider().is_none();
        (is_ours && outlives(session, token.expires())).then(|| token.due_from().since(now))
    }
}

/// Does the session outlive a token that expires then, so that another one is of use?
fn outlives(session: &Session, expires: Timestamp) -> bool {
    session.expires > expires.plus(Duration::from_secs(LEEWAY))
}

/// A renewed token, on its way into the answer.
#[derive(Clone)]
pub struct Renewal {
    /// The session after the refresh.
    session: Session,
    token: String,
    issued: Timestamp,
    expires: Timestamp,
}

impl Renewal {
    /// The current token of this session, which is valid for so long since its issue.
    pub fn new(session: Session, token: String, issued: Timestamp, lifetime: Duration) -> Self {
        Self { session, token, issued, expires: issued.plus(lifetime) }
    }

    /// The token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// How long it is valid from now on.
    pub fn lifetime_at(&self, now: Timestamp) -> Duration {
        self.expires.since(now)
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// In how long its successor should be there; `None` if the session ends with it.
    pub fn refresh_in(&self, now: Timestamp) -> Option<Duration> {
        let due = due_from(self.issued, self.expires);
        outlives(&self.session, self.expires).then(|| due.since(now))
    }

    /// Will it still be the session's newest token when the browser gets it? The store gives no other within
    /// [`REFRESH_GRACE`].
    pub fn is_newest(&self, now: Timestamp) -> bool {
        now.plus(IN_FLIGHT) < self.issued.plus(REFRESH_GRACE)
    }

    /// The same of one that took long, by the store's record of its session: nobody has replaced it, nor is about to.
    pub fn is_still_newest(&self, found: Option<&Session>, now: Timestamp) -> bool {
        let is_current = |it: &Session| it.is_live(now) && it.jti == self.session.jti;
        found.is_some_and(is_current) && now.plus(IN_FLIGHT) < due_from(self.issued, self.expires)
    }

    /// The lines that an answer sets, beside those that it `has`. None if it sets or clears the cookie already, or the
    /// token has outgrown it: the browser's own is good until it expires. A proxy gets no more than one line: nginx passes
    /// on the first one alone, or joins all to one that clears the cookie.
    pub fn lines<'a>(
        &self,
        cookie: &SessionCookie,
        has: impl IntoIterator<Item = &'a str>,
        recipient: Recipient,
        now: Timestamp,
    ) -> Vec<String> {
        let is_ours =
            |line: &str| line.split_once('=').is_some_and(|(name, _)| name.trim() == cookie.name());
        if has.into_iter().any(is_ours) {
            return Vec::new();
        }
        let max_age = self.session.cookie_max_age(self.lifetime_at(now));
        let mut lines =
            cookie.set(&self.token, max_age).map_or(Vec::new(), |lines| lines.into_lines());
        match recipient {
            Recipient::Client => lines,
            Recipient::Proxy { .. } => lines.pop().into_iter().collect(),
        }
    }
}
