//! The words of the login page.

use serde::Deserialize;

use super::Section;

/// The words of the login page.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// Its heading.
    pub title: String,
    /// The label of the field.
    pub username: String,
    /// The label of the field.
    pub password: String,
    /// The label of the box by which a user stays signed in.
    pub remember: String,
    /// Stands between the form and the providers.
    pub or: String,
    /// The button of a provider; has `{provider}`.
    pub with_provider: String,
    /// There is no way to sign in.
    pub not_set_up: String,
    /// The credentials were rejected.
    pub rejected: String,
    /// There were too many attempts; has `{when}`, like `in 5 minutes`.
    pub too_many_attempts: String,
    /// The user chooses which sessions to end.
    pub choose: String,
    /// The limit is reached, and no session may be ended by this login.
    pub full: String,
    /// The heading of the sessions of which one must end elsewhere.
    pub signed_in_with: String,
    /// The account is blocked.
    pub blocked: String,
    /// The same, until a moment; has `{at}`.
    pub blocked_until: String,
    /// The sessions that were chosen end with this login.
    pub chosen: String,
}

impl Section for SignIn {
    const NAME: &'static str = "sign_in";
}
