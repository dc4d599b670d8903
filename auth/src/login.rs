//! A login: what the client sends, what the origin answers, and the session that comes of it.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::body_format::BodyFormat;
use crate::device::{ClientHints, DeviceClass};
use crate::id_token::{IdToken, IssuerSession};
use crate::identity;
use crate::issuer::{TrustedIssuer, issuer_of};
use crate::limit::{LimitPolicy, SessionLimit};
use crate::redirect::LocalTarget;
use crate::refusal::Refusal;
use crate::scopes::AdminScopes;
use crate::session::{Session, Sid, Subject};
use crate::session_data::MAX_DATA;
use crate::time::Timestamp;
use crate::token::REGISTERED;

/// The most claims of the origin's that ride in a token, in bytes of JSON.
const MAX_CLAIMS: usize = 4 * 1024;

/// The longest part of a `User-Agent` that is kept, in bytes.
const MAX_USER_AGENT: usize = 256;

/// What a client sent to log in.
#[derive(Clone, PartialEq)]
pub struct LoginRequest {
    /// By what it says who it is.
    pub proof: LoginCredentials,
    /// Where to go after the login.
    pub redirect: Option<LocalTarget>,
    /// Sessions that this login is to end.
    pub end: Vec<Sid>,
}

/// By what a client says who it is.
#[derive(Clone, PartialEq)]
pub enum LoginCredentials {
    /// The fields for `LOGIN_URL`.
    Credentials(Map<String, Value>),
    /// A trusted issuer's ID token.
    IdToken {
        /// The token.
        token: String,
        /// The nonce that the client sent to the issuer, if it tells.
        nonce: Option<String>,
    },
}

impl LoginCredentials {
    /// The nonce that the client told.
    pub fn nonce(&self) -> Option<&str> {
        match self {
            Self::Credentials(_) => None,
            Self::IdToken { nonce, .. } => nonce.as_deref(),
        }
    }
}

/// Leaves out the proof.
impl fmt::Debug for LoginRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginRequest").field("redirect", &self.redirect).finish_non_exhaustive()
    }
}

impl LoginRequest {
    /// The name that the user entered on the login page, to stand there again.
    pub fn username(&self) -> Option<&str> {
        match &self.proof {
            LoginCredentials::Credentials(fields) => fields.get("username")?.as_str(),
            LoginCredentials::IdToken { .. } => None,
        }
    }

    /// Reads the body of a login. `id_token` has a meaning of its own only in JSON, and only
    /// `with_issuers`; it is another field for `LOGIN_URL` otherwise.
    ///
    /// # Errors
    /// What is wrong with it, for the client.
    pub fn parse(form: BodyFormat, body: &str, with_issuers: bool) -> Result<Self, &'static str> {
        let mut fields = match form {
            BodyFormat::Json => serde_json::from_str::<Map<String, Value>>(body)
                .map_err(|_| "The body must be a JSON object.")?,
            BodyFormat::Page => form_urlencoded::parse(body.as_bytes())
                .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
                .collect(),
        };
        let end = match (fields.remove("end"), form) {
            (Some(end), BodyFormat::Json) => Vec::<Sid>::deserialize(end).map_err(|_| END)?,
            // A page has a field for each.
            (Some(_), BodyFormat::Page) => sids(BodyFormat::Page.texts(body, &["end".into()]))?,
            (None, _) => Vec::new(),
        };
        let redirect = match fields.remove("redirect") {
            None => None,
            Some(target) => Some(
                target
                    .as_str()
                    .and_then(LocalTarget::new)
                    .ok_or("`redirect` must be a path of this site.")?,
            ),
        };
        let by_token = with_issuers && form == BodyFormat::Json && fields.contains_key("id_token");
        let proof =
            if by_token { id_token(fields)? } else { LoginCredentials::Credentials(fields) };
        match &proof {
            LoginCredentials::Credentials(fields) if fields.is_empty() => {
                Err("The body holds no credentials.")
            }
            _ => Ok(Self { proof, redirect, end }),
        }
    }
}

const END: &str = "`end` must be a list of `sid`s.";

fn sids(texts: Vec<String>) -> Result<Vec<Sid>, &'static str> {
    texts.into_iter().map(|text| Sid::try_from(text).map_err(|_| END)).collect()
}

