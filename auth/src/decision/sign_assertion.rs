//! The proof that goes along to the origin.

use std::borrow::Cow;
use std::rc::Rc;

use super::{Guard, Principal};
use crate::assertion::audience;
use crate::http::Head;
use crate::refusal::Refusal;
use crate::time::Timestamp;

impl Guard {
    /// The assertion for the origin of a request, if there is a key for it. A request without one
    /// must not go where one is waited for, so what cannot be signed ends here.
    pub(super) fn assertion(
        &self,
        head: &impl Head,
        caller: &Principal,
        now: Timestamp,
    ) -> Result<Option<Rc<str>>, Refusal> {
        let audience = match &self.audience {
            Some(origin) => Cow::Borrowed(origin.as_str()),
            None => Cow::Owned(audience(head.url())),
        };
        let assertion = self.tokens.assertion(&caller.token, &audience, now);
        assertion.map_err(|error| Refusal::Failed(error.to_string()))
    }
}
