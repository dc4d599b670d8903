//! Access tokens of an identity provider as credentials: which are accepted, and what they say.

mod claim_path;
mod claim_text;
mod login_time;
mod parse;
mod passed_on;
mod requirement;

use std::time::Duration;

use serde_json::{Map, Value};

pub use claim_path::ClaimPath;
pub use claim_text::ClaimText;
pub(super) use parse::variable;
pub use requirement::Requirement;

use super::TrustedIssuer;
use crate::jwt::{TokenError, Validity, VerifiedJwt};
use crate::keys::PublishedKeys;
use crate::secret::Secret;
use crate::session::{Sid, Subject, UNSEEN_FOR};
use crate::store::UnseenSession;
use crate::time::Timestamp;

/// Claims by which providers name the application that a token was issued to: OpenID Connect's,
/// that of RFC 9068, Okta's, and Entra's first version.
const CLIENT_CLAIMS: [&str; 4] = ["azp", "client_id", "cid", "appid"];

/// Claims that ID tokens (OpenID Connect Core 1.0, section 3.3.2.11) and security events (RFC 8417)
/// have, and access tokens do not.
const OF_OTHER_TOKENS: [&str; 3] = ["at_hash", "c_hash", "events"];

/// How long an access token lives at most: the last of a session lives on when that has reached its maximum. Auth0
/// allows 30 days, others less.
const LONGEST_TOKEN: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Which access tokens of an issuer are accepted, and what is read from them.
#[derive(Clone, Debug, PartialEq)]
pub struct AccessTokenRules {
    /// Every `iss` that is accepted. The first is the issuer's name.
    pub issuers: Vec<String>,
    /// The `aud` that are accepted; `None` stands for a token that has none.
    pub audience: Vec<Option<String>>,
    /// The applications whose tokens are accepted; empty: any.
    pub clients: Vec<String>,
    /// The header's `typ` that are accepted, in lower case and without `application/`; `None` stands for
    /// a token that has none.
    pub types: Vec<Option<String>>,
    /// What claims must say.
    pub require: Vec<Requirement>,
    /// What names the user.
    pub subject_claim: ClaimText,
    /// What names the session.
    pub session_claim: ClaimText,
    /// Where the roles are: the first of these that is present counts, as with the lists below.
    pub roles_claim: Vec<ClaimPath>,
    /// Where the groups are.
    pub groups_claim: Vec<ClaimPath>,
    /// Where the scopes are.
    pub scope_claim: Vec<ClaimPath>,
    /// Where the time of the login is.
    pub auth_time_claim: Vec<ClaimPath>,
    /// Where the strength of the login is.
    pub acr_claim: Vec<ClaimPath>,
    /// Further claims that ride along, each with the name that it has here.
    pub claims: Vec<(String, ClaimPath)>,
    /// How long the provider's sessions last at most, if there is a limit.
    pub max_session: Option<Duration>,
    /// How long they last at most here.
    pub session_ttl: Option<Duration>,
    /// Does the origin go on getting the token?
    pub forward: bool,
    /// Whose sessions are those of agents.
    pub agents: Agents,
    /// Is a session's name unknown to the provider's logout tokens, so that these end all sessions of the
    /// user?
    pub logout_by_sub: bool,
    /// How far the provider's clock may be from ours.
    pub clock_tolerance: Duration,
    /// The variable that has the secret of HS256.
    pub secret_name: Option<String>,
    /// That secret.
    pub secret: Option<Secret>,
    /// How the session's name gets into tokens that lack it.
    hint: &'static str,
}

/// Applications that act by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Agents {
    /// Every application.
    All,
    /// Those of these ids.
    Clients(Vec<String>),
}

