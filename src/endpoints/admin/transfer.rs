//! `POST admin/move`, `GET admin/export` and `POST admin/import`: all users, some at each call. They need the key.

use auth::admin::{BackupLine, Everybody, users_to_move};
use auth::refusal::Refusal;
use auth::session::Subject;
use auth::store::{StoreError, Transfer, TransferResult, UserRecords};
use auth::user_index::{Index, IndexQuery};
use serde::Serialize;
use web_sys::{Request, Response};

use crate::app::App;
use crate::response::{self, NO_STORE};
use crate::services::{session_data, user_index};
use crate::{body, request};

/// The longest body of `POST admin/import`, in bytes.
const MAX_BACKUP: usize = 4 << 20;

#[derive(Default, Serialize)]
struct Moved {
    /// How many users were looked at.
    users: usize,
    /// How many of them have moved now.
    moved: usize,
    /// With how many sessions.
    sessions: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

#[derive(Serialize)]
struct Restored {
    users: usize,
    sessions: usize,
}

/// `POST admin/move`: moves users from the store before, those that are named or those of the next page.
pub async fn move_users(app: &App, request: &Request, query: &str) -> Result<Response, Refusal> {
    let none = Refusal::BadRequest("Set SESSION_STORE_BEFORE to the store that users come from.");
    let moving = app.moving.as_ref().ok_or(none)?;
    let (limit, place) = Everybody::parse(query)?;
    let named = users_to_move(&session_data::read_body(request).await?)?;
    let (users, next) = match named {
        Some(users) => (users, None),
        None => {
            let (index, after) = (place.index, place.after.clone());
            let page = user_index::page_of(moving.before(), index, after, limit).await?;
            let next = place.behind(&page, limit);
            (page.into_iter().map(|it| it.user).collect(), next)
        }
    };
    let mut answer = Moved { cursor: next.map(|it| it.to_string()), ..Moved::default() };
    for user in &users {
        let moved = moving.move_user(user).await.map_err(Refusal::StoreUnavailable)?;
        answer.users += 1;
        answer.moved += usize::from(moved.is_some());
        answer.sessions += moved.unwrap_or_default();
    }
    Ok(response::json(200, &answer, &[]))
}

/// `GET admin/export`: what is stored of the next users, one line each, and the cursor of the next page.
pub async fn export(app: &App, query: &str) -> Result<Response, Refusal> {
    let (limit, place) = Everybody::parse(query)?;
    let page = user_index::page_of(&*app.store, place.index, place.after.clone(), limit).await?;
    let mut lines = Vec::new();
    for it in &page {
        let result = app.store.transfer(&it.user, Transfer::Export).await;
        let TransferResult::Records(records) = result.map_err(Refusal::StoreUnavailable)? else {
            return Err(Refusal::StoreUnavailable(StoreError::other_answer()));
        };
        if !records.is_empty() {
            lines.push(BackupLine::of_user(it.user.clone(), records));
        }
    }
    let next = place.behind(&page, limit);
    lines.extend(next.as_ref().map(BackupLine::next));
    let text = lines.iter().fold(String::new(), |text, line| {
        text + &serde_json::to_string(line).unwrap_or_default() + "\n"
    });
    Ok(response::response(200, &text, &[("content-type", "application/jsonl"), NO_STORE]))
}

const UNREADABLE_BACKUP: Refusal =
    Refusal::BadRequest("The lines of a backup must be UTF-8, and at most 4 MiB together.");

/// `POST admin/import`: merges lines of a backup.
pub async fn import(app: &App, request: &Request) -> Result<Response, Refusal> {
    let text = body::text(request.body(), MAX_BACKUP).await;
    let text = text.map_err(|_| UNREADABLE_BACKUP)?;
    let users = BackupLine::read_all(&text)?;
    let mut answer = Restored { users: users.len(), sessions: 0 };
    for (user, records) in users {
        answer.sessions += records.sessions.len();
        restore(app, &user, records).await.map_err(Refusal::StoreUnavailable)?;
    }
    Ok(response::json(200, &answer, &[]))
}

async fn restore(app: &App, user: &Subject, records: Box<UserRecords>) -> Result<(), StoreError> {
    let now = request::now();
    let record = async |index, query: &IndexQuery| {
        let reply = app.store.query_index(index, query).await;
        app.store.read_index(&reply).map(drop)
    };
    for session in records.sessions.iter().filter(|it| it.is_live(now)) {
        record(Index::Live, &IndexQuery::record(user, Some(session), &[], now)).await?;
    }
    if records.is_lasting() {
        record(Index::Kept, &IndexQuery::keep(user, now)).await?;
    }
    let live: Vec<_> = records.sessions.iter().map(|it| it.sid.clone()).collect();
    // A session may end by it.
    app.guard.forget_recent(&live);
    match app.store.transfer(user, Transfer::Restore(records)).await? {
        TransferResult::Done => Ok(()),
        _ => Err(StoreError::other_answer()),
    }
}
