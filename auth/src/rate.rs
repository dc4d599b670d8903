//! Attempts to log in: how many are let through, and what they are counted by.
//!
//! An attempt is counted before anybody looks at the credentials, and one that succeeds is taken back
//! after. So a user that exists and one that does not get the same answers, attempts that race are
//! never more than may pass, and those who know their password use up nobody's.

mod fixed_window;
mod identity;

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

pub use fixed_window::FixedWindow;

use crate::login::LoginCredentials;
use crate::refusal::Refusal;
use crate::setting_value::InvalidValue;
use crate::store::EntryName;
use crate::time::{millis, parse_span};

/// How many attempts pass within a span that begins with the first of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub attempts: NonZeroU32,
    /// Within this span.
    pub span: Duration,
}

/// `LOGIN_RATE` and `LOGIN_RATE_PER_ADDRESS`; `None`: any number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginRates {
    /// Of one user.
    pub per_user: Option<Rate>,
    /// From one network. Many people may share it.
    pub per_address: Option<Rate>,
}

impl LoginRates {
    /// The rate of attempts that are counted by this.
    pub fn by(&self, by: RateSubject) -> Option<Rate> {
        match by {
            RateSubject::Address => self.per_address,
            RateSubject::User => self.per_user,
        }
    }
}

/// How often something was attempted in its window, this time included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowCount {
    /// The attempts. One more than may pass, if this one may not: it is not kept then.
    pub attempts: u64,
    /// Until the window ends.
    pub left: Duration,
    /// The window's name, by which an attempt is taken back.
    pub window: String,
}

impl WindowCount {
    /// Reads what a store answers: the attempts, the milliseconds until the window ends, its name,
    /// with spaces between.
    pub fn read(answer: &str) -> Option<Self> {
        let (attempts, rest) = answer.split_once(' ')?;
        let (left, window) = rest.split_once(' ')?;
        let left = Duration::from_millis(left.parse().ok()?);
        Some(Self { attempts: attempts.parse().ok()?, left, window: window.to_owned() })
    }
}

/// What [`WindowCount::read`] reads.
impl fmt::Display for WindowCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { attempts, left, window } = self;
        write!(f, "{attempts} {} {window}", millis(*left))
    }
}

impl Rate {
    /// What holds for a user without a setting.
    pub const PER_USER: Self =
        Self { attempts: NonZeroU32::new(10).unwrap(), span: Duration::from_secs(60) };

    /// What holds for an address without a setting.
    pub const PER_ADDRESS: Self =
        Self { attempts: NonZeroU32::new(100).unwrap(), span: Duration::from_secs(60) };

    /// Reads a rate: `10 per minute`, `5 per 15 minutes`; `None` for `off`.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Option<Self>, InvalidValue> {
        if text == "off" {
            return Ok(None);
        }
        let form = || {
            let what = "`off`, or a number of attempts and a duration, like `10 per minute`";
            InvalidValue::expected(what, text)
        };
        let (attempts, span) = text.split_once(" per ").ok_or_else(form)?;
        let attempts = attempts.trim().parse().map_err(|_| form())?;
        let span = span.trim();
        let span = match span.starts_with(|c: char| c.is_ascii_digit()) {
            true => parse_span(span)?,
            false => parse_span(&format!("1 {span}")).map_err(|_| form())?,
        };
        Ok(Some(Self { attempts, span }))
    }

    /// Could Cloudflare's rate-limit binding count by it? It knows two periods only.
    pub fn fits_binding(&self) -> bool {
        [10, 60].map(Duration::from_secs).contains(&self.span)
    }

    /// Does an attempt pass that makes the count this?
    ///
    /// # Errors
    /// [`Refusal::TooManyAttempts`] with the time until the window ends.
    pub fn judge(&self, count: &WindowCount) -> Result<(), Refusal> {
        match count.attempts <= u64::from(self.attempts.get()) {
            true => Ok(()),
            false => Err(Refusal::TooManyAttempts { wait: count.left }),
        }
    }
}

/// What an attempt is counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateSubject {
    /// The network it comes from.
    Address,
    /// A user it names.
    User,
}

/// A counter that an attempt adds to, and what it must not exceed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Its name.
    pub name: EntryName,
    /// What it counts by.
    pub by: RateSubject,
    /// How many pass.
    pub rate: Rate,
}

/// The most users that one attempt may name. Each costs a question to the store.
const MOST_USERS: usize = 4;

/// The counters of an attempt, in their order: the client's address, then each user it names. Who is
/// stopped by the first adds nothing to the others' counts. An ID token is counted by the address
/// alone: nobody guesses those.
///
/// `address` is what the network says of the client; those without one share a count. `fold` makes one
/// spelling of all that a directory may take for the same name: Unicode's NFKD, without marks, control
/// and ignorable characters, case folded. The platform has it, because its tables weigh as much as all
/// that is here. It need not know ASCII.
///
/// # Errors
/// [`Refusal::BadRequest`] for a name that is neither a text nor a number, and for too many.
pub fn counters(
    proof: &LoginCredentials,
    address: Option<&str>,
    rates: LoginRates,
    fold: impl Fn(&str) -> String,
) -> Result<Vec<Counter>, Refusal> {
    let mut counters = Vec::new();
    if let Some(rate) = rates.per_address {
        let name = EntryName::new("login by address", &[&network(address)]);
        counters.push(Counter { name, by: RateSubject::Address, rate });
    }
    let (Some(rate), LoginCredentials::Fields(fields)) = (rates.per_user, proof) else {
        return Ok(counters);
    };
    let users = identity::users(fields, fold).map_err(Refusal::BadRequest)?;
    if users.len() > MOST_USERS {
        return Err(Refusal::BadRequest("Send one user's name."));
    }
    counters.extend(users.iter().map(|user| {
        let name = EntryName::new("login by user", &[user]);
        Counter { name, by: RateSubject::User, rate }
    }));
    Ok(counters)
}

/// The network that one client can have to itself: an IPv4 address, or the /64 of an IPv6 address
/// (RFC 4291, section 2.5.4).
fn network(address: Option<&str>) -> String {
    let address = address.unwrap_or_default().trim();
    match address.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(address)) => address.to_string(),
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Err(_) => address.to_owned(),
    }
}

#[cfg(test)]
pub(crate) mod tests;
