//! A Workers request, as the core looks at it.

use auth::decision::{Body, Head};
use auth::form::{Form, MAX_BODY};
use auth::login::Client;
use auth::refusal::Refusal;
use auth::time::Timestamp;
use js_sys::{Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// The head of a request. What every request is asked for crosses into Rust at once, another header
/// when it is asked for.
pub struct RequestHead {
    method: String,
    url: String,
    authorization: Option<String>,
    cookie: Option<String>,
    request: web_sys::Request,
    body: Option<Result<String, UnreadableBody>>,
}

/// What stands for a header that was not sent.
const ABSENT: &str = "\0";

/// What is said of a body that cannot be read.
pub const UNREADABLE: &str = "The body must be UTF-8, and at most 64 KB.";

/// A body is larger than [`MAX_BODY`], or no UTF-8.
pub struct UnreadableBody;

#[wasm_bindgen(module = "/src/request.js")]
extern "C" {
    #[wasm_bindgen(js_name = headOf)]
    fn head_of(request: &web_sys::Request) -> String;

    #[wasm_bindgen(js_name = readBody)]
    fn read_body(request: &web_sys::Request, most: u32) -> Promise;

    #[wasm_bindgen(js_name = peekBody)]
    fn peek_body(request: &web_sys::Request, most: u32) -> Promise;
}

impl RequestHead {
    /// Looks at a request.
    pub fn of(request: &web_sys::Request) -> Self {
        let head = head_of(request);
        let mut lines = head.splitn(4, '\n');
        let mut line = || lines.next().unwrap_or(ABSENT);
        let (method, url) = (line().to_owned(), line().to_owned());
        let [authorization, cookie] =
            [line(), line()].map(|text| (text != ABSENT).then(|| text.to_owned()));
        Self { method, url, authorization, cookie, request: Clone::clone(request), body: None }
    }

    /// Looks at its body, too, and leaves that in the request as it is.
    pub async fn with_body(self, request: &web_sys::Request) -> Self {
        let body = text(peek_body(request, MAX_BODY as u32)).await;
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

    fn header(&self, name: &str) -> Option<String> {
        match name {
            "authorization" => self.authorization.clone(),
            "cookie" => self.cookie.clone(),
            name => self.request.headers().get(name).ok().flatten(),
        }
    }

    fn body(&self) -> Body<'_> {
        match &self.body {
            None => Body::Unread,
            Some(Ok(text)) => Body::Text(text),
            Some(Err(UnreadableBody)) => Body::Unreadable,
        }
    }
}

/// Takes a body out of its request.
///
/// # Errors
/// [`UnreadableBody`].
pub async fn body(request: &web_sys::Request) -> Result<String, UnreadableBody> {
    text(read_body(request, MAX_BODY as u32)).await
}

/// Takes the one field of this name out of a form.
///
/// # Errors
/// `otherwise` for another number of them, or another kind of body.
pub async fn form_text(
    request: &web_sys::Request,
    head: &RequestHead,
    name: &str,
    otherwise: Refusal,
) -> Result<String, Refusal> {
    if Form::of(head.header("content-type").as_deref()) != Some(Form::Page) {
        return Err(otherwise);
    }
    let body = body(request).await.map_err(|_| Refusal::BadRequest(UNREADABLE))?;
    let mut texts = Form::Page.texts(&body, &[name.into()]);
    match (texts.pop(), texts.is_empty()) {
        (Some(text), true) => Ok(text),
        _ => Err(otherwise),
    }
}

async fn text(body: Promise) -> Result<String, UnreadableBody> {
    JsFuture::from(body).await.ok().and_then(|body| body.as_string()).ok_or(UnreadableBody)
}

/// The present moment, by the Workers clock.
pub fn now() -> Timestamp {
    Timestamp::from_millis(js_sys::Date::now() as u64)
}

/// What the request tells of its client. The place is Cloudflare's (`request.cf`), not a header
/// that anybody can send.
pub fn client(request: &web_sys::Request, head: &impl Head) -> Client {
    let cf = Reflect::get(request, &"cf".into()).unwrap_or(JsValue::UNDEFINED);
    let place = |name: &str| Reflect::get(&cf, &name.into()).ok()?.as_string();
    Client { user_agent: head.header("user-agent"), city: place("city"), country: place("country") }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues, catch)]
    fn get_random_values(bytes: &mut [u8]) -> Result<JsValue, JsValue>;
}

/// Random bytes from the runtime's cryptographic source.
///
/// # Errors
/// [`Refusal::Failed`] if it has none.
pub fn random() -> Result<[u8; 16], Refusal> {
    let mut bytes = [0; 16];
    let filled = get_random_values(&mut bytes);
    filled.map_err(|_| Refusal::Failed("there is no source of randomness".into()))?;
    Ok(bytes)
}
