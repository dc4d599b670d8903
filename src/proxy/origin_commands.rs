//! The origin's own login: a response with `X-Guard-Login` becomes a session, one with
//! `X-Guard-Logout` ends it, and one with `X-Guard-Session-Data` changes its private data, where the rule
//! in `ROUTES` says so. None of these headers leaves the guard.

use auth::cookie::{SessionCookie, SetCookies};
use auth::http::Head;
use auth::login::AuthenticatedUser;
use auth::refusal::Refusal;
use auth::session::DataKind;
use auth::session_data::Patch;
use js_sys::Array;
use serde_json::json;
use wasm_bindgen::prelude::*;
use web_sys::Response;

use crate::app::App;
use crate::endpoints::pages::refused;
use crate::proxy::request_context::RequestContext;
use crate::request::{self, RequestHead};
use crate::services::create_session::{self, CookiePolicy};
use crate::services::logout::{self, LogoutScope};
use crate::services::{current_session, session_data};

#[wasm_bindgen(module = "/src/proxy/origin_commands.js")]
extern "C" {
    #[wasm_bindgen(js_name = withCookies)]
    fn with_cookies(response: &Response, cookies: Array) -> Response;

    #[wasm_bindgen(js_name = withoutCommands)]
    fn without_commands(response: &Response) -> Response;
}

#[wasm_bindgen(module = "/src/proxy/overlapped_request.js")]
extern "C" {
    /// Tells the origin that nobody reads its response.
    fn discard(response: &Response);
}

const LOGIN: &str = "X-Guard-Login";
const LOGOUT: &str = "X-Guard-Logout";
const DATA: &str = "X-Guard-Session-Data";

/// Obeys the commands in a response of the origin's, and returns the response for the client. If a command fails, the
/// client gets the refusal: the origin's response would say that it is logged in, or out, when it is not.
pub async fn obey(app: &App, context: RequestContext, response: Response) -> Response {
    let head = RequestHead::of(context);
    if let Err(route) = app.guard.obeys_origin(&head) {
        warn(&response, route);
        return without_commands(&response);
    }
    match try_obey(app, &head, &response).await {
        Ok(Some(cookies)) => {
            with_cookies(&response, cookies.into_iter().map(JsValue::from).collect())
        }
        Ok(None) => without_commands(&response),
        Err(refusal) => {
            discard(&response);
            refused::show(app, &head, &refusal)
        }
    }
}

/// Logs a command under a rule that allows none: a login route without `"login": true`, or an origin that lets others
/// choose its headers.
fn warn(response: &Response, route: &str) {
    let names = [LOGIN, LOGOUT, DATA].into_iter().filter(|name| command(response, name).is_some());
    let names: Vec<_> = names.collect();
    let cause = format!(
        "{}: not obeyed, because the rule of ROUTES for the request, `{route}`, does not say \
         `\"login\": true`",
        names.join(", ")
    );
    let line = json!({ "level": "warn", "code": "login_not_allowed", "cause": cause });
    web_sys::console::warn_1(&line.to_string().into());
}

fn command(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name).ok().flatten()
}

/// The cookies to set; `None` if nobody was logged in or out. All commands are parsed before any is obeyed.
async fn try_obey(
    app: &App,
    head: &RequestHead,
    response: &Response,
) -> Result<Option<Vec<String>>, Refusal> {
    let patch = command(response, DATA).map(|json| Patch::parse(&json)).transpose();
    let patch = patch.map_err(|_| unusable(DATA, "it must be a JSON object, a merge patch"))?;
    let scope = command(response, LOGOUT).map(|scope| scope_of(app, &scope)).transpose()?;
    let user = command(response, LOGIN)
        .map(|json| AuthenticatedUser::parse(&json, app.guard.login_terms()));
    let user = user.transpose().map_err(|error| unusable(LOGIN, &error.to_string()))?;
    if let Some(scope) = scope {
        log_out(app, head, scope).await?;
    }
    match (user, scope, patch) {
        (Some(mut user), _, patch) => {
            if let Some(patch) = patch {
                let data = patch.apply(user.data.as_deref());
                user.data = Some(data.map_err(|why| unusable(DATA, why))?);
            }
            Ok(Some(log_in(app, head, &user).await?.into_lines()))
        }
        // A session that has ended has no data.
        (None, Some(LogoutScope::Local | LogoutScope::Global), _) => {
            let clear = app.guard.cookie_at(head).map(SessionCookie::clear);
            Ok(Some(clear.map_or(Vec::new(), SetCookies::into_lines)))
        }
        (None, scope, patch) => {
            if let Some(patch) = patch {
                change_data(app, head, &patch).await?;
            }
            Ok(scope.map(|_| Vec::new()))
        }
    }
}

async fn log_in(
    app: &App,
    head: &RequestHead,
    user: &AuthenticatedUser,
) -> Result<SetCookies, Refusal> {
    if !app.guard.sets_cookie(head) {
        return Err(unusable(LOGIN, "no cookie is set at this host"));
    }
    // Whether the user asked for it, only the answer says.
    let lifetimes = app.guard.lifetimes(user, false);
    let client = request::client(head);
    // The new token goes into the cookie, so it replaces only the cookie's session.
    let mut presented = create_session::presented_sessions(app, head);
    presented.retain(|session| session.in_cookie);
    let created =
        create_session::create(app, user, client, lifetimes, CookiePolicy::Required, &presented)
            .await?;
    created.cookie.ok_or(unusable(LOGIN, "no cookie is set here"))
}

/// Merges a patch into the private data of the request's session. Without a live session there is nothing to change.
async fn change_data(app: &App, head: &impl Head, patch: &Patch) -> Result<(), Refusal> {
    let Some(caller) = app.guard.principal_of(head, request::now()) else { return Ok(()) };
    let changed = match current_session::check(app, &caller, None).await {
        Ok(session) => {
            session_data::apply_patch(app, caller.user(), session, DataKind::Data, patch)
                .await
                .map(drop)
        }
        Err(refusal) => Err(refusal),
    };
    match changed {
        Err(Refusal::Session(_)) => Ok(()),
        Err(Refusal::BadRequest(why)) => Err(unusable(DATA, why)),
        changed => changed,
    }
}

/// A command that cannot be obeyed, and why, for the log.
fn unusable(header: &str, why: &str) -> Refusal {
    Refusal::OriginUnavailable(format!("{header}: {why}"))
}

/// The header's scope. `true` and an empty value leave it to `LOGOUT_ALL_SESSIONS`.
fn scope_of(app: &App, header: &str) -> Result<LogoutScope, Refusal> {
    match header.trim() {
        "true" | "" => Ok(LogoutScope::default_of(app)),
        text => LogoutScope::named(text)
            .ok_or_else(|| unusable(LOGOUT, "it must be `true`, `local`, `others` or `global`")),
    }
}

/// Ends the request's sessions, even if their tokens have expired. Ends the user's others only if the request's own is
/// live: whoever is logged out already must not log others out.
async fn log_out(app: &App, head: &impl Head, scope: LogoutScope) -> Result<(), Refusal> {
    if scope == LogoutScope::Others {
        let Some(caller) = app.guard.principal_of(head, request::now()) else { return Ok(()) };
        return match logout::log_out_others(app, &caller, None).await {
            Err(Refusal::Session(_)) => Ok(()),
            outcome => outcome,
        };
    }
    for held in app.guard.presented_sessions_anyhow(head, request::now()) {
        logout::log_out(app, &held, scope == LogoutScope::Global).await?;
    }
    Ok(())
}
