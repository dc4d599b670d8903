//! What a provider is called if the settings do not say.

use crate::http::host;

/// Labels that say what a host is for, not whose it is.
const COMMON: [&str; 14] = [
    "accounts", "account", "auth", "connect", "id", "identity", "idp", "keycloak", "login",
    "oauth", "oidc", "secure", "sso", "www",
];

/// The longest name.
const MAX_NAME: usize = 32;

/// May it stand in a path as the name?
pub fn is_name(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.starts_with('-') && (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(legal)
}

/// The first label of the issuer's host that tells it from others, or else the first at all; `None` if there is none.
pub fn of_issuer(issuer: &str) -> Option<String> {
    let host = host(issuer).to_ascii_lowercase();
    let mut labels = Vec::from_iter(host.split('.'));
    if labels.len() > 1 {
        labels.pop();
    }
    let is_word = |label: &str| is_name(label) && label.bytes().any(|it| it.is_ascii_lowercase());
    labels.retain(|label| is_word(label));
    let telling = labels.iter().find(|label| !COMMON.contains(label));
    telling.or(labels.first()).map(|&label| label.to_owned())
}

/// The issuer's host, for people.
pub fn title_of(issuer: &str) -> String {
    match host(issuer) {
        "accounts.google.com" => "Google".into(),
        host => host.to_owned(),
    }
}
