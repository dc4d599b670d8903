//! Reads and writes an object's storage. Errors are the values that the runtime has thrown.
//!
//! Everything but alarms is synchronous, so that no other call runs between a read and a write.

use auth::time::Timestamp;
use js_sys::{Date, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use worker::{ScheduledTime, SqlStorage, SqlStorageValue, Storage};

use crate::platform::{SyncStorage, thrown};
use crate::promise;

/// The result of a storage operation.
pub type Result<T> = std::result::Result<T, JsValue>;

/// An error with this message.
pub fn failure(message: &str) -> JsValue {
    JsError::new(message).into()
}

/// Runs a step in a transaction, which is rolled back if the step fails or panics.
pub fn transaction(storage: &Storage, step: &mut dyn FnMut() -> Result<String>) -> Result<String> {
    let mut answer = String::new();
    let step = &mut || {
        answer = step()?;
        Ok(())
    };
    SyncStorage::of(storage).transaction_sync(step)?;
    Ok(answer)
}

/// Runs a statement, and returns the first column of its rows, which must be text.
pub fn query(sql: &SqlStorage, statement: &str, bindings: Vec<JsValue>) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for row in sql.exec_raw(statement, bindings).map_err(thrown)?.raw() {
        match row.map_err(thrown)?.into_iter().next() {
            Some(SqlStorageValue::String(text)) => texts.push(text),
            _ => return Err(failure("a stored value is not text")),
        }
    }
    Ok(texts)
}

/// One value of the key-value storage: an object that expires at its member `until`.
pub struct KvEntry<'a> {
    storage: &'a Storage,
    key: &'static str,
}

impl<'a> KvEntry<'a> {
    /// The value under this key.
    pub fn at(storage: &'a Storage, key: &'static str) -> Self {
        Self { storage, key }
    }

    /// Its members; `None` if there is none or it has expired.
    pub fn get(&self, now: Timestamp) -> Result<Option<Members>> {
        let value = SyncStorage::of(self.storage).kv().get(self.key)?;
        let members = (!value.is_undefined()).then(|| Members::of(value));
        Ok(members.filter(|members| now < members.until()))
    }

    /// Replaces it.
    pub fn put(&self, members: &[(&str, JsValue)]) -> Result<()> {
        SyncStorage::of(self.storage).kv().put(self.key, &object(members)?)
    }

    /// Deletes it.
    pub fn delete(&self) -> Result<()> {
        SyncStorage::of(self.storage).kv().delete(self.key).map(drop)
    }
}

/// A plain object, as it is stored.
pub fn object(members: &[(&str, JsValue)]) -> Result<JsValue> {
    let object = Object::new();
    for (name, member) in members {
        Reflect::set(&object, &(*name).into(), member)?;
    }
    Ok(object.into())
}

/// The members of an object.
pub struct Members(JsValue);

impl Members {
    /// The members of this value; none if it is not an object.
    pub fn of(value: JsValue) -> Self {
        Self(value)
    }

    /// When it expires.
    pub fn until(&self) -> Timestamp {
        Timestamp::from_millis(self.number("until"))
    }

    /// A whole number; zero if the member is not a number.
    pub fn number(&self, name: &str) -> u64 {
        self.get(name).as_f64().unwrap_or_default() as u64
    }

    /// A text; empty if the member is not a text.
    pub fn text(&self, name: &str) -> String {
        self.get(name).as_string().unwrap_or_default()
    }

    /// A member; `undefined` if there is none.
    pub fn get(&self, name: &str) -> JsValue {
        Reflect::get(&self.0, &name.into()).unwrap_or_default()
    }
}

/// A moment in milliseconds since the Unix epoch, for JavaScript and SQL.
pub fn js_millis(moment: Timestamp) -> JsValue {
    JsValue::from_f64(moment.millis() as f64)
}

/// When the object's alarm rings, if it is set.
pub async fn alarm(storage: &Storage) -> Result<Option<Timestamp>> {
    let alarm = storage.get_alarm().await.map_err(thrown)?;
    Ok(alarm.map(|millis| Timestamp::from_millis(millis as u64)))
}

/// Sets the object's alarm.
pub async fn set_alarm(storage: &Storage, moment: Timestamp) -> Result<()> {
    let date = Date::new(&js_millis(moment));
    storage.set_alarm(ScheduledTime::new(date)).await.map_err(thrown)
}

/// The promise of an answer, resolved once the alarm is set.
pub fn resolve_with_alarm(storage: Storage, moment: Timestamp, answer: JsValue) -> Promise {
    promise::of(async move {
        set_alarm(&storage, moment).await?;
        Ok(answer)
    })
}
