//! `Authorization: Bearer` (RFC 6750, section 2.1).

use std::borrow::Cow;

use super::{CredentialRemoval, Finding, OwnTokens};
use crate::http::{Head, bearer};

/// The bearer token. Another scheme is somebody else's credential.
pub fn find(head: &dyn Head, is_source: bool) -> Finding<'_> {
    let Some(authorization) = header(head, is_source) else { return Finding::NotPresent };
    Finding::within(authorization, |text| match bearer(text) {
        None => Finding::NotPresent,
        Some("") => Finding::Malformed,
        Some(token) => Finding::Found(token.into()),
    })
}

/// Every text in `Authorization` that some server may take for a bearer token: the runtime joins
/// several lines by a comma.
pub fn possible(authorization: &str) -> impl Iterator<Item = &str> {
    let words = authorization.split([',', ' ', '\t']);
    let mut follows = false;
    words.filter(|word| !word.is_empty()).filter(move |word| {
        let is_token = follows;
        follows = word.eq_ignore_ascii_case("bearer");
        is_token
    })
}

/// The whole header stays at the guard if any of these is the guard's.
pub fn withhold(
    head: &dyn Head,
    is_source: bool,
    own: &OwnTokens<'_>,
    removal: &mut CredentialRemoval,
) {
    let Some(authorization) = header(head, is_source) else { return };
    if possible(&authorization).any(own.is_signed) {
        removal.remove.push("authorization".into());
    }
}

fn header(head: &dyn Head, is_source: bool) -> Option<Cow<'_, str>> {
    if is_source { head.header("authorization") } else { None }
}
