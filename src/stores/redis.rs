//! Redis, by the Upstash REST protocol.

use std::time::Duration;

use auth::rate::{Rate, WindowCount};
use auth::redis::{ReadConsistency, Redis, RestError, RestRequest};
use auth::secret::Secret;
use auth::session::{Sid, Subject};
use auth::store::{CheckTemplate, Command, EntryName, StoreError, Transfer, TransferResult};
use auth::time::Timestamp;
use auth::user_index::{Index, IndexQuery};
use wasm_bindgen::prelude::*;
use web_sys::{Headers, RequestCache, RequestInit, RequestRedirect};

use super::{LocalBoxFuture, SessionStore, StoreReply, StoreResult, received, within_timeout};
use crate::fetch::{self, Subrequest};
use crate::proxy::session_check;
use crate::{promise, request};

/// How often a step of a move is tried, if others change the records meanwhile.
const MAX_SWAPS: usize = 8;

/// Sends commands to one REST endpoint.
pub struct RedisStore {
    redis: Redis,
    url: String,
    timeout: Duration,
    authorization: Secret,
}

impl RedisStore {
    /// A store at this endpoint.
    pub fn new(
        url: &str,
        token: &Secret,
        keyspace: &str,
        consistency: ReadConsistency,
        timeout: Duration,
    ) -> Self {
        let authorization = Secret::new(&format!("Bearer {}", token.expose()));
        session_check::configure_redis(&get_init(&authorization), promise::millis(timeout));
        let redis = Redis::new(keyspace, consistency);
        Self { redis, url: url.to_owned(), timeout, authorization }
    }

    fn send(&self, request: RestRequest) -> LocalBoxFuture<'_, StoreReply> {
        let answer = Box::pin(self.fetch(request));
        Box::pin(within_timeout(self.timeout, answer))
    }

    async fn fetch(
        &self,
        RestRequest { path, body }: RestRequest,
    ) -> Result<(u16, String), JsValue> {
        let request = Subrequest {
            method: if body.is_some() { "POST" } else { "GET" },
            url: &format!("{}{path}", self.url),
            headers: &[("authorization", self.authorization.expose())],
            body: body.as_deref(),
            bypass_cache: true,
        };
        let response = request.send(None, None).await?;
        Ok((response.status_code(), fetch::text(&response).await?))
    }
}

/// Parses a reply; `None` if Redis does not have the script.
fn parse<T>(
    reply: &StoreReply,
    read: impl FnOnce(u16, &str) -> Result<T, RestError>,
) -> Option<Result<T, StoreError>> {
    let (status, body) = match received(reply) {
        Ok(received) => received,
        Err(error) => return Some(Err(error)),
    };
    match read(status, body) {
        Ok(answer) => Some(Ok(answer)),
        Err(RestError::Failed(error)) => Some(Err(error)),
        Err(RestError::ScriptLost) => None,
    }
}

/// Parses the reply to a command without a script.
fn parse_plain<T>(
    reply: &StoreReply,
    read: impl FnOnce(u16, &str) -> Result<T, RestError>,
) -> Result<T, StoreError> {
    let unreadable =
        || Err(StoreError::Unreadable("NOSCRIPT for a command without a script".into()));
    parse(reply, read).unwrap_or_else(unreadable)
}

