//! Access tokens (RFC 9068, RFC 8725): issued, and verified by `jwt-compact`.

mod cache;

use std::any::Any;
use std::cell::{Cell, OnceCell};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::assertion::{self, Assertions, NotSigned};
use crate::identity::{self, Encoding, HeadersTooLarge, Preset};
use crate::jwt::{MAX_BYTES, Period, TokenError, UnverifiedJwt};
use crate::keys::KeySet;
use crate::request_log::LogNames;
use crate::scopes::AdminScopes;
use crate::session::{Sid, Subject, TokenName};
use crate::time::Timestamp;
use cache::TokenCache;

/// The `typ` of issued tokens (RFC 9068, section 2.1).
const TYPE: &str = "at+jwt";

/// Claims that the guard sets itself; nobody else can.
pub const REGISTERED: [&str; 8] = ["iss", "sub", "aud", "sid", "jti", "iat", "nbf", "exp"];

/// The claims of a token that was verified, at a moment within its times. Nothing else makes one.
#[derive(Clone, PartialEq)]
pub struct Verified(Rc<TokenRecord>);

/// Says who, and nothing that rides with it.
impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("sub", self.sub())
            .field("sid", self.sid())
            .finish_non_exhaustive()
    }
}

impl Verified {
    /// Whose session it is.
    pub fn sub(&self) -> &Subject {
        &self.0.sub
    }

    /// The session.
    pub fn sid(&self) -> &Sid {
        &self.0.sid
    }

    /// The token as it was sent.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// How many bytes it holds, with what is kept beside it.
    pub fn bytes(&self) -> usize {
        self.0.bytes()
    }

    /// Which of the session's tokens it is.
    pub fn name(&self) -> &TokenName {
        &self.0.name
    }

    /// The claims beside the registered ones.
    pub fn public_claims(&self) -> &Map<String, Value> {
        &self.0.public
    }

    /// What its scopes allow.
    pub fn admin_scopes(&self) -> AdminScopes {
        self.0.rights
    }

    /// Whose it is, as the log says it: see [`LogNames::members`].
    pub fn log_members(&self) -> &str {
        &self.0.logged
    }

    /// The headers that tell the origin who it is.
    pub fn identity(&self) -> &[identity::Header] {
        &self.0.identity
    }

    /// Is this still its time? The rest of a token is judged once.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.0.period.judge(now).is_ok()
    }

    /// Is this an assertion of [`Tokens::assertion`] for it, still to be sent?
    pub fn has_cached_assertion(&self, text: &Rc<str>, now: Timestamp) -> bool {
        self.0.assertions.holds(text, now)
    }

    /// What a platform makes of this token, kept for as long as the token is remembered. There is
    /// room for one thing, of one type. [`Tokens::keeps`] is told how many bytes it holds.
    pub fn context<T: 'static>(&self, make: impl Fn() -> T) -> Rc<T> {
        let kept = self.0.kept.made.get_or_init(|| Rc::new(make()));
        Rc::clone(kept).downcast().unwrap_or_else(|_| Rc::new(make()))
    }
}

/// A token that one of our keys has signed, whenever it is or was good: enough to know whose session it
/// is of, and to end that. [`AuthenticToken::at`] lets it do more.
#[derive(Clone)]
pub struct AuthenticToken(Rc<TokenRecord>);

/// Says who, and nothing that rides with it.
impl fmt::Debug for AuthenticToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticToken")
            .field("sub", self.sub())
            .field("sid", self.sid())
            .finish_non_exhaustive()
    }
}

impl AuthenticToken {
    /// Whose session it is.
    pub fn sub(&self) -> &Subject {
        &self.0.sub
    }

    /// The session.
    pub fn sid(&self) -> &Sid {
        &self.0.sid
    }

    /// Which of the session's tokens it is.
    pub fn name(&self) -> &TokenName {
        &self.0.name
    }

    /// The token, if this is its time.
    ///
    /// # Errors
    /// [`TokenError::NotYet`] or [`TokenError::Expired`].
    pub fn verify_times(&self, now: Timestamp) -> Result<Verified, TokenError> {
        self.0.period.judge(now)?;
        Ok(Verified(Rc::clone(&self.0)))
    }
}

