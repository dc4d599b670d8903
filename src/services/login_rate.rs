//! Limits login attempts. Fails closed: an attempt that cannot be counted is refused.

use std::rc::Rc;

use auth::client_address::CLOUDFLARE;
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

/// Cloudflare's rate-limit bindings, which count login attempts if they are bound: the setting each replaces the
/// counter of, and the binding's name.
pub const LIMITERS: [(RateSubject, &str, &str); 2] = [
    (RateSubject::User, "LOGIN_RATE", "LOGIN_RATE_LIMITER"),
    (RateSubject::Address, "LOGIN_RATE_PER_ADDRESS", "LOGIN_RATE_PER_ADDRESS_LIMITER"),
];

/// The counters of an attempt, each with the window that counted it.
pub struct CountedAttempt(Vec<(EntryName, String)>);

/// Counts an attempt by client address and by user name.
///
/// # Errors
/// [`Refusal::TooManyAttempts`], or why the attempt cannot be counted.
pub async fn count(
    app: &App,
    head: &RequestHead,
    credentials: &LoginCredentials,
) -> Result<CountedAttempt, Refusal> {
    // Cloudflare or `client_address.rs` has set it; clients cannot.
    let address = head.header(CLOUDFLARE);
    let rates = app.guard.settings().login_rates;
    let window = Sid::from_random(request::random()?);
    let mut counted = Vec::new();
    for counter in rate::counters(credentials, address.as_deref(), rates, normalize)? {
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
    /// Refunds a successful attempt. If that fails, the attempt stays counted. The refund starts at once, even if
    /// nobody awaits it.
    pub fn refund(self, app: &App) -> PendingRefund {
        let store = Rc::clone(&app.store);
        PendingRefund(background::finish_after_response(async move {
            let each = self.0.iter().map(|(name, window)| store.refund(name, window));
            promise::all(each.collect()).await;
        }))
    }
}

/// A refund in progress.
pub struct PendingRefund(Promise);

impl PendingRefund {
    /// Waits until the refund has finished.
    pub async fn done(self) {
        let _ = JsFuture::from(self.0).await;
    }
}

/// Normalizes a user name: without combining marks and invisible characters, in lower case. Lower, upper and lower
/// case in turn, because some letters have variants that one conversion alone keeps distinct.
fn normalize(name: &str) -> String {
    let unseen = RegExp::new(r"[\p{M}\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}]", "gu");
    let plain = JsString::from(name).normalize("NFKD").replace_by_pattern(&unseen, "");
    plain.to_lower_case().to_upper_case().to_lower_case().into()
}

/// Counts by Cloudflare's binding, which does not say when its window ends.
async fn count_by_binding(
    app: &App,
    limiter: &RateLimit,
    counter: &Counter,
) -> Result<(), Refusal> {
    let is_within_limit = Box::pin(is_within_limit(limiter, counter.name.as_str()));
    match within_timeout(app.guard.settings().store_timeout, is_within_limit).await {
        Ok(Some(true)) => Ok(()),
        Ok(Some(false)) => Err(Refusal::TooManyAttempts { wait: counter.rate.span }),
        Ok(None) => Err(Refusal::StoreUnavailable(StoreError::Unreadable(
            "the rate-limit binding returned no `success`".into(),
        ))),
        Err(error) => Err(Refusal::StoreUnavailable(error)),
    }
}

/// Whether the binding allows this attempt; `None` if its answer cannot be read.
async fn is_within_limit(limiter: &RateLimit, key: &str) -> Result<Option<bool>, JsValue> {
    let options = Object::new();
    Reflect::set(&options, &"key".into(), &key.into())?;
    let outcome = JsFuture::from(limiter.limit(&options)?).await?;
    Ok(Reflect::get(&outcome, &"success".into())?.as_bool())
}
