//! Delivers events to the webhook by Standard Webhooks.

use crate::request;
use crate::services::background;
use auth::event::Event;
use auth::event::Webhook;
use js_sys::Promise;
use wasm_bindgen::prelude::*;

/// Milliseconds that a webhook's receiver may take.
const TIMEOUT: u32 = 4_000;

#[wasm_bindgen(module = "/src/services/webhook.js")]
extern "C" {
    fn post(
        url: &str,
        id: &str,
        seconds: f64,
        signature: &str,
        body: &str,
        timeout: u32,
    ) -> Promise;
}

pub async fn deliver(webhook: &Webhook, event: &Event, json: &str) {
    let id = event.id();
    let attempt = || {
        let now = request::now();
        let signature = webhook.secret.sign(&id, now, json);
        post(&webhook.url, &id, now.seconds() as f64, &signature, json, TIMEOUT)
    };
    let told = background::insist(attempt).await;
    told.unwrap_or_else(|why| undelivered(&format!("EVENTS_WEBHOOK_URL: {id}: {why}")));
}

pub fn undelivered(cause: &str) {
    let line =
        serde_json::json!({ "level": "error", "code": "event_not_delivered", "cause": cause });
    web_sys::console::error_1(&line.to_string().into());
}
