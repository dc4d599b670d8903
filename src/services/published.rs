//! Fetches what a provider publishes: its keys and its metadata.

use auth::issuer::FETCH_TIMEOUT;

use crate::body::{self, BodyError};
use crate::fetch::{self, Subrequest};
use crate::platform::message_of;

/// How a document is fetched.
pub struct Document<'a> {
    /// Its URL.
    pub url: &'a str,
    /// What is accepted.
    pub accept: &'a str,
    /// The most bytes that are read.
    pub limit: usize,
    /// The member of `TRUSTED_ISSUERS` that has its final URL, if the provider redirects.
    pub member: &'static str,
}

impl Document<'_> {
    /// Fetches it from the provider itself: does not follow redirects, and bypasses caches.
    ///
    /// # Errors
    /// Why not; for the log.
    pub async fn fetch(&self) -> Result<String, String> {
        let Self { url, accept, limit, member } = *self;
        let headers = &[("accept", accept)];
        let request = Subrequest { method: "GET", url, headers, body: None, bypass_cache: true };
        let answer = request.send(None, Some(&fetch::time_limit(FETCH_TIMEOUT))).await;
        let answer = answer.map_err(|error| message_of(&error))?;
        let (status, location) = (answer.status_code(), answer.headers().get("location"));
        match (status, location.ok().flatten()) {
            (200, _) => {}
            (status, None) => return Err(format!("answered {status}")),
            (status, Some(to)) => {
                return Err(format!(
                    "answered {status}, a redirect to {to}; put the final URL into `{member}`"
                ));
            }
        }
        body::text(fetch::stream(&answer), limit).await.map_err(|error| unreadable(error, limit))
    }
}

/// Why a body cannot be read; for the log.
pub fn unreadable(error: BodyError, limit: usize) -> String {
    match error {
        BodyError::TooLarge => format!("answered more than {limit} bytes"),
        BodyError::NotUtf8 => "answered a body that is not UTF-8".into(),
        BodyError::Broken(error) => message_of(&error),
    }
}
