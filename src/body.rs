//! Reads a body as text, up to a limit.

use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStream, ReadableStreamDefaultReader};

/// Why a body cannot be read.
pub enum BodyError {
    /// It has more bytes than the limit.
    TooLarge,
    /// It is not UTF-8.
    NotUtf8,
    /// The stream failed with this value.
    Broken(JsValue),
}

/// Reads a body as UTF-8, and removes a byte order mark, as `TextDecoder` does. Cancels the stream beyond `limit`
/// bytes. Not `worker::Response::text`, which has no limit.
///
/// # Errors
/// [`BodyError`].
pub async fn text(body: Option<ReadableStream>, limit: usize) -> Result<String, BodyError> {
    let Some(body) = body else { return Ok(String::new()) };
    let reader = ReadableStreamDefaultReader::new(&body).map_err(BodyError::Broken)?;
    let mut bytes = Vec::new();
    while let Some(chunk) = next(&reader).await.map_err(BodyError::Broken)? {
        let start = bytes.len();
        if start + chunk.length() as usize > limit {
            let _ = reader.cancel();
            return Err(BodyError::TooLarge);
        }
        bytes.resize(start + chunk.length() as usize, 0);
        chunk.copy_to(&mut bytes[start..]);
    }
    let mut text = String::from_utf8(bytes).map_err(|_| BodyError::NotUtf8)?;
    if text.starts_with(BYTE_ORDER_MARK) {
        text.remove(0);
    }
    Ok(text)
}

const BYTE_ORDER_MARK: char = '\u{feff}';

async fn next(reader: &ReadableStreamDefaultReader) -> Result<Option<Uint8Array>, JsValue> {
    let read = JsFuture::from(reader.read()).await?;
    let is_done = Reflect::get(&read, &"done".into())?.is_truthy();
    let chunk = Reflect::get(&read, &"value".into())?;
    Ok((!is_done).then(|| chunk.unchecked_into()))
}
