//! How often somebody may try to log in. Whoever cannot be counted is not let through.

use auth::decision::Head;
use auth::login::Proof;
use auth::rate::{self, Rate};
use auth::refusal::Refusal;
use auth::store::{NoteName, StoreError};
use js_sys::{JsString, Promise};
use wasm_bindgen::prelude::*;

use crate::config::App;
use crate::request::RequestHead;
use crate::store::Reply;

#[wasm_bindgen(module = "/src/login_rate.js")]
extern "C" {
    #[wasm_bindgen(js_name = askLimiter)]
    fn ask_limiter(limiter: &JsValue, key: &str, timeout: u32) -> Promise;
}

/// Counts an attempt, by the client's address and by the user it names.
///
/// # Errors
/// [`Refusal::TooManyAttempts`], or why it cannot be counted.
pub async fn count(app: &App, head: &RequestHead, proof: &Proof) -> Result<(), Refusal> {
    let Some(rate) = &app.guard.settings().login_rate else { return Ok(()) };
    // Cloudflare sets this header, and nobody can send another.
    let address = head.header("cf-connecting-ip");
    for counter in rate::counters(proof, address.as_deref(), fold)? {
        match &app.limiter {
            Some(limiter) => sieve(app, limiter, &counter, rate).await?,
            None => {
                let count = app.store.count(&counter, rate.span).await;
                rate.judge(count.map_err(Refusal::StoreUnavailable)?)?;
            }
        }
    }
    Ok(())
}

/// One spelling of a name. Upper case comes first, because `ß` and `ς` have forms that lower case
/// alone keeps apart.
fn fold(name: &str) -> String {
    JsString::from(name).normalize("NFKC").trim().to_upper_case().to_lower_case().into()
}

/// Asks Cloudflare's binding, which counts by itself and does not tell when its window ends.
async fn sieve(
    app: &App,
    limiter: &JsValue,
    counter: &NoteName,
    rate: &Rate,
) -> Result<(), Refusal> {
    let timeout = app.guard.settings().store_timeout;
    let millis = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
    let reply = Reply::of(ask_limiter(limiter, counter.as_str(), millis)).await;
    match reply.received(timeout) {
        Ok((_, "true")) => Ok(()),
        Ok((_, "false")) => Err(Refusal::TooManyAttempts { wait: rate.span }),
        Ok((_, other)) => Err(Refusal::StoreUnavailable(StoreError::Unreadable(other.into()))),
        Err(error) => Err(Refusal::StoreUnavailable(error)),
    }
}
