//! Where sessions are stored, and what happens when the store is unreachable.

use std::mem::discriminant;
use std::time::Duration;

use super::Reader;
use crate::http::{other_url, web_url};
use crate::redis::ReadConsistency;
use crate::secret::Secret;
use crate::setting_value::InvalidValue;
use crate::time::parse_span;

/// Where sessions are stored.
#[derive(Clone, Debug)]
pub enum StoreSettings {
    /// In one Durable Object per user.
    DurableObject,
    /// In Redis.
    Redis {
        /// The REST endpoint, without a slash at its end.
        url: String,
        /// Its token.
        token: Secret,
        /// The prefix of every key.
        keyspace: String,
        /// Which replica answers a check.
        consistency: ReadConsistency,
    },
}

/// What happens when the store is unreachable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFailure {
    /// Every request is refused.
    Deny,
    /// Sessions that were live within this time pass.
    AllowRecent(Duration),
}

/// `SESSION_STORE`, and what the store needs.
pub fn store(reader: &mut Reader<'_>) -> Option<StoreSettings> {
    let kind = reader.text("SESSION_STORE").unwrap_or("durable-object".into());
    named(reader, "SESSION_STORE", &kind)
}

/// `SESSION_STORE_BEFORE`, the other store, and what that needs.
pub fn store_before(
    reader: &mut Reader<'_>,
    store: Option<&StoreSettings>,
) -> Option<StoreSettings> {
    let kind = reader.text("SESSION_STORE_BEFORE")?;
    let before = named(reader, "SESSION_STORE_BEFORE", &kind)?;
    if store.is_some_and(|store| discriminant(store) == discriminant(&before)) {
        let reason =
            "must be the other store than SESSION_STORE; remove it when all users have moved";
        reader.wrong("SESSION_STORE_BEFORE", InvalidValue::new(reason));
    }
    Some(before)
}

fn named(reader: &mut Reader<'_>, setting: &'static str, kind: &str) -> Option<StoreSettings> {
    match kind {
        "durable-object" => Some(StoreSettings::DurableObject),
        "redis" => redis(reader),
        _ => {
            let error = InvalidValue::expected("`durable-object` or `redis`", kind);
            reader.wrong(setting, error);
            None
        }
    }
}

fn redis(reader: &mut Reader<'_>) -> Option<StoreSettings> {
    reader.required("UPSTASH_REDIS_REST_URL");
    let url = reader.parsed("UPSTASH_REDIS_REST_URL", rest_url);
    reader.required("UPSTASH_REDIS_REST_TOKEN");
    let token = reader.parsed("UPSTASH_REDIS_REST_TOKEN", rest_token);
    let keyspace = reader.text("REDIS_KEYSPACE").unwrap_or("guard:".into());
    let consistency = reader.parsed("READ_CONSISTENCY", consistency);
    let consistency = consistency.unwrap_or(ReadConsistency::Strong);
    Some(StoreSettings::Redis { url: url?, token: token?, keyspace, consistency })
}

/// `UPSTASH_REDIS_REST_URL`, without a slash at the end.
fn rest_url(text: &str) -> Result<String, InvalidValue> {
    let uri = web_url(text)?;
    if uri.query().is_some() {
        return Err(other_url("a URL without a query", text));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// `UPSTASH_REDIS_REST_TOKEN`: what an `Authorization` header can carry.
fn rest_token(text: &str) -> Result<Secret, InvalidValue> {
    match text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(Secret::new(text)),
        false => Err(InvalidValue::new("expected one word of visible ASCII")),
    }
}

/// `READ_CONSISTENCY`.
fn consistency(text: &str) -> Result<ReadConsistency, InvalidValue> {
    match text {
        "strong" => Ok(ReadConsistency::Strong),
        "nearest" => Ok(ReadConsistency::Nearest),
        _ => Err(InvalidValue::expected("`strong` or `nearest`", text)),
    }
}

/// `STORE_FAILURE`. A session that was live longer ago may have ended since.
pub fn store_failure(text: &str) -> Result<StoreFailure, InvalidValue> {
    if text == "deny" {
        return Ok(StoreFailure::Deny);
    }
    let form = || InvalidValue::expected("`deny`, or `allow-recent: 60 seconds`", text);
    let span = parse_span(text.strip_prefix("allow-recent:").ok_or_else(form)?.trim())?;
    match span <= Duration::from_secs(15 * 60) {
        true => Ok(StoreFailure::AllowRecent(span)),
        false => Err(InvalidValue::expected("a duration of at most 15 minutes", text)),
    }
}
