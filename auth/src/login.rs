//! A login: what the client sends, what the origin answers, and the session that comes of it.

mod request;
mod response;
mod user;

use std::time::Duration;

use crate::device::{ClientHints, DeviceClass};
use crate::scopes::AdminScopes;
use crate::session::{Session, Sid};
use crate::time::Timestamp;

pub use request::{LoginCredentials, LoginRequest};
pub use response::LoginUrlResponse;
pub use user::{AuthenticatedUser, InvalidLoginResponse};

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

/// The lifetimes of a new session.
#[derive(Clone, Copy, Debug)]
pub struct SessionLifetimes {
    /// Until the absolute deadline.
    pub session: Duration,
    /// Until the idle deadline, where there is one.
    pub idle: Option<Duration>,
}

/// Makes the session of a login. `random` must come from a cryptographic source.
pub fn new_session(
    approval: &AuthenticatedUser,
    client: ClientInfo,
    lifetimes: SessionLifetimes,
    random: [[u8; 16]; 2],
    now: Timestamp,
) -> Session {
    let user_agent = client.user_agent.unwrap_or_default();
    // By all of it: applications add what they are at the end.
    let device = DeviceClass::of(&user_agent, &client.hints);
    let user_agent = shorten(user_agent);
    let place = [client.city, client.country].into_iter().flatten().collect::<Vec<_>>();
    Session {
        sid: Sid::from_random(random[0]),
        jti: Sid::from_random(random[1]).into(),
        previous_jti: None,
        refreshed: None,
        unused: false,
        created: now,
        seen: now,
        expires: now.plus(lifetimes.session),
        idle_expires: lifetimes.idle.map(|idle| now.plus(idle)),
        device,
        user_agent,
        place: (!place.is_empty()).then(|| place.join(", ")),
        data: approval.data.clone(),
        client_data: None,
        issuer: approval.issued.as_ref().map(|issued| issued.issuer.clone()),
        issuer_sid: approval.issued.as_ref().and_then(|issued| issued.sid.clone()),
        admin: AdminScopes::of(&approval.claims).is_admin(),
        deny_until: None,
        readmit: false,
        rights: None,
        ended: None,
    }
}

fn shorten(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_USER_AGENT));
    text
}

#[cfg(test)]
mod tests;
