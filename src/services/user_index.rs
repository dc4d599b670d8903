//! The index of users: written after the answer, asked by the admin API alone.

use auth::refusal::Refusal;
use auth::session::{Session, Subject};
use auth::store::StoreError;
use auth::user_index::{self, Cursor, IndexQuery, IndexedUser};
use js_sys::Promise;
use wasm_bindgen::prelude::*;

use crate::app::App;
use crate::request;
use crate::stores::Reply;

#[wasm_bindgen(module = "/src/services/background.js")]
extern "C" {
    fn afterwards(question: &Promise, code: &str);
}

/// Notes what has changed: a session has begun, others are over. Nobody waits for it.
pub fn note(app: &App, user: &Subject, begun: Option<&Session>, ended: &[Session]) {
    if begun.is_some() || !ended.is_empty() {
        record(app, &IndexQuery::record(user, begun, ended, request::now()));
    }
}

/// Notes something, after the answer.
pub fn record(app: &App, question: &IndexQuery) {
    afterwards(&app.store.ask_index(question), "index_not_written");
}

/// The next users that may have a live session.
///
/// # Errors
/// [`Refusal::StoreUnavailable`].
pub async fn page(app: &App, after: Cursor, limit: u32) -> Result<Vec<IndexedUser>, Refusal> {
    ask(app, &IndexQuery::Page { after, limit, now: request::now() }, user_index::users).await
}

/// How many users and sessions there are, or were a moment ago.
///
/// # Errors
/// [`Refusal::StoreUnavailable`].
pub async fn count(app: &App) -> Result<(u64, u64), Refusal> {
    ask(app, &IndexQuery::Count { now: request::now() }, user_index::counts).await
}

async fn ask<T>(
    app: &App,
    question: &IndexQuery,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<T, Refusal> {
    let reply = Reply::of(app.store.ask_index(question)).await;
    let answer = app.store.read_index(&reply).map_err(Refusal::StoreUnavailable)?;
    let unreadable = || StoreError::Unreadable("the index answered in another form".into());
    read(&answer).ok_or_else(unreadable).map_err(Refusal::StoreUnavailable)
}
