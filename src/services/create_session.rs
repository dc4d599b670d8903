//! Creates a session for an authenticated user. Every kind of login goes through here.

use std::time::Duration;

use auth::cookie::SetCookies;
use auth::event::Event;
use auth::limit::LimitPolicy;
use auth::login::{self, AuthenticatedUser, ClientInfo, SessionLifetimes};
use auth::redirect::LocalTarget;
use auth::refusal::{ClaimsSource, Refusal};
use auth::session::{Session, Sid, Subject};
use auth::store::{Command, SessionSelector};
use auth::token::{AuthenticToken, TokenGrant};
use serde::Serialize;
use web_sys::Response;

use crate::app::App;
use crate::request::{self, RequestHead};
use crate::response;
use crate::services::session_view::SessionView;
use crate::services::{end_sessions, federated_login, session_events};

/// The response to a login (RFC 6749, section 5.1), with the new session and the sessions it ended.
#[derive(Serialize)]
struct LoginResponse<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u64,
    session: SessionView,
    ended: Vec<SessionView>,
    /// The request's nonce, which equals the ID token's. The client matches the response to its request by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
}

/// A new session and its token.
pub struct CreatedSession {
    token: String,
    lifetime: Duration,
    /// What sets its cookie; `None` if the token is too large or `TOKEN_SOURCES` has no cookie.
    pub cookie: Option<SetCookies>,
    session: Session,
    ended: Vec<Session>,
}

/// Whether a login succeeds if its token is too large for a cookie.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum CookiePolicy {
    /// The login is refused, because the client gets the token only in the cookie.
    Required,
    /// The login succeeds without a cookie.
    Optional,
    /// The host of the login has no cookie.
    Never,
}

/// A session whose token the login request carries. The new session replaces it.
pub struct PresentedSession {
    user: Subject,
    sid: Sid,
    /// Whether its token is in the session cookie, which the new one overwrites.
    pub in_cookie: bool,
}

/// The sessions of the tokens in a login request that the guard's keys have signed.
pub fn presented_sessions(app: &App, head: &RequestHead) -> Vec<PresentedSession> {
    let presented = app.guard.sessions_at_login(head).into_iter();
    let of = |(session, in_cookie): (AuthenticToken, bool)| PresentedSession {
        user: session.sub().clone(),
        sid: session.sid().clone(),
        in_cookie,
    };
    presented.map(of).collect()
}

/// Creates a session for an authenticated user. It replaces the presented sessions of the same user, whatever the
/// limit policy. Afterwards it ends another user's session whose cookie it overwrites: the browser could neither use
/// nor end that session any more.
///
/// # Errors
/// The refusal for the client; no session was created, or its creation is unconfirmed.
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
    // Token and cookie are made first: a login that fails must not end other sessions.
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
    let uses_cookie = settings.token_sources.cookie && cookie_policy != CookiePolicy::Never;
    let cookie = settings
        .session_cookie
        .set(&token, session.cookie_max_age(lifetime))
        .filter(|_| uses_cookie);
    if cookie.is_none() && cookie_policy == CookiePolicy::Required {
        let cause = "the claims make a cookie of more than 4,096 bytes, which browsers drop";
        return Err(too_large(cause.into()));
    }
    let policy = authenticated.policy.unwrap_or(settings.limit_policy);
    let limit = authenticated.session_limit.as_ref().unwrap_or(&settings.session_limit);
    let limit = limit.for_device(session.device, policy, app.guard.token_acceptance_window());
    // Under `deny`, a login must not end sessions, so it must not choose any either.
    let mut end = if policy == LimitPolicy::Deny { Vec::new() } else { authenticated.end.clone() };
    let (own, others): (Vec<&PresentedSession>, Vec<_>) =
        presented.iter().partition(|it| it.user == authenticated.sub);
    end.extend(own.iter().map(|presented| presented.sid.clone()));
    let command = Command::Open { session: Box::new(session.clone()), limit, end, now };
    if let Some(issued) = &authenticated.issued {
        federated_login::record_user(app, issued, &authenticated.sub, session.expires).await?;
    }
    let ended = match end_sessions::end_sessions(app, &authenticated.sub, &command).await {
        Err(Refusal::SessionLimit { live, .. }) => {
            return Err(Refusal::SessionLimit { live, may_end: policy != LimitPolicy::Deny });
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

/// Ends another user's session in the same browser. If that fails, the login still succeeds.
async fn end_session_of_other_user(app: &App, presented: &PresentedSession) {
    let which = SessionSelector::One(presented.sid.clone());
    if let Err(refusal) = end_sessions::revoke(app, &presented.user, which).await {
        response::log_cause(&refusal);
    }
}

impl CreatedSession {
    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The JSON response to an API client.
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

    /// The `Set-Cookie` headers, if there are any.
    pub fn set_cookie(&self) -> Vec<(&str, &str)> {
        self.cookie.as_ref().map_or(Vec::new(), SetCookies::headers)
    }
}
