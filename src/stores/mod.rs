//! Where sessions are kept. Two stores behind one trait: the Durable Object, and Redis.

pub mod durable_object;
pub mod redis;

use std::pin::Pin;
use std::time::Duration;

use auth::rate::{Rate, WindowCount};
use auth::session::{Sid, Subject};
use auth::store::{CheckFrame, Command, CommandResult, EntryName, StoreError};
use auth::time::Timestamp;
use auth::user_index::IndexQuery;
use js_sys::{Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// What a command came to.
pub type Outcome = Result<CommandResult, StoreError>;

/// A promise of Rust's.
pub type Answering<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// What came back from a store, unread. A status below zero is a failure of the way there.
pub struct Reply {
    /// The HTTP status, or one of the failures.
    pub status: i32,
    /// The body, or what is known of the failure.
    pub body: String,
}

impl Reply {
    const TIMED_OUT: i32 = -1;

    /// Waits for the reply that `store.js` promises.
    pub async fn of(promise: Promise) -> Self {
        let reply = JsFuture::from(promise).await.unwrap_or_else(|error| error);
        let get = |name: &str| Reflect::get(&reply, &name.into()).ok();
        let status = get("status").and_then(|status| status.as_f64());
        let body = get("body").and_then(|body| body.as_string()).unwrap_or_default();
        Self { status: status.map_or(i32::MIN, |status| status as i32), body }
    }

    /// Status and body, if the store was reached.
    pub fn received(&self, timeout: Duration) -> Result<(u16, &str), StoreError> {
        match u16::try_from(self.status) {
            Ok(status) => Ok((status, &self.body)),
            Err(_) if self.status == Self::TIMED_OUT => Err(StoreError::TimedOut(timeout)),
            Err(_) => Err(StoreError::Unreachable(self.body.chars().take(200).collect())),
        }
    }
}

/// A place that keeps sessions, one user's apart from another's.
///
/// A command is asked and its reply read in two calls, so that the hot path can wait outside
/// Rust; [`apply`] does both for everybody else.
pub trait SessionStore {
    /// Sends a command, in one round trip. The promise is of what [`SessionStore::read`] reads,
    /// and is never rejected.
    fn ask(&self, user: &Subject, command: &Command) -> Promise;

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
    fn read(&self, command: &Command, reply: &Reply) -> Option<Outcome>;

    /// Sends a command that [`SessionStore::read`] found no answer to, in a longer form. Where replicas
    /// answer checks, the primary answers this.
    fn apply_anew<'a>(&'a self, user: &'a Subject, command: &'a Command) -> Answering<'a, Outcome>;

    /// Keeps a note until a moment, in place of what it said before.
    fn keep<'a>(
        &'a self,
        note: &'a EntryName,
        text: &'a str,
        until: Timestamp,
    ) -> Answering<'a, Result<(), StoreError>>;

    /// Keeps a note until a moment, if there is none of this name; says whether it did. Of several
    /// that race, one does.
    fn keep_new<'a>(
        &'a self,
        note: &'a EntryName,
        text: &'a str,
        until: Timestamp,
    ) -> Answering<'a, Result<bool, StoreError>>;

    /// Takes a note away, if it says this.
    fn withdraw<'a>(
        &'a self,
        note: &'a EntryName,
        text: &'a str,
    ) -> Answering<'a, Result<(), StoreError>>;

    /// What a note says; `None` if there is none, or its time is over.
    fn recall<'a>(
        &'a self,
        note: &'a EntryName,
    ) -> Answering<'a, Result<Option<String>, StoreError>>;

    /// Counts once more, unless the window is full. A new window begins with its first count, and
    /// gets this name.
    fn count<'a>(
        &'a self,
        counter: &'a EntryName,
        rate: &'a Rate,
        window: &'a str,
    ) -> Answering<'a, Result<WindowCount, StoreError>>;

    /// Takes one count of this window back, if it is still open. It happens whether or not anybody
    /// waits for the promise, which is never rejected.
    fn take_back(&self, counter: &EntryName, window: &str) -> Promise;

    /// Asks the index of users. The promise is of what [`SessionStore::read_index`] reads, and is
    /// never rejected.
    fn ask_index(&self, question: &IndexQuery) -> Promise;

    /// Reads the reply.
    fn read_index(&self, reply: &Reply) -> Result<String, StoreError>;

    /// Is the store reachable, and does it accept this guard?
    fn ping(&self) -> Answering<'_, Result<(), StoreError>>;
}

/// Sends a command and waits for its outcome.
pub async fn apply(store: &dyn SessionStore, user: &Subject, command: &Command) -> Outcome {
    let reply = Reply::of(store.ask(user, command)).await;
    match store.read(command, &reply) {
        Some(outcome) => outcome,
        None => store.apply_anew(user, command).await,
    }
}

/// Sends one command for each of these users, all at once.
pub async fn apply_to_each(
    store: &dyn SessionStore,
    users: impl Iterator<Item = &Subject>,
    command: &Command,
) -> Vec<Outcome> {
    let asked: Vec<_> = users.map(|user| (user, store.ask(user, command))).collect();
    let mut outcomes = Vec::with_capacity(asked.len());
    for (user, promise) in asked {
        let reply = Reply::of(promise).await;
        outcomes.push(match store.read(command, &reply) {
            Some(outcome) => outcome,
            None => store.apply_anew(user, command).await,
        });
    }
    outcomes
}

/// A time limit as JavaScript takes it.
pub fn millis(timeout: Duration) -> u32 {
    u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX)
}

#[wasm_bindgen(module = "/src/stores/client.js")]
extern "C" {
    #[wasm_bindgen(js_name = askRedis)]
    fn ask_redis(url: &str, init: &JsValue, timeout: u32) -> Promise;

    #[wasm_bindgen(js_name = askObject)]
    fn ask_object(
        objects: &JsValue,
        name: &str,
        command: &str,
        repeatable: bool,
        timeout: u32,
    ) -> Promise;

    #[wasm_bindgen(js_name = keepNote)]
    fn keep_note(objects: &JsValue, name: &str, text: &str, until: f64, timeout: u32) -> Promise;

    #[wasm_bindgen(js_name = keepNewNote)]
    fn keep_new_note(
        objects: &JsValue,
        name: &str,
        text: &str,
        until: f64,
        timeout: u32,
    ) -> Promise;

    #[wasm_bindgen(js_name = withdrawNote)]
    fn withdraw_note(objects: &JsValue, name: &str, text: &str, timeout: u32) -> Promise;

    #[wasm_bindgen(js_name = countUp)]
    fn count_up(
        objects: &JsValue,
        name: &str,
        most: u32,
        span: f64,
        window: &str,
        timeout: u32,
    ) -> Promise;

    #[wasm_bindgen(js_name = takeBack)]
    fn take_back(objects: &JsValue, name: &str, window: &str, timeout: u32) -> Promise;

    #[wasm_bindgen(js_name = askIndex)]
    fn ask_index(objects: &JsValue, question: &str, timeout: u32) -> Promise;

    #[wasm_bindgen(js_name = recallNote)]
    fn recall_note(objects: &JsValue, name: &str, timeout: u32) -> Promise;
}
