//! Attempts to log in: how many are let through, and what they are counted by.
//!
//! Every attempt counts, also one that would succeed, and it counts before anybody looks at the
//! credentials. So a user that exists and one that does not get the same answers.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::login::Proof;
use crate::refusal::Refusal;
use crate::store::NoteName;
use crate::time::parse_span;

/// The fields of a login that may say who logs in. Each one that is there is counted: which of
/// them the origin reads, is the origin's matter.
pub const IDENTITIES: [&str; 4] = ["username", "user", "email", "login"];

/// How many attempts pass within a span that begins with the first of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub attempts: NonZeroU32,
    /// Within this span.
    pub span: Duration,
}

/// How often something was attempted in its window, this time included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// The attempts.
    pub attempts: u64,
    /// Until the window ends.
    pub left: Duration,
}

impl Count {
    /// Reads what a store answers: the attempts, a space, the milliseconds until the window ends.
    pub fn read(answer: &str) -> Option<Self> {
        let (attempts, left) = answer.split_once(' ')?;
        let left = Duration::from_millis(left.parse().ok()?);
        Some(Self { attempts: attempts.parse().ok()?, left })
    }
}

impl Rate {
    /// What holds without a setting.
    pub const DEFAULT: Self =
        Self { attempts: NonZeroU32::new(10).unwrap(), span: Duration::from_secs(60) };

    /// Reads `LOGIN_RATE`: `10 per minute`, `5 per 15 minutes`; `None` for `off`.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Option<Self>, String> {
        if text == "off" {
            return Ok(None);
        }
        let form = "must be `off`, or a number of attempts and a span, like `10 per minute`";
        let (attempts, span) = text.split_once(" per ").ok_or(form)?;
        let attempts = attempts.trim().parse().map_err(|_| form)?;
        let span = span.trim();
        let span = match span.starts_with(|c: char| c.is_ascii_digit()) {
            true => parse_span(span)?,
            false => parse_span(&format!("1 {span}"))?,
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
    pub fn judge(&self, count: Count) -> Result<(), Refusal> {
        match count.attempts <= u64::from(self.attempts.get()) {
            true => Ok(()),
            false => Err(Refusal::TooManyAttempts { wait: count.left }),
        }
    }
}

/// What an attempt is counted by, in this order: the client's address, then each identity it
/// names. Who is stopped by the first adds nothing to the others' counts. An ID token is counted by
/// the address alone: nobody guesses those.
///
/// `address` is what the network says of the client; those without one share a count. `fold` makes
/// one spelling of all that look alike to a directory: Unicode's NFKC, without case, without space
/// at either end. The platform has it, because its tables weigh as much as all that is here.
///
/// # Errors
/// [`Refusal::BadRequest`] for an identity that is neither a text nor a number.
pub fn counters(
    proof: &Proof,
    address: Option<&str>,
    fold: impl Fn(&str) -> String,
) -> Result<Vec<NoteName>, Refusal> {
    let mut counters = vec![NoteName::new("login by address", &[&network(address)])];
    if let Proof::Credentials(fields) = proof {
        for identity in IDENTITIES.iter().filter_map(|name| fields.get(*name)) {
            let text = match identity {
                serde_json::Value::Null => continue,
                serde_json::Value::String(text) => text.clone(),
                serde_json::Value::Number(number) => number.to_string(),
                _ => return Err(Refusal::BadRequest("Send the user's name as a text.")),
            };
            let counter = NoteName::new("login by user", &[&fold(&text)]);
            if !counters.contains(&counter) {
                counters.push(counter);
            }
        }
    }
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
mod tests;
