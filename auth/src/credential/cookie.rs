//! The session cookie.

use super::{CredentialRemoval, Finding, OwnTokens};
use crate::cookie::{RemainingCookies, SessionCookie, values, without};
use crate::http::Head;

/// The values of every cookie of the name.
pub fn find<'h>(head: &'h dyn Head, name: Option<&str>) -> Finding<'h> {
    let Some(name) = name else { return Finding::NotPresent };
    let Some(header) = head.header("cookie") else { return Finding::NotPresent };
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
    cookie: &SessionCookie,
    own: &OwnTokens<'_>,
    removal: &mut CredentialRemoval,
) {
    let Some(header) = head.header("cookie").filter(|_| is_source) else { return };
    let rest = without(&header, cookie.name(), own.is_signed_or_claimed);
    let rest = match cookie.former_name() {
        Some(former) => rest.without(&header, &former, own.is_signed_or_claimed),
        None => rest,
    };
    match rest {
        RemainingCookies::Whole => {}
        RemainingCookies::Others(others) => removal.set.push(("Cookie", others)),
        RemainingCookies::Nothing => removal.remove.push("cookie".into()),
    }
}
