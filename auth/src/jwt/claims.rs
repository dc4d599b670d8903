//! The claims of a verified token, each parsed strictly.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{LEEWAY, TokenError, Validity};

/// Claims by which providers that sign access tokens with the same key, and perhaps for the same
/// audience, tell them from ID tokens: Keycloak, and Cognito.
const KINDS: [&str; 2] = ["typ", "token_use"];

/// What these say of ID tokens, in lower case.
const ID_KINDS: [&str; 3] = ["id", "id_token", "jwt"];

fn is_id_kind(kind: &Value) -> bool {
    kind.as_str().is_some_and(|kind| ID_KINDS.iter().any(|it| kind.eq_ignore_ascii_case(it)))
}

fn is_jwt(kind: &Value) -> bool {
    kind.as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("JWT"))
}

/// The claims that were not taken yet.
pub struct Claims(pub(super) Map<String, Value>);

impl Claims {
    /// Takes a claim of any type.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// Is there such a claim?
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Is there such a claim, and does it satisfy the condition?
    pub fn is(&self, name: &str, condition: impl FnOnce(&Value) -> bool) -> bool {
        self.0.get(name).is_some_and(condition)
    }

    /// Those that were not taken.
    pub fn all(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Do they say that this is an ID token?
    pub fn say_id_token(&self) -> bool {
        // `JWT` says nothing of an access token.
        let is_id = |kind: &Value| is_id_kind(kind) && !is_jwt(kind);
        KINDS.iter().any(|name| self.is(name, is_id))
    }

    /// Do they say that this is no ID token?
    pub fn say_no_id_token(&self) -> bool {
        KINDS.iter().any(|name| self.is(name, |kind| !is_id_kind(kind)))
    }

    /// Takes a claim that must be a non-empty string.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] if it is anything else, or absent.
    pub fn text(&mut self, name: &str) -> Result<String, TokenError> {
        text(self.take(name))
    }

    /// Takes a claim that must be a non-empty string, if it is present.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] if it is anything else.
    pub fn optional_text(&mut self, name: &str) -> Result<Option<String>, TokenError> {
        self.take(name).map(|claim| text(Some(claim))).transpose()
    }

    /// Takes `aud`: one audience or several (RFC 7519, section 4.1.3).
    ///
    /// # Errors
    /// [`TokenError::Malformed`] if it is anything else, or absent.
    pub fn audiences(&mut self) -> Result<Vec<String>, TokenError> {
        match self.take("aud") {
            Some(Value::Array(all)) => all.into_iter().map(|one| text(Some(one))).collect(),
            one => Ok(vec![text(one)?]),
        }
    }

    /// Takes `iat`, `nbf` and `exp`.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] if `iat` or `exp` is absent, or one of the three is not a time.
    pub fn period(&mut self) -> Result<Validity, TokenError> {
        self.period_or(None)
    }

    /// The same, but a token without `exp` is valid for this long from `iat` on.
    ///
    /// # Errors
    /// As [`Claims::period`].
    pub fn period_or(&mut self, span: Option<Duration>) -> Result<Validity, TokenError> {
        let issued = seconds(self.take("iat"))?.ok_or(TokenError::Malformed)?;
        let begins = seconds(self.take("nbf"))?.map_or(issued, |begins| begins.max(issued));
        let until = |span: Duration| issued + span.as_secs();
        let expires = seconds(self.take("exp"))?.or(span.map(until));
        let expires = expires.ok_or(TokenError::Malformed)?;
        Ok(Validity { issued, begins, expires, leeway: LEEWAY, is_too_old: false })
    }

    /// The claims that were not taken.
    pub fn into_rest(self) -> Map<String, Value> {
        self.0
    }
}

fn text(claim: Option<Value>) -> Result<String, TokenError> {
    match claim {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        _ => Err(TokenError::Malformed),
    }
}

/// A moment in whole seconds. RFC 7519 allows fractions, which nobody sends and parsers round
/// differently.
fn seconds(claim: Option<Value>) -> Result<Option<u64>, TokenError> {
    let seconds = claim.map(|claim| claim.as_u64().filter(|at| *at <= END_OF_TIME));
    match seconds {
        None => Ok(None),
        Some(Some(seconds)) => Ok(Some(seconds)),
        Some(None) => Err(TokenError::Malformed),
    }
}

/// The last second of the year 9999. What claims to be later is a mistake or an attack.
const END_OF_TIME: u64 = 253_402_300_799;
