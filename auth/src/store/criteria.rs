//! Sessions by what they have in common.

use serde::{Deserialize, Serialize};

use crate::session::Session;
use crate::time::Timestamp;

/// Which of a user's sessions are meant. All that is said must hold; the store judges it in the step that ends them.
/// An empty list says nothing. Names are texts, because reading other types takes more code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionCriteria {
    /// Not the one with this `sid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub except: Option<String>,
    /// One of these, by `sid`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sids: Vec<String>,
    /// Begun by one of these issuers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issuers: Vec<String>,
    /// From one of these classes of device, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<String>,
    /// Begun before this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_before: Option<Timestamp>,
    /// Not used at this moment, nor since, as far as can be: see [`Session::unused_since`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unused_since: Option<Timestamp>,
}

impl SessionCriteria {
    /// Is this session one of them?
    pub fn include(&self, session: &Session) -> bool {
        let Session { sid, issuer, device, created, .. } = session;
        self.except.as_deref() != Some(sid.as_str())
            && is_among(&self.sids, sid.as_str())
            && is_among(&self.issuers, issuer.as_deref().unwrap_or_default())
            && is_among(&self.devices, device.name())
            && self.created_before.is_none_or(|moment| *created < moment)
            && self.unused_since.is_none_or(|moment| session.unused_since() <= moment)
    }
}

/// Is a name in a list, if there is one? No name is empty.
fn is_among(all: &[String], name: &str) -> bool {
    all.is_empty() || all.iter().any(|it| it == name)
}
