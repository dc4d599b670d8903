//! How much the origin is told of one user at most. Servers take 8 to 16 KB of headers in all, and answer
//! 400 or 431 to more, which nobody understands who only wants to use the application.

use serde_json::{Map, Value};
use thiserror::Error;

use super::{CLAIM, Header};

/// The most bytes of identity headers, with their names and the assertion.
pub const MAX_BYTES: usize = 8 * 1024;

/// What a header has beside its name and its value: `: ` and the end of the line.
const FRAME: usize = 4;

/// What an assertion has beside the texts that it names, at most.
const ASSERTION: usize = 700;

/// The headers for the origin would be larger than [`MAX_BYTES`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{claim}` is the largest of the claims that make {bytes} bytes of headers for the origin; at most \
     {MAX_BYTES} fit, with names and assertion (see IDENTITY_ENCODING)"
)]
pub struct HeadersTooLarge {
    /// The claim that takes most of it, or `sub`.
    claim: String,
    bytes: usize,
}

/// Do these headers fit? `asserted` are the texts that an assertion names, if there is one.
///
/// # Errors
/// [`HeadersTooLarge`], which names the claim that is to be made shorter.
pub fn check(
    headers: &[Header],
    public: &Map<String, Value>,
    asserted: Option<&[&str]>,
) -> Result<(), HeadersTooLarge> {
    // A text in an assertion is in base64, which makes four bytes of three.
    let mut bytes = asserted.map_or(0, |texts| {
        ASSERTION + texts.iter().map(|text| text.len().div_ceil(3) * 4).sum::<usize>()
    });
    let (mut largest, mut most) = ("", 0);
    for (at, (name, value)) in headers.iter().enumerate() {
        let size = name.len() + value.len() + FRAME;
        bytes += size;
        // The first is the user's, and what is no claim's says again what one says.
        if size > most && (at == 0 || name.starts_with(CLAIM)) {
            (largest, most) = (name, size);
        }
    }
    if bytes <= MAX_BYTES {
        return Ok(());
    }
    let claim = public.keys().find(|name| super::claim_header(name) == largest);
    Err(HeadersTooLarge { claim: claim.map_or("sub", String::as_str).to_owned(), bytes })
}