impl SessionStore for RedisStore {
    fn send_command<'a>(
        &'a self,
        user: &'a Subject,
        command: &'a Command,
    ) -> LocalBoxFuture<'a, StoreReply> {
        self.send(self.redis.request(user, command))
    }

    fn check_frame(
        &self,
        user: &Subject,
        sid: &Sid,
        jti: Option<&str>,
        idle_timeout: Option<Duration>,
    ) -> (String, CheckTemplate) {
        let frame = self.redis.check_frame(user, sid, jti, idle_timeout);
        (String::new(), CheckTemplate { before: format!("{}{}", self.url, frame.before), ..frame })
    }

    fn read(&self, command: &Command, reply: &StoreReply) -> Option<StoreResult> {
        parse(reply, |status, body| Redis::answer(command, status, body))
    }

    fn apply_on_primary<'a>(
        &'a self,
        user: &'a Subject,
        command: &'a Command,
    ) -> LocalBoxFuture<'a, StoreResult> {
        Box::pin(async move {
            let reply = self.send(self.redis.request_with_text(user, command)).await;
            self.read(command, &reply).unwrap_or_else(|| {
                Err(StoreError::Unreadable("NOSCRIPT for a script sent in full".into()))
            })
        })
    }

    fn put_entry<'a>(
        &'a self,
        name: &'a EntryName,
        text: &'a str,
        until: Timestamp,
    ) -> LocalBoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let reply = self.send(self.redis.keep(name, text, until)).await;
            parse_plain(&reply, Redis::pong)
        })
    }

    fn put_entry_if_absent<'a>(
        &'a self,
        name: &'a EntryName,
        text: &'a str,
        until: Timestamp,
    ) -> LocalBoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let reply = self.send(self.redis.keep_new(name, text, until)).await;
            parse_plain(&reply, Redis::kept)
        })
    }

    fn delete_entry_if_equal<'a>(
        &'a self,
        name: &'a EntryName,
        text: &'a str,
    ) -> LocalBoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let reply = self.send(self.redis.withdraw(name, text)).await;
            parse_plain(&reply, Redis::pong)
        })
    }

    fn get_entry<'a>(
        &'a self,
        name: &'a EntryName,
    ) -> LocalBoxFuture<'a, Result<Option<String>, StoreError>> {
        Box::pin(async move {
            let reply = self.send(self.redis.recall(name)).await;
            parse_plain(&reply, Redis::recalled)
        })
    }

    fn count<'a>(
        &'a self,
        counter: &'a EntryName,
        rate: &'a Rate,
        window: &'a str,
    ) -> LocalBoxFuture<'a, Result<WindowCount, StoreError>> {
        Box::pin(async move {
            let reply = self.send(self.redis.count(counter, rate, window)).await;
            parse_plain(&reply, Redis::counted)
        })
    }

    fn refund<'a>(
        &'a self,
        counter: &'a EntryName,
        window: &'a str,
    ) -> LocalBoxFuture<'a, StoreReply> {
        self.send(self.redis.take_back(counter, window))
    }

    fn transfer<'a>(
        &'a self,
        user: &'a Subject,
        step: Transfer,
    ) -> LocalBoxFuture<'a, Result<TransferResult, StoreError>> {
        Box::pin(async move {
            for _ in 0..MAX_SWAPS {
                let reply = self.send(self.redis.fields(user)).await;
                let fields = parse_plain(&reply, Redis::fields_answer)?;
                let (result, swap) = self.redis.transfer(user, &fields, &step, request::now())?;
                let Some(swap) = swap else { return Ok(result) };
                let reply = self.send(swap).await;
                if parse_plain(&reply, Redis::swapped)? {
                    return Ok(result);
                }
            }
            Err(StoreError::Unreachable("others keep changing the user's records".into()))
        })
    }

    fn query_index<'a>(
        &'a self,
        index: Index,
        query: &'a IndexQuery,
    ) -> LocalBoxFuture<'a, StoreReply> {
        self.send(self.redis.ask_index(index, query))
    }

    fn read_index(&self, reply: &StoreReply) -> Result<String, StoreError> {
        parse_plain(reply, Redis::index_answer)
    }

    fn ping(&self) -> LocalBoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let reply = self.send(Redis::ping()).await;
            parse_plain(&reply, Redis::pong)
        })
    }
}

/// The options of the session check's `fetch`, shared by all checks. They bypass the cache, because Redis itself
/// must reply, and follow no redirects, because the token is only for the endpoint in the settings.
fn get_init(authorization: &Secret) -> JsValue {
    let init = RequestInit::new();
    init.set_method("GET");
    if let Ok(headers) = Headers::new() {
        // `Settings` refuses a token that is not a valid header value.
        let _ = headers.set("authorization", authorization.expose());
        init.set_headers(&headers);
    }
    init.set_cache(RequestCache::NoStore);
    init.set_redirect(RequestRedirect::Manual);
    init.into()
}
