//! The health check.

use std::time::Duration;

use auth::refusal::Refusal;
use auth::store_health::NextStep;
use serde_json::json;
use web_sys::Response;
use worker::Delay;

use crate::app::App;
use crate::{request, response};

/// How often a request checks whether another request's ping has returned. It cannot await that ping, because the
/// platform ties I/O to the request that started it.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// `GET health`: 200 if the store responds, or did so within the last second; 503 otherwise.
pub async fn show(app: &App) -> Response {
    let verdict = loop {
        match app.health.look(request::now()) {
            NextStep::Known(verdict) => break verdict,
            NextStep::Ask => {
                let verdict = app.store.ping().await;
                app.health.answered(verdict.clone(), request::now());
                break verdict;
            }
            NextStep::Wait => Delay::from(POLL_INTERVAL).await,
        }
    };
    match verdict {
        Ok(()) => response::json(200, &json!({ "status": "ok" }), &[]),
        Err(error) => response::refusal(&Refusal::StoreUnavailable(error)),
    }
}
