//! Checks credentials by `LOGIN_URL`.

use auth::login::{AuthenticatedUser, LoginUrlResponse};
use auth::refusal::Refusal;
use serde_json::{Map, Value};
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;
use worker::Fetcher;

use crate::app::App;
use crate::fetch::{self, Subrequest};
use crate::proxy::origin;
use crate::{platform, request};

/// Posts the credentials to the origin's login endpoint, and returns the user that it authenticates.
pub async fn authenticate(
    app: &App,
    fields: &Map<String, Value>,
) -> Result<AuthenticatedUser, Refusal> {
    let settings = app.guard.settings();
    let url = settings.login_url.as_deref();
    let url =
        url.ok_or(Refusal::BadRequest("Log in with the `id_token` of your identity provider."))?;
    let fields = serde_json::to_string(fields).unwrap_or_default();
    let proof = app.guard.tokens().login_proof(url, &fields, request::now());
    let proof = proof.map_err(|error| Refusal::Failed(error.to_string()))?;
    let limit = fetch::time_limit(settings.origin_timeout);
    let posted = post(app.origin.as_ref(), url, &fields, proof.as_deref(), &limit).await;
    let (status, retry_after, body) = posted.map_err(|error| {
        let cause = format!("LOGIN_URL: {}", platform::message_of(&error));
        origin::failure(limit.aborted(), cause)
    })?;
    let answer = LoginUrlResponse { status, retry_after: retry_after.as_deref(), body: &body };
    answer.read(app.guard.login_terms())
}

/// Posts credentials, with a signed assertion that they come from the guard if there is a key for it. Returns the
/// response's status, `Retry-After` and body.
async fn post(
    origin: Option<&Fetcher>,
    url: &str,
    fields: &str,
    proof: Option<&str>,
    limit: &AbortSignal,
) -> Result<(u16, Option<String>, String), JsValue> {
    let mut headers = vec![("accept", "application/json"), ("content-type", "application/json")];
    headers.extend(proof.map(|proof| ("x-auth-request-assertion", proof)));
    let (headers, body) = (headers.as_slice(), Some(fields));
    let request = Subrequest { method: "POST", url, headers, body, bypass_cache: false };
    let answer = request.send(origin, Some(limit)).await?;
    let retry_after = answer.headers().get("retry-after").map_err(platform::thrown)?;
    Ok((answer.status_code(), retry_after, fetch::text(&answer).await?))
}
