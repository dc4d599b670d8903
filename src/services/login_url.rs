//! Asks `LOGIN_URL` whether credentials are good.

use crate::app::App;
use crate::proxy::forward;
use crate::request;
use auth::login::AuthenticatedUser;
use auth::login::LoginUrlResponse;
use auth::refusal::Refusal;
use js_sys::Promise;
use js_sys::Reflect;
use serde_json::Map;
use serde_json::Value;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen(module = "/src/services/login_url.js")]
extern "C" {
    #[wasm_bindgen(js_name = postCredentials)]
    fn post_credentials(url: &str, json: &str, proof: Option<&str>, timeout: u32) -> Promise;
}

/// Asks the origin whether the credentials are good.
pub async fn approve(app: &App, fields: &Map<String, Value>) -> Result<AuthenticatedUser, Refusal> {
    let settings = app.guard.settings();
    let url = settings.login_url.as_deref();
    let url =
        url.ok_or(Refusal::BadRequest("Log in with the `id_token` of your identity provider."))?;
    let timeout = u32::try_from(settings.origin_timeout.as_millis()).unwrap_or(u32::MAX);
    let fields = serde_json::to_string(fields).unwrap_or_default();
    let proof = app.guard.tokens().login_proof(url, &fields, request::now());
    let proof = proof.map_err(|error| Refusal::Failed(error.to_string()))?;
    let promise = post_credentials(url, &fields, proof.as_deref(), timeout);
    let reply = JsFuture::from(promise).await.map_err(|error| {
        let get = |name: &str| Reflect::get(&error, &name.into()).ok();
        let timed_out = get("timedOut").is_some_and(|value| value.is_truthy());
        let message = get("message").and_then(|text| text.as_string()).unwrap_or_default();
        forward::failure(timed_out, format!("LOGIN_URL: {message}"))
    })?;
    let get = |name: &str| Reflect::get(&reply, &name.into()).ok();
    let status = get("status").and_then(|status| status.as_f64()).unwrap_or_default();
    let body = get("body").and_then(|body| body.as_string()).unwrap_or_default();
    let retry_after = get("retryAfter").and_then(|seconds| seconds.as_string());
    let answer = LoginUrlResponse {
        status: status as u16,
        retry_after: retry_after.as_deref(),
        body: &body,
    };
    answer.read(&settings.trusted_issuers)
}
