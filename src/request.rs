//! A Workers request as the core's [`Head`].

use std::borrow::Cow;
use std::cell::Cell;

use auth::body_format::{BodyFormat, MAX_BODY};
use auth::decision::COMPARED_HEADERS;
use auth::device::ClientHints;
use auth::forward_auth::{DescribedRequest, ProxiedRequest};
use auth::http::{Body, Head, Recipient, Target};
use auth::login::ClientInfo;
use auth::refusal::Refusal;
use auth::session::Sid;
use auth::time::Timestamp;
use js_sys::Reflect;
use wasm_bindgen::prelude::*;

use crate::body;
use crate::proxy::request_context::RequestContext;

/// The head of a request. JavaScript passes what every decision reads; other headers are fetched on demand.
pub struct RequestHead {
    method: String,
    url: String,
    authorization: Option<String>,
    cookie: Option<String>,
    context: RequestContext,
    body: Option<Result<String, UnreadableBody>>,
    ended: Option<Vec<Sid>>,
    recipient: Recipient,
    /// Has a proxy passed it on, which is elsewhere than its client?
    is_passed_on: bool,
    read_other_headers: Cell<bool>,
}

/// The detail of the refusal of a body that cannot be read.
pub const UNREADABLE_BODY: &str = "The body must be UTF-8, and at most 64 KB.";

/// The body is larger than [`MAX_BODY`], or not UTF-8.
pub struct UnreadableBody;

impl RequestHead {
    /// The head of a request, with the values that JavaScript has read already.
    pub fn new(
        context: RequestContext,
        method: String,
        url: String,
        authorization: Option<String>,
        cookie: Option<String>,
    ) -> Self {
        let read_other_headers = Cell::new(false);
        Self {
            method,
            url,
            authorization,
            cookie,
            context,
            body: None,
            ended: None,
            recipient: Recipient::Client,
            is_passed_on: false,
            read_other_headers,
        }
    }

    /// The head of a request, with all values read from its context.
    pub fn of(context: RequestContext) -> Self {
        let [authorization, cookie] = ["authorization", "cookie"].map(|name| context.header(name));
        let recipient = context.answered_to();
        let head =
            Self::new(context.clone(), context.method(), context.url(), authorization, cookie);
        Self { recipient, ..head }
    }

    /// The request that a proxy describes in this one. Its body is at the proxy.
    pub fn described(self, it: DescribedRequest) -> Self {
        self.context.become_described(&it);
        let DescribedRequest { method, url, recipient, .. } = it;
        Self { method, url, recipient, body: Some(Ok(String::new())), ..self }
    }

    /// The same request, as its client has sent it to a proxy.
    pub fn proxied(self, it: ProxiedRequest) -> Self {
        self.context.become_proxied(&it);
        Self { url: it.url, is_passed_on: true, ..self }
    }

    /// The request's context.
    pub fn context(&self) -> &RequestContext {
        &self.context
    }

    /// Whether the decision depended only on what the decision cache compares: method, URL, header names, and the
    /// values of [`COMPARED_HEADERS`].
    pub fn is_cacheable(&self) -> bool {
        !self.read_other_headers.get() && self.body.is_none() && self.ended.is_none()
    }

    /// The same request, with those of its sessions that have ended.
    pub fn with_ended_sessions(self, ended: Vec<Sid>) -> Self {
        Self { ended: Some(ended), ..self }
    }

    /// The same request with its body read. The request keeps its body for the origin.
    pub async fn with_body(self) -> Self {
        let body = peek(&self.context.request()).await;
        Self { body: Some(body), ..self }
    }
}

impl Head for RequestHead {
    fn method(&self) -> &str {
        &self.method
    }

    fn url(&self) -> &str {
        &self.url
    }

    fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "authorization" => self.authorization.as_deref().map(Cow::from),
            "cookie" => self.cookie.as_deref().map(Cow::from),
            name => {
                let value = self.context.header(name).map(Cow::from);
                let read_other_headers = value.is_some() && !COMPARED_HEADERS.contains(&name);
                self.read_other_headers.set(self.read_other_headers.get() || read_other_headers);
                value
            }
        }
    }

    fn has_body(&self) -> bool {
        self.context.has_body()
    }

    fn body(&self) -> Body<'_> {
        match &self.body {
            None => Body::Unread,
            Some(Ok(text)) => Body::Text(text),
            Some(Err(UnreadableBody)) => Body::Unreadable,
        }
    }

    fn over(&self) -> Option<&[Sid]> {
        self.ended.as_deref()
    }

    fn recipient(&self) -> Recipient {
        self.recipient
    }
}

