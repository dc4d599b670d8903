//! What a platform keeps with a token: see [`Verified::context`](super::Verified::context).

use std::any::Any;
use std::cell::{Cell, OnceCell};
use std::rc::Rc;

/// The platform's value for a token, and its bytes.
#[derive(Default)]
pub(super) struct TokenContext {
    pub made: OnceCell<Rc<dyn Any>>,
    pub bytes: Cell<usize>,
    /// How many bytes the cache has counted.
    pub counted: Cell<usize>,
}

/// It is derived from the rest.
impl PartialEq for TokenContext {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
