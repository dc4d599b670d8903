//! The origin's own login: a response with `X-Guard-Login` becomes a session, one with
//! `X-Guard-Logout` ends it, where the rule in `ROUTES` says so. Neither header leaves the guard.

use auth::cookie;
use auth::decision::Head;
use auth::login::{Approval, Lifetimes};
use auth::refusal::Refusal;
use auth::store::{Command, Which};
use js_sys::Array;
use serde_json::json;
use wasm_bindgen::prelude::*;
use web_sys::{Request, Response};

use crate::config::App;
use crate::login::Cookie;
use crate::passage::Passage;
use crate::request::{self, RequestHead};
use crate::{login, sessions};

#[wasm_bindgen(module = "/src/origin_login.js")]
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

/// Does what the origin's answer wishes, and gives the answer that the client gets. If it cannot be
/// done, the origin's answer would promise what is not so: the client gets the refusal.
pub async fn carry_out(app: &App, passage: Passage, answer: Response) -> Response {
    let request = passage.request();
    let head = RequestHead::of(passage);
    if let Err(route) = app.guard.obeys_origin(&head) {
        warn(&answer, route);
        return without_wishes(&answer);
    }
    match try_carry_out(app, &request, &head, &answer).await {
        Ok(cookies) => with_cookies(&answer, cookies.into_iter().map(JsValue::from).collect()),
        Err(refusal) => {
            drop_body(&answer);
            login::refuse(&refusal)
        }
    }
}

/// Tells the operator of a login route that was forgotten, or of an origin that lets others choose
/// its headers.
fn warn(answer: &Response, route: &str) {
    let names = [LOGIN, LOGOUT].into_iter().filter(|name| said(answer, name).is_some());
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

async fn try_carry_out(
    app: &App,
    request: &Request,
    head: &RequestHead,
    answer: &Response,
) -> Result<Vec<String>, Refusal> {
    let mut cookies = Vec::new();
    if let Some(scope) = said(answer, LOGOUT) {
        let scope = Scope::of(app, &scope)?;
        log_out(app, head, scope).await?;
        if scope != Scope::Others {
            cookies.push(cookie::clear(&app.guard.settings().cookie_name));
        }
    }
    if let Some(json) = said(answer, LOGIN) {
        cookies = vec![log_in(app, request, head, &json).await?];
    }
    Ok(cookies)
}

async fn log_in(
    app: &App,
    request: &Request,
    head: &RequestHead,
    json: &str,
) -> Result<String, Refusal> {
    let settings = app.guard.settings();
    let approval = Approval::parse(json, &settings.trusted_issuers);
    let approval = approval.map_err(|error| unusable(LOGIN, &error.to_string()))?;
    let lifetimes = Lifetimes { session: settings.session_ttl, idle: settings.idle_timeout };
    let client = request::client(request, head);
    let entry = login::enter(app, &approval, client, lifetimes, Cookie::Needed).await?;
    entry.cookie().ok_or(unusable(LOGIN, "no cookie is set here"))
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
        let Some(caller) = app.guard.caller_of(head, request::now()) else { return Ok(()) };
        return match sessions::look(app, &caller).await {
            Ok(_) => {
                let which = Which::Others(caller.sid().clone());
                let command = Command::End { which, ending: sessions::revoked() };
                sessions::end_sessions(app, caller.user(), &command).await.map(drop)
            }
            Err(Refusal::Session(_)) => Ok(()),
            Err(refusal) => Err(refusal),
        };
    }
    for held in app.guard.held_anyhow(head, request::now()) {
        sessions::log_out_of(app, &held, scope == Scope::Global).await?;
    }
    Ok(())
}
