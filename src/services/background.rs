//! Work that continues after the response is sent.

use std::time::Duration;

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use worker::Delay;

use crate::platform;
use crate::promise::{self, LocalBoxFuture};

/// The pause before each retry. All attempts and their timeouts fit into the 30 seconds that a Worker may run after
/// its response.
pub const PAUSES: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(8)];

/// Runs `work` after the response, for 30 seconds at most.
pub fn run_after_response(work: impl Future<Output = ()> + 'static) {
    drop(finish_after_response(work));
}

/// Runs `work` to its end, even if the client disconnects, for 30 seconds at most. The promise resolves when `work`
/// has finished.
pub fn finish_after_response(work: impl Future<Output = ()> + 'static) -> Promise {
    let work: LocalBoxFuture<'static, ()> = Box::pin(work);
    let work = promise::of(async move {
        work.await;
        Ok(JsValue::UNDEFINED)
    });
    platform::wait_until(&work);
    work
}

/// Retries an attempt, with a growing pause, until it succeeds.
///
/// # Errors
/// The last attempt's error.
pub async fn retry<'a>(
    attempt: &dyn Fn() -> LocalBoxFuture<'a, Result<(), String>>,
) -> Result<(), String> {
    let mut pauses = PAUSES.iter();
    loop {
        let Err(error) = attempt().await else { return Ok(()) };
        let Some(pause) = pauses.next() else { return Err(error) };
        Delay::from(*pause).await;
    }
}
