//! Calls Durable Objects by RPC. Their class is in `object.rs`.

use std::time::Duration;

use auth::rate::{Rate, WindowCount};
use auth::session::{Sid, Subject};
use auth::store::{CheckTemplate, Command, EntryName, StoreError, Transfer, TransferResult};
use auth::time::Timestamp;
use auth::user_index::{Index, IndexQuery};
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::ObjectNamespace;

use super::sessions::PING;
use crate::platform::{UserSessionsStub, thrown};
use crate::promise;
use crate::proxy::session_check;
use crate::stores::{
    self, LocalBoxFuture, SessionStore, StoreReply, StoreResult, received, within_timeout,
};

/// The store in the Durable Objects of one namespace.
pub struct ObjectStore {
    objects: ObjectNamespace,
    timeout: Duration,
}

impl ObjectStore {
    /// A store in the namespace of this binding.
    pub fn new(objects: ObjectNamespace, timeout: Duration) -> Self {
        session_check::configure_objects(objects.as_ref(), promise::millis(timeout));
        Self { objects, timeout }
    }

    /// [`call_object`] in this namespace.
    async fn call(
        &self,
        name: &str,
        is_repeatable: bool,
        call: Call<'_>,
    ) -> Result<JsValue, StoreError> {
        call_object(&self.objects, name, self.timeout, is_repeatable, call).await
    }

    async fn apply(&self, name: &str, command: &str, is_repeatable: bool) -> StoreReply {
        let answer = self.call(name, is_repeatable, &|object| object.apply(command)).await;
        reply(answer)
    }
}

impl SessionStore for ObjectStore {
    fn send_command<'a>(
        &'a self,
        user: &'a Subject,
        command: &'a Command,
    ) -> LocalBoxFuture<'a, StoreReply> {
        Box::pin(async move {
            let json = serde_json::to_string(command).unwrap_or_default();
            self.apply(&object_name(user), &json, command.is_repeatable()).await
        })
    }

    fn check_frame(
        &self,
        user: &Subject,
        sid: &Sid,
        jti: Option<&str>,
        idle_timeout: Option<Duration>,
    ) -> (String, CheckTemplate) {
        (object_name(user), Command::check_frame(sid, jti, idle_timeout))
    }

    fn read(&self, command: &Command, reply: &StoreReply) -> Option<StoreResult> {
        let answer = received(reply).and_then(|(_, body)| {
            let answer = serde_json::from_str(body);
            let answer = answer.map_err(|error| StoreError::Unreadable(error.to_string()))?;
            match command.is_answered_by(&answer) {
                true => Ok(answer),
                false => Err(StoreError::other_answer()),
            }
        });
        Some(answer)
    }

    fn apply_on_primary<'a>(
        &'a self,
        user: &'a Subject,
        command: &'a Command,
    ) -> LocalBoxFuture<'a, StoreResult> {
        Box::pin(stores::apply(self, user, command))
    }

    fn put_entry<'a>(
        &'a self,
        name: &'a EntryName,
        text: &'a str,
        until: Timestamp,
    ) -> LocalBoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let until = until.millis() as f64;
            let put: Call = &|object| object.put_entry(text, until);
            self.call(&entry_object(name), true, put).await.map(drop)
        })
    }

    fn put_entry_if_absent<'a>(
        &'a self,
        name: &'a EntryName,
        text: &'a str,
        until: Timestamp,
    ) -> LocalBoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let until = until.millis() as f64;
            let put: Call = &|object| object.put_entry_if_absent(text, until);
            let is_new = self.call(&entry_object(name), false, put).await?;
            is_new.as_bool().ok_or_else(|| other_type("boolean"))
        })
    }

    fn delete_entry_if_equal<'a>(
        &'a self,
        name: &'a EntryName,
        text: &'a str,
    ) -> LocalBoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let delete: Call = &|object| object.delete_entry_if_equal(text);
            self.call(&entry_object(name), false, delete).await.map(drop)
        })
    }

    fn get_entry<'a>(
        &'a self,
        name: &'a EntryName,
    ) -> LocalBoxFuture<'a, Result<Option<String>, StoreError>> {
        Box::pin(async move {
            let text = self.call(&entry_object(name), true, &UserSessionsStub::get_entry).await?;
            // Only null says that there is none: a logout that cannot be read must not count as none.
            if text.is_null() { Ok(None) } else { text_of(&text).map(Some) }
        })
    }

    fn count<'a>(
        &'a self,
        counter: &'a EntryName,
        rate: &'a Rate,
        window: &'a str,
    ) -> LocalBoxFuture<'a, Result<WindowCount, StoreError>> {
        Box::pin(async move {
            let (most, span) = (rate.attempts.get(), auth::time::millis(rate.span) as f64);
            let count: Call = &|object| object.count(most, span, window);
            let count = self.call(&counter_object(counter), false, count).await?;
            WindowCount::read(&text_of(&count)?).ok_or_else(|| other_type("count"))
        })
    }

    fn refund<'a>(
        &'a self,
        counter: &'a EntryName,
        window: &'a str,
    ) -> LocalBoxFuture<'a, StoreReply> {
        Box::pin(async move {
            let call: Call = &|object| object.refund(window);
            reply(self.call(&counter_object(counter), false, call).await)
        })
    }

    fn transfer<'a>(
        &'a self,
        user: &'a Subject,
        step: Transfer,
    ) -> LocalBoxFuture<'a, Result<TransferResult, StoreError>> {
        Box::pin(async move {
            let json = serde_json::to_string(&step).unwrap_or_default();
            let call: Call = &|object| object.transfer(&json);
            let result = text_of(&self.call(&object_name(user), true, call).await?)?;
            serde_json::from_str(&result).map_err(|error| StoreError::Unreadable(error.to_string()))
        })
    }

    fn query_index<'a>(
        &'a self,
        index: Index,
        query: &'a IndexQuery,
    ) -> LocalBoxFuture<'a, StoreReply> {
        Box::pin(async move {
            let query = serde_json::to_string(&query.words()).unwrap_or_default();
            reply(self.call(index.name(), true, &|object| object.query_index(&query)).await)
        })
    }

    fn read_index(&self, reply: &StoreReply) -> Result<String, StoreError> {
        received(reply).map(|(_, answer)| answer.to_owned())
    }

    fn ping(&self) -> LocalBoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let answer = self.call("health", true, &|object| object.apply(PING)).await;
            answer.map(drop)
        })
    }
}

