//! What the guard reads of an HTTP request, and the grammar of its parts.

mod target;
mod url;

use std::borrow::Cow;

use crate::session::Sid;

pub use target::Target;
pub(crate) use url::{has_one_host, host, other_url};
pub use url::{is_loopback, web_url};

/// What the guard looks at in a request. Headers are asked for one by one, because reading all
/// of them costs more than the few that matter.
pub trait Head {
    /// The method, as sent.
    fn method(&self) -> &str;
    /// The absolute URL, as received.
    fn url(&self) -> &str;
    /// The value of a header, `None` if it was not sent.
    fn header(&self, name: &str) -> Option<Cow<'_, str>>;
    /// Does a body come with it, perhaps of nothing? Over HTTP/2 no header need tell of it.
    fn has_body(&self) -> bool;
    /// What is known of the body.
    fn body(&self) -> Body<'_> {
        Body::Unread
    }
    /// Sessions that are known to be over, so that tokens of theirs decide nothing; `None` if nobody
    /// has asked about any.
    fn over(&self) -> Option<&[Sid]> {
        None
    }
    /// Who gets the answer.
    fn recipient(&self) -> Recipient {
        Recipient::Client
    }
}

/// Who gets the answer to a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recipient {
    /// Whoever sent it.
    #[default]
    Client,
    /// A proxy that asks on behalf of its client: see [`forward_auth`](crate::forward_auth).
    Proxy {
        /// Does it pass a redirect on to its client?
        shows_redirects: bool,
    },
}

/// What is known of a request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// Nobody has looked.
    Unread,
    /// All of it.
    Text(&'a str),
    /// It is larger than [`MAX_BODY`](crate::body_format::MAX_BODY), or no UTF-8.
    Unreadable,
}

/// Is it a token of RFC 9110, section 5.6.2, as names of headers and cookies are?
pub fn is_token(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !text.is_empty() && text.chars().all(legal)
}

/// The token of a bearer credential; any other scheme is somebody else's credential.
pub(crate) fn bearer(authorization: &str) -> Option<&str> {
    scheme(authorization, "bearer")
}

/// The credential of this scheme, which is compared without case (RFC 9110, section 11.1).
pub(crate) fn scheme<'a>(authorization: &'a str, expected: &str) -> Option<&'a str> {
    let (scheme, sent) = authorization.split_once(' ').unwrap_or((authorization, ""));
    scheme.eq_ignore_ascii_case(expected).then_some(sent.trim_matches(' '))
}