/// What an access token says.
#[derive(Clone, Debug, PartialEq)]
pub struct AccessTokenClaims {
    /// The user, as the guard calls them.
    pub sub: Subject,
    /// The provider's name of the session. It is unique for the issuer and the user.
    pub session: String,
    /// When the session began, as far as the token tells: when the user first authenticated in it, else
    /// when the token was issued.
    pub authenticated: Timestamp,
    /// When the user last authenticated, if the token tells.
    pub auth_time: Option<Timestamp>,
    /// How strongly (OpenID Connect Core 1.0, section 2).
    pub acr: Option<String>,
    /// The token's own name.
    pub jti: Option<String>,
    /// The application that it was issued to.
    pub client: Option<String>,
    /// When it is valid.
    pub period: Validity,
    /// The public claims, as our own tokens have them.
    pub public: Map<String, Value>,
}

/// One condition that a token must meet.
type Check = fn(&AccessTokenRules, &VerifiedJwt) -> Result<(), TokenError>;

impl AccessTokenRules {
    /// What is checked of a token whose signature is verified, in this order, each with its name.
    pub const CHECKS: [(&'static str, Check); 6] = [
        ("kind", Self::check_kind),
        ("issuer", Self::check_issuer),
        ("audience", Self::check_audience),
        ("client", |rules, token| rules.client(token.claims.all()).map(drop)),
        ("required claims", Self::check_requirements),
        ("session", |rules, token| rules.session(token.claims.all()).map(drop)),
    ];

    fn check_kind(&self, token: &VerifiedJwt) -> Result<(), TokenError> {
        let claims = &token.claims;
        let is_other = claims.say_id_token() || OF_OTHER_TOKENS.iter().any(|name| claims.has(name));
        if is_other || !token.is_of_type_among(&self.types) {
            return Err(TokenError::Type);
        }
        // The guard cannot check the proof (RFC 7800; RFC 9449, section 7.2).
        if claims.has("cnf") { Err(TokenError::Bound) } else { Ok(()) }
    }

    fn check_issuer(&self, token: &VerifiedJwt) -> Result<(), TokenError> {
        let is_ours = |iss: &Value| self.issuers.iter().any(|it| iss == it);
        if token.claims.is("iss", is_ours) { Ok(()) } else { Err(TokenError::Issuer) }
    }

    fn check_audience(&self, token: &VerifiedJwt) -> Result<(), TokenError> {
        let is_ours = |aud: &Value| {
            aud.as_str()
                .is_some_and(|aud| self.audience.iter().any(|it| it.as_deref() == Some(aud)))
        };
        let fine = match token.claims.all().get("aud") {
            // Whoever is none of the audiences must refuse the token (RFC 7519, section 4.1.3).
            None => self.audience.contains(&None),
            Some(Value::Array(all)) => all.iter().any(is_ours),
            Some(one) => is_ours(one),
        };
        if fine { Ok(()) } else { Err(TokenError::Audience) }
    }

    /// The application that a token was issued to. All claims that name one must name one of ours.
    fn client(&self, claims: &Map<String, Value>) -> Result<Option<String>, TokenError> {
        let all = CLIENT_CLAIMS.iter().filter_map(|name| claims.get(*name));
        let all = all.map(|id| id.as_str().ok_or(TokenError::Malformed));
        let all = all.collect::<Result<Vec<&str>, _>>()?;
        let is_ours = |id: &&str| self.clients.iter().any(|it| it == id);
        let fine = self.clients.is_empty() || !all.is_empty() && all.iter().all(is_ours);
        if fine { Ok(all.first().map(|id| (*id).to_owned())) } else { Err(TokenError::Client) }
    }

    fn check_requirements(&self, token: &VerifiedJwt) -> Result<(), TokenError> {
        let claims = token.claims.all();
        let fulfilled = self.require.iter().all(|it| it.holds(claims));
        if fulfilled { Ok(()) } else { Err(TokenError::Requirement) }
    }

    fn session(&self, claims: &Map<String, Value>) -> Result<String, TokenError> {
        self.session_claim.read(claims)?.ok_or(TokenError::NoSession(self.hint))
    }

    /// Until when a token may come of a session that exists now: for its maximum, and then for as long as its last
    /// token lives. [`Timestamp::FAR_FUTURE`] if it has no maximum.
    pub fn deny_until(&self, now: Timestamp) -> Timestamp {
        let longest = self.max_session;
        longest.map_or(Timestamp::FAR_FUTURE, |longest| now.plus(longest).plus(LONGEST_TOKEN))
    }

    /// Is this application an agent?
    pub fn is_agent(&self, client: Option<&str>) -> bool {
        match &self.agents {
            Agents::All => true,
            Agents::Clients(all) => client.is_some_and(|id| all.iter().any(|it| it == id)),
        }
    }
}

impl TrustedIssuer {
    /// Do its logout tokens name sessions as its access tokens do?
    pub fn names_sessions_at_logout(&self) -> bool {
        self.access_tokens.as_ref().is_none_or(|rules| !rules.logout_by_sub)
    }

