//! Who has logged in, as the origin, a trusted issuer or a backend says.

use std::fmt;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use thiserror::Error;

use super::shorten;
use crate::id_token::{IdToken, IssuerSession};
use crate::identity;
use crate::issuer::{NotAllowed, TrustedIssuer, issuer_of};
use crate::jwt::REGISTERED;
use crate::limit::{LimitPolicy, SessionLimit};
use crate::session::{Sid, Subject};
use crate::session_data::MAX_DATA;
use crate::time::parse_span;

/// The word of the origin, or of a trusted issuer, that somebody is who they say.
#[derive(Clone, PartialEq)]
pub struct AuthenticatedUser {
    /// Who has logged in.
    pub sub: Subject,
    /// The claims that go into the token beside the registered ones.
    pub claims: Map<String, Value>,
    /// The session's private data, a JSON object in text.
    pub data: Option<String>,
    /// The limit for this user instead of `SESSION_LIMIT`.
    pub session_limit: Option<SessionLimit>,
    /// The policy for this user instead of `SESSION_LIMIT_POLICY`.
    pub policy: Option<LimitPolicy>,
    /// The absolute lifetime of this session instead of `SESSION_TTL`.
    pub session_ttl: Option<Duration>,
    /// The idle timeout of this session instead of `SESSION_IDLE_TIMEOUT`.
    pub idle_timeout: Option<Duration>,
    /// Does the user stay signed in, whatever the client asked for?
    pub remember: Option<bool>,
    /// Sessions that this login is to end.
    pub end: Vec<Sid>,
    /// The login at a trusted issuer, if it was one.
    pub issued: Option<IssuerSession>,
}

/// Leaves out claims and data.
impl fmt::Debug for AuthenticatedUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticatedUser").field("sub", &self.sub).finish_non_exhaustive()
    }
}

/// What the origin says of a login is not as documented. For the log; it says
/// nothing of the values.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("a login cannot be made of it: {0}")]
pub struct InvalidLoginResponse(String);

impl InvalidLoginResponse {
    /// What is wrong with it.
    pub fn reason(&self) -> &str {
        &self.0
    }
}

/// Why nobody is logged in by an issuer's word; for the log.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidIssuerUser {
    /// `allow` and `deny` say so.
    #[error("{}", .0.0)]
    NotAllowed(NotAllowed),
    /// What it says cannot ride in a token.
    #[error("{0}")]
    TooLarge(String),
}

/// What holds for what a login's answer says.
#[derive(Clone, Copy, Debug)]
pub struct LoginTerms<'a> {
    /// No session lives longer: `SESSION_TTL`.
    pub longest: Duration,
    /// The trusted issuers, whose users log in there.
    pub issuers: &'a [TrustedIssuer],
}

/// A lifetime in the answer, no longer than `SESSION_TTL`.
fn span(
    answer: &mut Map<String, Value>,
    name: &str,
    longest: Duration,
) -> Result<Option<Duration>, InvalidLoginResponse> {
    let Some(text) = member::<String>(answer, name)? else { return Ok(None) };
    match parse_span(&text) {
        Ok(span) if span <= longest => Ok(Some(span)),
        Ok(_) => Err(InvalidLoginResponse(format!("`{name}` must not be longer than SESSION_TTL"))),
        Err(_) => {
            let what = "must be a duration like `15 minutes`";
            Err(InvalidLoginResponse(format!("`{name}` {what}")))
        }
    }
}

/// A member of the answer; `null` says as little as none.
fn member<T: DeserializeOwned>(
    answer: &mut Map<String, Value>,
    name: &str,
) -> Result<Option<T>, InvalidLoginResponse> {
    let given = answer.remove(name).filter(|value| !value.is_null());
    let read = given.map(serde_json::from_value).transpose();
    read.map_err(|_| InvalidLoginResponse(format!("`{name}` is of the wrong type or out of range")))
}

impl AuthenticatedUser {
    /// Reads what the origin answered. Those whose `sub` has an issuer's prefix are that issuer's
    /// users, and not the origin's to log in.
    ///
    /// # Errors
    /// What the origin should change.
    pub fn parse(body: &str, terms: LoginTerms<'_>) -> Result<Self, InvalidLoginResponse> {
        let approval = Self::read(body, terms.longest)?;
        match issuer_of(&approval.sub, terms.issuers) {
            None => Ok(approval),
            Some(owner) => Err(InvalidLoginResponse(format!(
                "`sub` begins with the `subject_prefix` of {}, whose users log in there",
                owner.issuer
            ))),
        }
    }

