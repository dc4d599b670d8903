//! Is the guard able to do its work?

use std::time::Duration;

use auth::refusal::Refusal;
use auth::store_health::NextStep;
use serde_json::json;
use web_sys::Response;
use worker::Delay;

use crate::app::App;
use crate::{request, response};

/// Between two looks at what another request is asking. None can wait for another's
/// answer itself: the platform ties it to its request.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// `GET health`: 200 when the store answers, or did within the last second; 503 when it does not.
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
