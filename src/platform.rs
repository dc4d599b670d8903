//! APIs of the runtime that the `worker` crate lacks, each with the condition for its removal.

use js_sys::{JSON, Promise, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::RequestInit;
use worker::{EnvBinding, Storage};

#[wasm_bindgen]
extern "C" {
    /// A setting or binding of any type. `Env::var` reads strings only, but wrangler.toml has numbers and lists,
    /// too. Remove it when `worker` reads a variable of any type as text.
    pub type Binding;
}

impl EnvBinding for Binding {
    const TYPE_NAME: &'static str = "";

    fn get(value: JsValue) -> worker::Result<Self> {
        Ok(value.unchecked_into())
    }
}

impl Binding {
    /// A setting as text; a value of another type as JSON.
    pub fn text(&self) -> Option<String> {
        self.as_string().or_else(|| JSON::stringify(self).ok()?.as_string())
    }

    /// Whether this is a service binding.
    pub fn is_worker(&self) -> bool {
        Reflect::get(self, &"fetch".into()).is_ok_and(|fetch| fetch.is_function())
    }
}

#[wasm_bindgen(module = "cloudflare:workers")]
extern "C" {
    /// Keeps the Worker alive after the response until the promise is settled, for 30 seconds at most. `worker` has
    /// this only on the `Context` of an event, which few callers have. Remove it when `worker` exports the function.
    #[wasm_bindgen(js_name = waitUntil)]
    pub fn wait_until(work: &Promise);
}

#[wasm_bindgen]
extern "C" {
    /// A value as text, for the log. Remove it when `js_sys` has the function `String`.
    #[wasm_bindgen(js_name = String)]
    pub fn string_of(value: &JsValue) -> String;

    /// Cloudflare's rate-limit binding. `worker::RateLimiter` uses serde-wasm-bindgen, which adds 9 KB and is used
    /// nowhere else. Remove it when `worker` does without.
    pub type RateLimit;

    /// Counts an attempt. The promise resolves to an object whose `success` says whether it is within the limit.
    #[wasm_bindgen(method, catch)]
    pub fn limit(this: &RateLimit, options: &JsValue) -> Result<Promise, JsValue>;

    /// The methods of the class `UserSessions`, called by RPC. `worker::Stub` has only `fetch`. Remove it when
    /// `worker` generates RPC stubs.
    pub type UserSessionsStub;

    /// Applies a command.
    #[wasm_bindgen(method, catch)]
    pub fn apply(this: &UserSessionsStub, command: &str) -> Result<Promise, JsValue>;

    /// Takes one step of a move between stores.
    #[wasm_bindgen(method, catch)]
    pub fn transfer(this: &UserSessionsStub, step: &str) -> Result<Promise, JsValue>;

    /// Writes an entry that expires at `until`, in milliseconds since the Unix epoch.
    #[wasm_bindgen(method, catch, js_name = putEntry)]
    pub fn put_entry(this: &UserSessionsStub, text: &str, until: f64) -> Result<Promise, JsValue>;

    /// Writes an entry if there is none. The promise resolves to whether it did.
    #[wasm_bindgen(method, catch, js_name = putEntryIfAbsent)]
    pub fn put_entry_if_absent(
        this: &UserSessionsStub,
        text: &str,
        until: f64,
    ) -> Result<Promise, JsValue>;

    /// Deletes the entry if its text equals `text`.
    #[wasm_bindgen(method, catch, js_name = deleteEntryIfEqual)]
    pub fn delete_entry_if_equal(this: &UserSessionsStub, text: &str) -> Result<Promise, JsValue>;

    /// The promise resolves to the entry's text, or null.
    #[wasm_bindgen(method, catch, js_name = getEntry)]
    pub fn get_entry(this: &UserSessionsStub) -> Result<Promise, JsValue>;

    /// Counts an attempt, at most `most` in a window of `span` milliseconds.
    #[wasm_bindgen(method, catch)]
    pub fn count(
        this: &UserSessionsStub,
        most: u32,
        span: f64,
        window: &str,
    ) -> Result<Promise, JsValue>;

    /// Takes one count of this window back.
    #[wasm_bindgen(method, catch)]
    pub fn refund(this: &UserSessionsStub, window: &str) -> Result<Promise, JsValue>;

    /// Queries the index of users.
    #[wasm_bindgen(method, catch, js_name = queryIndex)]
    pub fn query_index(this: &UserSessionsStub, query: &str) -> Result<Promise, JsValue>;

    /// Sends the events of ended sessions to the WebSockets that watch them.
    #[wasm_bindgen(method, catch, js_name = notifyEnded)]
    pub fn notify_ended(this: &UserSessionsStub, events: &str) -> Result<Promise, JsValue>;

    /// Rechecks the watched sessions.
    #[wasm_bindgen(method, catch, js_name = recheckWatched)]
    pub fn recheck_watched(this: &UserSessionsStub) -> Result<Promise, JsValue>;

    /// Opens a WebSocket. `worker::Stub::fetch_with_request` does not return the runtime's own response, which the
    /// client gets. Remove it when a `worker::Response` gives access to that.
    #[wasm_bindgen(method, catch)]
    pub fn fetch(
        this: &UserSessionsStub,
        url: &str,
        init: &RequestInit,
    ) -> Result<Promise, JsValue>;
}

/// The value that was thrown. Not `worker`'s own conversion, which links the messages of every kind of error, some
/// KB.
pub fn thrown(error: worker::Error) -> JsValue {
    match error {
        worker::Error::UnknownJsError { original, .. } => original,
        worker::Error::Internal(value) => value,
        worker::Error::JsError(message) => message.into(),
        _ => JsValue::UNDEFINED,
    }
}

/// The message of a thrown value.
pub fn message_of(thrown: &JsValue) -> String {
    let message = Reflect::get(thrown, &"message".into()).ok();
    message.and_then(|message| message.as_string()).unwrap_or_else(|| string_of(thrown))
}

#[wasm_bindgen]
extern "C" {
    /// The synchronous API of an object's storage. Remove it when `worker::Storage` has it.
    pub type SyncStorage;

    /// Runs a step in a transaction, which is rolled back if the step returns an error or panics.
    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    pub fn transaction_sync(
        this: &SyncStorage,
        step: &mut dyn FnMut() -> Result<(), JsValue>,
    ) -> Result<(), JsValue>;

    /// The key-value storage.
    #[wasm_bindgen(method, getter)]
    pub fn kv(this: &SyncStorage) -> SyncKv;

    /// The synchronous key-value storage.
    pub type SyncKv;

    /// The value under a key, or `undefined`.
    #[wasm_bindgen(method, catch)]
    pub fn get(this: &SyncKv, key: &str) -> Result<JsValue, JsValue>;

    /// Writes a value.
    #[wasm_bindgen(method, catch)]
    pub fn put(this: &SyncKv, key: &str, value: &JsValue) -> Result<(), JsValue>;

    /// Deletes a value. Returns whether there was one.
    #[wasm_bindgen(method, catch)]
    pub fn delete(this: &SyncKv, key: &str) -> Result<bool, JsValue>;
}

impl SyncStorage {
    /// The synchronous API of this storage.
    pub fn of(storage: &Storage) -> &Self {
        storage.as_raw().unchecked_ref()
    }
}
