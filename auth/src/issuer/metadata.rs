//! What a provider says of itself (OpenID Connect Discovery 1.0, section 3; RFC 8414), and when to ask again.

mod cache;

use serde_json::{Map, Value};

use super::TrustedIssuer;
use super::sign_in::ProviderEndpoints;
use crate::http::web_url;
use crate::strict_json;

pub use cache::{MetadataLookup, ProviderMetadataCache};

/// The largest document that is read, in bytes.
pub const MAX_METADATA: usize = 256 * 1024;

/// Where a provider signs people in, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderMetadata {
    /// Where browsers are sent.
    pub authorization_endpoint: String,
    /// Where codes are exchanged for tokens.
    pub token_endpoint: String,
    /// Where its keys are.
    pub jwks_uri: Option<String>,
    /// Where the guard asks for the claims of a user (OpenID Connect Core 1.0, section 5.3).
    pub userinfo_endpoint: Option<String>,
    /// Where browsers are sent to log out (OpenID Connect RP-Initiated Logout 1.0).
    pub end_session_endpoint: Option<String>,
    /// Where the parameters of an authorization request are pushed first (RFC 9126).
    pub pushed_authorization_request_endpoint: Option<String>,
    /// Does it require that?
    pub requires_par: bool,
    /// Does it say `iss` when it sends browsers back (RFC 9207)?
    pub sends_iss: bool,
    /// Does it read the parameter `claims` (OpenID Connect Core 1.0, section 5.5)?
    pub takes_claims: bool,
}

impl ProviderMetadata {
    /// The metadata by the settings alone; `None` if they lack an endpoint or the keys, and the provider has to be asked.
    pub fn of_settings(issuer: &TrustedIssuer) -> Option<Self> {
        let sign_in = issuer.sign_in.as_ref()?;
        let has_keys = issuer.jwks_uri.is_some() || sign_in.is_plain_oauth();
        let known =
            ProviderEndpoints { jwks_uri: issuer.jwks_uri.clone(), ..sign_in.endpoints.clone() };
        Self::made_of(known, &Map::new()).filter(|_| has_keys)
    }

    /// The URL of the provider's document: its `iss`, without a slash at the end, and the well-known path.
    pub fn discovery_url(issuer: &TrustedIssuer) -> String {
        let base = issuer.issuer.strip_suffix('/').unwrap_or(&issuer.issuer);
        format!("{base}/.well-known/openid-configuration")
    }

    /// Reads the document. Endpoints of the settings replace those of the document.
    ///
    /// # Errors
    /// What is wrong with it; for the log.
    pub fn parse(json: &str, issuer: &TrustedIssuer) -> Result<Self, String> {
        let Ok(Value::Object(said)) = strict_json::value(json) else {
            return Err("is no JSON object, or has a member twice".into());
        };
        is_of(issuer, said.get("issuer"))?;
        let of_settings = issuer.sign_in.as_ref().map(|it| it.endpoints.clone());
        let mut known = of_settings.unwrap_or_default();
        known.jwks_uri = issuer.jwks_uri.clone();
        for (name, endpoint) in known.by_metadata_names() {
            if endpoint.is_none() {
                *endpoint = url(&said, name)?;
            }
        }
        Self::made_of(known, &said)
            .ok_or_else(|| "names no `authorization_endpoint` or no `token_endpoint`".into())
    }

    fn made_of(known: ProviderEndpoints, said: &Map<String, Value>) -> Option<Self> {
        let says = |name: &str| said.get(name) == Some(&Value::Bool(true));
        Some(Self {
            authorization_endpoint: known.authorization?,
            token_endpoint: known.token?,
            jwks_uri: known.jwks_uri,
            userinfo_endpoint: known.userinfo,
            end_session_endpoint: known.end_session,
            pushed_authorization_request_endpoint: known.pushed_authorization_request,
            requires_par: says("require_pushed_authorization_requests"),
            sends_iss: says("authorization_response_iss_parameter_supported"),
            takes_claims: says("claims_parameter_supported"),
        })
    }
}

/// Another's document would lead browsers, and the client's secret, to that other.
fn is_of(issuer: &TrustedIssuer, said: Option<&Value>) -> Result<(), String> {
    let expected = &issuer.issuer;
    match said.and_then(Value::as_str) {
        Some(said) if said == expected => Ok(()),
        Some(said) => {
            let said: String = said.chars().take(200).collect();
            Err(format!(
                "has the issuer {said:?}, and not {expected:?}: `issuer` must be the same to the letter, \
                 with or without a slash at its end"
            ))
        }
        None => Err("has no `issuer`".into()),
    }
}

fn url(said: &Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match said.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) if !text.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Err(format!("has a wrong `{name}`: expected a URL in ASCII"))
        }
        Some(Value::String(text)) => {
            web_url(text).map_err(|error| format!("has a wrong `{name}`: {error}"))?;
            Ok(Some(text.clone()))
        }
        Some(_) => Err(format!("has a wrong `{name}`: expected a URL")),
    }
}

#[cfg(test)]
mod tests;
