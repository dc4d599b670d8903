//! Delivers events to the webhook, as Standard Webhooks specifies.

use std::time::Duration;

use auth::event::{Event, Webhook};

use crate::fetch::{self, Subrequest};
use crate::platform::message_of;
use crate::promise::LocalBoxFuture;
use crate::request;
use crate::services::background;

/// How long the webhook's receiver may take to respond.
const TIMEOUT: Duration = Duration::from_secs(4);

/// Delivers an event, with retries. Logs an error if all attempts fail.
pub async fn deliver(webhook: &Webhook, event: &Event, json: &str) {
    let id = event.id();
    let attempt = || -> LocalBoxFuture<'_, _> { Box::pin(post(webhook, &id, json)) };
    let delivered = background::retry(&attempt).await;
    delivered
        .unwrap_or_else(|why| log_undelivered(&format!("EVENTS_WEBHOOK_URL: event {id}: {why}")));
}

/// Posts an event. Any status from 200 to 299 acknowledges it.
async fn post(webhook: &Webhook, id: &str, json: &str) -> Result<(), String> {
    let now = request::now();
    let headers = &[
        ("content-type", "application/json"),
        ("webhook-id", id),
        ("webhook-timestamp", &now.seconds().to_string()),
        ("webhook-signature", &webhook.secret.sign(id, now, json)),
    ];
    let (url, body) = (webhook.url.as_str(), Some(json));
    let request = Subrequest { method: "POST", url, headers, body, bypass_cache: false };
    let answer = request.send(None, Some(&fetch::time_limit(TIMEOUT))).await;
    let answer = answer.map_err(|error| message_of(&error))?;
    fetch::discard(&answer).await;
    match answer.status_code() {
        200..=299 => Ok(()),
        status => Err(format!("the receiver answered {status}, not 2xx")),
    }
}

/// Logs an event that could not be delivered.
pub fn log_undelivered(cause: &str) {
    let line =
        serde_json::json!({ "level": "error", "code": "event_not_delivered", "cause": cause });
    web_sys::console::error_1(&line.to_string().into());
}
