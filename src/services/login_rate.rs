//! How often somebody may try to log in. Whoever cannot be counted is not let through.

use std::rc::Rc;

use auth::http::Head;
use auth::login::LoginCredentials;
use auth::rate::{self, Counter, RateSubject};
use auth::refusal::Refusal;
use auth::session::Sid;
use auth::store::{EntryName, StoreError};
use js_sys::{JsString, Object, Promise, Reflect, RegExp};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::app::App;
use crate::platform::RateLimit;
use crate::promise;
use crate::request::{self, RequestHead};
use crate::services::background;
use crate::stores::within_timeout;

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
    credentials: &LoginCredentials,
) -> Result<CountedAttempt, Refusal> {
    // Cloudflare sets this header, and nobody can send another.
    let address = head.header("cf-connecting-ip");
    let rates = app.guard.settings().login_rates;
    let window = Sid::from_random(request::random()?);
    let mut counted = Vec::new();
    for counter in rate::counters(credentials, address.as_deref(), rates, fold)? {
        match app.limiter(counter.by) {
            Some(limiter) => count_by_binding(app, limiter, &counter).await?,
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
    /// store is asked at once, whether or not anybody waits.
    pub fn refund(self, app: &App) -> PendingRefund {
        let store = Rc::clone(&app.store);
        PendingRefund(background::finish_after_response(async move {
            let each = self.0.iter().map(|(name, window)| store.refund(name, window));
            promise::all(each.collect()).await;
        }))
    }
}

/// What is being taken back.
pub struct PendingRefund(Promise);

impl PendingRefund {
    /// Waits until it is done.
    pub async fn done(self) {
        let _ = JsFuture::from(self.0).await;
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
async fn count_by_binding(
    app: &App,
    limiter: &RateLimit,
    counter: &Counter,
) -> Result<(), Refusal> {
    let is_within_limit = Box::pin(is_within_limit(limiter, counter.name.as_str()));
    match within_timeout(app.guard.settings().store_timeout, is_within_limit).await {
        Ok(Some(true)) => Ok(()),
        Ok(Some(false)) => Err(Refusal::TooManyAttempts { wait: counter.rate.span }),
        Ok(None) => Err(Refusal::StoreUnavailable(StoreError::Unreadable("no verdict".into()))),
        Err(error) => Err(Refusal::StoreUnavailable(error)),
    }
}

/// Does the binding let this one through?
async fn is_within_limit(limiter: &RateLimit, key: &str) -> Result<Option<bool>, JsValue> {
    let options = Object::new();
    Reflect::set(&options, &"key".into(), &key.into())?;
    let outcome = JsFuture::from(limiter.limit(&options)?).await?;
    Ok(Reflect::get(&outcome, &"success".into())?.as_bool())
}
