//! How often somebody may try to log in. Whoever cannot be counted is not let through.

use auth::decision::Head;
use auth::login::LoginCredentials;
use auth::rate::{self, Counter, RateSubject};
use auth::refusal::Refusal;
use auth::session::Sid;
use auth::store::{EntryName, StoreError};
use js_sys::{JsString, Promise, RegExp};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::app::App;
use crate::request::{self, RequestHead};
use crate::stores::Reply;

#[wasm_bindgen(module = "/src/services/login_rate.js")]
extern "C" {
    #[wasm_bindgen(js_name = askLimiter)]
    fn ask_limiter(limiter: &JsValue, key: &str, timeout: u32) -> Promise;
}

/// The names of Cloudflare's rate-limit bindings, which count attempts to log in if they are there.
pub const LIMITERS: [(RateSubject, &str, &str); 2] = [
    (RateSubject::User, "LOGIN_RATE", "LOGIN_RATE_LIMITER"),
    (RateSubject::Address, "LOGIN_RATE_PER_ADDRESS", "LOGIN_RATE_PER_ADDRESS_LIMITER"),
];

/// What an attempt was counted by, and in which windows.
pub struct CountedAttempt(Vec<(EntryName, String)>);

/// Counts an attempt, by the client's address and by the user it names.
///
/// # Errors
/// [`Refusal::TooManyAttempts`], or why it cannot be counted.
pub async fn count(
    app: &App,
    head: &RequestHead,
    proof: &LoginCredentials,
) -> Result<CountedAttempt, Refusal> {
    // Cloudflare sets this header, and nobody can send another.
    let address = head.header("cf-connecting-ip");
    let rates = app.guard.settings().login_rates;
    let window = Sid::from_random(request::random()?);
    let mut counted = Vec::new();
    for counter in rate::counters(proof, address.as_deref(), rates, fold)? {
        match app.limiter(counter.by) {
            Some(limiter) => sieve(app, limiter, &counter).await?,
            None => {
                let count = app.store.count(&counter.name, &counter.rate, window.as_str()).await;
                let count = count.map_err(Refusal::StoreUnavailable)?;
                counter.rate.judge(&count)?;
                counted.push((counter.name, count.window));
            }
        }
    }
    Ok(CountedAttempt(counted))
}

impl CountedAttempt {
    /// Takes the attempt back, because it has succeeded. What cannot be taken back stays counted. The
    /// questions are under way at once; the promises say when they are done.
    pub fn take_back(self, app: &App) -> RefundedAttempt {
        let each = self.0.iter().map(|(name, window)| app.store.take_back(name, window));
        RefundedAttempt(each.collect())
    }
}

/// What is being taken back.
pub struct RefundedAttempt(Vec<Promise>);

impl RefundedAttempt {
    /// Waits until it is done.
    pub async fn done(self) {
        for promise in self.0 {
            let _ = JsFuture::from(promise).await;
        }
    }
}

/// One spelling of a name: without marks and what nobody sees, in lower case. Case goes to and fro,
/// because some letters have forms that one direction alone keeps apart.
fn fold(name: &str) -> String {
    let unseen = RegExp::new(r"[\p{M}\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}]", "gu");
    let plain = JsString::from(name).normalize("NFKD").replace_by_pattern(&unseen, "");
    plain.to_lower_case().to_upper_case().to_lower_case().into()
}

/// Asks Cloudflare's binding, which counts by itself and does not tell when its window ends.
async fn sieve(app: &App, limiter: &JsValue, counter: &Counter) -> Result<(), Refusal> {
    let timeout = app.guard.settings().store_timeout;
    let millis = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
    let reply = Reply::of(ask_limiter(limiter, counter.name.as_str(), millis)).await;
    match reply.received(timeout) {
        Ok((_, "true")) => Ok(()),
        Ok((_, "false")) => Err(Refusal::TooManyAttempts { wait: counter.rate.span }),
        Ok((_, other)) => Err(Refusal::StoreUnavailable(StoreError::Unreadable(other.into()))),
        Err(error) => Err(Refusal::StoreUnavailable(error)),
    }
}
