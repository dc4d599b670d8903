//! How the text of each setting is read. Every function says what to change if it cannot be.

use std::time::Duration;

use super::{Mode, StoreFailure};
use crate::http::{is_token, web_url};
use crate::redis::ReadConsistency;
use crate::request_log::{LogIdentity, RequestLog};
use crate::time::parse_span;

/// `ORIGIN_URL`: scheme and authority, without a slash at the end.
pub fn origin_url(text: &str) -> Result<String, String> {
    let uri = web_url(text)?;
    if uri.path() != "/" || uri.query().is_some() {
        return Err("must not have a path or a query; requests keep their own".into());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// `LOGIN_URL`, as it is written.
pub fn login_url(text: &str) -> Result<String, String> {
    let uri = web_url(text)?;
    match uri.path().bytes().all(|byte| byte == b'/') {
        true => Err("must have a path of its own, because clients cannot reach that path, nor \
                     what is below it"
            .into()),
        false => Ok(text.to_owned()),
    }
}

/// `UPSTASH_REDIS_REST_URL`, without a slash at the end.
pub fn rest_url(text: &str) -> Result<String, String> {
    let uri = web_url(text)?;
    if uri.query().is_some() {
        return Err("must not have a query".into());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// `UPSTASH_REDIS_REST_TOKEN`: what an `Authorization` header can carry.
pub fn rest_token(text: &str) -> Result<String, String> {
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(text.to_owned())
    } else {
        Err("must be one word of visible ASCII".into())
    }
}

/// `ADMIN_API_KEY` and `INTROSPECTION_KEY`: what an `Authorization` header can carry and nobody guesses.
pub fn api_key(text: &str) -> Result<String, String> {
    match text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(text.to_owned()),
        false => Err("must be at least 32 characters of visible ASCII, without spaces".into()),
    }
}

/// `AUTH_PATH`, without a slash at the end.
pub fn auth_path(text: &str) -> Result<String, String> {
    let path = text.trim_end_matches('/');
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
    let fine = |segment: &str| {
        !segment.is_empty() && segment.chars().all(legal) && !matches!(segment, "." | "..")
    };
    match path.strip_prefix('/') {
        Some(rest) if rest.split('/').all(fine) => Ok(path.to_owned()),
        _ => Err("must be a path like `/_auth`, of letters, digits, `-`, `_`, `.` and `~`".into()),
    }
}

/// `COOKIE_NAME`: a token of RFC 9110, section 5.6.2, as RFC 6265 wants a cookie's name to be.
pub fn cookie_name(text: &str) -> Result<String, String> {
    if is_token(text) {
        Ok(text.to_owned())
    } else {
        Err("must be a cookie name like `__Host-session`".into())
    }
}

/// `STORE_TIMEOUT` and `ORIGIN_TIMEOUT`. Beyond this a request has been given up long since, and
/// the runtime's timers have an end, too.
pub fn timeout(text: &str) -> Result<Duration, String> {
    let timeout = parse_span(text)?;
    if timeout <= Duration::from_secs(60 * 60) {
        Ok(timeout)
    } else {
        Err("must not be longer than 1 hour".into())
    }
}

/// A setting that is `true` or `false`.
pub fn flag(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "must be `true` or `false`".into())
}

/// What a browser may be told to forget (Clear Site Data, section 3.1, and what Chromium adds).
const SITE_DATA: &str =
    "cache clientHints cookies executionContexts prefetchCache prerenderCache storage *";

/// `CLEAR_SITE_DATA`: the value of the header; `None` if none is sent. The types may stand in quotes,
/// as they do in the header.
pub fn clear_site_data(text: &str) -> Result<Option<String>, String> {
    if text == "off" {
        return Ok(None);
    }
    let unquoted = |kind: &str| -> Option<String> {
        let inner = kind.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(kind);
        SITE_DATA.split(' ').any(|known| known == inner).then(|| format!("\"{inner}\""))
    };
    let kinds: Option<Vec<String>> = text.split(',').map(str::trim).map(unquoted).collect();
    let kinds = kinds
        .ok_or_else(|| format!("must be `off`, or a list like `storage, cache` of {SITE_DATA}"))?;
    Ok(Some(kinds.join(", ")))
}

/// `READ_CONSISTENCY`.
pub fn consistency(text: &str) -> Result<ReadConsistency, String> {
    match text {
        "strong" => Ok(ReadConsistency::Strong),
        "nearest" => Ok(ReadConsistency::Nearest),
        _ => Err("must be `strong` or `nearest`".into()),
    }
}

/// `MODE`.
pub fn mode(text: &str) -> Result<Mode, String> {
    match text {
        "enforce" => Ok(Mode::Enforce),
        "monitor" => Ok(Mode::Monitor),
        _ => Err("must be `enforce` or `monitor`".into()),
    }
}

/// `REQUEST_LOG`.
pub fn request_log(text: &str) -> Result<RequestLog, String> {
    let all = [RequestLog::All, RequestLog::Refusals, RequestLog::Off];
    let found = all.into_iter().find(|it| it.name() == text);
    found.ok_or_else(|| "must be `all`, `refusals` or `off`".into())
}

/// `LOG_IDENTITY`.
pub fn log_identity(text: &str) -> Result<LogIdentity, String> {
    match text {
        "hashed" => Ok(LogIdentity::Hashed),
        "plain" => Ok(LogIdentity::Plain),
        _ => Err("must be `hashed` or `plain`".into()),
    }
}

/// `STORE_FAILURE`.
pub fn store_failure(text: &str) -> Result<StoreFailure, String> {
    if text == "deny" {
        return Ok(StoreFailure::Deny);
    }
    let span = text.strip_prefix("allow-recent:");
    let span = span.ok_or("must be `deny`, or `allow-recent: 60 seconds`")?;
    match parse_span(span.trim())? {
        span if span <= Duration::from_secs(15 * 60) => Ok(StoreFailure::AllowRecent(span)),
        _ => {
            Err("must not allow what was seen live longer than 15 minutes ago: it may have ended \
                  since"
                .into())
        }
    }
}
