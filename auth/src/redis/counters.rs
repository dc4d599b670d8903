//! Counters: one key each, gone when its window is.

use super::reply::{result, unreadable};
use super::script::LOCKING;
use super::{Redis, RestError, RestRequest};
use crate::rate::{Rate, WindowCount};
use crate::store::EntryName;
use crate::time::millis;

const COUNT: &str = lua!("count");
const TAKE_BACK: &str = lua!("take_back");

impl Redis {
    /// The request that counts once more, in a window of this name, if none is open. The script is
    /// sent whole: it is short, and rare.
    pub fn count(&self, counter: &EntryName, rate: &Rate, window: &str) -> RestRequest {
        let (most, span) = (rate.attempts.to_string(), millis(rate.span).to_string());
        self.at_counter(COUNT, counter, &[&most, &span, window])
    }

    /// The request that takes one count of this window back.
    pub fn take_back(&self, counter: &EntryName, window: &str) -> RestRequest {
        self.at_counter(TAKE_BACK, counter, &[window])
    }

    fn at_counter(&self, script: &str, counter: &EntryName, words: &[&str]) -> RestRequest {
        let key = format!("{}count:{}", self.keyspace, counter.as_str());
        let script = format!("{LOCKING}{script}");
        RestRequest::post(&[&["eval", &script, "1", &key], words].concat())
    }

    /// Reads the reply to [`Redis::count`].
    ///
    /// # Errors
    /// Why the reply is no answer.
    pub fn counted(status: u16, body: &str) -> Result<WindowCount, RestError> {
        let answer: Option<String> = result(status, body)?;
        answer.as_deref().and_then(WindowCount::read).ok_or_else(|| unreadable("no count"))
    }
}
