//! The origin's own login: a response with `X-Guard-Login` becomes a session, one with
//! `X-Guard-Logout` ends it, and one with `X-Guard-Session-Data` changes its private data, where the rule
//! in `ROUTES` says so. None of these headers leaves the guard.

use auth::cookie;
use auth::decision::Head;
use auth::login::{AuthenticatedUser, SessionLifetimes};
use auth::refusal::Refusal;
use auth::session::DataKind;
use auth::session_data::Patch;
use auth::store::{Command, SessionSelector};
use js_sys::Array;
use serde_json::json;
use wasm_bindgen::prelude::*;
use web_sys::{Request, Response};

use crate::app::App;
use crate::endpoints::login;
use crate::proxy::request_context::RequestContext;
use crate::request::{self, RequestHead};
use crate::services::create_session;
use crate::services::create_session::Cookie;
use crate::services::end_sessions;
use crate::services::find_session;
use crate::services::session_data;

#[wasm_bindgen(module = "/src/proxy/origin_commands.js")]
extern "C" {
    #[wasm_bindgen(js_name = withCookies)]
    fn with_cookies(answer: &Response, cookies: Array) -> Response;

    #[wasm_bindgen(js_name = withoutWishes)]
    fn without_wishes(answer: &Response) -> Response;

    #[wasm_bindgen(js_name = dropBody)]
    fn drop_body(answer: &Response);
}

const LOGIN: &str = "X-Guard-Login";
const LOGOUT: &str = "X-Guard-Logout";
const DATA: &str = "X-Guard-Session-Data";

/// Does what the origin's answer wishes, and gives the answer that the client gets. If it cannot be
/// done, the origin's answer would promise what is not so: the client gets the refusal.
pub async fn carry_out(app: &App, passage: RequestContext, answer: Response) -> Response {
    let request = passage.request();
    let head = RequestHead::of(passage);
    if let Err(route) = app.guard.obeys_origin(&head) {
        warn(&answer, route);
        return without_wishes(&answer);
    }
    match try_carry_out(app, &request, &head, &answer).await {
        Ok(Some(cookies)) => {
            with_cookies(&answer, cookies.into_iter().map(JsValue::from).collect())
        }
        Ok(None) => without_wishes(&answer),
        Err(refusal) => {
            drop_body(&answer);
            login::refuse(&refusal)
        }
    }
}

/// Tells the operator of a login route that was forgotten, or of an origin that lets others choose
/// its headers.
fn warn(answer: &Response, route: &str) {
    let names = [LOGIN, LOGOUT, DATA].into_iter().filter(|name| said(answer, name).is_some());
    let names: Vec<_> = names.collect();
    let cause = format!(
        "{}: not obeyed, because the rule of ROUTES for the request, `{route}`, does not say \
         `\"login\": true`",
        names.join(", ")
    );
    let line = json!({ "level": "warn", "code": "login_not_allowed", "cause": cause });
    web_sys::console::warn_1(&line.to_string().into());
}

fn said(answer: &Response, name: &str) -> Option<String> {
    answer.headers().get(name).ok().flatten()
}

/// The cookies to be set; `None` if nobody was logged in or out. What cannot be read is found out before
/// anything is done.
async fn try_carry_out(
    app: &App,
    request: &Request,
    head: &RequestHead,
    answer: &Response,
) -> Result<Option<Vec<String>>, Refusal> {
    let settings = app.guard.settings();
    let patch = said(answer, DATA).map(|json| Patch::parse(&json)).transpose();
    let patch = patch.map_err(|_| unusable(DATA, "it must be a JSON object, a merge patch"))?;
    let scope = said(answer, LOGOUT).map(|scope| Scope::of(app, &scope)).transpose()?;
    let approval =
        said(answer, LOGIN).map(|json| AuthenticatedUser::parse(&json, &settings.trusted_issuers));
    let approval = approval.transpose().map_err(|error| unusable(LOGIN, &error.to_string()))?;
    if let Some(scope) = scope {
        log_out(app, head, scope).await?;
    }
    match (approval, scope, patch) {
        (Some(mut approval), _, patch) => {
            if let Some(patch) = patch {
                let data = patch.apply(approval.data.as_deref());
                approval.data = Some(data.map_err(|why| unusable(DATA, why))?);
            }
            Ok(Some(vec![log_in(app, request, head, &approval).await?]))
        }
        // What is over has no data any more.
        (None, Some(Scope::Local | Scope::Global), _) => {
            Ok(Some(vec![cookie::clear(&settings.cookie_name)]))
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
    request: &Request,
    head: &RequestHead,
    approval: &AuthenticatedUser,
) -> Result<String, Refusal> {
    let settings = app.guard.settings();
    let lifetimes = SessionLifetimes { session: settings.session_ttl, idle: settings.idle_timeout };
    let client = request::client(request, head);
    // Who came with another token than the cookie's keeps it: the new one is in the cookie only.
    let mut held = create_session::held(app, head);
    held.retain(|held| held.in_cookie);
    let entry =
        create_session::enter(app, approval, client, lifetimes, Cookie::Needed, &held).await?;
    entry.cookie().ok_or(unusable(LOGIN, "no cookie is set here"))
}

/// Merges a patch into what the origin knows of the session that the request came with. Without a live
/// one there is nothing to change: nobody was promised anything.
async fn change_data(app: &App, head: &impl Head, patch: &Patch) -> Result<(), Refusal> {
    let Some(caller) = app.guard.principal_of(head, request::now()) else { return Ok(()) };
    let changed = match find_session::look(app, &caller).await {
        Ok(session) => {
            session_data::change(app, caller.user(), session, DataKind::Data, patch).await.map(drop)
        }
        Err(refusal) => Err(refusal),
    };
    match changed {
        Err(Refusal::Session(_)) => Ok(()),
        Err(Refusal::BadRequest(why)) => Err(unusable(DATA, why)),
        changed => changed,
    }
}

/// The origin's answer cannot be obeyed; for the log.
fn unusable(header: &str, why: &str) -> Refusal {
    Refusal::OriginUnavailable(format!("{header}: {why}"))
}

/// What the origin wants ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// The session that the request came with.
    Local,
    /// The user's other sessions.
    Others,
    /// All of the user's.
    Global,
}

impl Scope {
    fn of(app: &App, header: &str) -> Result<Self, Refusal> {
        match header.trim() {
            "true" | "" if app.guard.settings().logout_all => Ok(Self::Global),
            "true" | "" | "local" => Ok(Self::Local),
            "others" => Ok(Self::Others),
            "global" => Ok(Self::Global),
            _ => Err(unusable(LOGOUT, "it must be `true`, `local`, `others` or `global`")),
        }
    }
}

/// Ends the sessions that the request came with, whatever else it may do; others only if that one is
/// live, because whoever is logged out already may not log the others out.
async fn log_out(app: &App, head: &impl Head, scope: Scope) -> Result<(), Refusal> {
    if scope == Scope::Others {
        let Some(caller) = app.guard.principal_of(head, request::now()) else { return Ok(()) };
        return match find_session::look(app, &caller).await {
            Ok(_) => {
                let which = SessionSelector::Others(caller.sid().clone());
                let command = Command::End { which, ending: end_sessions::revoked() };
                end_sessions::end_sessions(app, caller.user(), &command).await.map(drop)
            }
            Err(Refusal::Session(_)) => Ok(()),
            Err(refusal) => Err(refusal),
        };
    }
    for held in app.guard.presented_sessions_anyhow(head, request::now()) {
        end_sessions::log_out_of(app, &held, scope == Scope::Global).await?;
    }
    Ok(())
}
