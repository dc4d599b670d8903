//! Is the guard able to do its work?

use auth::refusal::Refusal;
use serde_json::json;
use web_sys::Response;

use crate::config::App;
use crate::response;

/// `GET health`: 200 when the store answers, 503 when it does not.
pub async fn show(app: &App) -> Response {
    match app.store.ping().await {
        Ok(()) => response::json(200, &json!({ "status": "ok" }), &[]),
        Err(error) => response::refusal(&Refusal::StoreUnavailable(error)),
    }
}
