//! `GET events`: a WebSocket that receives the end of its session.

use auth::http::Head;
use auth::refusal::Refusal;
use wasm_bindgen::prelude::*;
use web_sys::Response;

use crate::app::App;
use crate::request::{self, RequestHead};
use crate::response;
use crate::services::{current_session, watch_session};

#[wasm_bindgen(module = "/src/proxy/websocket_relay.js")]
extern "C" {
    #[wasm_bindgen(js_name = relayToClient)]
    fn relay_to_client(response: &Response) -> Response;
}

/// `GET events`: opens the WebSocket, if the session is live.
pub async fn open(app: &App, head: &RequestHead) -> Response {
    match try_open(app, head).await {
        Ok(response) => response,
        Err(refusal) => response::refusal(&refusal),
    }
}

async fn try_open(app: &App, head: &RequestHead) -> Result<Response, Refusal> {
    let upgrade = head.header("upgrade");
    let is_upgrade = upgrade.is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket"));
    // The runtime checks the version only after the object has opened its side.
    let is_known = head.header("sec-websocket-version").is_some_and(|version| version == "13");
    if !is_upgrade || !is_known {
        return Err(Refusal::UpgradeRequired);
    }
    let principal = app.guard.authenticate(head, request::now())?;
    if app.objects.is_none() {
        return Err(Refusal::PushUnavailable);
    }
    let session = current_session::check(app, &principal.clone().without_use(), Some(head)).await?;
    let opened =
        watch_session::watch(app, principal.user(), principal.sid(), session.deadline()).await?;
    Ok(relay_to_client(&opened))
}
