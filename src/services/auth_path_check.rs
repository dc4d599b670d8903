//! In monitor mode, checks whether the origin serves paths below `AUTH_PATH`, which the guard would hide.

use std::rc::Rc;
use std::time::Duration;

use auth::auth_path_check::{USER_AGENT, paths, warning};
use auth::config::{Mode, Origin};
use auth::http::Target;
use auth::session::Sid;
use serde_json::json;
use wasm_bindgen::prelude::*;

use crate::app::App;
use crate::fetch::{self, Subrequest};
use crate::promise::{self, LocalBoxFuture};
use crate::request;
use crate::services::background;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Checks once per isolate, after the response to the request for this URL.
pub fn run_once(app: &Rc<App>, url: &str) {
    let settings = app.guard.settings();
    if settings.mode == Mode::Monitor && !app.checked_auth_path.replace(true) {
        let site = match &settings.origin {
            Origin::Url(site) => site.clone(),
            Origin::Zone | Origin::Worker => Target::site_of(url).to_owned(),
        };
        background::run_after_response(run(Rc::clone(app), site));
    }
}

/// Logs a warning if the origin serves one of the paths. An unreachable origin is logged elsewhere.
async fn run(app: Rc<App>, site: String) {
    let auth_path = &app.guard.settings().auth_path;
    let Ok(missing_path) = request::random().map(Sid::from_random) else { return };
    let missing_path = format!("/{}", missing_path.as_str());
    let requests = [missing_path].into_iter().chain(paths(auth_path));
    let requests = requests.map(|path| -> LocalBoxFuture<'_, Result<u16, JsValue>> {
        Box::pin(status_of(&app, format!("{site}{path}")))
    });
    let statuses: Result<Vec<u16>, JsValue> =
        promise::all(requests.collect()).await.into_iter().collect();
    if let Ok([missing_status, statuses @ ..]) = statuses.as_deref()
        && let Some(cause) = warning(auth_path, *missing_status, statuses)
    {
        let line = json!({ "level": "warn", "code": "auth_path_taken", "cause": cause });
        web_sys::console::warn_1(&line.to_string().into());
    }
}

async fn status_of(app: &App, url: String) -> Result<u16, JsValue> {
    let headers = &[("user-agent", USER_AGENT)];
    let request = Subrequest { method: "GET", url: &url, headers, body: None, bypass_cache: false };
    let answer = request.send(app.origin.as_ref(), Some(&fetch::time_limit(TIMEOUT))).await?;
    fetch::discard(&answer).await;
    Ok(answer.status_code())
}