    /// The same, whoever's user it is.
    ///
    /// # Errors
    /// What the origin should change.
    pub(crate) fn read(body: &str, longest: Duration) -> Result<Self, InvalidLoginResponse> {
        let mut answer: Map<String, Value> = serde_json::from_str(body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            InvalidLoginResponse(format!("it is no JSON object (line {line}, column {column})"))
        })?;
        let sub: Option<String> = member(&mut answer, "sub")?;
        let sub = sub.ok_or_else(|| InvalidLoginResponse("`sub` is missing".into()))?;
        let sub = Subject::try_from(sub).map_err(|why| InvalidLoginResponse(why.into()))?;
        let mut claims: Map<_, _> = member(&mut answer, "claims")?.unwrap_or_default();
        if let Some(name) = REGISTERED.iter().find(|name| claims.contains_key(**name)) {
            return Err(InvalidLoginResponse(format!("`claims` must not set `{name}`")));
        }
        if let Some(roles) = member::<Vec<String>>(&mut answer, "roles")? {
            claims.insert("roles".into(), roles.into());
        }
        check_claims(&claims).map_err(InvalidLoginResponse)?;
        let data: Option<Map<_, _>> = member(&mut answer, "data")?;
        let data = data.map(|data| Value::Object(data).to_string());
        if data.as_ref().is_some_and(|data| data.len() > MAX_DATA) {
            return Err(InvalidLoginResponse("`data` is larger than 16 KB".into()));
        }
        Ok(Self {
            data,
            session_limit: member(&mut answer, "session_limit")?,
            policy: member(&mut answer, "session_limit_policy")?,
            session_ttl: span(&mut answer, "session_ttl", longest)?,
            idle_timeout: span(&mut answer, "idle_timeout", longest)?,
            remember: member(&mut answer, "remember")?,
            end: member(&mut answer, "end")?.unwrap_or_default(),
            ..Self::new(sub, claims)
        })
    }

    /// An issuer's word of somebody who may sign in. Claims that would share a header ride along and get none,
    /// because whoever logs in cannot change what the issuer calls them.
    ///
    /// # Errors
    /// Why there is no session for them.
    pub fn by_issuer(token: IdToken, issuer: &TrustedIssuer) -> Result<Self, InvalidIssuerUser> {
        issuer.sign_in_policy.admit(token.said()).map_err(InvalidIssuerUser::NotAllowed)?;
        let IdToken { sub, claims, issued, .. } = token;
        Self::of_claims(sub, claims, issued)
    }

    /// Somebody who has logged in at an issuer.
    ///
    /// # Errors
    /// [`InvalidIssuerUser::TooLarge`].
    pub(crate) fn of_claims(
        sub: Subject,
        claims: Map<String, Value>,
        issued: IssuerSession,
    ) -> Result<Self, InvalidIssuerUser> {
        check_size(&claims).map_err(InvalidIssuerUser::TooLarge)?;
        Ok(Self { issued: Some(issued), ..Self::new(sub, claims) })
    }

    /// A user of whom nothing else is said.
    pub(crate) fn new(sub: Subject, claims: Map<String, Value>) -> Self {
        Self {
            sub,
            claims,
            data: None,
            session_limit: None,
            policy: None,
            session_ttl: None,
            idle_timeout: None,
            remember: None,
            end: Vec::new(),
            issued: None,
        }
    }
}

/// Do the claims fit into a token, and each into a header of its own?
fn check_claims(claims: &Map<String, Value>) -> Result<(), String> {
    if let Some((one, other)) = identity::alike(claims) {
        let (one, other) = (shorten(one.into()), shorten(other.into()));
        return Err(format!("claims `{one}` and `{other}` would share a header"));
    }
    check_size(claims)
}

fn check_size(claims: &Map<String, Value>) -> Result<(), String> {
    let size = |claim: &Value| claim.to_string().len();
    match Value::Object(claims.clone()).to_string().len() <= MAX_CLAIMS {
        true => Ok(()),
        false => {
            let largest = claims.iter().max_by_key(|(_, claim)| size(claim));
            let name = largest.map_or(String::new(), |(name, _)| shorten(name.clone()));
            Err(format!("the claims are larger than 4 KB; `{name}` is the largest"))
        }
    }
}

/// The most claims of the origin's that ride in a token, in bytes of JSON.
const MAX_CLAIMS: usize = 4 * 1024;
