//! The origin: where it is, and its failures.

use auth::config::{Origin, Settings};
use auth::refusal::Refusal;
use wasm_bindgen::prelude::*;

use crate::promise;

#[wasm_bindgen(module = "/src/proxy/origin.js")]
extern "C" {
    #[wasm_bindgen(js_name = configureOrigin)]
    fn configure_origin(site: Option<&str>, timeout: u32);
}

/// Tells JavaScript the origin's address, if it has one of its own, and its timeout.
pub fn configure(settings: &Settings) {
    let timeout = promise::millis(settings.origin_timeout);
    match &settings.origin {
        Origin::Url(site) => configure_origin(Some(site), timeout),
        Origin::Zone | Origin::Worker => configure_origin(None, timeout),
    }
}

/// The refusal when the origin did not respond.
pub fn failure(timed_out: bool, cause: String) -> Refusal {
    if timed_out { Refusal::OriginTimedOut } else { Refusal::OriginUnavailable(cause) }
}
