//! Why somebody was signed out.

use serde::Deserialize;

use super::Section;

/// Why somebody was signed out. `{ago}` is like `5 minutes ago`, `{at}` a moment, and `{with}` like `with a phone`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedOut {
    /// The heading of the page after a logout.
    pub title: String,
    /// The user has signed out.
    pub logged_out: String,
    /// The same, but not at the provider.
    pub only_here: String,
    /// A newer login took the session's place.
    pub superseded: String,
    /// The same, if it is known when and by what; has `{ago}`, `{at}` and `{with}`.
    pub superseded_at: String,
    /// The session was ended.
    pub revoked: String,
    /// The same, if it is known when; has `{ago}` and `{at}`.
    pub revoked_at: String,
    /// The session was ended, because an old token of it was used; has `{ago}` and `{at}`.
    pub reused_at: String,
    /// The session has expired.
    pub expired: String,
    /// The same, if it is known when; has `{ago}` and `{at}`.
    pub expired_at: String,
    /// The page needs a fresher or stronger login.
    pub another_login: String,
    /// The user is blocked.
    pub blocked: String,
    /// Nothing more is known.
    pub unknown: String,
    /// Leads to where other sessions are ended.
    pub not_me: String,
}

impl Section for SignedOut {
    const NAME: &'static str = "signed_out";
}
