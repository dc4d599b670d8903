//! Builds the guard's own responses.

use auth::decision::RefusalResponse;
use auth::refusal::{Problem, Refusal};
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
    shown(refusal, refusal.status(), &refusal.headers())
}

fn shown(refusal: &Refusal, status: u16, headers: &[(&str, String)]) -> Response {
    log_cause(refusal);
    let problem = Problem { status, ..refusal.problem() };
    let body = match refusal {
        Refusal::AdmissionLimit(live) | Refusal::SessionLimit { live, may_end: true } => {
            let live: Vec<SessionView> = live.iter().map(SessionView::public).collect();
            let mut body = serde_json::to_value(problem).unwrap_or_default();
            body["sessions"] = serde_json::to_value(live).unwrap_or_default();
            body.to_string()
        }
        _ => serde_json::to_string(&problem).unwrap_or_default(),
    };
    respond_with(refusal, status, &body, headers)
}

/// Logs the cause of a refusal, if it has one.
pub fn log_cause(refusal: &Refusal) {
    if let Some(cause) = refusal.cause() {
        let line = serde_json::json!({ "level": "error", "code": refusal.code(), "cause": cause });
        web_sys::console::error_1(&line.to_string().into());
    }
}

fn respond_with(refusal: &Refusal, status: u16, body: &str, own: &[(&str, String)]) -> Response {
    let mut headers = vec![("content-type", "application/problem+json")];
    headers.extend(own.iter().map(|(name, value)| (*name, value.as_str())));
    let response = response(status, body, &headers);
    access_log::set_refusal_code(&response, refusal.code());
    response
}

/// The response of a refusal: for a navigation a redirect to the login page or to https, otherwise problem details.
/// `method` is the request's.
pub fn refused(refused: &RefusalResponse, method: &str) -> Response {
    let Some((status, location)) = refused.redirect(method) else {
        return shown(&refused.refusal, refused.status(), &refused.headers());
    };
    let response = redirect(status, location, &[]);
    access_log::set_refusal_code(&response, refused.refusal.code());
    response
}
