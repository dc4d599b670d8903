//! Words that several pages share.

use serde::Deserialize;

use super::Section;

/// Words that several pages share.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Common {
    /// Leads to the login page.
    pub sign_in: String,
    /// The same, after a session.
    pub sign_in_again: String,
    /// Ends the session.
    pub sign_out: String,
    /// Does the same once more.
    pub try_again: String,
    /// Leads to the provider's choice of accounts.
    pub other_account: String,
    /// Leads to the first page of the site.
    pub first_page: String,
    /// What happened less than a minute ago.
    pub just_now: String,
    /// When a session was last used; has `{when}`.
    pub last_used: String,
    /// The heading of the sessions that may be ended.
    pub sign_out_of: String,
    /// Says to whom the code below is of use; has `{code}`.
    pub tell_operator: String,
    /// The name of the links at the foot of the page, for screen readers.
    pub foot_links: String,
}

impl Section for Common {
    const NAME: &'static str = "common";
}
