//! How often a browser has just come back: it is not sent to a provider again and again.

use crate::cookie::{self, ATTRIBUTES};

const NAME: &str = "__Host-guard-sign-in-returns";

/// After so many returns, a page says so instead of leading to the provider.
const MOST: u8 = 3;

/// How often a browser has come back from a provider, each time within a minute of the time before. Counted from what it
/// was when the attempt began: tabs that come back side by side are no loop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReturnCount(u8);

impl ReturnCount {
    /// This many, as far as it matters.
    pub(super) fn new(count: u64) -> Self {
        Self(u8::try_from(count).unwrap_or(MOST).min(MOST))
    }

    pub(super) fn get(self) -> u8 {
        self.0
    }

    /// Reads the count in a `Cookie` header; 0 if there is none.
    pub fn of(sent: &str) -> Self {
        let counts = cookie::values(sent, NAME).filter_map(|value| value.parse().ok());
        Self(counts.max().unwrap_or(0).min(MOST))
    }

    /// May the login page lead straight to a provider?
    pub fn may_go_straight(self) -> bool {
        self.0 < MOST
    }

    /// The count after the return of an attempt that began at `begun`.
    pub fn after(self, begun: Self) -> Self {
        self.max(Self::new(u64::from(begun.0) + 1))
    }

    /// The `Set-Cookie` line that keeps it.
    pub fn set_cookie(self) -> String {
        format!("{NAME}={}; {ATTRIBUTES}; Max-Age=60", self.0)
    }

    /// The `Set-Cookie` line that forgets them.
    pub fn clear_cookie() -> String {
        format!("{NAME}=; {ATTRIBUTES}; Max-Age=0")
    }
}
