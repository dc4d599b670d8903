//! Where a user is signed in: `GET sessions`.

use serde::Deserialize;

use super::Section;

/// Where a user is signed in, and what ended. `{ago}` is like `5 minutes ago`, `{at}` a moment, and `{with}` like `with a
/// phone`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    /// The heading.
    pub title: String,
    /// What the list is, and what to do about a session that the user does not know.
    pub intro: String,
    /// The same for somebody who was signed out by a login that was not theirs.
    pub not_me: String,
    /// Marks the session that looks at the page.
    pub this_device: String,
    /// That session is in use.
    pub in_use: String,
    /// When the session began; has `{at}`.
    pub signed_in: String,
    /// There is no other session.
    pub only_here: String,
    /// Ends all other sessions.
    pub end_others: String,
    /// Ends all sessions.
    pub end_all: String,
    /// The heading of the sessions that are over.
    pub ended: String,
    /// A newer login took its place; has `{ago}`, `{at}` and `{with}`.
    pub superseded: String,
    /// It was ended by its user, or by others who may; has `{ago}` and `{at}`.
    pub revoked: String,
    /// It was ended, because an old token of it was used; has `{ago}` and `{at}`.
    pub reused: String,
    /// A deadline has passed; has `{ago}` and `{at}`.
    pub expired: String,
}

impl Section for Sessions {
    const NAME: &'static str = "sessions";
}
