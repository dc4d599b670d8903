//! A Workers request, as the core looks at it.

use auth::decision::Head;
use auth::login::Client;
use auth::time::Timestamp;
use js_sys::Reflect;
use wasm_bindgen::prelude::*;

/// The head of a request. Method and URL cross into Rust once, a header when it is asked for.
pub struct RequestHead {
    method: String,
    url: String,
    headers: web_sys::Headers,
}

impl RequestHead {
    /// Looks at a request.
    pub fn of(request: &web_sys::Request) -> Self {
        Self { method: request.method(), url: request.url(), headers: request.headers() }
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
        self.headers.get(name).ok().flatten()
    }
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
pub fn random() -> Result<[u8; 16], JsValue> {
    let mut bytes = [0; 16];
    get_random_values(&mut bytes)?;
    Ok(bytes)
}
