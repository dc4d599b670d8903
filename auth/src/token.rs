//! Access tokens (RFC 9068, RFC 8725): issued and verified. `jwt-compact` brings the
//! algorithms alone; header and claims are read in [`jwt`](crate::jwt), more strictly.

mod assertions;
mod cache;
mod context;
mod effective_claims;
mod json_bytes;
mod provider;
mod rights;
mod verified;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Map, Value};
use thiserror::Error;

use crate::assertion::Assertions;
use crate::identity::{self, Encoding, HeadersTooLarge, Preset};
use crate::issuer::Issuer;
use crate::jwt::{CLIENT_ID, MAX_BYTES, MAX_PROVIDER_BYTES, TokenError, UnverifiedJwt, Validity};
use crate::keys::KeySet;
use crate::request_log::LogNames;
use crate::scopes::AdminScopes;
use crate::session::{Sid, Subject, TokenName};
use crate::time::Timestamp;

pub use provider::ProviderToken;
pub use rights::InvalidRights;
pub use verified::{AuthenticToken, Verified};

use cache::TokenCache;
use context::TokenContext;
use verified::TokenRecord;

/// The `typ` of issued tokens (RFC 9068, section 2.1).
const TYPE: &str = "at+jwt";

/// The claims of a provider's token that count as they are.
const OF_PROVIDERS: [&str; 12] = [
    "iss",
    "aud",
    "jti",
    "iat",
    "nbf",
    "exp",
    "azp",
    "client_id",
    "cid",
    "appid",
    "auth_time",
    "acr",
];

/// Issues and verifies the tokens of one issuer for one audience, and verifies those of identity providers.
#[derive(Debug)]
pub struct Tokens {
    issuer: String,
    audience: String,
    client_id: String,
    keys: KeySet,
    /// Those whose access tokens are accepted.
    providers: Vec<Rc<Issuer>>,
    told: (Preset, Encoding),
    log_names: LogNames,
    not_before: Option<Timestamp>,
    memory: TokenCache,
}

/// The contents of a new token.
#[derive(Clone, Debug)]
pub struct TokenGrant<'a> {
    /// Whose session it is.
    pub sub: &'a Subject,
    /// The session.
    pub sid: &'a Sid,
    /// The token's `jti`.
    pub jti: &'a str,
    /// Claims beside the registered ones.
    pub public: &'a Map<String, Value>,
    /// When it is issued.
    pub now: Timestamp,
    /// How long it is valid.
    pub lifetime: Duration,
}

impl Tokens {
    /// Tokens with this `iss` and `aud`, of these keys; to clients they are issued as those of the audience itself.
    pub fn new(issuer: String, audience: String, keys: KeySet) -> Self {
        let (told, log_names) = (Default::default(), LogNames::Hashed(keys.log_key()));
        let (providers, memory, not_before) = (Vec::new(), TokenCache::default(), None);
        let client_id = audience.clone();
        Self { issuer, audience, client_id, keys, providers, told, log_names, not_before, memory }
    }

    /// The same, which are issued to this client.
    pub fn with_client_id(self, client_id: String) -> Self {
        Self { client_id, ..self }
    }

