//! Entries with a lifetime, beside the sessions.

use super::reply::result;
use super::script::LOCKING;
use super::{Redis, RestError, RestRequest};
use crate::store::EntryName;
use crate::time::Timestamp;

const WITHDRAW: &str = lua!("withdraw");

impl Redis {
    /// The request that stores an entry until a time.
    pub fn keep(&self, note: &EntryName, text: &str, until: Timestamp) -> RestRequest {
        let until = until.millis().to_string();
        RestRequest::post(&["set", &self.note(note), text, "pxat", &until])
    }

    /// The request that stores an entry until a time, if there is none of this name.
    pub fn keep_new(&self, note: &EntryName, text: &str, until: Timestamp) -> RestRequest {
        let until = until.millis().to_string();
        RestRequest::post(&["set", &self.note(note), text, "nx", "pxat", &until])
    }

    /// Reads the reply to [`Redis::keep_new`]: was it stored?
    ///
    /// # Errors
    /// Why the reply is not a result.
    pub fn kept(status: u16, body: &str) -> Result<bool, RestError> {
        result::<String>(status, body).map(|told| told.is_some())
    }

    /// The request that deletes an entry, if it still has this text.
    pub fn withdraw(&self, note: &EntryName, text: &str) -> RestRequest {
        let script = format!("{LOCKING}{WITHDRAW}");
        RestRequest::post(&["eval", &script, "1", &self.note(note), text])
    }

    /// The request that reads an entry. GETEX counts as a write, so the primary answers it.
    pub fn recall(&self, note: &EntryName) -> RestRequest {
        RestRequest::post(&["getex", &self.note(note)])
    }

    /// Reads the reply to [`Redis::recall`].
    ///
    /// # Errors
    /// Why the reply is not a result.
    pub fn recalled(status: u16, body: &str) -> Result<Option<String>, RestError> {
        result(status, body)
    }

    /// The colon keeps entries apart from users: base64url has none.
    fn note(&self, note: &EntryName) -> String {
        format!("{}note:{}", self.keyspace, note.as_str())
    }
}
