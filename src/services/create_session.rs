//! Begins a session for an authenticated user: the one way for every kind of login.

use std::time::Duration;

use auth::cookie;
use auth::event::Event;
use auth::limit::LimitPolicy;
use auth::login::{self, AuthenticatedUser, ClientInfo, SessionLifetimes};
use auth::redirect::LocalTarget;
use auth::refusal::{ClaimsSource, Refusal};
use auth::session::{Session, SessionEnd, Sid, Subject};
use auth::store::{Command, SessionSelector};
use auth::token::{AuthenticToken, TokenGrant};
use serde::Serialize;
use web_sys::Response;

use crate::app::App;
use crate::request::{self, RequestHead};
use crate::response;
use crate::services::session_view::SessionView;
use crate::services::{end_sessions, federated_login, session_events};

/// The answer to a login (RFC 6749, section 5.1), with the session and those it ended.
#[derive(Serialize)]
struct LoggedIn<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u64,
    session: SessionView,
    ended: Vec<SessionView>,
    /// The one that was compared with the ID token's, so that a client can tell its logins apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
}

/// A session that has begun, and its token.
pub struct Entry {
    token: String,
    lifetime: Duration,
    /// `None` if the token is too large for one, or none is wanted.
    pub cookie: Option<String>,
    session: Session,
    ended: Vec<Session>,
}

/// What becomes of a login whose token is too large for a cookie.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Cookie {
    /// It is refused, because the client gets the token in no other way.
    Needed,
    /// It goes on without one.
    Wanted,
}

/// The session of the very client that logs in: the new one takes its place.
pub struct Held {
    user: Subject,
    sid: Sid,
    /// Was its token in the cookie, which a new one replaces?
    pub in_cookie: bool,
}

/// The sessions that a login comes with, if our keys have signed their tokens.
pub fn held(app: &App, head: &RequestHead) -> Vec<Held> {
    let held = app.guard.sessions_at_login(head).into_iter();
    let of = |(session, in_cookie): (AuthenticToken, bool)| Held {
        user: session.sub().clone(),
        sid: session.sid().clone(),
        in_cookie,
    };
    held.map(of).collect()
}

/// Begins a session for somebody who was approved. It replaces those that are held, whatever the policy,
/// if they are the same user's. Another user's whose cookie is replaced is ended after: nobody could use
/// it, nor end it.
///
/// # Errors
/// Why none has begun.
pub async fn enter(
    app: &App,
    approval: &AuthenticatedUser,
    client: ClientInfo,
    lifetimes: SessionLifetimes,
    cookie_is: Cookie,
    held: &[Held],
) -> Result<Entry, Refusal> {
    let settings = app.guard.settings();
    let now = request::now();
    let random = [request::random()?, request::random()?];
    let session = login::new_session(approval, client, lifetimes, random, now);
    // Token and cookie are made first: a login that leads nowhere must not end other sessions.
    let lifetime = app.guard.token_lifetime(&session, now);
    let grant = TokenGrant {
        sub: &approval.sub,
        sid: &session.sid,
        jti: &session.jti,
        public: &approval.claims,
        now,
        lifetime,
    };
    let token = app.guard.tokens().issue(&grant);
    let by = approval.issued.as_ref().map_or(ClaimsSource::Origin, |_| ClaimsSource::Issuer);
    let too_large = |cause| Refusal::ClaimsTooLarge { by, cause };
    let token = token.map_err(|error| too_large(error.to_string()))?;
    let wanted = settings.token_sources.cookie;
    let cookie = cookie::set(&settings.cookie_name, &token, lifetime).filter(|_| wanted);
    if cookie.is_none() && cookie_is == Cookie::Needed {
        let cause = "the claims make a cookie of more than 4,096 bytes, which browsers drop";
        return Err(too_large(cause.into()));
    }
    let policy = approval.policy.unwrap_or(settings.limit_policy);
    let limit = approval.session_limit.as_ref().unwrap_or(&settings.session_limit);
    let limit = limit.for_device(session.device, policy, app.guard.token_acceptance_window());
    // Who may not end a session by logging in may not choose one either.
    let mut end = if policy == LimitPolicy::Deny { Vec::new() } else { approval.end.clone() };
    let (own, others): (Vec<&Held>, Vec<_>) = held.iter().partition(|it| it.user == approval.sub);
    end.extend(own.iter().map(|held| held.sid.clone()));
    let command = Command::Open { session: Box::new(session.clone()), limit, end, now };
    if let Some(issued) = &approval.issued {
        federated_login::note_user(app, issued, &approval.sub, session.expires).await?;
    }
    let ended = match end_sessions::end_sessions(app, &approval.sub, &command).await {
        Err(Refusal::SessionLimit(_)) if policy == LimitPolicy::Deny => {
            return Err(Refusal::SessionLimit(None));
        }
        ended => ended?,
    };
    session_events::publish(app, &approval.sub, &[Event::created(&session)]);
    if let Some(issued) = &approval.issued {
        federated_login::end_if_over(app, issued, &approval.sub, &session).await?;
    }
    for held in others.into_iter().filter(|held| held.in_cookie && cookie.is_some()) {
        end_held(app, held).await;
    }
    Ok(Entry { token, lifetime, cookie, session, ended })
}

/// Ends another user's session in the same browser. The login has succeeded, whatever comes of this.
async fn end_held(app: &App, held: &Held) {
    let which = SessionSelector::One(held.sid.clone());
    let command = Command::End { which, ending: SessionEnd::Revoked { at: request::now() } };
    if let Err(refusal) = end_sessions::end_sessions(app, &held.user, &command).await {
        response::log_cause(&refusal);
    }
}

impl Entry {
    /// The `Set-Cookie`, if there is one.
    pub fn cookie(&self) -> Option<String> {
        self.cookie.clone()
    }

    /// The answer for a program.
    pub fn json(&self, status: u16, nonce: Option<&str>, headers: &[(&str, &str)]) -> Response {
        let body = LoggedIn {
            access_token: &self.token,
            token_type: "Bearer",
            expires_in: self.lifetime.as_secs(),
            session: SessionView::private(&self.session),
            ended: self.ended.iter().map(SessionView::public).collect(),
            nonce,
        };
        response::json(status, &body, headers)
    }

    /// The redirect after a form login.
    pub fn redirect(&self, target: Option<LocalTarget>) -> Response {
        let target = target.unwrap_or(LocalTarget::root());
        response::redirect(303, target.as_str(), &self.set_cookie())
    }

    /// The `Set-Cookie` header, if there is one.
    pub fn set_cookie(&self) -> Vec<(&str, &str)> {
        self.cookie.iter().map(|cookie| ("set-cookie", cookie.as_str())).collect()
    }
}