/// Reads and consumes a request's body.
///
/// # Errors
/// [`UnreadableBody`].
pub async fn body(request: &web_sys::Request) -> Result<String, UnreadableBody> {
    body::text(request.body(), MAX_BODY).await.map_err(|_| UnreadableBody)
}

/// Reads a form.
///
/// # Errors
/// `otherwise` if the body is not a form.
pub async fn form(
    request: &web_sys::Request,
    head: &RequestHead,
    otherwise: Refusal,
) -> Result<String, Refusal> {
    if BodyFormat::of(head.header("content-type").as_deref()) != Some(BodyFormat::Form) {
        return Err(otherwise);
    }
    body(request).await.map_err(|_| Refusal::BadRequest(UNREADABLE_BODY))
}

/// Reads the one field of this name from a form.
///
/// # Errors
/// `otherwise` if there is not exactly one, or the body is not a form.
pub async fn form_field(
    request: &web_sys::Request,
    head: &RequestHead,
    name: &str,
    otherwise: Refusal,
) -> Result<String, Refusal> {
    let body = form(request, head, otherwise.clone()).await?;
    let mut texts = BodyFormat::Form.texts(&body, &[name.into()]);
    match (texts.pop(), texts.is_empty()) {
        (Some(text), true) => Ok(text),
        _ => Err(otherwise),
    }
}

/// Reads a copy of a request's body, which stays readable.
async fn peek(request: &web_sys::Request) -> Result<String, UnreadableBody> {
    let length = request.headers().get("content-length").ok().flatten();
    if length.and_then(|length| length.parse().ok()).is_some_and(|length: usize| length > MAX_BODY)
    {
        return Err(UnreadableBody);
    }
    let copy = request.clone().map_err(|_| UnreadableBody)?;
    body(&copy).await
}

/// The current time, by the Workers clock.
pub fn now() -> Timestamp {
    timestamp(js_sys::Date::now())
}

/// A timestamp from JavaScript's milliseconds since the Unix epoch.
pub fn timestamp(millis: f64) -> Timestamp {
    Timestamp::from_millis(millis as u64)
}

/// The client of a request. The place is Cloudflare's (`request.cf`), not from a header, which clients can forge.
pub fn client(head: &RequestHead) -> ClientInfo {
    let cf = Reflect::get(&head.context.request(), &"cf".into());
    let cf = cf.ok().filter(|_| !head.is_passed_on).unwrap_or(JsValue::UNDEFINED);
    let place = |name: &str| Reflect::get(&cf, &name.into()).ok()?.as_string();
    let header = |name: &str| head.header(name).map(Cow::into_owned);
    let user_agent = header("user-agent");
    let hints = ClientHints {
        mobile: header("sec-ch-ua-mobile"),
        platform: header("sec-ch-ua-platform"),
        form_factors: header("sec-ch-ua-form-factors"),
    };
    ClientInfo { user_agent, hints, city: place("city"), country: place("country") }
}

/// The client's time zone, as Cloudflare tells it, or else UTC.
pub fn time_zone(head: &RequestHead) -> String {
    let cf = Reflect::get(&head.context.request(), &"cf".into());
    let cf = cf.ok().filter(|_| !head.is_passed_on).unwrap_or(JsValue::UNDEFINED);
    let zone = Reflect::get(&cf, &"timezone".into()).ok().and_then(|zone| zone.as_string());
    zone.unwrap_or_else(|| "UTC".into())
}

/// The host that a request is for.
pub fn host(head: &RequestHead) -> String {
    let site = Target::site_of(head.url());
    site.split("://").nth(1).unwrap_or_default().to_owned()
}

/// Random bytes from the runtime's cryptographic source.
///
/// # Errors
/// [`Refusal::Failed`] if the runtime has none.
pub fn random<const BYTES: usize>() -> Result<[u8; BYTES], Refusal> {
    let mut bytes = [0; BYTES];
    let filled = getrandom::getrandom(&mut bytes);
    filled.map_err(|_| Refusal::Failed("`crypto.getRandomValues` has failed".into()))?;
    Ok(bytes)
}
