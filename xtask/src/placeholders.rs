//! Values for secrets that this machine does not have, so that everything else can be checked.

use std::collections::BTreeMap;

use serde_json::Value;

const PLACEHOLDERS: [(&str, &str); 3] = [
    (
        "SIGNING_KEYS",
        r#"{"keys":[{"kty":"oct","alg":"HS256","kid":"placeholder","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}"#,
    ),
    ("UPSTASH_REDIS_REST_TOKEN", "placeholder"),
    ("EVENTS_WEBHOOK_SECRET", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
];

/// Stands for the secret of an identity provider.
const ISSUER_SECRET: &str = "placeholder-placeholder-placeholder";

/// The settings, with placeholders for missing secrets.
pub fn complete(given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut all = complete_issuer_secrets(given);
    for (name, text) in PLACEHOLDERS {
        all.entry(name.to_owned()).or_insert_with(|| text.to_owned());
    }
    all
}

/// The settings, with placeholders for the missing secrets of identity providers.
pub fn complete_issuer_secrets(given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut all = given.clone();
    for name in issuer_secrets(given) {
        all.entry(name).or_insert_with(|| ISSUER_SECRET.to_owned());
    }
    all
}

/// The variables that `TRUSTED_ISSUERS` names as those of secrets.
pub fn issuer_secrets(given: &BTreeMap<String, String>) -> Vec<String> {
    let issuers = given.get("TRUSTED_ISSUERS").and_then(|json| serde_json::from_str(json).ok());
    let Some(Value::Array(issuers)) = issuers else { return Vec::new() };
    const MEMBERS: [&str; 2] = ["/access_tokens/secret", "/client_secret_name"];
    let of =
        |issuer: &Value| MEMBERS.map(|member| issuer.pointer(member)?.as_str().map(str::to_owned));
    let names = issuers.iter().flat_map(of).flatten();
    let is_variable = |name: &String| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    names.filter(is_variable).collect()
}