/// The claims of a token that one of our keys has signed. Whether this is its time is still to be
/// judged, on each use.
#[derive(PartialEq)]
struct TokenRecord {
    text: Box<str>,
    sub: Subject,
    sid: Sid,
    name: TokenName,
    public: Map<String, Value>,
    identity: Vec<identity::Header>,
    logged: String,
    rights: AdminScopes,
    period: Period,
    assertions: Assertions,
    kept: TokenContext,
}

impl TokenRecord {
    /// How many bytes it holds, at most.
    fn bytes(&self) -> usize {
        let Self { text, sub, sid, name, public, identity, logged, .. } = self;
        let texts = [text, sub.as_str(), sid.as_str(), &name.jti, logged];
        let texts = texts
            .into_iter()
            .chain(identity.iter().flat_map(|(name, value)| [name, value.as_str()]));
        let texts: usize = texts.map(|text| text.len() + 2 * size_of::<String>()).sum();
        size_of::<Self>()
            + texts
            + cache::bytes_of(public)
            + self.bytes_since().max(self.kept.counted.get())
    }

    /// How many of them have come since it was verified.
    fn bytes_since(&self) -> usize {
        self.assertions.bytes() + self.kept.bytes.get()
    }
}

/// See [`Verified::kept`].
#[derive(Default)]
struct TokenContext {
    made: OnceCell<Rc<dyn Any>>,
    bytes: Cell<usize>,
    /// How many bytes the memory was told of.
    counted: Cell<usize>,
}

/// It follows from the rest.
impl PartialEq for TokenContext {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// Issues and verifies the tokens of one issuer for one audience.
#[derive(Debug)]
pub struct Tokens {
    issuer: String,
    audience: String,
    keys: KeySet,
    told: (Preset, Encoding),
    log_names: LogNames,
    memory: TokenCache,
}

/// What a new token says.
#[derive(Clone, Debug)]
pub struct TokenGrant<'a> {
    /// Whose session it is.
    pub sub: &'a Subject,
    /// The session.
    pub sid: &'a Sid,
    /// The token's own name.
    pub jti: &'a str,
    /// Claims beside the registered ones.
    pub public: &'a Map<String, Value>,
    /// When it is issued.
    pub now: Timestamp,
    /// How long it is good for.
    pub lifetime: Duration,
}

impl Tokens {
    /// Tokens with this `iss` and `aud`, of these keys.
    pub fn new(issuer: String, audience: String, keys: KeySet) -> Self {
        let (told, log_names) = (Default::default(), LogNames::Hashed(keys.log_key()));
        Self { issuer, audience, keys, told, log_names, memory: TokenCache::default() }
    }

    /// The same, told to the origin under these names, and in this encoding.
    pub fn with_identity_headers(self, preset: Preset, encoding: Encoding) -> Self {
        Self { told: (preset, encoding), ..self }
    }

    /// The same, named in the log like this.
    pub fn with_log_names(self, log_names: LogNames) -> Self {
        Self { log_names, ..self }
    }

    /// How the log names users and sessions.
    pub fn log_names(&self) -> &LogNames {
        &self.log_names
    }

    /// Notes how many bytes hold what a platform keeps of a token: see [`Verified::kept`].
    pub fn set_context_bytes(&self, token: &Verified, bytes: usize) {
        token.0.kept.bytes.set(bytes);
        self.memory.update_size(&token.0);
    }

