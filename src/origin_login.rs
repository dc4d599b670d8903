//! The origin's own login: a response with `X-Guard-Login` becomes a session, one with
//! `X-Guard-Logout` ends it. Neither header leaves the guard.

use auth::cookie;
use auth::decision::Head;
use auth::login::{Approval, Lifetimes};
use auth::refusal::Refusal;
use auth::session::Ending;
use auth::store::{Command, Which};
use js_sys::Array;
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

    #[wasm_bindgen(js_name = dropBody)]
    fn drop_body(answer: &Response);
}

/// Does what the origin's answer wishes, and gives the answer that the client gets. If it cannot be
/// done, the origin's answer would promise what is not so: the client gets the refusal.
pub async fn carry_out(app: &App, passage: Passage, answer: Response) -> Response {
    match try_carry_out(app, passage, &answer).await {
        Ok(cookies) => with_cookies(&answer, cookies.into_iter().map(JsValue::from).collect()),
        Err(refusal) => {
            drop_body(&answer);
            login::refuse(&refusal)
        }
    }
}

async fn try_carry_out(
    app: &App,
    passage: Passage,
    answer: &Response,
) -> Result<Vec<String>, Refusal> {
    let said = |name: &str| answer.headers().get(name).ok().flatten();
    let request = passage.request();
    let head = RequestHead::of(passage);
    let mut cookies = Vec::new();
    if let Some(scope) = said("x-guard-logout") {
        log_out(app, &head, &scope).await?;
        if scope.trim() != "others" {
            cookies.push(cookie::clear(&app.guard.settings().cookie_name));
        }
    }
    if let Some(json) = said("x-guard-login") {
        cookies = vec![log_in(app, &request, &head, &json).await?];
    }
    Ok(cookies)
}

async fn log_in(
    app: &App,
    request: &Request,
    head: &RequestHead,
    json: &str,
) -> Result<String, Refusal> {
    let approval = Approval::parse(json);
    let approval =
        approval.map_err(|error| Refusal::OriginUnavailable(format!("X-Guard-Login: {error}")))?;
    let settings = app.guard.settings();
    let lifetimes = Lifetimes { session: settings.session_ttl, idle: settings.idle_timeout };
    let client = request::client(request, head);
    let entry = login::enter(app, &approval, client, lifetimes, Cookie::Needed).await?;
    entry.cookie().ok_or(Refusal::OriginUnavailable("X-Guard-Login: no cookie is set here".into()))
}

/// Ends the session that the request came with, whatever else it may do.
async fn log_out(app: &App, head: &impl Head, scope: &str) -> Result<(), Refusal> {
    let Some(caller) = app.guard.caller_of(head, request::now()) else { return Ok(()) };
    let sid = caller.sid().clone();
    let which = match scope.trim() {
        "others" => Which::Others(sid),
        "global" => Which::All,
        _ => Which::One(sid),
    };
    app.guard.forget([caller.sid()]);
    let command = Command::End { which, ending: Ending::Revoked { at: request::now() } };
    sessions::end_sessions(app, caller.user(), &command).await.map(drop)
}
