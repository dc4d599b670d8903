//! The keys of trusted issuers: fetches them, and verifies tokens by them.

use std::rc::Rc;
use std::time::Duration;

use auth::issuer::{Issuer, KeyLookup, MAX_JWKS};
use auth::jwt::{TokenError, UnverifiedJwt, VerifiedJwt};
use auth::keys::PublishedKeys;
use auth::refusal::Refusal;
use wasm_bindgen_futures::JsFuture;
use worker::Delay;

use crate::app::App;
use crate::request;
use crate::services::published::Document;
use crate::services::{background, provider_metadata};

/// How often a request checks whether another request has fetched the keys.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Verifies a token's signature by the issuer's keys. Fetches the keys anew if no cached key fits: the issuer may
/// have rotated them, also under the same `kid`.
///
/// # Errors
/// [`TokenError::UnknownKey`] or [`TokenError::Signature`], or [`Refusal::IssuerUnavailable`] if the keys cannot be
/// fetched.
pub async fn verify(
    issuer: &Rc<Issuer>,
    token: &UnverifiedJwt<'_>,
) -> Result<VerifiedJwt, Refusal> {
    let (kid, alg) = (token.kid().map_err(Refusal::Token)?, token.alg().map_err(Refusal::Token)?);
    let mut tried: Option<Rc<PublishedKeys>> = None;
    loop {
        let is_tried = |keys: &Rc<_>| tried.as_ref().is_some_and(|tried| Rc::ptr_eq(tried, keys));
        let fit =
            |keys: &Rc<PublishedKeys>| !is_tried(keys) && !keys.candidates(kid, alg).is_empty();
        match issuer.keyring.look(fit, request::now()) {
            KeyLookup::Use(keys) => match token.verify_by_one_of(&keys.candidates(kid, alg)) {
                Err(TokenError::Signature | TokenError::UnknownKey) if !is_tried(&keys) => {
                    tried = Some(keys);
                }
                verdict => return verdict.map_err(Refusal::Token),
            },
            KeyLookup::Fetch => fetch_for_all(issuer).await,
            KeyLookup::Wait => Delay::from(POLL_INTERVAL).await,
            KeyLookup::Unavailable => {
                let name = &issuer.trusted.issuer;
                let cause = format!(
                    "TRUSTED_ISSUERS: the keys of {name} could not be fetched; see the earlier line `keys_not_fetched`"
                );
                return Err(Refusal::IssuerUnavailable(cause));
            }
        }
    }
}

/// Fetches an issuer's keys anew, or waits until another request has. Does nothing if it is too early to ask again.
pub async fn renew(issuer: &Rc<Issuer>) {
    loop {
        match issuer.keyring.look(|_| false, request::now()) {
            KeyLookup::Use(_) | KeyLookup::Unavailable => return,
            KeyLookup::Fetch => return fetch_for_all(issuer).await,
            KeyLookup::Wait => Delay::from(POLL_INTERVAL).await,
        }
    }
}

/// The same, if a provider's token cannot be verified by the keys that are known.
pub async fn renew_for(app: &App, token: &str) {
    if let Some(issuer) = app.guard.keys_wanted_for(token, request::now()) {
        renew(&issuer).await;
    }
}

/// Fetches an issuer's keys in the background, if they are old. Requests use the old ones meanwhile.
pub fn refresh_if_stale(issuer: &Rc<Issuer>) {
    if issuer.keyring.is_stale(request::now()) {
        let issuer = Rc::clone(issuer);
        background::run_after_response(async move { renew(&issuer).await });
    }
}

/// Other requests wait for the keys, even if this request's client disconnects.
async fn fetch_for_all(issuer: &Rc<Issuer>) {
    let issuer = Rc::clone(issuer);
    let fetched = background::finish_after_response(async move { fetch_keys(&issuer).await });
    drop(JsFuture::from(fetched).await);
}

async fn fetch_keys(issuer: &Rc<Issuer>) {
    let trusted = &issuer.trusted;
    let Some(url) = url_of_keys(issuer).await else {
        return issuer.keyring.answered(None, request::now());
    };
    let accept = "application/json, application/jwk-set+json";
    let json = Document { url: &url, accept, limit: MAX_JWKS, member: "jwks_uri" }.fetch().await;
    let keys = json.and_then(|json| PublishedKeys::parse(&json, &trusted.algorithms));
    if let Err(why) = &keys {
        let cause = format!("TRUSTED_ISSUERS: {url} {why}");
        let line =
            serde_json::json!({ "level": "warn", "code": "keys_not_fetched", "cause": cause });
        web_sys::console::warn_1(&line.to_string().into());
    }
    issuer.keyring.answered(keys.ok(), request::now());
}

/// By the settings, or else by the provider's metadata.
async fn url_of_keys(issuer: &Rc<Issuer>) -> Option<String> {
    match (&issuer.trusted.jwks_uri, &issuer.trusted.sign_in) {
        (Some(url), _) => Some(url.clone()),
        (None, Some(_)) => provider_metadata::of(issuer).await.ok()?.jwks_uri.clone(),
        (None, None) => None,
    }
}
