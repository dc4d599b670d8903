//! What `LOGIN_URL` answers.

use std::time::Duration;

use super::{AuthenticatedUser, LoginTerms};
use crate::refusal::Refusal;

/// What `LOGIN_URL` answered.
#[derive(Clone, Copy)]
pub struct LoginUrlResponse<'a> {
    /// Its status.
    pub status: u16,
    /// Its `Retry-After`.
    pub retry_after: Option<&'a str>,
    /// Its body.
    pub body: &'a str,
}

/// How long a client waits that the origin has sent away without saying for how long.
const RETRY_LATER: Duration = Duration::from_secs(60);

/// The longest wait that the origin's word is taken for.
const LONGEST_WAIT: u64 = 24 * 60 * 60;

impl LoginUrlResponse<'_> {
    /// What it means. Only 401 means that the credentials are wrong, and 429 that there were too many
    /// attempts; whatever else the origin says is its failure, and lets nobody in.
    ///
    /// # Errors
    /// Why nobody is let in.
    pub fn read(self, terms: LoginTerms<'_>) -> Result<AuthenticatedUser, Refusal> {
        let unusable = |why: String| Refusal::OriginUnavailable(format!("LOGIN_URL {why}"));
        match self.status {
            200 => AuthenticatedUser::parse(self.body, terms)
                .map_err(|error| unusable(format!("answered 200, but {error}"))),
            401 => Err(Refusal::CredentialsInvalid),
            429 => {
                let seconds = self.retry_after.and_then(|text| text.trim().parse().ok());
                let wait = seconds.map_or(RETRY_LATER, |seconds: u64| {
                    Duration::from_secs(seconds.clamp(1, LONGEST_WAIT))
                });
                Err(Refusal::TooManyAttempts { wait })
            }
            status @ 300..=399 => Err(unusable(format!(
                "answered {status}, and redirects are not followed; it must answer itself"
            ))),
            status @ 500.. => Err(unusable(format!("answered {status}"))),
            status => Err(unusable(format!(
                "answered {status}; it must answer 200 and who it is, or 401 if that is wrong"
            ))),
        }
    }
}
