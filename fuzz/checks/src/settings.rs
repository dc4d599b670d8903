use std::time::Duration;

use auth::config::{SettingError, Settings, StoreSettings};
use auth::keys::{AlgorithmKey, KeySet};
use auth::time::parse_span;
use serde_json::Value;

/// Input: settings as lines of `NAME=value`. The whole is also parsed as a key set and as a duration.
pub fn settings(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let pairs = || text.lines().filter_map(|line| line.split_once('='));
    let get = |name: &str| pairs().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned());
    match Settings::read(get) {
        Ok(settings) => are_consistent(&settings),
        Err(errors) => {
            assert!(!errors.is_empty(), "refused without a reason");
            for error in errors {
                assert!(!error.name.is_empty() && !error.reason.is_empty(), "{error}");
                assert!(!reveals_secret(&error, get(error.name)), "{error}");
            }
        }
    }
    if let Ok(keys) = KeySet::parse(&text) {
        check_keys(&keys);
    }
    if let Ok(span) = parse_span(&text) {
        assert!(!span.is_zero() && span <= Duration::from_secs(3650 * 24 * 60 * 60));
    }
}

/// A reason may contain words of the value, such as a `kty`, but never the whole secret. Values that are short or contain
/// a space are ignored, because they may be part of any text.
fn reveals_secret(error: &SettingError, value: Option<String>) -> bool {
    let value = value.unwrap_or_default();
    let secret = value.trim();
    ["SIGNING_KEYS", "UPSTASH_REDIS_REST_TOKEN"].contains(&error.name)
        && secret.len() >= 16
        && !secret.contains(' ')
        && error.reason.contains(secret)
}

fn are_consistent(settings: &Settings) {
    assert!(settings.token_ttl <= settings.session_ttl);
    assert!(settings.idle_timeout.is_none_or(|idle| idle <= settings.session_ttl));
    assert!(settings.auth_path.starts_with('/') && !settings.auth_path.ends_with('/'));
    assert!(!settings.issuer.is_empty() && !settings.audience.is_empty());
    assert!(!settings.session_cookie.name().contains([' ', ';', ',', '=', '\r', '\n']));
    if let StoreSettings::Redis { url, token, .. } = &settings.store {
        // Schemes are case-insensitive (RFC 3986, section 3.1).
        let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        assert!(matches!(scheme.as_deref(), Some("http" | "https")), "{url}");
        assert!(!url.ends_with('/'), "{url}");
        assert!(token.expose().bytes().all(|byte| byte.is_ascii_graphic()));
    }
    check_keys(&settings.keys);
}

/// Every key is found by its `kid`, one can sign, and no secret is published.
fn check_keys(keys: &KeySet) {
    let signing = keys.signing();
    assert!(!matches!(signing.material, AlgorithmKey::Rsa(..)), "RSA keys cannot sign");
    assert_eq!(keys.find(Some(&signing.kid)).map(|key| &key.kid), Some(&signing.kid));
    let public = keys.public();
    for key in public["keys"].as_array().into_iter().flatten() {
        assert!(["k", "d", "p", "q"].iter().all(|secret| key.get(secret).is_none()), "{key}");
        assert!(keys.find(key["kid"].as_str()).is_some() && key["kty"] != "oct", "{key}");
        assert!(matches!(&key["alg"], Value::String(alg) if !alg.is_empty()), "{key}");
    }
}