    /// Do its logout tokens name users as its access tokens do? They have nothing but `sub`.
    pub fn names_users_at_logout(&self) -> bool {
        let by_sub = ClaimText::of("sub");
        self.access_tokens.as_ref().is_none_or(|rules| rules.subject_claim == by_sub)
    }

    /// A session of its access tokens that the store may not have seen; `None` if these are not accepted.
    pub fn unseen_session(
        &self,
        user: &Subject,
        session: &str,
        now: Timestamp,
    ) -> Option<UnseenSession> {
        let deny_until = self.access_tokens.as_ref()?.deny_until(now);
        let sid = Sid::of_provider(&self.issuer, user, session);
        Some(UnseenSession { sid, deny_until })
    }

    /// When a session of its access tokens that exists now can be seen for the first time at the latest; `None` if these
    /// are not accepted. A provider without a maximum has a year.
    pub fn last_first_sight(&self, now: Timestamp) -> Option<Timestamp> {
        let last = self.access_tokens.as_ref()?.deny_until(now);
        Some(if last < Timestamp::FAR_FUTURE { last } else { now.plus(UNSEEN_FOR) })
    }

    /// Are its access tokens accepted, and may they have this `iss`?
    pub fn accepts_access_tokens_of(&self, iss: &str) -> bool {
        self.access_tokens.as_ref().is_some_and(|rules| rules.issuers.iter().any(|it| it == iss))
    }

    /// The key that is made of the shared secret, if there is one. It alone may have signed what claims
    /// HS256, and it verifies nothing else.
    pub fn shared_key(&self) -> Option<PublishedKeys> {
        let secret = self.access_tokens.as_ref()?.secret.as_ref()?;
        Some(PublishedKeys::of_secret(secret.expose()))
    }

    /// Reads an access token that a key of this issuer's has signed; everything but its times, which
    /// [`AccessTokenClaims::period`] is for.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read_access_token(&self, token: VerifiedJwt) -> Result<AccessTokenClaims, TokenError> {
        let rules = self.access_tokens.as_ref().ok_or(TokenError::Issuer)?;
        AccessTokenRules::CHECKS.iter().try_for_each(|(_, check)| check(rules, &token))?;
        let claims = token.claims.all();
        let (session, client) = (rules.session(claims)?, rules.client(claims)?);
        let sub = rules.subject_claim.read(claims)?.ok_or(TokenError::Malformed)?;
        let sub = self.subject(&sub).ok_or(TokenError::Malformed)?;
        let times = login_time::login_times(&rules.auth_time_claim, claims)?;
        let acr = claim_path::first(&rules.acr_claim, claims).and_then(text_or_number);
        let jti = claims.get("jti").and_then(Value::as_str).map(str::to_owned);
        let public = rules.public(claims);
        let mut claims = token.claims;
        let period = claims.period()?.with_tolerance(rules.clock_tolerance);
        let began = times.map_or(period.issued(), |(first, _)| first.min(period.issued()));
        Ok(AccessTokenClaims {
            sub,
            session,
            authenticated: began,
            auth_time: times.map(|(_, last)| last),
            acr,
            jti,
            client,
            period: period.with_not_before(began, self.not_before),
            public,
        })
    }
}

fn text_or_number(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
