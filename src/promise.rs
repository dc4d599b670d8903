//! Promises and futures, and how long they are waited for.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use worker::Delay;

/// A boxed future: what waits for it is compiled once.
pub type Answering<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// The promise of what this future comes to. It runs whether or not anybody waits for it.
pub fn of(future: impl Future<Output = Result<JsValue, JsValue>> + 'static) -> Promise {
    let future: Answering<'static, _> = Box::pin(future);
    future_to_promise(future)
}

/// What a future comes to; `None` if that takes longer than `limit`. The future is dropped then, and what it has
/// sent is not called back.
pub async fn within<T>(limit: Duration, mut future: Answering<'_, T>) -> Option<T> {
    let mut delay = pin!(Delay::from(limit));
    let first = poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => delay.as_mut().poll(context).map(|()| None),
    });
    first.await
}

/// What each of these futures comes to. They run side by side.
pub async fn all<T>(mut futures: Vec<Answering<'_, T>>) -> Vec<T> {
    let mut outputs: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    let every = poll_fn(|context| {
        for (future, output) in futures.iter_mut().zip(&mut outputs) {
            if output.is_none()
                && let Poll::Ready(ready) = future.as_mut().poll(context)
            {
                *output = Some(ready);
            }
        }
        if outputs.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    });
    every.await;
    outputs.into_iter().flatten().collect()
}
