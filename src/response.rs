//! Builds the guard's own responses.

use auth::decision::RefusalResponse;
use auth::refusal::Refusal;
use serde::Serialize;
use web_sys::{Headers, Response, ResponseInit};

use crate::proxy::access_log;
use crate::services::session_view::SessionView;

/// `Cache-Control` of all responses about one user.
pub const NO_STORE: (&str, &str) = ("cache-control", "no-store");

/// A response with these headers. An empty body means no body.
pub fn response(status: u16, body: &str, headers: &[(&str, &str)]) -> Response {
    let init = ResponseInit::new();
    init.set_status(status);
    if let Ok(map) = Headers::new() {
        for (name, value) in headers {
            // Fails only for an invalid header, which is then left out.
            let _ = map.append(name, value);
        }
        init.set_headers(&map);
    }
    let body = (!body.is_empty()).then_some(body);
    Response::new_with_opt_str_and_init(body, &init).unwrap_or_else(|_| Response::error())
}

/// A JSON response about one user.
pub fn json(status: u16, body: &impl Serialize, headers: &[(&str, &str)]) -> Response {
    let body = serde_json::to_string(body).unwrap_or_default();
    let all = [&[("content-type", "application/json"), NO_STORE], headers].concat();
    response(status, &body, &all)
}

/// A redirect after a form (303), to the login page (302) or to the same URL over https (308).
pub fn redirect(status: u16, location: &str, headers: &[(&str, &str)]) -> Response {
    response(status, "", &[&[("location", location), NO_STORE], headers].concat())
}

/// A refusal as problem details (RFC 9457). Its cause goes to the log, not to the client. If there are too many sessions,
/// it lists those from which the client may choose.
pub fn refusal(refusal: &Refusal) -> Response {
    shown(refusal, &refusal.headers())
}

fn shown(refusal: &Refusal, headers: &[(&str, String)]) -> Response {
    log_cause(refusal);
    if let Refusal::AdmissionLimit(live) | Refusal::SessionLimit(Some(live)) = refusal {
        let live: Vec<SessionView> = live.iter().map(SessionView::public).collect();
        return refusal_with(refusal, "sessions", &live);
    }
    let body = serde_json::to_string(&refusal.problem()).unwrap_or_default();
    problem(refusal, &body, headers)
}

/// Logs the cause of a refusal, if it has one.
pub fn log_cause(refusal: &Refusal) {
    if let Some(cause) = refusal.cause() {
        let line = serde_json::json!({ "level": "error", "code": refusal.code(), "cause": cause });
        web_sys::console::error_1(&line.to_string().into());
    }
}

/// A refusal as problem details with a member of its own (RFC 9457, section 3.2).
pub fn refusal_with(refusal: &Refusal, name: &str, member: &impl Serialize) -> Response {
    let mut body = serde_json::to_value(refusal.problem()).unwrap_or_default();
    body[name] = serde_json::to_value(member).unwrap_or_default();
    problem(refusal, &body.to_string(), &refusal.headers())
}

fn problem(refusal: &Refusal, body: &str, own: &[(&str, String)]) -> Response {
    let mut headers = vec![("content-type", "application/problem+json")];
    headers.extend(own.iter().map(|(name, value)| (*name, value.as_str())));
    let response = response(refusal.status(), body, &headers);
    access_log::set_refusal_code(&response, refusal.code());
    response
}

/// The response of a refusal: for a navigation a redirect to the login page or to https, otherwise problem details.
/// `method` is the request's.
pub fn refused(refused: &RefusalResponse, method: &str) -> Response {
    let response = match (&refused.login, &refused.https) {
        (Some(login), _) => redirect(if method == "GET" { 302 } else { 303 }, login, &[]),
        (None, Some(https)) => redirect(308, https, &[]),
        (None, None) => return shown(&refused.refusal, &refused.headers()),
    };
    access_log::set_refusal_code(&response, refused.refusal.code());
    response
}
