//! What the runtime has and the `worker` crate lacks, each with what would make it go away.

use js_sys::{JSON, Promise, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::RequestInit;
use worker::EnvBinding;

#[wasm_bindgen]
extern "C" {
    /// A setting or binding of any type. `Env::var` takes texts alone, but wrangler.toml numbers and lists,
    /// too. It can go when `worker` has a way to read a variable of any type as text.
    pub type Binding;
}

impl EnvBinding for Binding {
    const TYPE_NAME: &'static str = "";

    fn get(value: JsValue) -> worker::Result<Self> {
        Ok(value.unchecked_into())
    }
}

impl Binding {
    /// A setting's text: what is none itself, as JSON.
    pub fn text(&self) -> Option<String> {
        self.as_string().or_else(|| JSON::stringify(self).ok()?.as_string())
    }

    /// Is it a service binding?
    pub fn is_worker(&self) -> bool {
        Reflect::get(self, &"fetch".into()).is_ok_and(|fetch| fetch.is_function())
    }
}

#[wasm_bindgen(module = "cloudflare:workers")]
extern "C" {
    /// Keeps the Worker alive after the response, for 30 seconds at most, until the promise is settled. `worker` has
    /// this on the `Context` of an event alone, which not every caller has. It can go when `worker` has the
    /// module's function.
    #[wasm_bindgen(js_name = waitUntil)]
    pub fn wait_until(work: &Promise);
}

#[wasm_bindgen]
extern "C" {
    /// A value as JavaScript prints it, for a log. It can go when `js_sys` has the function `String`.
    #[wasm_bindgen(js_name = String)]
    pub fn string_of(value: &JsValue) -> String;

    /// Cloudflare's rate-limit binding. `worker::RateLimiter` reads and writes by serde-wasm-bindgen, which nothing
    /// else needs and which weighs 9 KB. It can go when that does not any more.
    pub type RateLimit;

    /// Counts once more. The promise is of an object whose `success` says whether this one may pass.
    #[wasm_bindgen(method, catch)]
    pub fn limit(this: &RateLimit, options: &JsValue) -> Result<Promise, JsValue>;

    /// A stub of a user's object: the methods of the class `UserSessions`, called from afar. They can go when
    /// `worker` makes a stub of a class's methods.
    pub type UserSessionsStub;

    /// Applies a command.
    #[wasm_bindgen(method, catch)]
    pub fn apply(this: &UserSessionsStub, command: &str) -> Result<Promise, JsValue>;

    /// Keeps a note until a moment, in milliseconds since the Unix epoch.
    #[wasm_bindgen(method, catch)]
    pub fn keep(this: &UserSessionsStub, text: &str, until: f64) -> Result<Promise, JsValue>;

    /// The same, if there is no note; the promise says whether it is kept.
    #[wasm_bindgen(method, catch, js_name = keepNew)]
    pub fn keep_new(this: &UserSessionsStub, text: &str, until: f64) -> Result<Promise, JsValue>;

    /// Takes the note away, if it says this.
    #[wasm_bindgen(method, catch)]
    pub fn withdraw(this: &UserSessionsStub, text: &str) -> Result<Promise, JsValue>;

    /// The promise is of the note's text, or null.
    #[wasm_bindgen(method, catch)]
    pub fn recall(this: &UserSessionsStub) -> Result<Promise, JsValue>;

    /// Counts once more, in a window of so many milliseconds.
    #[wasm_bindgen(method, catch)]
    pub fn count(
        this: &UserSessionsStub,
        most: u32,
        span: f64,
        window: &str,
    ) -> Result<Promise, JsValue>;

    /// Takes a count of this window back.
    #[wasm_bindgen(method, catch, js_name = takeBack)]
    pub fn take_back(this: &UserSessionsStub, window: &str) -> Result<Promise, JsValue>;

    /// Asks the index of users.
    #[wasm_bindgen(method, catch)]
    pub fn index(this: &UserSessionsStub, question: &str) -> Result<Promise, JsValue>;

    /// Tells the listeners of sessions that these are over.
    #[wasm_bindgen(method, catch)]
    pub fn tell(this: &UserSessionsStub, events: &str) -> Result<Promise, JsValue>;

    /// Has the listeners' sessions looked at.
    #[wasm_bindgen(method, catch)]
    pub fn doubt(this: &UserSessionsStub) -> Result<Promise, JsValue>;

    /// Opens a WebSocket. `worker::Stub` turns the response into one of its own, from which none for the client can be
    /// made that is the same.
    #[wasm_bindgen(method, catch)]
    pub fn fetch(
        this: &UserSessionsStub,
        url: &str,
        init: &RequestInit,
    ) -> Result<Promise, JsValue>;
}

/// What was thrown. `worker`'s own conversion prints every kind of error that it knows, which weighs more than all
/// that is sent here.
pub fn thrown(error: worker::Error) -> JsValue {
    match error {
        worker::Error::UnknownJsError { original, .. } => original,
        worker::Error::Internal(value) => value,
        worker::Error::JsError(message) => message.into(),
        _ => JsValue::UNDEFINED,
    }
}

/// The message of what was thrown.
pub fn message_of(thrown: &JsValue) -> String {
    let message = Reflect::get(thrown, &"message".into()).ok();
    message.and_then(|message| message.as_string()).unwrap_or_else(|| string_of(thrown))
}
