//! The authorization request (OpenID Connect Core 1.0, section 3.1.2.1), in the URL or left at the provider
//! beforehand (RFC 9126).

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::attempt::SignInAttempt;
use super::client::{Client, ProviderRequest};
use super::provider_answer::{self, Answer};
use super::request::SignInHints;
use crate::issuer::{ProviderMetadata, SignInSettings, TrustedIssuer};
use crate::refusal::SignInFailure;

/// An authorization request, with which the guard sends a browser to the provider.
pub struct AuthorizationRequest {
    endpoint: String,
    client_id: String,
    parameters: Vec<(String, String)>,
    pushed_to: Option<Result<String, SignInFailure>>,
}

/// The request of an attempt; `None` if no people are signed in at this issuer.
pub fn authorization_request(
    issuer: &TrustedIssuer,
    metadata: &ProviderMetadata,
    attempt: &SignInAttempt,
    hints: &SignInHints,
) -> Option<AuthorizationRequest> {
    let settings = issuer.sign_in.as_ref()?;
    let is_pushed = settings.pushed_authorization_requests.unwrap_or(metadata.requires_par);
    let endpoint = metadata.pushed_authorization_request_endpoint.clone().ok_or_else(|| {
        let cause = "the provider names no `pushed_authorization_request_endpoint`; set it in `endpoints`, or \
                     `pushed_authorization_requests` to false";
        SignInFailure::Refused(cause.into())
    });
    Some(AuthorizationRequest {
        endpoint: metadata.authorization_endpoint.clone(),
        client_id: settings.client_id.clone(),
        parameters: parameters(settings, metadata, attempt, hints),
        pushed_to: is_pushed.then_some(endpoint),
    })
}

fn parameters(
    settings: &SignInSettings,
    metadata: &ProviderMetadata,
    attempt: &SignInAttempt,
    hints: &SignInHints,
) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    let mut put = |name: &str, value: &str| match all.iter_mut().find(|(it, _)| it == name) {
        Some((_, known)) => value.clone_into(known),
        None => all.push((name.to_owned(), value.to_owned())),
    };
    put("response_type", "code");
    put("client_id", &settings.client_id);
    put("redirect_uri", &attempt.redirect_uri);
    if !settings.scope.is_empty() {
        put("scope", &settings.scope);
    }
    put("state", &attempt.state);
    put("code_challenge", &challenge(&attempt.verifier));
    put("code_challenge_method", "S256");
    if !settings.is_plain_oauth() {
        put("nonce", &attempt.nonce);
    }
    let has_claims = settings.authorization.iter().any(|(name, _)| name == "claims");
    let claims = claims_parameter(attempt).filter(|_| metadata.takes_claims && !has_claims);
    // Beside the claim it would be the weaker of two requests, and some providers then go by it.
    let is_sent = |name: &str| name != "acr_values" || claims.is_none();
    let of_all = settings.authorization.iter().filter(|(name, _)| is_sent(name));
    of_all.for_each(|(name, value)| put(name, value));
    // What this page asks for, and this visitor, goes before what is asked of all.
    let [acr, max_age] = attempt.asked.challenge();
    let own = [
        ("max_age", (!max_age.is_empty()).then_some(max_age)),
        ("acr_values", (!acr.is_empty() && claims.is_none()).then_some(acr)),
        ("claims", claims),
        ("prompt", hints.prompt.clone()),
        ("login_hint", hints.login_hint.clone()),
    ];
    for (name, value) in own {
        if let Some(value) = value {
            put(name, &value);
        }
    }
    all
}

fn challenge(verifier: &str) -> String {
    Base64UrlUnpadded::encode_string(&Sha256::digest(verifier))
}

/// `acr_values` is voluntary, this is essential (OpenID Connect Core 1.0, section 5.5.1.1).
fn claims_parameter(attempt: &SignInAttempt) -> Option<String> {
    let acr = attempt.asked.acr.as_ref().filter(|all| !all.is_empty())?;
    let values = json!({ "essential": true, "values": acr });
    Some(json!({ "id_token": { "acr": values } }).to_string())
}

impl AuthorizationRequest {
    /// Are the parameters pushed to the provider first (RFC 9126)?
    pub fn is_pushed(&self) -> bool {
        self.pushed_to.is_some()
    }

    /// The parameters.
    pub fn parameters(&self) -> &[(String, String)] {
        &self.parameters
    }

    /// The URL with all parameters.
    pub fn url(&self) -> String {
        with_query(&self.endpoint, self.parameters.iter().map(|(name, value)| (&**name, &**value)))
    }

    /// The request that pushes them to the provider.
    ///
    /// # Errors
    /// The provider has no such endpoint, or the guard cannot prove to be the client.
    pub fn push(&self, by: &Client<'_>) -> Result<ProviderRequest, SignInFailure> {
        let endpoint = match &self.pushed_to {
            Some(endpoint) => endpoint.clone()?,
            None => return Err(SignInFailure::Refused("nothing is to be pushed".into())),
        };
        by.post(endpoint, self.parameters.clone())
    }

    /// The URL with what the provider answered to that.
    ///
    /// # Errors
    /// It did not take them.
    pub fn url_of_pushed(&self, status: u16, body: &str) -> Result<String, SignInFailure> {
        let answer = Answer { status, content_type: None, body };
        let read = provider_answer::object(&answer, &[200, 201], "pushed authorization request")?;
        match read.get("request_uri") {
            Some(Value::String(uri)) if !uri.is_empty() => {
                let pairs = [("client_id", &*self.client_id), ("request_uri", uri)];
                Ok(with_query(&self.endpoint, pairs.into_iter()))
            }
            _ => Err(SignInFailure::Refused("the provider answers no `request_uri`".into())),
        }
    }
}

/// The endpoint may have a query of its own (RFC 6749, section 3.1).
pub(super) fn with_query<'a>(
    endpoint: &str,
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let joint = match endpoint.split_once('?') {
        None => "?",
        Some((_, own)) if own.is_empty() || own.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{endpoint}{joint}{query}")
}
