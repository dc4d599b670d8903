//! The metadata of providers that people sign in at (OpenID Connect Discovery 1.0), cached by each isolate.

use std::rc::Rc;
use std::time::Duration;

use auth::issuer::{Issuer, MAX_METADATA, MetadataLookup, ProviderMetadata};
use auth::sign_in::SignInFailure;
use wasm_bindgen_futures::JsFuture;
use worker::Delay;

use crate::request;
use crate::services::background;
use crate::services::published::Document;

/// How often a request checks whether another request has fetched the metadata.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A provider's metadata, fetched if they are not known. Old ones are used while they are fetched anew.
///
/// # Errors
/// [`SignInFailure`]: they could not be fetched.
pub async fn of(issuer: &Rc<Issuer>) -> Result<Rc<ProviderMetadata>, SignInFailure> {
    loop {
        match issuer.metadata.look(request::now()) {
            MetadataLookup::Use(metadata) => return Ok(metadata),
            MetadataLookup::UseAndFetch(metadata) => {
                let issuer = Rc::clone(issuer);
                background::run_after_response(async move { fetch(&issuer).await });
                return Ok(metadata);
            }
            MetadataLookup::Fetch => {
                // Other requests wait for them, even if this request's client disconnects.
                let issuer = Rc::clone(issuer);
                let fetched =
                    background::finish_after_response(async move { fetch(&issuer).await });
                drop(JsFuture::from(fetched).await);
            }
            MetadataLookup::Wait => Delay::from(POLL_INTERVAL).await,
            MetadataLookup::Unavailable => {
                return Err(SignInFailure::unavailable(format!(
                    "TRUSTED_ISSUERS: the metadata of {} could not be fetched; see the earlier line \
                     `metadata_not_fetched`",
                    issuer.trusted.issuer
                )));
            }
        }
    }
}

async fn fetch(issuer: &Issuer) {
    let url = ProviderMetadata::discovery_url(&issuer.trusted);
    let (accept, limit) = ("application/json", MAX_METADATA);
    let document = Document { url: &url, accept, limit, member: "issuer" }.fetch().await;
    let metadata = document.and_then(|json| ProviderMetadata::parse(&json, &issuer.trusted));
    if let Err(why) = &metadata {
        let cause = format!("TRUSTED_ISSUERS: {url} {why}");
        let line =
            serde_json::json!({ "level": "warn", "code": "metadata_not_fetched", "cause": cause });
        web_sys::console::warn_1(&line.to_string().into());
    }
    issuer.metadata.answered(metadata.ok(), request::now());
}
