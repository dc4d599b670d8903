//! The index of users: three keys that change together, so they share a slot of a cluster.

use super::reply::{result, unreadable};
use super::script::LOCKING;
use super::{Redis, RestError, RestRequest};
use crate::user_index::{Index, IndexQuery};

const INDEX: &str = lua!("index");

impl Redis {
    /// The request for a question to the index. The script is sent whole: it is rare, and never
    /// what a guarded request waits for.
    pub fn ask_index(&self, index: Index, question: &IndexQuery) -> RestRequest {
        let key = |name: &str| format!("{}{{{}}}:{name}", self.keyspace, index.name());
        let mut words = vec!["eval".to_owned(), format!("{LOCKING}{INDEX}"), "3".into()];
        words.extend([key("order"), key("deadlines"), key("users")]);
        words.extend(question.words());
        RestRequest::post(&words)
    }

    /// Reads the reply to [`Redis::ask_index`].
    ///
    /// # Errors
    /// Why the reply is no answer.
    pub fn index_answer(status: u16, body: &str) -> Result<String, RestError> {
        result(status, body)?.ok_or_else(|| unreadable("null"))
    }
}