    /// The same, which also verifies the access tokens of these issuers, if their settings say so.
    pub fn with_providers<'a>(self, issuers: impl Iterator<Item = &'a Rc<Issuer>>) -> Self {
        let accepted = issuers.filter(|issuer| issuer.trusted.access_tokens.is_some());
        Self { providers: accepted.cloned().collect(), ..self }
    }

    /// The same, with these names and this encoding of the identity headers.
    pub fn with_identity_headers(self, preset: Preset, encoding: Encoding) -> Self {
        Self { told: (preset, encoding), ..self }
    }

    /// The same, with these names in the log.
    pub fn with_log_names(self, log_names: LogNames) -> Self {
        Self { log_names, ..self }
    }

    /// The same, with no token good that was issued before this moment.
    pub fn with_not_before(self, not_before: Option<Timestamp>) -> Self {
        Self { not_before, ..self }
    }

    /// How the log names users and sessions.
    pub fn log_names(&self) -> &LogNames {
        &self.log_names
    }

    /// Counts the bytes of a token's context: see [`Verified::context`].
    pub fn set_context_bytes(&self, token: &Verified, bytes: usize) {
        token.token_context().bytes.set(bytes);
        self.memory.update_size(&token.0);
    }

    /// The keys.
    pub fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// Signs a token.
    ///
    /// # Errors
    /// [`ClaimsTooLarge`], also if the identity headers would be too large.
    pub fn issue(&self, grant: &TokenGrant<'_>) -> Result<String, ClaimsTooLarge> {
        self.identity(grant.sub, grant.sid, grant.public)?;
        let mut claims = grant.public.clone();
        claims.extend(self.registered(&self.audience, grant.sub, grant.sid));
        claims.insert("jti".into(), grant.jti.into());
        claims.insert(CLIENT_ID.into(), self.client_id.as_str().into());
        let token = self.keys.signing().sign(TYPE, claims, grant.now, grant.lifetime);
        token.filter(|token| token.len() <= MAX_BYTES).ok_or(ClaimsTooLarge::Token)
    }

    /// The headers that tell the origin who it is.
    fn identity(
        &self,
        sub: &Subject,
        sid: &Sid,
        public: &Map<String, Value>,
    ) -> Result<Vec<identity::Header>, HeadersTooLarge> {
        let (preset, encoding) = self.told;
        let headers = identity::headers(preset, encoding, sub, sid, public);
        let email = public.get("email").and_then(Value::as_str).unwrap_or_default();
        let asserted = [self.issuer.as_str(), sub.as_str(), email];
        let asserted = self.keys.vouching().map(|_| &asserted[..]);
        identity::check(&headers, public, asserted).map(|()| headers)
    }

    /// The registered claims of everything that is signed here, without the times.
    fn registered(&self, audience: &str, sub: &Subject, sid: &Sid) -> [(String, Value); 4] {
        let all = [
            ("iss", self.issuer.as_str()),
            ("aud", audience),
            ("sub", sub.as_str()),
            ("sid", sid.as_str()),
        ];
        all.map(|(name, text)| (name.to_owned(), text.into()))
    }

    /// Verifies a token. The signature of a cached one is not verified again; its times always are.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Verified, TokenError> {
        self.verify_signature(token)?.verify_times(now)
    }

    /// Verifies everything but the times.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn verify_signature(&self, token: &str) -> Result<AuthenticToken, TokenError> {
        // Before the cache, which holds no such token.
        if token.len() > MAX_BYTES && self.providers.is_empty() || token.len() > MAX_PROVIDER_BYTES
        {
            return Err(TokenError::Malformed);
        }
        let record = self.memory.get_or_insert_with(token, || self.read(token))?;
        record.provider.as_ref().map_or(Ok(()), |provider| provider.confirm(token))?;
        Ok(AuthenticToken(record))
    }

    /// Does a text claim our issuer? It is not verified.
    pub fn claims_our_issuer(&self, text: &str) -> bool {
        let token = UnverifiedJwt::parse(text);
        token.is_ok_and(|token| token.claimed_issuer().is_ok_and(|name| name == self.issuer))
    }

    /// Every claim of a token, which is verified like any other. A provider's says what our own would: other claims
    /// that it may have, of its users' names and rights too, mean nothing here.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn claims(&self, token: &str, now: Timestamp) -> Result<Map<String, Value>, TokenError> {
        let verified = self.verify(token, now)?;
        if verified.provider().is_none() {
            return Ok(UnverifiedJwt::parse(token)?.into_claims());
        }
        let mut claims = UnverifiedJwt::parse_of_provider(token)?.into_claims();
        claims.retain(|name, _| OF_PROVIDERS.contains(&name.as_str()));
        claims.extend(verified.own_claims().clone());
        claims.insert("sub".into(), verified.sub().as_str().into());
        claims.insert("sid".into(), verified.sid().as_str().into());
        Ok(claims)
    }

    /// Reads a token of a provider or of our own.
    fn read(&self, text: &str) -> Result<TokenRecord, TokenError> {
        match self.provider_of(text) {
            Some(issuer) => self.read_provider(issuer, text),
            None => self.read_own(text),
        }
    }

    /// Reads a token of our own: the key by `kid`, the algorithm by the key, then every claim but the times.
    fn read_own(&self, text: &str) -> Result<TokenRecord, TokenError> {
        let token = UnverifiedJwt::parse(text)?;
        let key = self.keys.find(token.kid()?).ok_or(TokenError::UnknownKey)?;
        let token = token.verify(&key.material)?;
        if !token.is_of_type(TYPE) {
            return Err(TokenError::Type);
        }
        let mut claims = token.claims;
        if claims.text("iss")? != self.issuer {
            return Err(TokenError::Issuer);
        }
        if !claims.audiences()?.contains(&self.audience) {
            return Err(TokenError::Audience);
        }
        let sub = Subject::try_from(claims.text("sub")?).map_err(|_| TokenError::Malformed)?;
        let sid = Sid::try_from(claims.text("sid")?).map_err(|_| TokenError::Malformed)?;
        let jti = claims.text("jti")?;
        // Whoever signs tokens with our keys may leave it out, or name another: it decides nothing.
        claims.take(CLIENT_ID);
        let period = claims.period()?;
        let period = period.with_not_before(period.issued(), self.not_before);
        let name = TokenName { jti, issued: period.issued() };
        self.record(text, TokenParts { sub, sid, name, public: claims.into_rest(), period }, None)
    }

    /// What is kept of a token.
    fn record(
        &self,
        text: &str,
        TokenParts { sub, sid, name, public, period }: TokenParts,
        provider: Option<ProviderToken>,
    ) -> Result<TokenRecord, TokenError> {
        let identity = self.identity(&sub, &sid, &public).map_err(|_| TokenError::TooLarge)?;
        let log_members = self.log_names.members(&sub, &sid);
        let (text, admin_scopes) = (text.into(), AdminScopes::of(&public));
        let (assertions, context) = (Assertions::default(), TokenContext::default());
        Ok(TokenRecord {
            text,
            sub,
            sid,
            name,
            public,
            identity,
            log_members,
            admin_scopes,
            period,
            range: period.range(),
            provider,
            assertions,
            context,
            effective: RefCell::default(),
        })
    }
}

/// What a token says.
struct TokenParts {
    sub: Subject,
    sid: Sid,
    name: TokenName,
    public: Map<String, Value>,
    period: Validity,
}

/// The claims are too large.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ClaimsTooLarge {
    /// For a token.
    #[error("the claims make a token of more than {MAX_BYTES} bytes")]
    Token,
    /// For the identity headers.
    #[error(transparent)]
    Headers(#[from] HeadersTooLarge),
}

#[cfg(test)]
pub(crate) mod tests;
