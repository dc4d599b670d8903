//! A login: the credentials go to the origin, a session into the store, a token to the client.

use std::time::Duration;

use auth::cookie;
use auth::decision::Head;
use auth::event::Event;
use auth::form::Form;
use auth::limit::LimitPolicy;
use auth::login::{self, Answer, Approval, Attempt, Client, Lifetimes, Proof};
use auth::redirect::LocalTarget;
use auth::refusal::{ClaimsBy, Refusal};
use auth::session::{Ending, Session, Sid, Subject};
use auth::store::{Command, Which};
use auth::token::{Authentic, Grant};
use js_sys::{Promise, Reflect};
use serde::Serialize;
use serde_json::{Map, Value};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Request, Response};

use crate::config::App;
use crate::login_rate::Counted;
use crate::request::{self, RequestHead};
use crate::sessions::SessionView;
use crate::{events, forward, issuers, login_rate, pages, response, sessions};

#[wasm_bindgen(module = "/src/login.js")]
extern "C" {
    #[wasm_bindgen(js_name = postCredentials)]
    fn post_credentials(url: &str, json: &str, proof: Option<&str>, timeout: u32) -> Promise;
}

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

/// `POST login`: JSON is answered with the token, a form with a redirect; both set the cookie.
pub async fn log_in(app: &App, request: &Request, head: &RequestHead) -> Response {
    let form = match Form::of(head.header("content-type").as_deref()) {
        Some(form) => form,
        None => return response::refusal(&UNKNOWN_FORM),
    };
    if form == Form::Page && !app.guard.settings().token_sources.cookie {
        return response::refusal(&NO_COOKIE);
    }
    let attempt = match attempt(app, request, head, form).await {
        Ok(attempt) => attempt,
        Err(refusal) => return response::refusal(&refusal),
    };
    let outcome = match login_rate::count(app, head, &attempt.proof).await {
        Ok(counted) => try_log_in(app, request, head, form, &attempt, counted).await,
        Err(refusal) => Err(refusal),
    };
    match (form, outcome) {
        (Form::Json, Ok(entry)) => {
            let clear = cookie::clear(&app.guard.settings().cookie_name);
            // An older session's would be sent beside the new token.
            let headers = match entry.cookie.is_none() && app.guard.has_cookie(head) {
                true => vec![("set-cookie", clear.as_str())],
                false => entry.set_cookie(),
            };
            entry.json(200, attempt.proof.nonce(), &headers)
        }
        (Form::Page, Ok(entry)) => entry.redirect(attempt.redirect),
        (
            Form::Page,
            Err(
                refusal @ (Refusal::CredentialsInvalid
                | Refusal::SessionLimit(_)
                | Refusal::TooManyAttempts { .. }),
            ),
        ) => pages::login_again(app, &attempt, &refusal),
        (_, Err(refusal)) => refuse(&refusal),
    }
}

/// A refusal; where a client is asked which sessions to end, with them.
pub fn refuse(refusal: &Refusal) -> Response {
    match refusal {
        Refusal::SessionLimit(Some(live)) => {
            let sessions: Vec<_> = live.iter().map(SessionView::public).collect();
            response::refusal_with(refusal, "sessions", &sessions)
        }
        refusal => response::refusal(refusal),
    }
}

const UNKNOWN_FORM: Refusal = Refusal::BadRequest(
    "Send the login as `application/json` or `application/x-www-form-urlencoded`.",
);

const NO_COOKIE: Refusal =
    Refusal::BadRequest("No cookie is set here; send the login as `application/json`.");

async fn attempt(
    app: &App,
    request: &Request,
    head: &RequestHead,
    form: Form,
) -> Result<Attempt, Refusal> {
    let settings = app.guard.settings();
    let with_issuers = !settings.trusted_issuers.is_empty();
    if settings.login_url.is_none() && !with_issuers {
        return Err(Refusal::NotFound);
    }
    app.guard.refuse_other_origins(head)?;
    let body = request::body(request).await;
    let body = body.map_err(|_| Refusal::BadRequest(request::UNREADABLE))?;
    Attempt::parse(form, &body, with_issuers).map_err(Refusal::BadRequest)
}

/// A session that has begun, and its token.
pub struct Entry {
    token: String,
    lifetime: Duration,
    /// `None` if the token is too large for one, or none is wanted.
    cookie: Option<String>,
    session: Session,
    ended: Vec<Session>,
}

