//! An entry: a text with a lifetime, in an object of its own. It is stored as `{ text, until }`.

use auth::time::Timestamp;
use worker::Storage;

use super::storage::{KvEntry, Result, js_millis};

/// The key under which it is stored.
pub const KEY: &str = "note";

/// The one entry of an object.
pub struct ExpiringEntry<'a>(KvEntry<'a>);

impl<'a> ExpiringEntry<'a> {
    /// The entry in this storage.
    pub fn of(storage: &'a Storage) -> Self {
        Self(KvEntry::at(storage, KEY))
    }

    /// Its text; `None` if it has expired.
    pub fn get(&self, now: Timestamp) -> Result<Option<String>> {
        Ok(self.0.get(now)?.map(|members| members.text("text")))
    }

    /// Writes it, and replaces the old one.
    pub fn put(&self, text: &str, until: Timestamp) -> Result<()> {
        self.0.put(&[("text", text.into()), ("until", js_millis(until))])
    }

    /// Deletes it if its text equals `text`.
    pub fn delete_if_equal(&self, text: &str, now: Timestamp) -> Result<()> {
        match self.get(now)?.as_deref() == Some(text) {
            true => self.0.delete(),
            false => Ok(()),
        }
    }
}
