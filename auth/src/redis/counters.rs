//! Counters: one key each, gone when its window is.

use std::time::Duration;

use super::{LOCKING, Redis, RestError, RestRequest, result, unreadable};
use crate::rate::Count;
use crate::store::NoteName;

const COUNT: &str = include_str!("count.lua");

impl Redis {
    /// The request that counts once more. The script is sent whole: it is short, and rare.
    pub fn count(&self, counter: &NoteName, span: Duration) -> RestRequest {
        let key = format!("{}count:{}", self.keyspace, counter.as_str());
        let script = format!("{LOCKING}{COUNT}");
        RestRequest::post(&["eval", &script, "1", &key, &span.as_millis().to_string()])
    }

    /// Reads the reply to [`Redis::count`].
    ///
    /// # Errors
    /// Why the reply is no answer.
    pub fn counted(status: u16, body: &str) -> Result<Count, RestError> {
        let answer: Option<String> = result(status, body)?;
        answer.as_deref().and_then(Count::read).ok_or_else(|| unreadable("no count"))
    }
}
