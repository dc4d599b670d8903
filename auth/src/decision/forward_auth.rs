//! A proxy that describes its client's request, and is believed if it has the key: see [`crate::forward_auth`].

use super::{Guard, RefusalResponse};
use crate::forward_auth::{self, DescribedRequest, KEY, ProxiedRequest, SITE_KEY};
use crate::http::{Head, Recipient};
use crate::refusal::Refusal;

/// What a proxy must not ask about, nor pass to the origin.
pub(super) const OWN_PATH: Refusal = Refusal::BadRequest(
    "This path is the guard's own. Have the proxy send it to the guard instead of asking about it.",
);

impl Guard {
    /// The request that a proxy asks about at `verify`.
    ///
    /// # Errors
    /// Why nothing is said about it.
    pub fn described(&self, head: &impl Head) -> Result<DescribedRequest, Box<RefusalResponse>> {
        let refused = |recipient: Recipient| {
            move |refusal| Box::new(RefusalResponse { recipient, ..RefusalResponse::from(refusal) })
        };
        let to_client = refused(Recipient::Client);
        self.verify_key(head, KEY).map_err(to_client)?;
        if head.header(SITE_KEY).is_some() {
            return Err(to_client(Refusal::NotFound));
        }
        let recipient = forward_auth::recipient(head.url()).map_err(to_client)?;
        DescribedRequest::read(head, recipient).map_err(refused(recipient))
    }

    /// What a proxy with the key says of a request that it passes on to one of the guard's own endpoints; `None` if no
    /// proxy is to be believed.
    ///
    /// # Errors
    /// What the proxy has to change.
    pub fn proxied(&self, head: &impl Head) -> Result<Option<ProxiedRequest>, Refusal> {
        if self.settings.forward_auth_key.is_none() || head.header(SITE_KEY).is_none() {
            return Ok(None);
        }
        self.verify_key(head, SITE_KEY)?;
        ProxiedRequest::read(head).map(Some)
    }

    /// Does somebody say to be a proxy that asks, or passes on, for another?
    pub(super) fn comes_from_proxy(&self, head: &impl Head) -> bool {
        self.settings.forward_auth_key.is_some()
            && [KEY, SITE_KEY].iter().any(|name| head.header(name).is_some())
    }

    fn verify_key(&self, head: &impl Head, name: &str) -> Result<(), Refusal> {
        let key = self.settings.forward_auth_key.as_ref().ok_or(Refusal::NotFound)?;
        let sent = head.header(name).unwrap_or_default();
        if key.is(&sent) { Ok(()) } else { Err(Refusal::ProxyKeyInvalid) }
    }
}
