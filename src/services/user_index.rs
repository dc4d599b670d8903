//! The index of users. Requests update it in the background; only the admin API reads it.

use std::rc::Rc;

use auth::refusal::Refusal;
use auth::session::{Session, Subject};
use auth::store::StoreError;
use auth::user_index::{self, Cursor, Index, IndexQuery, IndexedUser};
use serde_json::json;

use crate::app::App;
use crate::request;
use crate::services::background;
use crate::stores::SessionStore;

/// Records in the background that a session was created, or that others have ended.
pub fn record_changes(app: &App, user: &Subject, created: Option<&Session>, ended: &[Session]) {
    if created.is_some() || !ended.is_empty() {
        update(app, IndexQuery::record(user, created, ended, request::now()));
    }
}

/// Records in the background that something is kept of a user that outlasts the sessions.
pub fn keep(app: &App, user: &Subject) {
    write(app, Index::Kept, IndexQuery::keep(user, request::now()));
}

/// Updates the index after the response. Logs a warning if that fails.
pub fn update(app: &App, query: IndexQuery) {
    write(app, Index::Live, query);
}

fn write(app: &App, index: Index, query: IndexQuery) {
    let store = Rc::clone(&app.store);
    background::run_after_response(async move {
        let reply = store.query_index(index, &query).await;
        if let Err(error) = store.read_index(&reply) {
            let cause = error.to_string();
            let line = json!({ "level": "warn", "code": "index_not_written", "cause": cause });
            web_sys::console::warn_1(&line.to_string().into());
        }
    });
}

/// The next users that may have a live session.
///
/// # Errors
/// [`Refusal::StoreUnavailable`].
pub async fn page(app: &App, after: Cursor, limit: u32) -> Result<Vec<IndexedUser>, Refusal> {
    page_of(&*app.store, Index::Live, after, limit).await
}

/// The next users of an index of a store.
///
/// # Errors
/// [`Refusal::StoreUnavailable`].
pub async fn page_of(
    store: &dyn SessionStore,
    index: Index,
    after: Cursor,
    limit: u32,
) -> Result<Vec<IndexedUser>, Refusal> {
    let query = IndexQuery::Page { after, limit, now: request::now() };
    query_store(store, index, &query, user_index::users).await
}

/// The next users that may have a live session and whose `sub` begins with this text.
///
/// # Errors
/// [`Refusal::StoreUnavailable`].
pub async fn search(
    app: &App,
    text: &str,
    after: Cursor,
    limit: u32,
) -> Result<Vec<IndexedUser>, Refusal> {
    let query = IndexQuery::search(text, after, limit, request::now());
    query_store(&*app.store, Index::Live, &query, user_index::users).await
}

/// The numbers of users and sessions in the index, which may lag a moment behind.
///
/// # Errors
/// [`Refusal::StoreUnavailable`].
pub async fn count(app: &App) -> Result<(u64, u64), Refusal> {
    let query = IndexQuery::Count { now: request::now() };
    query_store(&*app.store, Index::Live, &query, user_index::counts).await
}

async fn query_store<T>(
    store: &dyn SessionStore,
    index: Index,
    query: &IndexQuery,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<T, Refusal> {
    let reply = store.query_index(index, query).await;
    let answer = store.read_index(&reply).map_err(Refusal::StoreUnavailable)?;
    let unreadable =
        || StoreError::Unreadable("the index returned an answer in another format".into());
    read(&answer).ok_or_else(unreadable).map_err(Refusal::StoreUnavailable)
}
