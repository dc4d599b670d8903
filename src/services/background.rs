//! Work that goes on after the answer.

use crate::promise;
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// Milliseconds before each further attempt. With [`TIMEOUT`] all of them fit into the 30 seconds
/// that a Worker may live on after its answer.
const PAUSES: [u32; 3] = [1_000, 3_000, 8_000];

#[wasm_bindgen(module = "/src/services/background.js")]
extern "C" {
    #[wasm_bindgen(js_name = afterAnswer)]
    fn after_answer(work: &Promise);

    /// The promise is resolved after so many milliseconds.
    pub fn pause(millis: u32) -> Promise;
}

/// Does something after the answer, for 30 seconds at most.
pub fn later(work: impl Future<Output = ()> + 'static) {
    drop(finish(work));
}

/// Does something that is finished also if nobody waits for it any more, within 30 seconds.
pub fn finish(work: impl Future<Output = ()> + 'static) -> Promise {
    let work = promise::of(async move {
        work.await;
        Ok(JsValue::UNDEFINED)
    });
    after_answer(&work);
    work
}

/// Makes an attempt, and a further one after each pause until one succeeds.
pub async fn insist(attempt: impl Fn() -> Promise) -> Result<(), String> {
    let mut pauses = PAUSES.iter();
    loop {
        let Err(error) = JsFuture::from(attempt()).await else { return Ok(()) };
        let Some(millis) = pauses.next() else {
            return Err(js_sys::Error::from(error).message().into());
        };
        let _ = JsFuture::from(pause(*millis)).await;
    }
}
