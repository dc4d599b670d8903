//! Durable Objects: one per user, holding that user's sessions in SQLite.

use std::rc::Rc;
use std::time::Duration;

use auth::ledger::{Ledger, Touched};
use auth::session::{Session, Subject};
use auth::store::{Answer, Command, StoreError};
use auth::time::Timestamp;
use js_sys::Promise;
use serde::Deserialize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use worker::{SqlStorageValue, State, Storage};

use super::{Answering, Outcome, Reply, SessionStore, ask_object, millis};

/// Sends commands to the objects of one namespace.
pub struct ObjectStore {
    objects: JsValue,
    timeout: Duration,
}

impl ObjectStore {
    /// A store in the namespace of this binding.
    pub fn new(objects: JsValue, timeout: Duration) -> Self {
        Self { objects, timeout }
    }

    fn send(&self, name: &str, command: &str) -> Promise {
        ask_object(&self.objects, name, command, millis(self.timeout))
    }
}

impl SessionStore for ObjectStore {
    fn ask(&self, user: &Subject, command: &Command) -> Promise {
        let command = serde_json::to_string(command).unwrap_or_default();
        self.send(&format!("user:{}", user.as_str()), &command)
    }

    fn read(&self, _: &Command, reply: &Reply) -> Option<Outcome> {
        let answer = reply.received(self.timeout).and_then(|(_, body)| {
            serde_json::from_str(body).map_err(|error| StoreError::Unreadable(error.to_string()))
        });
        Some(answer)
    }

    fn apply_anew<'a>(&'a self, user: &'a Subject, command: &'a Command) -> Answering<'a, Outcome> {
        Box::pin(super::apply(self, user, command))
    }

    fn ping(&self) -> Answering<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let reply = Reply::of(self.send("health", PING)).await;
            reply.received(self.timeout).map(|_| ())
        })
    }
}

/// The command that touches no storage.
const PING: &str = "ping";

/// One user's object. The records are in memory while it lives, and in SQLite always.
#[wasm_bindgen]
pub struct SessionObject {
    storage: Rc<Storage>,
    ledger: Option<Ledger>,
    alarm_is_set: bool,
}

#[derive(Deserialize)]
struct Row {
    record: String,
}

#[wasm_bindgen]
impl SessionObject {
    /// An object over its storage.
    #[wasm_bindgen(constructor)]
    pub fn new(state: JsValue) -> Self {
        let state = State::from(state.unchecked_into::<worker::worker_sys::DurableObjectState>());
        Self { storage: Rc::new(state.storage()), ledger: None, alarm_is_set: false }
    }

    /// Applies one command, both it and its answer as JSON.
    ///
    /// The caller wraps this in a transaction and drops the object if it fails, so that memory
    /// and storage cannot differ.
    pub fn apply(&mut self, command: &str) -> Result<String, JsError> {
        if command == PING {
            return Ok(String::new());
        }
        let command: Command = serde_json::from_str(command)?;
        let (answer, touched) = self.ledger()?.apply(&command);
        self.write(&touched)?;
        if matches!(command, Command::Open { .. }) {
            self.set_alarm();
        }
        answer_text(&answer)
    }

    /// Forgets what need not be kept any more, and says whether nothing is left.
    #[wasm_bindgen(js_name = forgetOld)]
    pub fn forget_old(&mut self, now: f64) -> Result<bool, JsError> {
        self.alarm_is_set = false;
        let forgotten = self.ledger()?.forget_old(Timestamp::from_millis(now as u64));
        self.write(&Touched { forgotten, ..Touched::default() })?;
        self.set_alarm();
        Ok(self.ledger()?.all_forgotten().is_none())
    }
}

impl SessionObject {
    fn ledger(&mut self) -> Result<&mut Ledger, JsError> {
        if self.ledger.is_none() {
            self.ledger = Some(self.read()?);
        }
        self.ledger.as_mut().ok_or_else(|| JsError::new("the ledger was just read"))
    }

    fn read(&self) -> Result<Ledger, JsError> {
        let sql = self.storage.sql();
        sql.exec(
            "CREATE TABLE IF NOT EXISTS session (sid TEXT PRIMARY KEY, record TEXT NOT NULL)",
            None,
        )?;
        let rows: Vec<Row> = sql.exec("SELECT record FROM session", None)?.to_array()?;
        let records: Result<Vec<Session>, _> =
            rows.iter().map(|row| serde_json::from_str(&row.record)).collect();
        Ok(Ledger::new(records?))
    }

    fn write(&mut self, touched: &Touched) -> Result<(), JsError> {
        let sql = self.storage.sql();
        for sid in &touched.forgotten {
            let row = vec![SqlStorageValue::from(sid.as_str())];
            sql.exec("DELETE FROM session WHERE sid = ?", row)?;
        }
        let ledger = self.ledger()?;
        for record in touched.written.iter().filter_map(|sid| ledger.get(sid)) {
            let text = serde_json::to_string(record)?;
            let row = vec![SqlStorageValue::from(record.sid.as_str()), SqlStorageValue::from(text)];
            sql.exec("INSERT OR REPLACE INTO session (sid, record) VALUES (?, ?)", row)?;
        }
        Ok(())
    }

    /// Sets the alarm for when the last record can be forgotten, unless one is set. It may ring
    /// while newer records are kept and is set anew then, which costs less than moving it at
    /// every login.
    fn set_alarm(&mut self) {
        let moment = self.ledger.as_ref().and_then(Ledger::all_forgotten);
        let Some(moment) = moment.filter(|_| !self.alarm_is_set) else { return };
        self.alarm_is_set = true;
        let storage = Rc::clone(&self.storage);
        spawn_local(async move {
            if matches!(storage.get_alarm().await, Ok(Some(_))) {
                return;
            }
            let moment = js_sys::Date::new(&(moment.millis() as f64).into());
            if let Err(error) = storage.set_alarm(worker::ScheduledTime::new(moment)).await {
                worker::console_error!("the alarm could not be set: {error}");
            }
        });
    }
}

fn answer_text(answer: &Answer) -> Result<String, JsError> {
    Ok(serde_json::to_string(answer)?)
}
