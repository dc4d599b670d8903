//! The class of the Durable Objects. The prefix of an object's name is its role, which decides which methods are
//! called: a user's sessions with the WebSockets that watch them (`user:`), an entry with a lifetime (`note:`), a
//! counter (`count:`), or the index of users (`index`). Each role is a type of its own; the class dispatches, and
//! has the alarm that all roles share.
//!
//! `object.js` has the class that the runtime sees. During a deployment, a Worker may call an object of another
//! version by its method names.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use auth::session::UNSEEN_FOR;
use auth::time::Timestamp;
use js_sys::{Array, JSON};
use wasm_bindgen::prelude::*;
use worker::{DurableObject, Env, Request, Response, State, Storage, durable_object};

use super::counter::{self, Counter};
use super::expiring_entry::{self, ExpiringEntry};
use super::sessions::Sessions;
use super::storage::{
    KvEntry, Result, alarm, js_millis, resolve_with_alarm, set_alarm, transaction,
};
use super::{sockets, user_index};
use crate::platform::thrown;
use crate::promise;
use crate::request::{self, timestamp};

/// A Durable Object.
#[durable_object(alarm)]
pub struct UserSessions {
    state: State,
    env: Env,
    sessions: RefCell<Sessions>,
    alarm_is_set: Rc<Cell<bool>>,
}

impl DurableObject for UserSessions {
    fn new(state: State, env: Env) -> Self {
        let sessions = RefCell::new(Sessions::new(state.storage().sql()));
        Self { state, env, sessions, alarm_is_set: Rc::default() }
    }

    /// Accepts a WebSocket.
    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        sockets::accept(&self.state, &request).await.map_err(worker::Error::Internal)
    }

    /// Notifies the WebSockets of expired sessions, and deletes expired data. An empty object deletes its storage.
    async fn alarm(&self) -> worker::Result<Response> {
        self.on_alarm().await.map_err(worker::Error::Internal)?;
        Response::empty()
    }
}

/// The methods that Workers call by RPC.
#[wasm_bindgen]
impl UserSessions {
    /// Applies one command to a user's sessions: see `store.rs` in the core. Returns the answer or its promise.
    /// Command and answer are JSON.
    pub fn apply(&self, command: &str) -> Result<JsValue> {
        self.answer(&mut |sessions| sessions.apply(command))
    }

    /// Takes one step of a move between stores: see `store/transfer.rs` in the core. Returns its result or its
    /// promise. Step and result are JSON.
    pub fn transfer(&self, step: &str) -> Result<JsValue> {
        let now = request::now();
        self.answer(&mut |sessions| sessions.transfer(step, now))
    }

    /// The answer to a check that changes nothing, and when the answer expires, in milliseconds since the Unix
    /// epoch; `undefined` if the check must be applied.
    pub fn unchanged(&self, check: &str) -> Option<Array> {
        if !self.alarm_is_set.get() {
            return None;
        }
        let (answer, until) = self.sessions.borrow_mut().unchanged(check)?;
        Some(Array::of2(&answer.into(), &js_millis(until)))
    }

    /// Writes an entry that expires at `until`, in milliseconds since the Unix epoch, and replaces an old one.
    #[wasm_bindgen(js_name = putEntry)]
    pub fn put_entry(&self, text: &str, until: f64) -> Result<JsValue> {
        let storage = self.state.storage();
        ExpiringEntry::of(&storage).put(text, timestamp(until))?;
        Ok(resolve_with_alarm(storage, timestamp(until), "".into()).into())
    }

    /// Writes an entry, unless there is one that has not expired. Returns whether it did, or the promise of that.
    #[wasm_bindgen(js_name = putEntryIfAbsent)]
    pub fn put_entry_if_absent(&self, text: &str, until: f64) -> Result<JsValue> {
        let storage = self.state.storage();
        let entry = ExpiringEntry::of(&storage);
        if entry.get(request::now())?.is_some() {
            return Ok(false.into());
        }
        entry.put(text, timestamp(until))?;
        Ok(resolve_with_alarm(storage, timestamp(until), true.into()).into())
    }

    /// Deletes the entry if its text equals `text`. Returns an empty text.
    #[wasm_bindgen(js_name = deleteEntryIfEqual)]
    pub fn delete_entry_if_equal(&self, text: &str) -> Result<String> {
        ExpiringEntry::of(&self.state.storage()).delete_if_equal(text, request::now())?;
        Ok(String::new())
    }

    /// The entry's text; null if there is none or it has expired.
    #[wasm_bindgen(js_name = getEntry)]
    pub fn get_entry(&self) -> Result<JsValue> {
        let text = ExpiringEntry::of(&self.state.storage()).get(request::now())?;
        Ok(text.map_or(JsValue::NULL, JsValue::from))
    }