fn id_token(mut fields: Map<String, Value>) -> Result<LoginCredentials, &'static str> {
    let Some(Value::String(token)) = fields.remove("id_token") else {
        return Err("`id_token` must be a text.");
    };
    let nonce = match fields.remove("nonce") {
        None => None,
        Some(Value::String(nonce)) => Some(nonce),
        Some(_) => return Err("`nonce` must be a text."),
    };
    match fields.is_empty() {
        true => Ok(LoginCredentials::IdToken { token, nonce }),
        false => {
            Err("Send `id_token`, with `nonce`, `redirect` and `end` if you like, or credentials.")
        }
    }
}

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
    pub fn parse(body: &str, issuers: &[TrustedIssuer]) -> Result<Self, InvalidLoginResponse> {
        let approval = Self::read(body)?;
        match issuer_of(&approval.sub, issuers) {
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
    pub(crate) fn read(body: &str) -> Result<Self, InvalidLoginResponse> {
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
        let session_limit = member(&mut answer, "session_limit")?;
        let policy = member(&mut answer, "session_limit_policy")?;
        let end = member(&mut answer, "end")?.unwrap_or_default();
        Ok(Self { sub, claims, data, session_limit, policy, end, issued: None })
    }

    /// An issuer's word. Claims that would share a header ride along and get none, because whoever logs
    /// in cannot change what the issuer calls them.
    ///
    /// # Errors
    /// Why its claims cannot ride in a token; for the log.
    pub fn by_issuer(token: IdToken) -> Result<Self, String> {
        let IdToken { sub, claims, issued, .. } = token;
        check_size(&claims)?;
        let (data, session_limit, policy) = (None, None, None);
        let (end, issued) = (Vec::new(), Some(issued));
        Ok(Self { sub, claims, data, session_limit, policy, end, issued })
    }
}

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
    pub fn read(self, issuers: &[TrustedIssuer]) -> Result<AuthenticatedUser, Refusal> {
        let unusable = |why: String| Refusal::OriginUnavailable(format!("LOGIN_URL {why}"));
        match self.status {
            200 => AuthenticatedUser::parse(self.body, issuers)
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

/// What the request tells of the device that logs in.
#[derive(Clone, Debug, Default)]
pub struct ClientInfo {
    /// Its `User-Agent`.
    pub user_agent: Option<String>,
    /// What it says of its device beside that.
    pub hints: ClientHints,
    /// The city the network places it in.
    pub city: Option<String>,
    /// The country, as a two-letter code.
    pub country: Option<String>,
}

/// The lifetimes of a new session.
#[derive(Clone, Copy, Debug)]
pub struct SessionLifetimes {
    /// Until the absolute deadline.
    pub session: std::time::Duration,
    /// Until the idle deadline, where there is one.
    pub idle: Option<std::time::Duration>,
}

/// Makes the session of a login. `random` must come from a cryptographic source.
pub fn new_session(
    approval: &AuthenticatedUser,
    client: ClientInfo,
    lifetimes: SessionLifetimes,
    random: [[u8; 16]; 2],
    now: Timestamp,
) -> Session {
    let user_agent = client.user_agent.unwrap_or_default();
    // By all of it: applications add what they are at the end.
    let device = DeviceClass::of(&user_agent, &client.hints);
    let user_agent = shorten(user_agent);
    let place = [client.city, client.country].into_iter().flatten().collect::<Vec<_>>();
    Session {
        sid: Sid::from_random(random[0]),
        jti: Sid::from_random(random[1]).into(),
        previous_jti: None,
        refreshed: None,
        unused: false,
        created: now,
        seen: now,
        expires: now.plus(lifetimes.session),
        idle_expires: lifetimes.idle.map(|idle| now.plus(idle)),
        device,
        user_agent,
        place: (!place.is_empty()).then(|| place.join(", ")),
        data: approval.data.clone(),
        client_data: None,
        issuer: approval.issued.as_ref().map(|issued| issued.issuer.clone()),
        issuer_sid: approval.issued.as_ref().and_then(|issued| issued.sid.clone()),
        admin: AdminScopes::of(&approval.claims).is_admin(),
        ended: None,
    }
}

fn shorten(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_USER_AGENT));
    text
}

#[cfg(test)]
mod tests;
