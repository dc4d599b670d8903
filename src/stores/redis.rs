//! Redis behind the Upstash REST protocol.

use std::time::Duration;

use auth::config::Secret;
use auth::rate::{Rate, WindowCount};
use auth::redis::{ReadConsistency, Redis, RestError, RestRequest};
use auth::session::{Sid, Subject};
use auth::store::{CheckFrame, Command, EntryName, StoreError};
use auth::time::Timestamp;
use auth::user_index::IndexQuery;
use js_sys::{Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::Headers;

use crate::proxy::session_check;

use super::{Answering, Outcome, Reply, SessionStore, ask_redis, millis};

/// Sends commands to one REST endpoint.
pub struct RedisStore {
    redis: Redis,
    url: String,
    timeout: Duration,
    headers: JsValue,
    get: JsValue,
}

impl RedisStore {
    /// A store at this endpoint. The requests' common parts are made here, once.
    pub fn new(
        url: &str,
        token: &Secret,
        keyspace: &str,
        consistency: ReadConsistency,
        timeout: Duration,
    ) -> Self {
        let headers: JsValue = Headers::new().map_or(JsValue::UNDEFINED, |headers| {
            // `Settings` takes no token that a header could not carry.
            let _ = headers.set("authorization", &format!("Bearer {}", token.expose()));
            headers.into()
        });
        let get = init(&headers, "GET", None);
        session_check::configure_redis(&get, millis(timeout));
        let redis = Redis::new(keyspace, consistency);
        Self { redis, url: url.to_owned(), timeout, headers, get }
    }

    fn send(&self, request: &RestRequest) -> Promise {
        let url = format!("{}{}", self.url, request.path);
        match &request.body {
            None => ask_redis(&url, &self.get, millis(self.timeout)),
            Some(body) => {
                let init = init(&self.headers, "POST", Some(body));
                ask_redis(&url, &init, millis(self.timeout))
            }
        }
    }

    /// Reads a reply; `None` if Redis has lost the script.
    fn received<T>(
        &self,
        reply: &Reply,
        read: impl FnOnce(u16, &str) -> Result<T, RestError>,
    ) -> Option<Result<T, StoreError>> {
        let (status, body) = match reply.received(self.timeout) {
            Ok(received) => received,
            Err(error) => return Some(Err(error)),
        };
        match read(status, body) {
            Ok(answer) => Some(Ok(answer)),
            Err(RestError::Failed(error)) => Some(Err(error)),
            Err(RestError::ScriptLost) => None,
        }
    }
}

impl RedisStore {
    /// Reads the reply to a command that is no script.
    fn plain<T>(
        &self,
        reply: &Reply,
        read: impl FnOnce(u16, &str) -> Result<T, RestError>,
    ) -> Result<T, StoreError> {
        let unreadable = || Err(StoreError::Unreadable("NOSCRIPT for what is no script".into()));
        self.received(reply, read).unwrap_or_else(unreadable)
    }
}

impl SessionStore for RedisStore {
    fn ask(&self, user: &Subject, command: &Command) -> Promise {
        self.send(&self.redis.request(user, command))
    }

    fn check_frame(
        &self,
        user: &Subject,
        sid: &Sid,
        jti: &str,
        idle_timeout: Option<Duration>,
    ) -> (String, CheckFrame) {
        let frame = self.redis.check_frame(user, sid, Some(jti), idle_timeout);
        (String::new(), CheckFrame { before: format!("{}{}", self.url, frame.before), ..frame })
    }

    fn read(&self, command: &Command, reply: &Reply) -> Option<Outcome> {
        self.received(reply, |status, body| Redis::answer(command, status, body))
    }

    fn apply_anew<'a>(&'a self, user: &'a Subject, command: &'a Command) -> Answering<'a, Outcome> {
        Box::pin(async move {
            let reply = Reply::of(self.send(&self.redis.request_with_text(user, command))).await;
            self.read(command, &reply).unwrap_or_else(|| {
                Err(StoreError::Unreadable("NOSCRIPT for a script sent in full".into()))
            })
        })
    }

    fn keep<'a>(
        &'a self,
        note: &'a EntryName,
        text: &'a str,
        until: Timestamp,
    ) -> Answering<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let reply = Reply::of(self.send(&self.redis.keep(note, text, until))).await;
            self.plain(&reply, Redis::pong)
        })
    }

    fn keep_new<'a>(
        &'a self,
        note: &'a EntryName,
        text: &'a str,
        until: Timestamp,
    ) -> Answering<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let reply = Reply::of(self.send(&self.redis.keep_new(note, text, until))).await;
            self.plain(&reply, Redis::kept)
        })
    }

    fn withdraw<'a>(
        &'a self,
        note: &'a EntryName,
        text: &'a str,
    ) -> Answering<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let reply = Reply::of(self.send(&self.redis.withdraw(note, text))).await;
            self.plain(&reply, Redis::pong)
        })
    }

    fn recall<'a>(
        &'a self,
        note: &'a EntryName,
    ) -> Answering<'a, Result<Option<String>, StoreError>> {
        Box::pin(async move {
            let reply = Reply::of(self.send(&self.redis.recall(note))).await;
            self.plain(&reply, Redis::recalled)
        })
    }

    fn count<'a>(
        &'a self,
        counter: &'a EntryName,
        rate: &'a Rate,
        window: &'a str,
    ) -> Answering<'a, Result<WindowCount, StoreError>> {
        Box::pin(async move {
            let reply = Reply::of(self.send(&self.redis.count(counter, rate, window))).await;
            self.plain(&reply, Redis::counted)
        })
    }

    fn take_back(&self, counter: &EntryName, window: &str) -> Promise {
        self.send(&self.redis.take_back(counter, window))
    }

    fn ask_index(&self, question: &IndexQuery) -> Promise {
        self.send(&self.redis.ask_index(question))
    }

    fn read_index(&self, reply: &Reply) -> Result<String, StoreError> {
        self.plain(reply, Redis::index_answer)
    }

    fn ping(&self) -> Answering<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let reply = Reply::of(self.send(&Redis::ping())).await;
            self.plain(&reply, Redis::pong)
        })
    }
}

/// What `fetch` is given. A reply must come from Redis itself: caching is forbidden.
fn init(headers: &JsValue, method: &str, body: Option<&str>) -> JsValue {
    let init = Object::new();
    let set = |name: &str, value: &JsValue| {
        // Setting a member of a fresh object cannot fail.
        let _ = Reflect::set(&init, &name.into(), value);
    };
    set("method", &method.into());
    set("headers", headers);
    set("cache", &"no-store".into());
    // The token is for the endpoint that the settings name, wherever that may point.
    set("redirect", &"manual".into());
    if let Some(body) = body {
        set("body", &body.into());
    }
    init.into()
}
