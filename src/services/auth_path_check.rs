//! In monitor mode, asks the origin whether `AUTH_PATH` hides paths of its own.

use std::rc::Rc;
use std::time::Duration;

use auth::auth_path_check::{USER_AGENT, paths, warning};
use auth::config::{Mode, Origin};
use auth::http::Target;
use auth::session::Sid;
use serde_json::json;
use wasm_bindgen::prelude::*;

use crate::app::App;
use crate::fetch::{self, OwnRequest};
use crate::promise::{self, Answering};
use crate::request;
use crate::services::background;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Asks once per isolate, after the response to the request for this URL.
pub fn look_once(app: &Rc<App>, url: &str) {
    let settings = app.guard.settings();
    if settings.mode == Mode::Monitor && !app.checked_auth_path.replace(true) {
        let site = match &settings.origin {
            Origin::Url(site) => site.clone(),
            Origin::Zone | Origin::Worker => Target::site_of(url).to_owned(),
        };
        background::run_after_response(look(Rc::clone(app), site));
    }
}

/// Logs a warning if the origin has something there. If it is unreachable, other log lines say so.
async fn look(app: Rc<App>, site: String) {
    let auth_path = &app.guard.settings().auth_path;
    let Ok(nowhere) = request::random().map(Sid::from_random) else { return };
    let nowhere = format!("/{}", nowhere.as_str());
    let asked = [nowhere].into_iter().chain(paths(auth_path));
    let asked = asked.map(|path| -> Answering<'_, Result<u16, JsValue>> {
        Box::pin(status_of(&app, format!("{site}{path}")))
    });
    let statuses: Result<Vec<u16>, JsValue> =
        promise::all(asked.collect()).await.into_iter().collect();
    if let Ok([nothing, statuses @ ..]) = statuses.as_deref()
        && let Some(cause) = warning(auth_path, *nothing, statuses)
    {
        let line = json!({ "level": "warn", "code": "auth_path_taken", "cause": cause });
        web_sys::console::warn_1(&line.to_string().into());
    }
}

async fn status_of(app: &App, url: String) -> Result<u16, JsValue> {
    let headers = &[("user-agent", USER_AGENT)];
    let request = OwnRequest { method: "GET", url: &url, headers, body: None, past_caches: false };
    let answer = request.send(app.origin.as_ref(), Some(&fetch::time_limit(TIMEOUT))).await?;
    fetch::discard(&answer).await;
    Ok(answer.status_code())
}
