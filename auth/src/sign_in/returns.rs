//! How often a browser has just come back: it is not sent to a provider again and again.

use crate::cookie;

const NAME: &str = "__Host-guard-sign-in-returns";
const ATTRIBUTES: &str = "Path=/; HttpOnly; Secure; SameSite=Lax";

/// After so many, a page says so.
const MOST: u8 = 3;

/// How many sign-ins of a browser have come back within a minute each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignInReturns(u8);

impl SignInReturns {
    /// What a `Cookie` header says.
    pub fn of(sent: &str) -> Self {
        let counts = cookie::values(sent, NAME).filter_map(|value| value.parse().ok());
        Self(counts.max().unwrap_or(0).min(MOST))
    }

    /// Can the login page be left out?
    pub fn may_go_straight(self) -> bool {
        self.0 < MOST
    }

    /// The `Set-Cookie` line that counts one more.
    pub fn set_cookie(self) -> String {
        format!("{NAME}={}; {ATTRIBUTES}; Max-Age=60", (self.0 + 1).min(MOST))
    }

    /// The `Set-Cookie` line that forgets them.
    pub fn clear_cookie() -> String {
        format!("{NAME}=; {ATTRIBUTES}; Max-Age=0")
    }
}
