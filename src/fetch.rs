//! The guard's own subrequests: to `LOGIN_URL`, to issuers for their keys, to the webhook and to Redis.

use std::time::Duration;

use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, ReadableStream, RequestCache, RequestInit, RequestRedirect};
use worker::{Fetch, Fetcher, Response, ResponseBody};

use crate::{platform, promise};

/// A subrequest. It follows no redirects, because credentials and secrets are only for the URL in the settings.
pub struct Subrequest<'a> {
    /// The method.
    pub method: &'a str,
    /// An absolute URL.
    pub url: &'a str,
    /// Names and values.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body, if there is one.
    pub body: Option<&'a str>,
    /// Whether to bypass Cloudflare's cache.
    pub bypass_cache: bool,
}

impl Subrequest<'_> {
    /// Sends it to a bound Worker, or over the network if `to` is `None`. The signal aborts the request and the
    /// reading of the response's body.
    ///
    /// # Errors
    /// The value that was thrown.
    pub async fn send(
        &self,
        to: Option<&Fetcher>,
        signal: Option<&AbortSignal>,
    ) -> Result<Response, JsValue> {
        let request = worker::Request::from(self.build(signal)?);
        let response = match to {
            Some(worker) => worker.fetch_request(request).await,
            None => Fetch::Request(request).send().await,
        };
        response.map_err(platform::thrown)
    }

    /// The runtime's request. Not `worker::RequestInit`, which has no signal and links the options of image
    /// resizing.
    fn build(&self, signal: Option<&AbortSignal>) -> Result<web_sys::Request, JsValue> {
        let headers = Headers::new()?;
        for (name, value) in self.headers {
            headers.set(name, value)?;
        }
        let init = RequestInit::new();
        init.set_method(self.method);
        init.set_headers(&headers);
        init.set_redirect(RequestRedirect::Manual);
        init.set_signal(signal);
        if self.bypass_cache {
            init.set_cache(RequestCache::NoStore);
        }
        if let Some(body) = self.body {
            init.set_body(&body.into());
        }
        web_sys::Request::new_with_str_and_init(self.url, &init)
    }
}

/// A signal that aborts after this time.
pub fn time_limit(limit: Duration) -> AbortSignal {
    AbortSignal::timeout_with_u32(promise::millis(limit))
}

/// The whole body, as the runtime's `text()` decodes it: replaces invalid UTF-8, and removes a byte order mark.
/// `worker::Response::text` does neither.
///
/// # Errors
/// The value that was thrown.
pub async fn text(response: &Response) -> Result<String, JsValue> {
    let response = web_sys::Response::new_with_opt_readable_stream(stream(response).as_ref())?;
    Ok(JsFuture::from(response.text()?).await?.as_string().unwrap_or_default())
}

/// The body, unread.
pub fn stream(response: &Response) -> Option<ReadableStream> {
    match response.body() {
        ResponseBody::Stream(stream) => Some(stream.clone()),
        _ => None,
    }
}

/// Cancels the body, which frees its connection.
pub async fn discard(response: &Response) {
    if let Some(body) = stream(response) {
        let _ = JsFuture::from(body.cancel()).await;
    }
}
