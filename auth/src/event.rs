//! What happens to sessions, as it is told to others: in the log, to a webhook, and to whoever
//! listens at `GET events`.

mod recheck;
mod reported_ends;
mod webhook;

use serde::Serialize;

pub use recheck::Recheck;
pub use reported_ends::ReportedEnds;
pub use webhook::{Webhook, WebhookSecret};

use crate::device::DeviceClass;
use crate::request_log::LogNames;
use crate::session::{Session, SessionEnd, Sid, Subject};
use crate::time::Timestamp;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventType {
    /// A login began it.
    Created,
    /// A newer login took its place.
    Superseded {
        /// The kind of device that login came from.
        by: DeviceClass,
    },
    /// The user, an admin or the issuer ended it.
    Revoked,
    /// A deadline of it has passed, and somebody who still used it was refused.
    Expired,
    /// It was given a new token.
    Refreshed,
    /// A token that had been replaced by a newer one was used.
    TokenReused,
}

impl EventType {
    /// The `type` of the event.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "session.created",
            Self::Superseded { .. } => "session.superseded",
            Self::Revoked => "session.revoked",
            Self::Expired => "session.expired",
            Self::Refreshed => "session.refreshed",
            Self::TokenReused => "token.reused",
        }
    }
}

/// Something that happened to a session. Holds no token and no private data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub what: EventType,
    /// To which session.
    pub sid: Sid,
    /// The kind of device that began the session, where it is known.
    pub device: Option<DeviceClass>,
    /// When it happened, which may be before anybody noticed.
    pub at: Timestamp,
}

impl Event {
    /// A session has begun.
    pub fn created(session: &Session) -> Self {
        Self::of(EventType::Created, session, session.created)
    }

    /// A session was ended before its time, and why; nothing if it was not.
    pub fn ended(session: &Session) -> Vec<Self> {
        let whats: &[EventType] = match session.ended.as_ref() {
            None => &[],
            Some(SessionEnd::Superseded { by, .. }) => &[EventType::Superseded { by: *by }],
            Some(SessionEnd::Revoked { .. }) => &[EventType::Revoked],
            Some(SessionEnd::Reused { .. }) => &[EventType::TokenReused, EventType::Revoked],
        };
        let at = session.ended.as_ref().map_or(session.created, SessionEnd::at);
        whats.iter().map(|what| Self::of(*what, session, at)).collect()
    }

    /// A session was found past its deadline, `at`.
    pub fn expired(sid: &Sid, at: Timestamp) -> Self {
        Self { what: EventType::Expired, sid: sid.clone(), device: None, at }
    }

    /// A session was given a new token.
    pub fn refreshed(session: &Session, at: Timestamp) -> Self {
        Self::of(EventType::Refreshed, session, at)
    }

    fn of(what: EventType, session: &Session, at: Timestamp) -> Self {
        Self { what, sid: session.sid.clone(), device: Some(session.device), at }
    }

    /// Is the session over with it?
    pub fn is_end(&self) -> bool {
        matches!(self.what, EventType::Superseded { .. } | EventType::Revoked | EventType::Expired)
    }

    /// The `webhook-id`. It is made of what happened, so that a receiver knows one event by it
    /// even where two isolates noticed it.
    pub fn id(&self) -> String {
        let name = self.what.name().replace('.', "_");
        format!("msg_{}_{name}_{}", self.sid, self.at.millis())
    }

    /// The event as JSON, as Standard Webhooks 1.0 recommends: `type`, `timestamp` and `data`.
    /// `user` is whose session it is.
    pub fn json(&self, user: &Subject) -> String {
        self.payload(user.as_str(), self.sid.as_str())
    }

    /// The same as a line of the log.
    pub fn line(&self, user: &Subject, names: &LogNames) -> String {
        let json = self.payload(&names.of(user.as_str()), &names.of(self.sid.as_str()));
        json.replacen('{', r#"{"level":"info","#, 1)
    }

    fn payload(&self, sub: &str, sid: &str) -> String {
        let Self { what, device, at, .. } = self;
        let by = match what {
            EventType::Superseded { by } => Some(*by),
            _ => None,
        };
        let data = Data { sub, sid, device: *device, at: at.to_string(), by };
        let payload = Payload { kind: what.name(), timestamp: at.to_string(), data };
        serde_json::to_string(&payload).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Payload<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: String,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    sub: &'a str,
    sid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<DeviceClass>,
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<DeviceClass>,
}

#[cfg(test)]
mod tests;
