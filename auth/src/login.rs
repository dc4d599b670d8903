//! A login: what the client sends, what the origin answers, and the session that comes of it.

mod request;
mod response;
mod user;

use std::time::Duration;

use crate::device::{ClientHints, DeviceClass};
use crate::scopes::AdminScopes;
use crate::session::{Session, Sid};
use crate::time::{Timestamp, millis};
use crate::token::{ProviderToken, Verified};

pub use request::{AcceptedFields, LoginCredentials, LoginRequest};
pub use response::LoginUrlResponse;
pub use user::{AuthenticatedUser, InvalidIssuerUser, InvalidLoginResponse, LoginTerms};

/// The longest part of a `User-Agent` that is kept, in bytes.
const MAX_USER_AGENT: usize = 256;

/// What the request tells of the device that logs in.
#[derive(Clone, Debug, Default)]
pub struct ClientInfo {
    /// Its `User-Agent`.
    pub user_agent: Option<String>,
    /// What it says of its device beside that.
    pub hints: ClientHints,
    /// The city the network places it in.
    pub city: Option<String>,
    /// The country, as a two-letter code.
    pub country: Option<String>,
}

/// The lifetimes of a new session, which `Guard::lifetimes` makes of settings and login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLifetimes {
    /// Until the absolute deadline.
    pub session: Duration,
    /// Until the idle deadline, where there is one.
    pub idle: Option<Duration>,
    /// Is the idle timeout this session's own, whatever the settings say later?
    pub has_own_idle: bool,
    /// Does its cookie outlive the browser? Otherwise it has no `Max-Age`.
    pub persistent: bool,
}

/// Makes the session of a login. `random` must come from a cryptographic source.
pub fn new_session(
    approval: &AuthenticatedUser,
    client: ClientInfo,
    lifetimes: SessionLifetimes,
    random: [[u8; 16]; 2],
    now: Timestamp,
) -> Session {
    Session {
        jti: Sid::from_random(random[1]).into(),
        data: approval.data.clone(),
        issuer: approval.issued.as_ref().map(|issued| issued.issuer.clone()),
        issuer_sid: approval.issued.as_ref().and_then(|issued| issued.sid.clone()),
        admin: AdminScopes::of(&approval.claims).is_admin(),
        ..session(Sid::from_random(random[0]), client, lifetimes, now)
    }
}

/// The session of a provider's token that is seen for the first time. Nothing about it is random: each of its tokens
/// names it.
pub fn admitted_session(
    token: &Verified,
    provider: &ProviderToken,
    client: ClientInfo,
    lifetimes: SessionLifetimes,
    now: Timestamp,
) -> Session {
    let session = session(token.sid().clone(), client, lifetimes, now);
    Session {
        device: provider.device().unwrap_or(session.device),
        issuer: Some(provider.issuer.trusted.issuer.clone()),
        issuer_sid: Some(provider.session.clone()),
        admin: token.admin_scopes().is_admin(),
        deny_until: Some(provider.deny_until(now)),
        ..session
    }
}

/// A session of this client that begins now, of which nothing else is known.
fn session(sid: Sid, client: ClientInfo, lifetimes: SessionLifetimes, now: Timestamp) -> Session {
    let (device, user_agent, place) = client.summary();
    Session {
        sid,
        jti: String::new(),
        previous_jti: None,
        refreshed: None,
        unused: false,
        created: now,
        seen: now,
        expires: now.plus(lifetimes.session),
        idle_expires: lifetimes.idle.map(|idle| now.plus(idle)),
        idle_timeout: lifetimes.idle.filter(|_| lifetimes.has_own_idle).map(millis),
        transient: !lifetimes.persistent,
        device,
        user_agent,
        place,
        data: None,
        client_data: None,
        issuer: None,
        issuer_sid: None,
        admin: false,
        deny_until: None,
        readmit: false,
        rights: None,
        ended: None,
    }
}

impl ClientInfo {
    /// The class of device, the user agent and the place, as a session has them.
    fn summary(self) -> (DeviceClass, String, Option<String>) {
        let user_agent = self.user_agent.unwrap_or_default();
        // By all of it: applications add what they are at the end.
        let device = DeviceClass::of(&user_agent, &self.hints);
        let place = [self.city, self.country].into_iter().flatten().collect::<Vec<_>>();
        (device, shorten(user_agent), (!place.is_empty()).then(|| place.join(", ")))
    }
}

fn shorten(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_USER_AGENT));
    text
}

#[cfg(test)]
mod tests;
