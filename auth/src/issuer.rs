//! `TRUSTED_ISSUERS`: identity providers whose ID tokens may be exchanged for a session (OpenID
//! Connect Core 1.0), and who may end what they began (Back-Channel Logout 1.0).

mod key_cache;

use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

pub use key_cache::{FETCH_TIMEOUT, IssuerKeyCache, KeyLookup, MAX_JWKS};

use crate::http::web_url;
use crate::session::Subject;
use crate::time::parse_span;
use crate::token::REGISTERED;

/// An identity provider, as the settings name it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedIssuer {
    /// The `iss` of its tokens.
    pub issuer: String,
    /// The `aud` of its tokens: what it calls this site, a client id as a rule.
    #[serde(deserialize_with = "one_or_several")]
    pub audience: Vec<String>,
    /// Where its keys are.
    pub jwks_uri: String,
    /// What it may sign with.
    #[serde(default = "default_algorithms")]
    pub algorithms: Vec<String>,
    /// Stands before its `sub` in ours, so that no two issuers' users are taken for one another.
    pub subject_prefix: Option<String>,
    /// The claims of its tokens that ride in ours.
    #[serde(default = "default_claims")]
    pub claims: Vec<String>,
    /// How far its clock may be from ours.
    #[serde(default = "default_tolerance", deserialize_with = "span_or_seconds")]
    pub clock_tolerance: Duration,
}

/// What OpenID Connect Core 1.0, section 2, has every provider sign with unless told otherwise.
fn default_algorithms() -> Vec<String> {
    vec!["RS256".into()]
}

fn default_claims() -> Vec<String> {
    ["email", "email_verified", "name", "preferred_username", "groups", "roles"]
        .map(str::to_owned)
        .into()
}

fn default_tolerance() -> Duration {
    Duration::from_secs(60)
}

/// Beyond this, tokens live on for longer than anybody expects.
const MAX_TOLERANCE: Duration = Duration::from_secs(10 * 60);

/// A span as all settings have it, or a whole number of seconds.
fn span_or_seconds<'de, D: Deserializer<'de>>(json: D) -> Result<Duration, D::Error> {
    let span = match Value::deserialize(json)? {
        Value::String(text) => parse_span(&text),
        Value::Number(seconds) => seconds.as_u64().map(Duration::from_secs).ok_or(String::new()),
        _ => Err(String::new()),
    };
    span.ok().filter(|span| *span <= MAX_TOLERANCE).ok_or_else(|| {
        D::Error::custom(
            "`clock_tolerance` must be a span like `60 seconds`, of 10 minutes at most",
        )
    })
}

/// What can be published: nothing that signs with a secret.
const ALGORITHMS: [&str; 9] =
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "EdDSA", "Ed25519"];

fn one_or_several<'de, D: Deserializer<'de>>(json: D) -> Result<Vec<String>, D::Error> {
    match Value::deserialize(json)? {
        Value::String(one) => Ok(vec![one]),
        Value::Array(all) => {
            all.into_iter().map(|one| String::deserialize(one).map_err(D::Error::custom)).collect()
        }
        _ => Err(D::Error::custom("`audience` must be a text or a list of texts")),
    }
}

impl TrustedIssuer {
    /// Reads the list. `own` is the guard's own `iss`.
    ///
    /// # Errors
    /// Which of them is at fault, and what to change.
    pub fn parse_list(json: &str, own: &str) -> Result<Vec<Self>, String> {
        let all: Vec<Self> = serde_json::from_str(json)
            .map_err(|error| format!("is no list of issuers: {error}"))?;
        for (index, one) in all.iter().enumerate() {
            let fault = |why: String| Err(format!("issuer {}: {why}", index + 1));
            if let Err(why) = one.check(own) {
                return fault(why);
            }
            if all[..index].iter().any(|other| other.issuer == one.issuer) {
                return fault(
                    "another one has the same `issuer`; name its audiences in a list".into(),
                );
            }
            if all[..index].iter().any(|other| one.subjects_overlap(other)) {
                let why = "its users could be taken for another issuer's; give both a \
                           `subject_prefix`, neither the beginning of the other, or, if their \
                           users are the same, the same one";
                return fault(why.into());
            }
        }
        Ok(all)
    }

    fn check(&self, own: &str) -> Result<(), String> {
        if self.issuer.is_empty() || self.issuer == own {
            return Err("`issuer` must be the provider's `iss`, and not ISSUER".into());
        }
        if self.issuer.contains(['{', '}']) {
            let why = "`issuer` must be the `iss` as tokens have it; name each tenant in its place, \
                       as an issuer of its own";
            return Err(why.into());
        }
        if self.audience.is_empty() || self.audience.iter().any(String::is_empty) {
            return Err("`audience` must be what the provider calls this site".into());
        }
        web_url(&self.jwks_uri).map_err(|why| format!("`jwks_uri` {why}"))?;
        let known = |alg: &String| ALGORITHMS.contains(&alg.as_str());
        if self.algorithms.is_empty() || !self.algorithms.iter().all(known) {
            return Err(format!("`algorithms` must be of {}", ALGORITHMS.join(", ")));
        }
        match self.claims.iter().find(|name| REGISTERED.contains(&name.as_str())) {
            Some(name) => Err(format!("`claims` must not name `{name}`, which the guard sets")),
            None => Ok(()),
        }
    }

    /// Could a user of the one have the `sub` of a user of the other, against what was meant?
    fn subjects_overlap(&self, other: &Self) -> bool {
        match (&self.subject_prefix, &other.subject_prefix) {
            (Some(one), Some(two)) => one != two && (one.starts_with(two) || two.starts_with(one)),
            _ => true,
        }
    }

    /// Our `sub` for one of the issuer's users; `None` if it would be too long.
    pub fn subject(&self, sub: &str) -> Option<Subject> {
        let prefix = self.subject_prefix.as_deref().unwrap_or_default();
        Subject::try_from(format!("{prefix}{sub}")).ok()
    }

    /// The issuer's own `sub` of one of ours; `None` if it is none of its users, or would be nobody.
    pub fn own_sub<'a>(&self, sub: &'a Subject) -> Option<&'a str> {
        let prefix = self.subject_prefix.as_deref().unwrap_or_default();
        sub.as_str().strip_prefix(prefix).filter(|own| !own.is_empty())
    }
}

/// The issuer whose users are known by a prefix that this `sub` begins with. Only the issuer itself,
/// or who speaks for it, may log them in.
pub fn issuer_of<'a>(sub: &Subject, issuers: &'a [TrustedIssuer]) -> Option<&'a TrustedIssuer> {
    issuers.iter().find(|issuer| {
        let prefix = issuer.subject_prefix.as_deref().unwrap_or_default();
        !prefix.is_empty() && sub.as_str().starts_with(prefix)
    })
}

/// An identity provider, and what is known of its keys.
#[derive(Debug)]
pub struct Issuer {
    /// What the settings say.
    pub trusted: TrustedIssuer,
    /// Its keys.
    pub keyring: IssuerKeyCache,
}

#[cfg(test)]
pub(crate) mod tests;
