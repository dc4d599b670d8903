//! What proves to the origin that a request came through the guard: a short-lived JWT in
//! `X-Auth-Request-Assertion`, which whoever has found the origin's address cannot make.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use thiserror::Error;

use crate::http::Target;
use crate::time::Timestamp;

/// The `typ` of assertions, which nothing else has (RFC 8725, section 3.11): none is taken for an
/// access token, and no access token, which its bearer could send past the guard, for one of them.
pub const TYPE: &str = "guard-assertion+jwt";

/// The `typ` of what comes with a request to `LOGIN_URL`, and with nothing else.
pub const LOGIN_TYPE: &str = "guard-login+jwt";

/// How long one is good.
pub const LIFETIME: Duration = Duration::from_secs(60);

/// For how long it is sent: half its time is left to the origin, and to its clock.
const IN_USE: Duration = Duration::from_secs(30);

/// How many are kept with a token: one for each audience, of which few see the same token.
const MOST: usize = 4;

/// No key could sign one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the assertion for the origin could not be signed")]
pub struct NotSigned;

/// Those that were signed for a token a moment ago, because signing costs more than all the rest.
#[derive(Default, PartialEq)]
pub struct Assertions(RefCell<Vec<Assertion>>);

#[derive(PartialEq)]
struct Assertion {
    audience: String,
    text: Rc<str>,
    issued: Timestamp,
}

impl Assertions {
    /// The one for this audience if it is still to be sent, or else what `sign` makes.
    ///
    /// # Errors
    /// [`NotSigned`] if `sign` makes none.
    pub fn get_or_sign(
        &self,
        audience: &str,
        now: Timestamp,
        sign: impl FnOnce() -> Option<String>,
    ) -> Result<Rc<str>, NotSigned> {
        let mut kept = self.0.borrow_mut();
        kept.retain(|it| now.since(it.issued) <= IN_USE);
        if let Some(known) = kept.iter().find(|it| it.audience == audience) {
            return Ok(Rc::clone(&known.text));
        }
        let text: Rc<str> = sign().ok_or(NotSigned)?.into();
        kept.truncate(MOST - 1);
        let new = Assertion { audience: audience.to_owned(), text: Rc::clone(&text), issued: now };
        kept.insert(0, new);
        Ok(text)
    }

    /// How many bytes they hold, at most.
    pub fn bytes(&self) -> usize {
        let overhead = 2 * size_of::<Assertion>();
        self.0.borrow().iter().map(|it| it.audience.len() + it.text.len() + overhead).sum()
    }

    /// Is this one of them, and still to be sent?
    pub fn holds(&self, text: &Rc<str>, now: Timestamp) -> bool {
        let kept = self.0.borrow();
        kept.iter().any(|it| Rc::ptr_eq(&it.text, text) && now.since(it.issued) <= IN_USE)
    }
}

/// Whom an assertion is for: scheme, host and port of a URL, as an origin is written (RFC 6454,
/// section 6.2).
pub fn audience(url: &str) -> String {
    let site = Target::site_of(url).to_ascii_lowercase();
    let port = if site.starts_with("https:") { ":443" } else { ":80" };
    site.strip_suffix(port).unwrap_or(&site).to_owned()
}

#[cfg(test)]
mod tests;
