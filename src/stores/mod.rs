//! The session stores behind one trait: Durable Objects and Redis.

pub mod durable_object;
pub mod moving;
pub mod redis;

use std::time::Duration;

use auth::rate::{Rate, WindowCount};
use auth::session::{Sid, Subject};
use auth::store::{
    CheckTemplate, Command, CommandResult, EntryName, StoreError, Transfer, TransferResult,
};
use auth::time::Timestamp;
use auth::user_index::{Index, IndexQuery};
use wasm_bindgen::prelude::*;

use crate::proxy::session_check;
use crate::{platform, promise};

/// The result of a command.
pub type StoreResult = Result<CommandResult, StoreError>;

pub use crate::promise::LocalBoxFuture;

/// A store's reply, not parsed yet: HTTP status and body, or why there is none.
pub type StoreReply = Result<(u16, String), StoreError>;

/// Status and body of a reply.
///
/// # Errors
/// Why there is none.
pub fn received(reply: &StoreReply) -> Result<(u16, &str), StoreError> {
    reply.as_ref().map(|(status, body)| (*status, body.as_str())).map_err(Clone::clone)
}

/// The status of no reply in time, in `session_check.js`.
const TIMED_OUT: i32 = -1;

/// The status of a store that could not be reached, in `session_check.js`.
const UNREACHABLE: i32 = -2;

/// A reply as `session_check.js` has it.
pub fn reply_to_js(reply: StoreReply) -> JsValue {
    match reply {
        Ok((status, body)) => session_check::make_reply(status.into(), &body),
        Err(StoreError::TimedOut(_)) => session_check::make_reply(TIMED_OUT, ""),
        // Without its first word, which the reader adds again.
        Err(StoreError::Unreachable(why)) => session_check::make_reply(UNREACHABLE, &why),
        Err(error) => session_check::make_reply(UNREACHABLE, &error.to_string()),
    }
}

/// The reply that `session_check.js` reports, where a negative status means that there is none.
pub fn reply_from_js(status: i32, body: String, timeout: Duration) -> StoreReply {
    match u16::try_from(status) {
        Ok(status) => Ok((status, body)),
        Err(_) if status == TIMED_OUT => Err(StoreError::TimedOut(timeout)),
        Err(_) => Err(StoreError::Unreachable(body.chars().take(MAX_CAUSE).collect())),
    }
}

/// The maximum length of an error in the log, in characters.
const MAX_CAUSE: usize = 200;

/// A store of sessions, grouped by user, of entries with a lifetime, of counters and of the index of users.
///
/// A command is sent and its reply read in two calls, so that the hot path can wait in JavaScript; everything else
/// uses [`apply`], which does both.
pub trait SessionStore {
    /// Sends a command in one round trip. [`SessionStore::read`] reads the reply.
    fn send_command<'a>(
        &'a self,
        user: &'a Subject,
        command: &'a Command,
    ) -> LocalBoxFuture<'a, StoreReply>;

    /// The constant parts of a session check, which JavaScript sends (`session_check.js`): the name of the user's
    /// Durable Object, empty for Redis, and the command without the current time.
    fn check_frame(
        &self,
        user: &Subject,
        sid: &Sid,
        jti: Option<&str>,
        idle_timeout: Option<Duration>,
    ) -> (String, CheckTemplate);

    /// Reads the reply; `None` if the command must be sent again by [`SessionStore::apply_on_primary`].
    fn read(&self, command: &Command, reply: &StoreReply) -> Option<StoreResult>;

    /// Sends a command to the primary, even where replicas answer checks. With Redis, the script is sent in full,
    /// for a server that does not have it.
    fn apply_on_primary<'a>(
        &'a self,
        user: &'a Subject,
        command: &'a Command,
    ) -> LocalBoxFuture<'a, StoreResult>;

    /// Writes an entry that expires at `until`, and replaces an old one.
    fn put_entry<'a>(
        &'a self,
        name: &'a EntryName,
        text: &'a str,
        until: Timestamp,
    ) -> LocalBoxFuture<'a, Result<(), StoreError>>;

    /// Writes an entry that expires at `until`, if there is none of this name. Returns whether it did: of concurrent
    /// calls, one does.
    fn put_entry_if_absent<'a>(
        &'a self,
        name: &'a EntryName,
        text: &'a str,
        until: Timestamp,
    ) -> LocalBoxFuture<'a, Result<bool, StoreError>>;

    /// Deletes an entry if its text equals `text`.
    fn delete_entry_if_equal<'a>(
        &'a self,
        name: &'a EntryName,
        text: &'a str,
    ) -> LocalBoxFuture<'a, Result<(), StoreError>>;

    /// An entry's text; `None` if there is none or it has expired.
    fn get_entry<'a>(
        &'a self,
        name: &'a EntryName,
    ) -> LocalBoxFuture<'a, Result<Option<String>, StoreError>>;

    /// Counts an attempt, unless the window is full. The first count opens a new window, named `window`.
    fn count<'a>(
        &'a self,
        counter: &'a EntryName,
        rate: &'a Rate,
        window: &'a str,
    ) -> LocalBoxFuture<'a, Result<WindowCount, StoreError>>;

    /// Takes one count of this window back, if the window is still open.
    fn refund<'a>(
        &'a self,
        counter: &'a EntryName,
        window: &'a str,
    ) -> LocalBoxFuture<'a, StoreReply>;

    /// Takes one step of a move, a backup or its restoration, on the primary.
    fn transfer<'a>(
        &'a self,
        user: &'a Subject,
        step: Transfer,
    ) -> LocalBoxFuture<'a, Result<TransferResult, StoreError>>;

    /// Queries an index of users. [`SessionStore::read_index`] reads the reply.
    fn query_index<'a>(
        &'a self,
        index: Index,
        query: &'a IndexQuery,
    ) -> LocalBoxFuture<'a, StoreReply>;

    /// Reads the reply to [`SessionStore::query_index`].
    fn read_index(&self, reply: &StoreReply) -> Result<String, StoreError>;

    /// Checks that the store is reachable and accepts the guard's credentials.
    fn ping(&self) -> LocalBoxFuture<'_, Result<(), StoreError>>;
}

/// Sends a command and waits for its result.
pub async fn apply(store: &dyn SessionStore, user: &Subject, command: &Command) -> StoreResult {
    let reply = store.send_command(user, command).await;
    match store.read(command, &reply) {
        Some(outcome) => outcome,
        None => store.apply_on_primary(user, command).await,
    }
}

/// Sends one command for each of these users, concurrently.
pub async fn apply_to_each(
    store: &dyn SessionStore,
    users: impl Iterator<Item = &Subject>,
    command: &Command,
) -> Vec<StoreResult> {
    let asked = users
        .map(|user| -> LocalBoxFuture<'_, StoreResult> { Box::pin(apply(store, user, command)) });
    promise::all(asked.collect()).await
}

/// A store's answer within a timeout. A late answer is dropped.
///
/// # Errors
/// [`StoreError::TimedOut`], or [`StoreError::Unreachable`] with the error that was thrown.
pub async fn within_timeout<T>(
    timeout: Duration,
    answer: LocalBoxFuture<'_, Result<T, JsValue>>,
) -> Result<T, StoreError> {
    let answer = promise::within(timeout, answer).await.ok_or(StoreError::TimedOut(timeout))?;
    answer.map_err(|thrown| {
        StoreError::Unreachable(platform::string_of(&thrown).chars().take(MAX_CAUSE).collect())
    })
}
