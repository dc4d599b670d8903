//! An attempt to sign in, which the browser keeps until it comes back: sealed, so that nobody reads or changes it.

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};

use super::request::SignInRequest;
use super::returns::ReturnCount;
use crate::issuer::SignInSettings;
use crate::keys::KeySet;
use crate::login::AuthenticatedUser;
use crate::redirect::LocalTarget;
use crate::session::{Session, Sid, Subject};
use crate::step_up::StepUp;
use crate::time::{Timestamp, millis};

/// How long a sign-in may take.
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
    /// Does the user wish to stay signed in?
    pub remember: bool,
    /// What was asked of the login at the provider.
    pub asked: StepUp,
    /// The `redirect_uri` that was sent.
    pub redirect_uri: String,
    /// When it began.
    pub began: Timestamp,
    /// How often its browser had just come back when it began.
    pub returns: ReturnCount,
}

/// Tells no secret.
impl std::fmt::Debug for SignInAttempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignInAttempt").field("provider", &self.provider).finish_non_exhaustive()
    }
}

impl SignInAttempt {
    /// Begins one. `random` must come from a cryptographic source: for `state`, `nonce`, and twice for the verifier.
    pub fn begin(
        provider: &SignInSettings,
        request: SignInRequest,
        asked: StepUp,
        redirect_uri: String,
        random: [[u8; 16]; 4],
        (now, returns): (Timestamp, ReturnCount),
    ) -> Self {
        let [state, nonce, one, two] = random;
        let max_age = asked.max_age.into_iter().chain(provider.max_age).min();
        Self {
            provider: provider.name.clone(),
            state: Base64UrlUnpadded::encode_string(&state),
            nonce: Base64UrlUnpadded::encode_string(&nonce),
            verifier: Base64UrlUnpadded::encode_string(&[one, two].concat()),
            redirect: request.redirect,
            end: request.end,
            remember: request.remember,
            asked: StepUp { max_age, ..asked },
            redirect_uri,
            began: now,
            returns,
        }
    }

    /// Has this user, since the attempt began, got a session by another attempt of the same browser? A browser that is
    /// opened again begins one in each of its tabs. `session` is the live one of the browser, and `of` its user. It does
    /// not serve if this attempt asks for more than that one need have had.
    pub fn is_answered_by(
        &self,
        session: &Session,
        of: &Subject,
        user: &AuthenticatedUser,
    ) -> bool {
        let is_at_same_login = user.issued.as_ref().is_some_and(|issued| {
            session.issuer.as_deref() == Some(&*issued.issuer) && session.issuer_sid == issued.sid
        });
        *of == user.sub
            && is_at_same_login
            && session.created >= self.began
            && self.end.is_empty()
            && self.asked == StepUp::default()
            && !(self.remember && session.transient)
    }

    /// Can it not be completed any more?
    pub fn is_over(&self, now: Timestamp) -> bool {
        now.since(self.began) > COMPLETED_WITHIN
    }

    /// Seals it. If the target is too long, drops its fragment, then its query, then all of it. `None` if even that is
    /// too long for a cookie.
    pub(super) fn seal(&mut self, keys: &KeySet, context: &str, nonce: [u8; 24]) -> Option<String> {
        loop {
            let sealed = keys.seal(&self.to_json(), context, nonce);
            if let Some(sealed) = sealed.filter(|it| it.len() <= MAX_SEALED) {
                return Some(sealed);
            }
            self.redirect = self.redirect.shorter()?;
        }
    }

    /// What [`seal`](Self::seal()) has sealed; `None` if it was sealed with other keys or in another context, or is damaged.
    pub(super) fn open(keys: &KeySet, context: &str, sealed: &str) -> Option<Self> {
        let read: Value = serde_json::from_str(&keys.open(sealed, context)?).ok()?;
        let text = |name: &str| read.get(name).and_then(Value::as_str).map(str::to_owned);
        let texts = |name: &str| {
            let all = read.get(name)?.as_array()?.iter();
            Some(all.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>())
        };
        let end = texts("e").unwrap_or_default().into_iter();
        let max_age = read.get("m").and_then(Value::as_u64).map(Duration::from_millis);
        Some(Self {
            provider: text("p")?,
            state: text("s")?,
            nonce: text("n")?,
            verifier: text("v")?,
            redirect: LocalTarget::of_sealed(text("t")?),
            end: end.filter_map(|sid| Sid::try_from(sid).ok()).collect(),
            remember: read.get("r").is_some(),
            asked: StepUp { max_age, acr: texts("a") },
            redirect_uri: text("u")?,
            began: Timestamp::from_millis(read.get("b")?.as_u64()?),
            returns: ReturnCount::new(read.get("c").and_then(Value::as_u64).unwrap_or_default()),
        })
    }

    /// Short, because it travels with every request. By hand, because derived readers are large.
    fn to_json(&self) -> String {
        let end = Vec::from_iter(self.end.iter().map(Sid::as_str));
        let mut sealed = json!({
            "p": self.provider,
            "s": self.state,
            "n": self.nonce,
            "v": self.verifier,
            "t": self.redirect.as_str(),
            "e": (!end.is_empty()).then_some(end),
            "r": self.remember.then_some(true),
            "m": self.asked.max_age.map(millis),
            "a": self.asked.acr,
            "u": self.redirect_uri,
            "b": self.began.millis(),
            "c": (self.returns != ReturnCount::default()).then_some(self.returns.get()),
        });
        if let Some(members) = sealed.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        sealed.to_string()
    }
}
