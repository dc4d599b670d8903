//! An attempt to sign in, which the browser keeps until it comes back: sealed, so that nobody reads or changes it.

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};

use super::wish::SignInWish;
use crate::issuer::SignInSettings;
use crate::keys::KeySet;
use crate::redirect::LocalTarget;
use crate::session::Sid;
use crate::step_up::StepUp;
use crate::time::{Timestamp, millis};

/// How long it may take.
const COMPLETED_WITHIN: Duration = Duration::from_secs(60 * 60);

/// The longest sealed text that goes into a cookie, in bytes.
const MAX_SEALED: usize = 2048;

/// What the guard must know again when a browser comes back.
#[derive(Clone, PartialEq)]
pub struct SignInAttempt {
    /// The name of the provider.
    pub provider: String,
    /// `state` (RFC 6749, section 10.12).
    pub state: String,
    /// `nonce` (OpenID Connect Core 1.0, section 3.1.2.1).
    pub nonce: String,
    /// `code_verifier` (RFC 7636, section 4.1).
    pub verifier: String,
    /// Where to go afterwards.
    pub redirect: LocalTarget,
    /// Sessions that the login is to end.
    pub end: Vec<Sid>,
    /// Is the session to last?
    pub remember: bool,
    /// What was asked of the login at the provider.
    pub asked: StepUp,
    /// The `redirect_uri` that was sent.
    pub redirect_uri: String,
    /// When it began.
    pub began: Timestamp,
}

/// Tells no secret.
impl std::fmt::Debug for SignInAttempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignInAttempt").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// As it is sealed: short, because it travels with every request.
#[derive(Serialize, Deserialize)]
struct Sealed {
    p: String,
    s: String,
    n: String,
    v: String,
    t: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    e: Vec<Sid>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    r: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    m: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    a: Option<Vec<String>>,
    u: String,
    b: u64,
}

impl SignInAttempt {
    /// Begins one. `random` must come from a cryptographic source: for `state`, `nonce`, and twice for the verifier.
    pub fn begin(
        provider: &SignInSettings,
        wish: SignInWish,
        asked: StepUp,
        redirect_uri: String,
        random: [[u8; 16]; 4],
        now: Timestamp,
    ) -> Self {
        let [state, nonce, one, two] = random;
        let max_age = asked.max_age.into_iter().chain(provider.max_age).min();
        Self {
            provider: provider.name.clone(),
            state: Base64UrlUnpadded::encode_string(&state),
            nonce: Base64UrlUnpadded::encode_string(&nonce),
            verifier: Base64UrlUnpadded::encode_string(&[one, two].concat()),
            redirect: wish.redirect,
            end: wish.end,
            remember: wish.remember,
            asked: StepUp { max_age, ..asked },
            redirect_uri,
            began: now,
        }
    }

    /// Can it not be completed any more?
    pub fn is_over(&self, now: Timestamp) -> bool {
        now.since(self.began) > COMPLETED_WITHIN
    }

    /// Seals it. Of a target that is too long, the fragment goes first, then the query, then all.
    pub(super) fn seal(&mut self, keys: &KeySet, context: &str, nonce: [u8; 24]) -> Option<String> {
        loop {
            let sealed = keys.seal(&self.to_json()?, context, nonce);
            if let Some(sealed) = sealed.filter(|it| it.len() <= MAX_SEALED) {
                return Some(sealed);
            }
            self.redirect = self.redirect.shorter()?;
        }
    }

    pub(super) fn open(keys: &KeySet, context: &str, sealed: &str) -> Option<Self> {
        let read: Sealed = serde_json::from_str(&keys.open(sealed, context)?).ok()?;
        Some(Self {
            provider: read.p,
            state: read.s,
            nonce: read.n,
            verifier: read.v,
            redirect: LocalTarget::of_sealed(read.t),
            end: read.e,
            remember: read.r,
            asked: StepUp { max_age: read.m.map(Duration::from_millis), acr: read.a },
            redirect_uri: read.u,
            began: Timestamp::from_millis(read.b),
        })
    }

    fn to_json(&self) -> Option<String> {
        let sealed = Sealed {
            p: self.provider.clone(),
            s: self.state.clone(),
            n: self.nonce.clone(),
            v: self.verifier.clone(),
            t: self.redirect.as_str().to_owned(),
            e: self.end.clone(),
            r: self.remember,
            m: self.asked.max_age.map(millis),
            a: self.asked.acr.clone(),
            u: self.redirect_uri.clone(),
            b: self.began.millis(),
        };
        serde_json::to_string(&sealed).ok()
    }
}
