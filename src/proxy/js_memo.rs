//! Texts that are mostly the same from one request to the next cross to JavaScript once.

use std::cell::RefCell;
use std::rc::Rc;

use auth::str_eq::str_eq;
use wasm_bindgen::JsValue;

/// Longer texts are not kept, so that no token takes much of the memory of all:
/// see [`Tokens::set_context_bytes`](auth::token::Tokens::set_context_bytes).
pub const MAX_BYTES: usize = 2000;

/// What JavaScript holds for each line of a text, beside up to two bytes for each byte of UTF-8.
const LINE_BYTES: usize = 100;

/// How many bytes a text takes here and in JavaScript, at most.
pub fn bytes_of(text: &str) -> usize {
    3 * text.len() + LINE_BYTES * text.lines().count()
}

/// The last text, and the JavaScript value made of it.
#[derive(Default)]
pub struct JsMemo(RefCell<Option<(String, Rc<JsValue>)>>);

impl JsMemo {
    /// How many bytes it holds, at most.
    pub fn bytes(&self) -> usize {
        self.0.borrow().as_ref().map_or(0, |(text, _)| bytes_of(text))
    }

    /// The value of this text: the last one if the text is the same, or else what `make` makes of it.
    pub fn of(&self, text: String, make: impl FnOnce(&str) -> JsValue) -> Rc<JsValue> {
        if text.len() > MAX_BYTES {
            return Rc::new(make(&text));
        }
        let mut last = self.0.borrow_mut();
        match &*last {
            Some((before, value)) if str_eq(before, &text) => Rc::clone(value),
            _ => {
                let value = Rc::new(make(&text));
                *last = Some((text, Rc::clone(&value)));
                value
            }
        }
    }
}
