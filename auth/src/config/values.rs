//! Parsers for the text of a setting.

use std::time::Duration;

use super::{Mode, Reader};
use crate::client_address::{AddressSource, TrustedProxies, header_name};
use crate::event::{Webhook, WebhookSecret};
use crate::http::{is_token, other_url, web_url};
use crate::issuer::TrustedIssuer;
use crate::refusal_counts::{self, Analytics};
use crate::request_log::{LogIdentity, RequestLog};
use crate::resource_metadata::{MetadataSetting, ResourceMetadata};
use crate::secret::Secret;
use crate::setting_value::InvalidValue;
use crate::time::parse_span;

/// `LOGIN_URL`, as it is written.
pub fn login_url(text: &str) -> Result<String, InvalidValue> {
    let uri = web_url(text)?;
    match uri.path().bytes().all(|byte| byte == b'/') {
        true => {
            let what = "a URL with a path of its own, because clients can reach neither that path \
                        nor what is below it";
            Err(other_url(what, text))
        }
        false => Ok(text.to_owned()),
    }
}

/// `ADMIN_API_KEY` and `INTROSPECTION_KEY`: long enough, and valid in an `Authorization` header.
pub fn api_key(text: &str) -> Result<Secret, InvalidValue> {
    match text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(Secret::new(text)),
        false => {
            let what = "expected at least 32 characters of visible ASCII, without spaces";
            Err(InvalidValue::new(what))
        }
    }
}

/// `AUTH_PATH`, without a slash at the end.
pub fn auth_path(text: &str) -> Result<String, InvalidValue> {
    let path = text.trim_end_matches('/');
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
    let fine = |segment: &str| {
        !segment.is_empty() && segment.chars().all(legal) && !matches!(segment, "." | "..")
    };
    match path.strip_prefix('/') {
        Some(rest) if rest.split('/').all(fine) => Ok(path.to_owned()),
        _ => {
            let what = "a path like `/_auth`, of letters, digits, `-`, `_`, `.` and `~`";
            Err(InvalidValue::expected(what, text))
        }
    }
}

/// `COOKIE_NAME`: a token of RFC 9110, section 5.6.2, as RFC 6265 wants a cookie's name to be.
pub fn cookie_name(text: &str) -> Result<String, InvalidValue> {
    if is_token(text) {
        Ok(text.to_owned())
    } else {
        Err(InvalidValue::expected("a cookie name like `__Host-session`", text))
    }
}

/// `CLIENT_ID`, as RFC 6749, appendix A.1, has it, without spaces, which are mistakes.
pub fn client_id(text: &str) -> Result<String, InvalidValue> {
    match text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(text.to_owned()),
        false => Err(InvalidValue::expected("visible ASCII without spaces", text)),
    }
}

/// `STORE_TIMEOUT` and `ORIGIN_TIMEOUT`. No client waits longer, and the runtime's timers are limited.
pub fn timeout(text: &str) -> Result<Duration, InvalidValue> {
    let timeout = parse_span(text)?;
    if timeout <= Duration::from_secs(60 * 60) {
        Ok(timeout)
    } else {
        Err(InvalidValue::expected("a duration of at most 1 hour", text))
    }
}

/// The types of `Clear-Site-Data` (Clear Site Data, section 3.1, and what Chromium adds).
const SITE_DATA: &str =
    "cache clientHints cookies executionContexts prefetchCache prerenderCache storage *";

/// `CLEAR_SITE_DATA`: the value of the header; `None` if none is sent. The types may stand in quotes,
/// as they do in the header.
pub fn clear_site_data(text: &str) -> Result<Option<String>, InvalidValue> {
    if text == "off" {
        return Ok(None);
    }
    let unquoted = |kind: &str| -> Option<String> {
        let inner = kind.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(kind);
        SITE_DATA.split(' ').any(|known| known == inner).then(|| format!("\"{inner}\""))
    };
    let kinds: Option<Vec<String>> = text.split(',').map(str::trim).map(unquoted).collect();
    let what = || format!("`off`, or a list like `storage, cache` of {SITE_DATA}");
    let kinds = kinds.ok_or_else(|| InvalidValue::expected(&what(), text))?;
    Ok(Some(kinds.join(", ")))
}

