//! Where sessions are kept. Two stores behind one trait: the Durable Object, and Redis.

pub mod durable_object;
pub mod redis;

use std::time::Duration;

use auth::rate::{Rate, WindowCount};
use auth::session::{Sid, Subject};
use auth::store::{CheckFrame, Command, CommandResult, EntryName, StoreError};
use auth::time::Timestamp;
use auth::user_index::IndexQuery;
use wasm_bindgen::prelude::*;

use crate::{platform, promise};

/// What a command came to.
pub type StoreResult = Result<CommandResult, StoreError>;

pub use crate::promise::LocalBoxFuture;

/// What came back from a store, unread. A status below zero is a failure of the way there.
pub struct StoreReply {
    /// The HTTP status, or one of the failures.
    pub status: i32,
    /// The body, or what is known of the failure.
    pub body: String,
}

impl StoreReply {
    const TIMED_OUT: i32 = -1;
    const UNREACHABLE: i32 = -2;

    /// Status and body, if the store was reached.
    pub fn received(&self, timeout: Duration) -> Result<(u16, &str), StoreError> {
        match u16::try_from(self.status) {
            Ok(status) => Ok((status, &self.body)),
            Err(_) if self.status == Self::TIMED_OUT => Err(StoreError::TimedOut(timeout)),
            Err(_) => Err(StoreError::Unreachable(self.body.chars().take(MAX_CAUSE).collect())),
        }
    }
}

impl From<Result<(u16, String), StoreError>> for StoreReply {
    fn from(answer: Result<(u16, String), StoreError>) -> Self {
        match answer {
            Ok((status, body)) => Self { status: status.into(), body },
            Err(StoreError::Unreachable(body)) => Self { status: Self::UNREACHABLE, body },
            Err(_) => Self { status: Self::TIMED_OUT, body: String::new() },
        }
    }
}

/// The most characters of an error that go into the log.
const MAX_CAUSE: usize = 200;

/// A place that keeps sessions, one user's apart from another's.
///
/// A command is asked and its reply read in two calls, so that the hot path can wait outside
/// Rust; [`apply`] does both for everybody else.
pub trait SessionStore {
    /// Sends a command, in one round trip. The reply is what [`SessionStore::read`] reads.
    fn send_command<'a>(
        &'a self,
        user: &'a Subject,
        command: &'a Command,
    ) -> LocalBoxFuture<'a, StoreReply>;

    /// What [`check_session`](crate::proxy::session_check::check_session) is made of: the name of the place where a user's sessions are,
    /// empty if the store has but one, and the question after one of them.
    fn check_frame(
        &self,
        user: &Subject,
        sid: &Sid,
        jti: &str,
        idle_timeout: Option<Duration>,
    ) -> (String, CheckFrame);

    /// Reads the reply; `None` if the command must be sent anew.
    fn read(&self, command: &Command, reply: &StoreReply) -> Option<StoreResult>;

    /// Sends a command that [`SessionStore::read`] found no answer to, in a longer form. Where replicas
    /// answer checks, the primary answers this.
    fn apply_on_primary<'a>(
        &'a self,
        user: &'a Subject,
        command: &'a Command,
    ) -> LocalBoxFuture<'a, StoreResult>;

    /// Keeps a note until a moment, in place of what it said before.
    fn put_entry<'a>(
        &'a self,
        name: &'a EntryName,
        text: &'a str,
        until: Timestamp,
    ) -> LocalBoxFuture<'a, Result<(), StoreError>>;

    /// Keeps a note until a moment, if there is none of this name; says whether it did. Of several
    /// that race, one does.
    fn put_entry_if_absent<'a>(
        &'a self,
        name: &'a EntryName,
        text: &'a str,
        until: Timestamp,
    ) -> LocalBoxFuture<'a, Result<bool, StoreError>>;

    /// Takes a note away, if it says this.
    fn delete_entry_if_equal<'a>(
        &'a self,
        name: &'a EntryName,
        text: &'a str,
    ) -> LocalBoxFuture<'a, Result<(), StoreError>>;

    /// What a note says; `None` if there is none, or its time is over.
    fn get_entry<'a>(
        &'a self,
        name: &'a EntryName,
    ) -> LocalBoxFuture<'a, Result<Option<String>, StoreError>>;

    /// Counts once more, unless the window is full. A new window begins with its first count, and
    /// gets this name.
    fn count<'a>(
        &'a self,
        counter: &'a EntryName,
        rate: &'a Rate,
        window: &'a str,
    ) -> LocalBoxFuture<'a, Result<WindowCount, StoreError>>;

    /// Takes one count of this window back, if it is still open.
    fn refund<'a>(
        &'a self,
        counter: &'a EntryName,
        window: &'a str,
    ) -> LocalBoxFuture<'a, StoreReply>;

    /// Asks the index of users. The reply is what [`SessionStore::read_index`] reads.
    fn query_index<'a>(&'a self, query: &'a IndexQuery) -> LocalBoxFuture<'a, StoreReply>;

    /// Reads the reply.
    fn read_index(&self, reply: &StoreReply) -> Result<String, StoreError>;

    /// Is the store reachable, and does it accept this guard?
    fn ping(&self) -> LocalBoxFuture<'_, Result<(), StoreError>>;
}

/// Sends a command and waits for its outcome.
pub async fn apply(store: &dyn SessionStore, user: &Subject, command: &Command) -> StoreResult {
    let reply = store.send_command(user, command).await;
    match store.read(command, &reply) {
        Some(outcome) => outcome,
        None => store.apply_on_primary(user, command).await,
    }
}

/// Sends one command for each of these users, all at once.
pub async fn apply_to_each(
    store: &dyn SessionStore,
    users: impl Iterator<Item = &Subject>,
    command: &Command,
) -> Vec<StoreResult> {
    let asked = users
        .map(|user| -> LocalBoxFuture<'_, StoreResult> { Box::pin(apply(store, user, command)) });
    promise::all(asked.collect()).await
}

/// A time limit in milliseconds, as JavaScript takes it.
pub fn millis(timeout: Duration) -> u32 {
    u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX)
}

/// A store's answer, within a time limit. A late answer is dropped.
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
