//! A session's JSON in the API.

use auth::decision::Principal;
use auth::session::{DataKind, Session};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::app::App;
use crate::request;

/// A session as its user sees it. Times are RFC 3339.
#[derive(Serialize)]
pub struct SessionView {
    sid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<bool>,
    created_at: String,
    last_seen_at: String,
    expires_at: String,
    device: auth::device::DeviceClass,
    #[serde(skip_serializing_if = "String::is_empty")]
    user_agent: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    /// What counts instead of what the token says.
    #[serde(skip_serializing_if = "Option::is_none")]
    rights: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<TokenView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_data: Option<Box<RawValue>>,
}

/// The token of a request, in seconds.
#[derive(Serialize)]
struct TokenView {
    expires_in: u64,
    /// When the client should refresh it, if that is of any use.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_in: Option<u64>,
}

impl SessionView {
    /// The session without its private data.
    pub fn public(session: &Session) -> Self {
        Self {
            sid: session.sid.to_string(),
            current: None,
            created_at: session.created.to_string(),
            last_seen_at: session.seen.to_string(),
            expires_at: session.deadline().to_string(),
            device: session.device,
            user_agent: session.user_agent.clone(),
            place: session.place.clone(),
            rights: None,
            token: None,
            data: None,
            client_data: None,
        }
    }

    /// Adds whether it is the session of the request.
    #[must_use]
    pub fn with_current(self, is_current: bool) -> Self {
        Self { current: Some(is_current), ..self }
    }

    /// Adds until when the request's token is good, for its own user.
    #[must_use]
    pub fn with_token(self, app: &App, caller: &Principal, session: &Session) -> Self {
        let (token, now) = (caller.token(), request::now());
        let refresh_in = app.guard.refresh_in(token, session, now).map(|span| span.as_secs());
        let expires_in = token.expires().since(now).as_secs();
        Self { token: Some(TokenView { expires_in, refresh_in }), ..self }
    }

    /// Adds its rights, for its own user and admins.
    #[must_use]
    pub fn with_rights(self, session: &Session) -> Self {
        Self { rights: raw(session.rights.as_deref()), ..self }
    }

    /// The session with its rights and its private data, for its own user and the admin API key.
    pub fn private(session: &Session) -> Self {
        let [data, client_data] =
            [DataKind::Data, DataKind::ClientData].map(|kind| raw(session.data_of(kind)));
        Self { data, client_data, ..Self::public(session).with_rights(session) }
    }
}

/// A stored JSON text as JSON.
pub fn raw(json: Option<&str>) -> Option<Box<RawValue>> {
    json.and_then(|json| RawValue::from_string(json.to_owned()).ok())
}
