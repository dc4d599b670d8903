//! What happens to sessions is told: each event in one line of the log, to the webhook, and its end
//! to those who listen for it.

use auth::event::{Event, Webhook};
use auth::refusal::Refusal;
use auth::session::{Gone, Sid, Subject};
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::config::App;
use crate::promise;
use crate::{issuers, push, request};

/// Milliseconds before each further attempt. With [`TIMEOUT`] all of them fit into the 30 seconds
/// that a Worker may live on after its answer.
const PAUSES: [u32; 3] = [1_000, 3_000, 8_000];

/// Milliseconds that a webhook's receiver may take.
const TIMEOUT: u32 = 4_000;

#[wasm_bindgen(module = "/src/events.js")]
extern "C" {
    #[wasm_bindgen(js_name = afterAnswer)]
    fn after_answer(work: &Promise);

    fn post(
        url: &str,
        id: &str,
        seconds: f64,
        signature: &str,
        body: &str,
        timeout: u32,
    ) -> Promise;
}

/// Tells what happened to sessions of one user. Nobody waits for it: webhook and listeners are
/// called after the answer.
pub fn emit(app: &App, user: &Subject, events: &[Event]) {
    let mut ends = Vec::new();
    for event in events {
        let line = event.line(user, app.guard.tokens().log_names());
        web_sys::console::log_1(&line.into());
        let json = event.json(user);
        if let Some(webhook) = app.guard.settings().webhook.clone() {
            let event = event.clone();
            let json = json.clone();
            later(async move { deliver(&webhook, &event, &json).await });
        }
        if event.is_end() {
            ends.push(json);
        }
    }
    if let Some(objects) = app.objects.clone().filter(|_| !ends.is_empty()) {
        let user = user.clone();
        later(async move {
            let told = insist(|| push::notify(&objects, &user, &ends)).await;
            told.unwrap_or_else(|why| undelivered(&format!("USER_SESSIONS: {why}")));
        });
    }
}

/// Tells that a session was found past its deadline, if that is why its caller is refused. Once
/// an isolate: the client may go on asking.
pub fn notice(app: &App, user: &Subject, sid: &Sid, refusal: &Refusal) {
    if let Refusal::Session(Gone::Expired { at }) = refusal {
        app.noticed.once(sid, || emit(app, user, &[Event::expired(sid, *at)]));
    }
}

async fn deliver(webhook: &Webhook, event: &Event, json: &str) {
    let id = event.id();
    let attempt = || {
        let now = request::now();
        let signature = webhook.secret.sign(&id, now, json);
        post(&webhook.url, &id, now.seconds() as f64, &signature, json, TIMEOUT)
    };
    let told = insist(attempt).await;
    told.unwrap_or_else(|why| undelivered(&format!("EVENTS_WEBHOOK_URL: {id}: {why}")));
}

fn undelivered(cause: &str) {
    let line =
        serde_json::json!({ "level": "error", "code": "event_not_delivered", "cause": cause });
    web_sys::console::error_1(&line.to_string().into());
}

/// Does something after the answer, for 30 seconds at most.
pub fn later(work: impl Future<Output = ()> + 'static) {
    drop(finish(work));
}

/// Does something that is finished also if nobody waits for it any more, within 30 seconds.
pub fn finish(work: impl Future<Output = ()> + 'static) -> Promise {
    let work = promise::of(async move {
        work.await;
        Ok(JsValue::UNDEFINED)
    });
    after_answer(&work);
    work
}

/// Makes an attempt, and a further one after each pause until one succeeds.
async fn insist(attempt: impl Fn() -> Promise) -> Result<(), String> {
    let mut pauses = PAUSES.iter();
    loop {
        let Err(error) = JsFuture::from(attempt()).await else { return Ok(()) };
        let Some(pause) = pauses.next() else {
            return Err(js_sys::Error::from(error).message().into());
        };
        let _ = JsFuture::from(issuers::pause(*pause)).await;
    }
}
