//! The authorization response (RFC 6749, section 4.1.2; RFC 9207).

use super::attempt::SignInAttempt;
use crate::issuer::{ProviderMetadata, TrustedIssuer};
use crate::keys::KeySet;
use crate::refusal::{ProviderError, SignInFailure};
use crate::time::Timestamp;

/// The longest value that is read, in bytes.
const MAX_VALUE: usize = 4 * 1024;

/// How a browser comes back from a provider.
pub struct Callback {
    state: String,
    outcome: Result<String, ProviderError>,
    iss: Option<String>,
}

/// Tells no code.
impl std::fmt::Debug for Callback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Callback").field("is_code", &self.outcome.is_ok()).finish_non_exhaustive()
    }
}

impl Callback {
    /// Reads the query.
    ///
    /// # Errors
    /// [`SignInFailure::Malformed`]. An `error` without `state` is one all the same, because some providers send it so.
    pub fn read(query: &str) -> Result<Self, SignInFailure> {
        let state = one(query, "state")?;
        let code = one(query, "code")?;
        let error = one(query, "error")?;
        let iss = one(query, "iss")?;
        let description = one(query, "error_description").unwrap_or_default();
        let outcome = match (code, error) {
            (Some(code), None) => Ok(code),
            (None, Some(error)) => Err(ProviderError::new(&error, description.as_deref())),
            (Some(_), Some(_)) => {
                let why = "The identity provider sent both a code and an error.";
                return Err(SignInFailure::Malformed(why));
            }
            (None, None) => {
                let why = "The identity provider sent neither a code nor an error.";
                return Err(SignInFailure::Malformed(why));
            }
        };
        match (state, outcome) {
            (Some(state), outcome) => Ok(Self { state, outcome, iss }),
            (None, Err(error)) => Err(SignInFailure::at_authorization(error)),
            (None, Ok(_)) => {
                Err(SignInFailure::Malformed("The identity provider did not send `state` back."))
            }
        }
    }

    /// The attempt that this answers, of this browser and this provider. `site` is scheme and authority of the request,
    /// and `sent` its `Cookie` header.
    ///
    /// # Errors
    /// There is none, or it is over.
    pub fn attempt(
        &self,
        provider: &str,
        keys: &KeySet,
        site: &str,
        sent: &str,
    ) -> Result<SignInAttempt, SignInFailure> {
        let attempt = SignInAttempt::find(keys, site, sent, &self.state);
        let attempt = attempt.ok_or(SignInFailure::Unknown)?;
        if attempt.provider != provider {
            let cause = format!("it began at `{}` and came back to `{provider}`", attempt.provider);
            return Err(SignInFailure::MixedUp(cause));
        }
        Ok(attempt)
    }

    /// The `Set-Cookie` line that takes the attempt away; `None` if its name would be none of ours.
    pub fn clear_cookie(&self) -> Option<String> {
        SignInAttempt::clear_cookie(&self.state)
    }

    /// The code, if the provider of this attempt has sent it.
    ///
    /// # Errors
    /// It is another provider's, or the provider refuses, or too much time has passed.
    pub fn code(
        self,
        attempt: &SignInAttempt,
        issuer: &TrustedIssuer,
        metadata: &ProviderMetadata,
        now: Timestamp,
    ) -> Result<String, SignInFailure> {
        match &self.iss {
            Some(iss) if *iss != issuer.issuer => {
                let iss: String = iss.chars().filter(|c| !c.is_control()).take(200).collect();
                return Err(SignInFailure::MixedUp(format!("the answer's `iss` is {iss:?}")));
            }
            None if metadata.sends_iss => {
                let cause = "the answer has no `iss`, although the provider says that it sends one";
                return Err(SignInFailure::MixedUp(cause.into()));
            }
            _ => {}
        }
        match self.outcome {
            Err(error) => Err(SignInFailure::at_authorization(error)),
            Ok(_) if attempt.is_over(now) => Err(SignInFailure::Expired),
            Ok(code) => Ok(code),
        }
    }
}

/// A parameter that may be there once (RFC 6749, section 3.1). Without a value it counts as absent.
fn one(query: &str, name: &str) -> Result<Option<String>, SignInFailure> {
    let mut all = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
    let first = all.next().map(|(_, value)| value.into_owned());
    if all.next().is_some() {
        return Err(SignInFailure::Malformed("The identity provider sent a parameter twice."));
    }
    match first {
        Some(value) if value.len() > MAX_VALUE => {
            Err(SignInFailure::Malformed("The identity provider sent more than can be read."))
        }
        first => Ok(first.filter(|value| !value.is_empty())),
    }
}