    /// The keys.
    pub fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// Signs a token.
    ///
    /// # Errors
    /// [`ClaimsTooLarge`], also if the origin could not be told who it is.
    pub fn issue(&self, grant: &TokenGrant<'_>) -> Result<String, ClaimsTooLarge> {
        self.identity(grant.sub, grant.sid, grant.public)?;
        let mut claims = grant.public.clone();
        claims.extend(self.registered(&self.audience, grant.sub, grant.sid));
        claims.insert("jti".into(), grant.jti.into());
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

    /// What proves to the origin, `audience`, that the guard has let through whoever holds a token:
    /// a JWT with `iss`, `aud`, `sub`, `sid`, `iat`, `exp`, and `email` if there is one. `None` if
    /// no key has a public half to verify it by.
    ///
    /// # Errors
    /// [`NotSigned`].
    pub fn assertion(
        &self,
        token: &Verified,
        audience: &str,
        now: Timestamp,
    ) -> Result<Option<Rc<str>>, NotSigned> {
        let Some(key) = self.keys.vouching() else { return Ok(None) };
        let sign = || {
            let mut claims: Map<_, _> =
                self.registered(audience, token.sub(), token.sid()).into_iter().collect();
            if let Some(email @ Value::String(_)) = token.public_claims().get("email") {
                claims.insert("email".into(), email.clone());
            }
            key.sign(assertion::TYPE, claims, now, assertion::LIFETIME)
        };
        let assertion = token.0.assertions.get_or_sign(audience, now, sign)?;
        self.memory.update_size(&token.0);
        Ok(Some(assertion))
    }

    /// What proves to `LOGIN_URL` that it is the guard which asks about the credentials in `body`: a JWT
    /// with `iss`, `aud`, `iat`, `exp` and `body_sha256`, the body's SHA-256 in hexadecimal digits.
    /// `None` if no key has a public half to verify it by.
    ///
    /// # Errors
    /// [`NotSigned`].
    pub fn login_proof(
        &self,
        login_url: &str,
        body: &str,
        now: Timestamp,
    ) -> Result<Option<String>, NotSigned> {
        let Some(key) = self.keys.vouching() else { return Ok(None) };
        let digest = Sha256::digest(body);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let claims = [
            ("iss", self.issuer.clone()),
            ("aud", assertion::audience(login_url)),
            ("body_sha256", digest),
        ];
        let claims = claims.map(|(name, text)| (name.to_owned(), text.into()));
        let claims = claims.into_iter().collect();
        key.sign(assertion::LOGIN_TYPE, claims, now, assertion::LIFETIME).map(Some).ok_or(NotSigned)
    }

    /// The claims of everything that is signed here, but for its times.
    fn registered(&self, audience: &str, sub: &Subject, sid: &Sid) -> [(String, Value); 4] {
        let all = [
            ("iss", self.issuer.as_str()),
            ("aud", audience),
            ("sub", sub.as_str()),
            ("sid", sid.as_str()),
        ];
        all.map(|(name, text)| (name.to_owned(), text.into()))
    }

    /// Verifies a token, or recalls that it was verified before. Its times are judged each time.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Verified, TokenError> {
        self.verify_signature(token)?.verify_times(now)
    }

    /// The same whatever the moment is.
    ///
    /// # Errors
    /// The first thing that is wrong with it, but for its times.
    pub fn verify_signature(&self, token: &str) -> Result<AuthenticToken, TokenError> {
        // Before the memory, too, which is for tokens that can be.
        if token.len() > MAX_BYTES {
            return Err(TokenError::Malformed);
        }
        self.memory.get_or_insert_with(token, || self.read(token)).map(AuthenticToken)
    }

    /// Does a text say that it is one of these tokens? Nobody has verified it.
    pub fn claims_our_issuer(&self, text: &str) -> bool {
        let token = UnverifiedJwt::parse(text);
        token.is_ok_and(|token| token.claimed_issuer().is_ok_and(|name| name == self.issuer))
    }

    /// Every claim of a token, which is verified like any other.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn claims(&self, token: &str, now: Timestamp) -> Result<Map<String, Value>, TokenError> {
        self.verify(token, now)?;
        Ok(UnverifiedJwt::parse(token)?.into_claims())
    }

    /// Reads a token: the key by `kid`, the algorithm by the key, then every claim but the times.
    fn read(&self, text: &str) -> Result<TokenRecord, TokenError> {
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
        let period = claims.period()?;
        let name = TokenName { jti, issued: period.issued() };
        let public = claims.into_rest();
        let identity = self.identity(&sub, &sid, &public).map_err(|_| TokenError::TooLarge)?;
        let logged = self.log_names.members(&sub, &sid);
        let (text, rights) = (text.into(), AdminScopes::of(&public));
        let (assertions, kept) = (Assertions::default(), TokenContext::default());
        Ok(TokenRecord {
            text,
            sub,
            sid,
            name,
            public,
            identity,
            logged,
            rights,
            period,
            assertions,
            kept,
        })
    }
}

/// The claims cannot ride in a token.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ClaimsTooLarge {
    /// They do not fit into one.
    #[error("the claims make a token of more than {MAX_BYTES} bytes")]
    Token,
    /// They do not fit into the headers for the origin.
    #[error(transparent)]
    Headers(#[from] HeadersTooLarge),
}

#[cfg(test)]
pub(crate) mod tests;