/// An RPC to one method of an object.
pub type Call<'a> = &'a dyn Fn(&UserSessionsStub) -> Result<Promise, JsValue>;

/// Calls a method of the object of this name, within a timeout. If the object was reset, a repeatable call is
/// retried once.
///
/// # Errors
/// [`StoreError::TimedOut`] or [`StoreError::Unreachable`].
pub async fn call_object(
    objects: &ObjectNamespace,
    name: &str,
    timeout: Duration,
    is_repeatable: bool,
    call: Call<'_>,
) -> Result<JsValue, StoreError> {
    let once = || async {
        let called = call(&stub(objects, name)?)?;
        JsFuture::from(called).await
    };
    let answer = Box::pin(async {
        match once().await {
            // The stub of an object that was reset stays broken. A new one reaches the new object.
            Err(error) if is_repeatable && session_check::was_reset(&error) => once().await,
            answer => answer,
        }
    });
    within_timeout(timeout, answer).await
}

/// A stub of the object of this name. It stays broken once the object is reset.
///
/// # Errors
/// The value that was thrown.
pub fn stub(objects: &ObjectNamespace, name: &str) -> Result<UserSessionsStub, JsValue> {
    objects.get_by_name(name).map(|stub| stub.into_rpc()).map_err(thrown)
}

/// An object's answer as a store's reply.
fn reply(answer: Result<JsValue, StoreError>) -> StoreReply {
    answer.and_then(|text| Ok((200, text_of(&text)?)))
}

/// The text that an object returned. Anything else is not an empty text.
fn text_of(answer: &JsValue) -> Result<String, StoreError> {
    answer.as_string().ok_or_else(|| other_type("text"))
}

fn other_type(expected: &str) -> StoreError {
    StoreError::Unreadable(format!("the Durable Object returned no {expected}"))
}

/// The name of a user's object.
pub fn object_name(user: &Subject) -> String {
    format!("user:{}", user.as_str())
}

/// The name of an entry's object. Its prefix differs from that of users.
fn entry_object(name: &EntryName) -> String {
    format!("note:{}", name.as_str())
}

fn counter_object(counter: &EntryName) -> String {
    format!("count:{}", counter.as_str())
}
