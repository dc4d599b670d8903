//! Work that goes on after the answer.

use std::time::Duration;

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use worker::Delay;

use crate::platform;
use crate::promise::{self, Answering};

/// Before each further attempt. With the time limit of each, all of them fit into the 30 seconds that a Worker may
/// live on after its answer.
const PAUSES: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(8)];

/// Does something after the answer, for 30 seconds at most.
pub fn later(work: impl Future<Output = ()> + 'static) {
    drop(finish(work));
}

/// Does something that is finished also if nobody waits for it any more, within 30 seconds.
pub fn finish(work: impl Future<Output = ()> + 'static) -> Promise {
    let work: Answering<'static, ()> = Box::pin(work);
    let work = promise::of(async move {
        work.await;
        Ok(JsValue::UNDEFINED)
    });
    platform::wait_until(&work);
    work
}

/// Makes an attempt, and a further one after each pause until one succeeds.
pub async fn insist<'a>(
    attempt: &dyn Fn() -> Answering<'a, Result<(), String>>,
) -> Result<(), String> {
    let mut pauses = PAUSES.iter();
    loop {
        let Err(error) = attempt().await else { return Ok(()) };
        let Some(pause) = pauses.next() else { return Err(error) };
        Delay::from(*pause).await;
    }
}
