//! Entries with a lifetime, beside the sessions.

use super::reply::result;
use super::script::LOCKING;
use super::{Redis, RestError, RestRequest};
use crate::store::EntryName;
use crate::time::Timestamp;

const WITHDRAW: &str = include_str!("withdraw.lua");

impl Redis {
    /// The request that keeps a note until a moment.
    pub fn keep(&self, note: &EntryName, text: &str, until: Timestamp) -> RestRequest {
        let until = until.millis().to_string();
        RestRequest::post(&["set", &self.note(note), text, "pxat", &until])
    }

    /// The request that keeps a note until a moment, if there is none of this name.
    pub fn keep_new(&self, note: &EntryName, text: &str, until: Timestamp) -> RestRequest {
        let until = until.millis().to_string();
        RestRequest::post(&["set", &self.note(note), text, "nx", "pxat", &until])
    }

    /// Reads the reply to [`Redis::keep_new`]: is it kept?
    ///
    /// # Errors
    /// Why the reply is no answer.
    pub fn kept(status: u16, body: &str) -> Result<bool, RestError> {
        result::<String>(status, body).map(|told| told.is_some())
    }

    /// The request that takes a note away, if it says this.
    pub fn withdraw(&self, note: &EntryName, text: &str) -> RestRequest {
        let script = format!("{LOCKING}{WITHDRAW}");
        RestRequest::post(&["eval", &script, "1", &self.note(note), text])
    }

    /// The request for a note. GETEX, because it counts as a write, and so is answered by the
    /// primary.
    pub fn recall(&self, note: &EntryName) -> RestRequest {
        RestRequest::post(&["getex", &self.note(note)])
    }

    /// Reads the reply to [`Redis::recall`].
    ///
    /// # Errors
    /// Why the reply is no answer.
    pub fn recalled(status: u16, body: &str) -> Result<Option<String>, RestError> {
        result(status, body)
    }

    /// The colon keeps notes apart from users, whose encoding has none.
    fn note(&self, note: &EntryName) -> String {
        format!("{}note:{}", self.keyspace, note.as_str())
    }
}