    /// Counts an attempt, unless the window has `most` already. `span` is a new window's length in milliseconds,
    /// `window` its name. Returns the text that [`auth::rate::WindowCount::read`] reads, or its promise.
    pub fn count(&self, most: u32, span: f64, window: String) -> Result<JsValue> {
        let (storage, span) = (self.state.storage(), Duration::from_millis(span as u64));
        let counter = Counter::of(&storage);
        let (count, ends) = counter.count_up(most, span, window, request::now())?;
        let answer = count.to_string().into();
        Ok(match ends {
            Some(until) => resolve_with_alarm(storage, until, answer).into(),
            None => answer,
        })
    }

    /// Takes one count of a window back, if the window is still open. Returns an empty text.
    pub fn refund(&self, window: &str) -> Result<String> {
        Counter::of(&self.state.storage()).refund(window, request::now())?;
        Ok(String::new())
    }

    /// Answers a query of the index of users. The query is a JSON list of words.
    #[wasm_bindgen(js_name = queryIndex)]
    pub fn query_index(&self, query: &str) -> Result<String> {
        let words = Array::from(&JSON::parse(query)?);
        let words: Vec<String> = words.iter().filter_map(|word| word.as_string()).collect();
        let storage = self.state.storage();
        let sql = storage.sql();
        transaction(&storage, &mut || user_index::answer(&sql, &words))
    }

    /// Sends the events of ended sessions, a JSON list, to the WebSockets that watch them.
    #[wasm_bindgen(js_name = notifyEnded)]
    pub fn notify_ended(&self, events: &str) -> Result<()> {
        sockets::notify_ended(&self.state, events)
    }

    /// Rechecks the watched sessions by an alarm that rings now, because one may have ended without an event.
    /// Returns a promise.
    #[wasm_bindgen(js_name = recheckWatched)]
    pub fn recheck_watched(&self) -> Result<JsValue> {
        Ok(match sockets::schedule_recheck(&self.state)? {
            true => {
                let storage = self.state.storage();
                resolve_with_alarm(storage, request::now(), JsValue::UNDEFINED).into()
            }
            false => JsValue::UNDEFINED,
        })
    }
}

impl UserSessions {
    /// Runs one step on the sessions. Returns its answer, or the promise of it if the alarm must be set first.
    fn answer(&self, step: &mut dyn FnMut(&mut Sessions) -> Result<String>) -> Result<JsValue> {
        let answer = self.in_transaction(step)?.into();
        if self.alarm_is_set.get() {
            return Ok(answer);
        }
        let last = self.sessions.borrow().all_forgotten();
        Ok(last.map_or(answer.clone(), |last| self.resolve_with_first_alarm(last, answer)))
    }

    /// Runs one step on the sessions in a transaction. If it fails, storage stays as before, and memory is read from
    /// it again.
    fn in_transaction(
        &self,
        step: &mut dyn FnMut(&mut Sessions) -> Result<String>,
    ) -> Result<String> {
        let mut sessions = self.sessions.borrow_mut();
        let outcome = transaction(&self.state.storage(), &mut || step(&mut sessions));
        outcome.inspect_err(|_| sessions.discard_cache())
    }

    /// The promise of an answer, resolved once an alarm is set that does not ring later. The alarm may ring before newer
    /// records expire and is then set again, which costs less than moving it at every login.
    fn resolve_with_first_alarm(&self, moment: Timestamp, answer: JsValue) -> JsValue {
        let (storage, is_set) = (self.state.storage(), Rc::clone(&self.alarm_is_set));
        let moment = moment.min(latest_alarm());
        promise::of(async move {
            if alarm(&storage).await?.is_none_or(|alarm| moment < alarm) {
                set_alarm(&storage, moment).await?;
            }
            is_set.set(true);
            Ok(answer)
        })
        .into()
    }

    /// Sets the next alarm, or deletes the storage of an empty object.
    async fn on_alarm(&self) -> Result<()> {
        let (storage, now) = (self.state.storage(), request::now());
        if let Some(moment) = self.next_alarm(&storage, now).await? {
            return set_alarm(&storage, moment).await;
        }
        self.sessions.borrow_mut().discard_cache();
        self.alarm_is_set.set(false);
        storage.delete_all().await.map_err(thrown)
    }

    /// Does each role's work of an alarm. Returns when the next one is due; `None` if the object is empty.
    async fn next_alarm(&self, storage: &Storage, now: Timestamp) -> Result<Option<Timestamp>> {
        // A new window may have opened, or a new entry been written, since the alarm was set.
        for key in [counter::KEY, expiring_entry::KEY] {
            if let Some(members) = KvEntry::at(storage, key).get(now)? {
                return Ok(Some(members.until()));
            }
        }
        let mut moments = sockets::recheck(&self.state, &self.env, now).await?;
        self.in_transaction(&mut |sessions| sessions.forget_old(now).map(|()| String::new()))?;
        moments.extend(self.sessions.borrow().all_forgotten());
        Ok(moments.into_iter().min().map(|moment| moment.min(latest_alarm())))
    }
}

/// The latest moment for which an alarm is set. What is never deleted has one, too, because an object without one is
/// empty; and the runtime's clock has an end.
fn latest_alarm() -> Timestamp {
    request::now().plus(UNSEEN_FOR)
}
