//! One request on its way through the guard. JavaScript holds it and has read its headers.

use auth::forward_auth::{DescribedRequest, ProxiedRequest};
use auth::http::Recipient;
use auth::request_log::{Outcome, log_fields};
use wasm_bindgen::prelude::*;
use web_sys::Request;

#[wasm_bindgen(module = "/src/proxy/request_context.js")]
extern "C" {
    /// One request on its way through the guard.
    #[derive(Clone)]
    pub type RequestContext;

    /// The request itself.
    #[wasm_bindgen(method, getter)]
    pub fn request(this: &RequestContext) -> Request;

    /// Its method, as sent.
    #[wasm_bindgen(method, getter)]
    pub fn method(this: &RequestContext) -> String;

    /// Its absolute URL, as received.
    #[wasm_bindgen(method, getter)]
    pub fn url(this: &RequestContext) -> String;

    /// The value of a header.
    #[wasm_bindgen(method)]
    pub fn header(this: &RequestContext, name: &str) -> Option<String>;

    /// Does it have a body?
    #[wasm_bindgen(method, js_name = hasBody)]
    pub fn has_body(this: &RequestContext) -> bool;

    /// Who gets the answer: see `CLIENT` and `PROXY` in `request_context.js`.
    #[wasm_bindgen(method, getter)]
    fn recipient(this: &RequestContext) -> u8;

    /// From now on, this is the request that a proxy describes.
    #[wasm_bindgen(method)]
    fn describe(this: &RequestContext, method: &str, url: &str, upgrades: bool, recipient: u8);

    /// At which URL, and from which address, a proxy's client has sent the request.
    #[wasm_bindgen(method, js_name = moveTo)]
    fn move_to(this: &RequestContext, url: &str, client_ip: Option<&str>);

    /// Who has connected, by address and port, or empty over a socket of this machine; `None` at Cloudflare.
    #[wasm_bindgen(method)]
    pub fn peer(this: &RequestContext) -> Option<String>;

    /// At which URL, and from which address, it was sent, and whether its `CF-` headers are Cloudflare's.
    #[wasm_bindgen(method, js_name = sentBy)]
    pub fn sent_by(
        this: &RequestContext,
        url: &str,
        client_ip: Option<&str>,
        keeps_cloudflare: bool,
    );

    /// What [`auth::http::HeaderFilter::read`] reads.
    #[wasm_bindgen(method, js_name = headerNames)]
    pub fn header_names(this: &RequestContext) -> String;

    /// Does an endpoint of the guard answer?
    #[wasm_bindgen(method, setter, js_name = isOwnEndpoint)]
    pub fn set_own_endpoint(this: &RequestContext, is_own: bool);

    /// When the token expires of which the client is told, in milliseconds since the Unix epoch.
    #[wasm_bindgen(method, setter, js_name = tokenExpiresAt)]
    pub fn set_token_expires_at(this: &RequestContext, at: f64);

    /// The decision and the user, for the access log: see [`log_fields`].
    #[wasm_bindgen(method, setter, js_name = logFields)]
    pub fn set_log_fields(this: &RequestContext, fields: &str);
}

/// The numbers of [`Recipient`] in JavaScript.
const RECIPIENTS: [Recipient; 3] = [
    Recipient::Client,
    Recipient::Proxy { shows_redirects: true },
    Recipient::Proxy { shows_redirects: false },
];

impl RequestContext {
    /// Who gets the answer.
    pub fn answered_to(&self) -> Recipient {
        RECIPIENTS.get(usize::from(self.recipient())).copied().unwrap_or_default()
    }

    /// Takes the place of the proxy's own request.
    pub fn become_described(&self, it: &DescribedRequest) {
        let number = RECIPIENTS.iter().position(|other| *other == it.recipient);
        let number = number.and_then(|number| u8::try_from(number).ok()).unwrap_or_default();
        self.describe(&it.method, &it.url, it.upgrades, number);
    }

    /// Takes what a proxy says of the request that it passes on.
    pub fn become_proxied(&self, it: &ProxiedRequest) {
        self.move_to(&it.url, it.client_ip.as_deref());
    }

    /// Notes that an endpoint of the guard answers it.
    pub fn set_endpoint(&self, name: &str) {
        self.set_log_fields(&log_fields(Outcome::Answered, Some(name), ""));
        self.set_own_endpoint(true);
    }
}
