//! Is the guard able to do its work?

use auth::refusal::Refusal;
use auth::store_health::NextStep;
use serde_json::json;
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

use crate::app::App;
use crate::request;
use crate::response;
use crate::services::background;

/// Milliseconds between two looks at what another request is asking. None can wait for another's
/// answer itself: the platform ties it to its request.
const LOOK_AGAIN: u32 = 20;

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
            NextStep::Wait => drop(JsFuture::from(background::pause(LOOK_AGAIN)).await),
        }
    };
    match verdict {
        Ok(()) => response::json(200, &json!({ "status": "ok" }), &[]),
        Err(error) => response::refusal(&Refusal::StoreUnavailable(error)),
    }
}
