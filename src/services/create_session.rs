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
struct LoginResponse<'a> {
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
pub struct CreatedSession {
    token: String,
    lifetime: Duration,
    /// `None` if the token is too large for one, or none is wanted.
    pub cookie: Option<String>,
    session: Session,
    ended: Vec<Session>,
}

/// What becomes of a login whose token is too large for a cookie.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum CookiePolicy {
    /// It is refused, because the client gets the token in no other way.
    Required,
    /// It goes on without one.
    Optional,
}

/// The session of the very client that logs in: the new one takes its place.
pub struct PresentedSession {
    user: Subject,
    sid: Sid,
    /// Was its token in the cookie, which a new one replaces?
    pub in_cookie: bool,
}

/// The sessions that a login comes with, if our keys have signed their tokens.
pub fn presented_sessions(app: &App, head: &RequestHead) -> Vec<PresentedSession> {
    let presented = app.guard.sessions_at_login(head).into_iter();
    let of = |(session, in_cookie): (AuthenticToken, bool)| PresentedSession {
        user: session.sub().clone(),
        sid: session.sid().clone(),
        in_cookie,
    };
    presented.map(of).collect()
}

/// Begins a session for somebody who was approved. It replaces those that are held, whatever the policy,
/// if they are the same user's. Another user's whose cookie is replaced is ended after: nobody could use
/// it, nor end it.
///
/// # Errors
/// Why none has begun.
pub async fn create(
    app: &App,
    authenticated: &AuthenticatedUser,
    client: ClientInfo,
    lifetimes: SessionLifetimes,
    cookie_policy: CookiePolicy,
    presented: &[PresentedSession],
) -> Result<CreatedSession, Refusal> {
    let settings = app.guard.settings();
    let now = request::now();
    let random = [request::random()?, request::random()?];
    let session = login::new_session(authenticated, client, lifetimes, random, now);
    // Token and cookie are made first: a login that leads nowhere must not end other sessions.
    let lifetime = app.guard.token_lifetime(&session, now);
    let grant = TokenGrant {
        sub: &authenticated.sub,
        sid: &session.sid,
        jti: &session.jti,
        public: &authenticated.claims,
        now,
        lifetime,
    };
    let token = app.guard.tokens().issue(&grant);
    let by = authenticated.issued.as_ref().map_or(ClaimsSource::Origin, |_| ClaimsSource::Issuer);
    let too_large = |cause| Refusal::ClaimsTooLarge { by, cause };
    let token = token.map_err(|error| too_large(error.to_string()))?;
    let wanted = settings.token_sources.cookie;
    let cookie = cookie::set(&settings.cookie_name, &token, lifetime).filter(|_| wanted);
    if cookie.is_none() && cookie_policy == CookiePolicy::Required {
        let cause = "the claims make a cookie of more than 4,096 bytes, which browsers drop";
        return Err(too_large(cause.into()));
    }
    let policy = authenticated.policy.unwrap_or(settings.limit_policy);
    let limit = authenticated.session_limit.as_ref().unwrap_or(&settings.session_limit);
    let limit = limit.for_device(session.device, policy, app.guard.token_acceptance_window());
    // Who may not end a session by logging in may not choose one either.
    let mut end = if policy == LimitPolicy::Deny { Vec::new() } else { authenticated.end.clone() };
    let (own, others): (Vec<&PresentedSession>, Vec<_>) =
        presented.iter().partition(|it| it.user == authenticated.sub);
    end.extend(own.iter().map(|presented| presented.sid.clone()));
    let command = Command::Open { session: Box::new(session.clone()), limit, end, now };
    if let Some(issued) = &authenticated.issued {
        federated_login::record_user(app, issued, &authenticated.sub, session.expires).await?;
    }
    let ended = match end_sessions::end_sessions(app, &authenticated.sub, &command).await {
        Err(Refusal::SessionLimit(_)) if policy == LimitPolicy::Deny => {
            return Err(Refusal::SessionLimit(None));
        }
        ended => ended?,
    };
    session_events::publish(app, &authenticated.sub, &[Event::created(&session)]);
    if let Some(issued) = &authenticated.issued {
        federated_login::end_if_logged_out(app, issued, &authenticated.sub, &session).await?;
    }
    for presented in others.into_iter().filter(|presented| presented.in_cookie && cookie.is_some())
    {
        end_session_of_other_user(app, presented).await;
    }
    Ok(CreatedSession { token, lifetime, cookie, session, ended })
}

/// Ends another user's session in the same browser. The login has succeeded, whatever comes of this.
async fn end_session_of_other_user(app: &App, presented: &PresentedSession) {
    let which = SessionSelector::One(presented.sid.clone());
    let command = Command::End { which, ending: SessionEnd::Revoked { at: request::now() } };
    if let Err(refusal) = end_sessions::end_sessions(app, &presented.user, &command).await {
        response::log_cause(&refusal);
    }
}

impl CreatedSession {
    /// The `Set-Cookie`, if there is one.
    pub fn cookie(&self) -> Option<String> {
        self.cookie.clone()
    }

    /// The answer for a program.
    pub fn json(&self, status: u16, nonce: Option<&str>, headers: &[(&str, &str)]) -> Response {
        let body = LoginResponse {
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
