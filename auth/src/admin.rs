//! Who may look at other people's sessions, and end them.

use base64ct::{Base64, Encoding};
use serde_json::{Map, Value};

use crate::config::Secret;
use crate::credential::{bearer, scheme};

/// Does this `Authorization` bear the admin API key: as a bearer token (RFC 6750, section 2.1), or
/// as the password of whatever user (RFC 7617, section 2)?
pub fn bears_key(authorization: &str, key: &Secret) -> bool {
    if let Some(sent) = bearer(authorization) {
        return key.is(sent);
    }
    let sent = scheme(authorization, "basic").and_then(|sent| Base64::decode_vec(sent).ok());
    let sent = sent.and_then(|sent| String::from_utf8(sent).ok());
    sent.as_deref().and_then(|sent| sent.split_once(':')).is_some_and(|(_, sent)| key.is(sent))
}

/// Where tokens keep their scopes. The first is the standard's (RFC 9068, section 2.2.3), the
/// others are known from elsewhere.
const SCOPE_CLAIMS: [&str; 3] = ["scope", "scopes", "scp"];

/// The scopes among these claims: words of a text, or texts of a list.
pub fn scopes(claims: &Map<String, Value>) -> Vec<String> {
    let mut scopes = Vec::new();
    for claim in SCOPE_CLAIMS.iter().filter_map(|name| claims.get(*name)) {
        match claim {
            Value::String(text) => scopes.extend(text.split_ascii_whitespace().map(str::to_owned)),
            Value::Array(list) => {
                scopes.extend(list.iter().filter_map(|scope| Some(scope.as_str()?.to_owned())));
            }
            _ => {}
        }
    }
    scopes
}

/// What a token introspection tells of a token whose session is live (RFC 7662, section 2.2): its
/// claims, and its scopes in the standard's form.
pub fn introspection(mut claims: Map<String, Value>) -> Map<String, Value> {
    let scopes = scopes(&claims);
    if !scopes.is_empty() {
        claims.insert("scope".into(), scopes.join(" ").into());
    }
    claims.insert("active".into(), true.into());
    claims.insert("token_type".into(), "Bearer".into());
    claims
}

#[cfg(test)]
mod tests;
