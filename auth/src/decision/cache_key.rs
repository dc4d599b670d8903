//! Which headers a decision may depend on, said once for everybody who caches decisions.

/// Headers whose values a decision cache compares. A cached decision applies to another request with the same method,
/// URL, header names and values of these headers, if [`Guard::decide`](super::Guard::decide) has found no other header
/// that it looked for.
pub const COMPARED_HEADERS: [&str; 4] = ["authorization", "cookie", "connection", "upgrade"];

/// The other headers that `decide` looks for, beside those of `TOKEN_SOURCES`. Where it finds one, the decision is not
/// cached. So none of them may be looked for in an ordinary request with a good token.
#[cfg(test)]
pub(super) const UNCACHED_HEADERS: [&str; 12] = [
    "accept",
    "access-control-request-method",
    "content-length",
    "content-type",
    "expect",
    "origin",
    "referer",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "trailer",
    "transfer-encoding",
];