/// `MODE`.
pub fn mode(text: &str) -> Result<Mode, InvalidValue> {
    match text {
        "enforce" => Ok(Mode::Enforce),
        "monitor" => Ok(Mode::Monitor),
        _ => Err(InvalidValue::expected("`enforce` or `monitor`", text)),
    }
}

/// `REQUEST_LOG`.
pub fn request_log(text: &str) -> Result<RequestLog, InvalidValue> {
    let all = [RequestLog::All, RequestLog::Refusals, RequestLog::Off];
    let found = all.into_iter().find(|it| it.name() == text);
    found.ok_or_else(|| InvalidValue::expected("`all`, `refusals` or `off`", text))
}

/// `LOG_IDENTITY`.
pub fn log_identity(text: &str) -> Result<LogIdentity, InvalidValue> {
    match text {
        "hashed" => Ok(LogIdentity::Hashed),
        "plain" => Ok(LogIdentity::Plain),
        _ => Err(InvalidValue::expected("`hashed` or `plain`", text)),
    }
}

/// Where events are sent. A secret without a URL is no error, so that removing the URL is enough to stop
/// the events.
pub fn webhook(reader: &mut Reader<'_>) -> Option<Webhook> {
    let secret = reader.parsed("EVENTS_WEBHOOK_SECRET", WebhookSecret::parse);
    let url = reader.parsed("EVENTS_WEBHOOK_URL", |text| web_url(text).map(|_| text.to_owned()))?;
    reader.required("EVENTS_WEBHOOK_SECRET");
    Some(Webhook { url, secret: secret? })
}

/// Where the log's data points are read, if they are. Neither the account nor the token is of use alone.
pub fn analytics(reader: &mut Reader<'_>) -> Option<Analytics> {
    const ACCOUNT: &str = "ANALYTICS_ACCOUNT_ID";
    const TOKEN: &str = "ANALYTICS_API_TOKEN";
    let api = reader.parsed("ANALYTICS_API_URL", refusal_counts::api_url);
    let dataset = reader.parsed("ANALYTICS_DATASET", refusal_counts::dataset);
    if reader.text(ACCOUNT).is_none() && reader.text(TOKEN).is_none() {
        return None;
    }
    reader.required(ACCOUNT);
    reader.required(TOKEN);
    let account = reader.parsed(ACCOUNT, refusal_counts::account_id)?;
    let token = reader.parsed(TOKEN, refusal_counts::api_token)?;
    let api = api.as_deref().unwrap_or(refusal_counts::API);
    let dataset = dataset.unwrap_or_else(|| refusal_counts::DATASET.to_owned());
    Some(Analytics::new(api, &account, token, dataset))
}

/// What OAuth clients are told of the site.
pub fn resource_metadata(
    reader: &mut Reader<'_>,
    issuers: &[TrustedIssuer],
) -> Option<ResourceMetadata> {
    let setting = reader.parsed("RESOURCE_METADATA", MetadataSetting::parse);
    let issuers = issuers.iter().filter(|it| it.access_tokens.is_some());
    let issuers = issuers.map(|it| it.issuer.as_str());
    match ResourceMetadata::new(setting, issuers) {
        Ok(metadata) => metadata,
        Err(error) => {
            reader.wrong("RESOURCE_METADATA", error);
            None
        }
    }
}

/// `TRUSTED_PROXIES` and `CLIENT_IP_HEADER`.
pub fn address_source(reader: &mut Reader<'_>) -> AddressSource {
    let header = reader.parsed("CLIENT_IP_HEADER", header_name);
    let named = |text: &str| match text {
        "none" => Ok(None),
        list => TrustedProxies::parse(list).map(Some),
    };
    let proxies = reader.parsed_with("TRUSTED_PROXIES", &named);
    if header.is_some() && !matches!(proxies, Some(Some(_))) {
        let reason = "needs TRUSTED_PROXIES: anybody else may send this header";
        reader.wrong("CLIENT_IP_HEADER", InvalidValue::new(reason));
    }
    match proxies {
        None => AddressSource::Cloudflare,
        Some(None) => AddressSource::Connection,
        Some(Some(networks)) => AddressSource::Proxies(TrustedProxies::new(networks, header)),
    }
}
