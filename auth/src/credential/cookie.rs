//! The session cookie.

use std::borrow::Cow;

use super::{CredentialRemoval, Finding, OwnTokens};
use crate::cookie::{RemainingCookies, values, without};
use crate::http::Head;

/// The values of every cookie of the name.
pub fn find<'h>(head: &'h dyn Head, is_source: bool, name: &str) -> Finding<'h> {
    let Some(header) = header(head, is_source) else { return Finding::NotPresent };
    Finding::within(header, |header| {
        let tokens = values(header, name).filter(|token| !token.is_empty());
        tokens.fold(Finding::NotPresent, Finding::and)
    })
}

/// An application may have a cookie of the name, too. A browser keeps cookies longer than a site its
/// keys, so what claims to be the guard's stays here as well.
pub fn withhold(
    head: &dyn Head,
    is_source: bool,
    name: &str,
    own: &OwnTokens<'_>,
    removal: &mut CredentialRemoval,
) {
    let Some(header) = header(head, is_source) else { return };
    match without(&header, name, own.is_signed_or_claimed) {
        RemainingCookies::Whole => {}
        RemainingCookies::Others(others) => removal.set.push(("Cookie", others)),
        RemainingCookies::Nothing => removal.remove.push("cookie".into()),
    }
}

fn header(head: &dyn Head, is_source: bool) -> Option<Cow<'_, str>> {
    if is_source { head.header("cookie") } else { None }
}