async fn try_log_in(
    app: &App,
    request: &Request,
    head: &RequestHead,
    form: Form,
    attempt: &Attempt,
    counted: Counted,
) -> Result<Entry, Refusal> {
    let (mut approval, claimed) = match &attempt.proof {
        Proof::Credentials(fields) => (approve(app, fields).await?, None),
        Proof::IdToken { token, nonce } => {
            let (approval, claimed) = issuers::approve(app, token, nonce.as_deref()).await?;
            (approval, Some(claimed))
        }
    };
    // Whoever is approved has guessed nothing, even if there is no room for another session.
    let taken_back = counted.take_back(app);
    approval.end.extend_from_slice(&attempt.end);
    let settings = app.guard.settings();
    let lifetimes = Lifetimes { session: settings.session_ttl, idle: settings.idle_timeout };
    let cookie = if form == Form::Page { Cookie::Needed } else { Cookie::Wanted };
    let held = held(app, head);
    let client = request::client(request, head);
    let entry = enter(app, &approval, client, lifetimes, cookie, &held).await;
    if let (Some(claimed), Err(_)) = (&claimed, &entry) {
        claimed.withdraw(app).await;
    }
    taken_back.done().await;
    entry
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
    let held = app.guard.held_at_login(head).into_iter();
    let of = |(session, in_cookie): (Authentic, bool)| Held {
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
    approval: &Approval,
    client: Client,
    lifetimes: Lifetimes,
    cookie_is: Cookie,
    held: &[Held],
) -> Result<Entry, Refusal> {
    let settings = app.guard.settings();
    let now = request::now();
    let random = [request::random()?, request::random()?];
    let session = login::begin(approval, client, lifetimes, random, now);
    // Token and cookie are made first: a login that leads nowhere must not end other sessions.
    let lifetime = app.guard.token_lifetime(&session, now);
    let grant = Grant {
        sub: &approval.sub,
        sid: &session.sid,
        jti: &session.jti,
        public: &approval.claims,
        now,
        lifetime,
    };
    let token = app.guard.tokens().issue(&grant);
    let by = approval.issued.as_ref().map_or(ClaimsBy::Origin, |_| ClaimsBy::Issuer);
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
    let limit = limit.for_device(session.device, policy, app.guard.token_reach());
    // Who may not end a session by logging in may not choose one either.
    let mut end = if policy == LimitPolicy::Deny { Vec::new() } else { approval.end.clone() };
    let (own, others): (Vec<&Held>, Vec<_>) = held.iter().partition(|it| it.user == approval.sub);
    end.extend(own.iter().map(|held| held.sid.clone()));
    let command = Command::Open { session: Box::new(session.clone()), limit, end, now };
    if let Some(issued) = &approval.issued {
        issuers::note_user(app, issued, &approval.sub, session.expires).await?;
    }
    let ended = match sessions::end_sessions(app, &approval.sub, &command).await {
        Err(Refusal::SessionLimit(_)) if policy == LimitPolicy::Deny => {
            return Err(Refusal::SessionLimit(None));
        }
        ended => ended?,
    };
    events::emit(app, &approval.sub, &[Event::created(&session)]);
    if let Some(issued) = &approval.issued {
        issuers::end_if_over(app, issued, &approval.sub, &session).await?;
    }
    for held in others.into_iter().filter(|held| held.in_cookie && cookie.is_some()) {
        end_held(app, held).await;
    }
    Ok(Entry { token, lifetime, cookie, session, ended })
}

/// Ends another user's session in the same browser. The login has succeeded, whatever comes of this.
async fn end_held(app: &App, held: &Held) {
    let which = Which::One(held.sid.clone());
    let command = Command::End { which, ending: Ending::Revoked { at: request::now() } };
    if let Err(refusal) = sessions::end_sessions(app, &held.user, &command).await {
        response::log_cause(&refusal);
    }
}

/// Asks the origin whether the credentials are good.
async fn approve(app: &App, fields: &Map<String, Value>) -> Result<Approval, Refusal> {
    let settings = app.guard.settings();
    let url = settings.login_url.as_deref();
    let url =
        url.ok_or(Refusal::BadRequest("Log in with the `id_token` of your identity provider."))?;
    let timeout = u32::try_from(settings.origin_timeout.as_millis()).unwrap_or(u32::MAX);
    let fields = serde_json::to_string(fields).unwrap_or_default();
    let proof = app.guard.tokens().login_proof(url, &fields, request::now());
    let proof = proof.map_err(|error| Refusal::Failed(error.to_string()))?;
    let promise = post_credentials(url, &fields, proof.as_deref(), timeout);
    let reply = JsFuture::from(promise).await.map_err(|error| {
        let get = |name: &str| Reflect::get(&error, &name.into()).ok();
        let timed_out = get("timedOut").is_some_and(|value| value.is_truthy());
        let message = get("message").and_then(|text| text.as_string()).unwrap_or_default();
        forward::failure(timed_out, format!("LOGIN_URL: {message}"))
    })?;
    let get = |name: &str| Reflect::get(&reply, &name.into()).ok();
    let status = get("status").and_then(|status| status.as_f64()).unwrap_or_default();
    let body = get("body").and_then(|body| body.as_string()).unwrap_or_default();
    let retry_after = get("retryAfter").and_then(|seconds| seconds.as_string());
    let answer = Answer { status: status as u16, retry_after: retry_after.as_deref(), body: &body };
    answer.read(&settings.trusted_issuers)
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

    fn redirect(&self, target: Option<LocalTarget>) -> Response {
        let target = target.unwrap_or(LocalTarget::root());
        response::redirect(303, target.as_str(), &self.set_cookie())
    }

    fn set_cookie(&self) -> Vec<(&str, &str)> {
        self.cookie.iter().map(|cookie| ("set-cookie", cookie.as_str())).collect()
    }
}
