//! Access tokens (RFC 9068, RFC 8725): issued, and verified by `jwt-compact`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use jwt_compact::alg::Hs256;
use jwt_compact::{AlgorithmExt, Claims, Header, Token, UntrustedToken, ValidationError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::keys::{KeySet, Material};
use crate::session::{Sid, Subject};
use crate::time::Timestamp;

/// Tokens longer than this are refused before any work is spent on them, in bytes.
pub const MAX_BYTES: usize = 8 * 1024;

/// How far clocks may be apart, in seconds.
const LEEWAY: u64 = 5;

/// The `typ` of issued tokens (RFC 9068, section 2.1).
const TYPE: &str = "at+jwt";

/// Claims that the guard sets itself; nobody else can.
pub const REGISTERED: [&str; 8] = ["iss", "sub", "aud", "sid", "jti", "iat", "nbf", "exp"];

/// Why a token is refused. The texts are for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TokenError {
    /// It is no JWT in compact form, or lacks a claim.
    #[error("The token is malformed.")]
    Malformed,
    /// No key of the set could have signed it.
    #[error("The token names no key that is known here.")]
    UnknownKey,
    /// It was not signed with the key it names.
    #[error("The token's signature does not match.")]
    Signature,
    /// Its `typ` is not that of an access token.
    #[error("The token is of another type.")]
    Type,
    /// Its `iss` is another issuer.
    #[error("The token was issued by somebody else.")]
    Issuer,
    /// Its `aud` is somebody else.
    #[error("The token is meant for another audience.")]
    Audience,
    /// Its `nbf` or `iat` lies ahead.
    #[error("The token is not valid yet.")]
    NotYet,
    /// Its `exp` has passed.
    #[error("The token has expired.")]
    Expired,
}

/// The claims of a token that was verified. Nothing else makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    sub: Subject,
    sid: Sid,
    public: Map<String, Value>,
}

impl Verified {
    /// Whose session it is.
    pub fn sub(&self) -> &Subject {
        &self.sub
    }

    /// The session.
    pub fn sid(&self) -> &Sid {
        &self.sid
    }

    /// The claims beside the registered ones.
    pub fn public(&self) -> &Map<String, Value> {
        &self.public
    }
}

/// Issues and verifies the tokens of one issuer for one audience.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The `iss` of its tokens.
    pub issuer: String,
    /// The `aud` of its tokens.
    pub audience: String,
    /// The keys.
    pub keys: KeySet,
}

/// What a new token says.
#[derive(Clone, Debug)]
pub struct Grant<'a> {
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

#[derive(Serialize, Deserialize)]
struct Payload {
    iss: String,
    aud: Audience,
    sub: Subject,
    sid: Sid,
    jti: String,
    #[serde(flatten)]
    public: Map<String, Value>,
}

/// One audience or several (RFC 7519, section 4.1.3).
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn names(&self, audience: &str) -> bool {
        match self {
            Self::One(one) => one == audience,
            Self::Many(many) => many.iter().any(|one| one == audience),
        }
    }
}

/// Header parameters that are refused whatever they say: the guard implements no extension
/// (RFC 7515, section 4.1.11) and no unencoded payload (RFC 7797).
#[derive(Clone, Deserialize)]
struct Extensions {
    crit: Option<Value>,
    b64: Option<Value>,
}

impl Tokens {
    /// Signs a token.
    pub fn issue(&self, grant: &Grant<'_>) -> Result<String, TokenTooLong> {
        let mut claims = Claims::new(Payload {
            iss: self.issuer.clone(),
            aud: Audience::One(self.audience.clone()),
            sub: grant.sub.clone(),
            sid: grant.sid.clone(),
            jti: grant.jti.to_owned(),
            public: grant.public.clone(),
        });
        claims.issued_at = grant.now.to_utc();
        claims.expiration = grant.now.plus(grant.lifetime).to_utc();
        let key = self.keys.signing();
        let mut header = Header::empty().with_token_type(TYPE);
        header.key_id.clone_from(&key.kid);
        let token = match &key.material {
            Material::Hs256(secret) => Hs256.token(&header, &claims, secret),
        };
        token.ok().filter(|token| token.len() <= MAX_BYTES).ok_or(TokenTooLong)
    }

    /// Verifies a token: the key by `kid`, the algorithm by the key, then every claim.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Verified, TokenError> {
        if token.len() > MAX_BYTES {
            return Err(TokenError::Malformed);
        }
        let untrusted = UntrustedToken::<Extensions>::try_from(token);
        let untrusted = untrusted.map_err(|_| TokenError::Malformed)?;
        let header = untrusted.header();
        if header.other_fields.crit.is_some() || header.other_fields.b64.is_some() {
            return Err(TokenError::Malformed);
        }
        let key = self.keys.find(header.key_id.as_deref()).ok_or(TokenError::UnknownKey)?;
        let verified = match &key.material {
            Material::Hs256(secret) => Hs256.validator::<Payload>(secret).validate(&untrusted),
        };
        self.accept(verified.map_err(TokenError::from)?, now)
    }

    fn accept(
        &self,
        token: Token<Payload, Extensions>,
        now: Timestamp,
    ) -> Result<Verified, TokenError> {
        let (header, claims) = token.into_parts();
        if !header.token_type.as_deref().is_some_and(is_access_token) {
            return Err(TokenError::Type);
        }
        if claims.custom.iss != self.issuer {
            return Err(TokenError::Issuer);
        }
        if !claims.custom.aud.names(&self.audience) {
            return Err(TokenError::Audience);
        }
        let issued = seconds(claims.issued_at)?.ok_or(TokenError::Malformed)?;
        let begins = seconds(claims.not_before)?.unwrap_or(issued).max(issued);
        if begins > now.seconds() + LEEWAY {
            return Err(TokenError::NotYet);
        }
        let expires = seconds(claims.expiration)?.ok_or(TokenError::Malformed)?;
        if now.seconds() >= expires.saturating_add(LEEWAY) {
            return Err(TokenError::Expired);
        }
        let Payload { sub, sid, public, .. } = claims.custom;
        Ok(Verified { sub, sid, public })
    }
}

/// The claims do not fit into a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the claims make a token of more than {MAX_BYTES} bytes")]
pub struct TokenTooLong;

impl From<ValidationError> for TokenError {
    fn from(error: ValidationError) -> Self {
        match error {
            ValidationError::MalformedClaims(_) => Self::Malformed,
            _ => Self::Signature,
        }
    }
}

fn is_access_token(typ: &str) -> bool {
    let typ = typ.strip_prefix("application/").unwrap_or(typ);
    typ.eq_ignore_ascii_case(TYPE)
}

fn seconds(moment: Option<DateTime<Utc>>) -> Result<Option<u64>, TokenError> {
    let seconds = moment.map(|moment| u64::try_from(moment.timestamp())).transpose();
    seconds.map_err(|_| TokenError::Malformed)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::keys::tests::hs256_set;
    use base64ct::{Base64UrlUnpadded, Encoding};
    use rstest::rstest;
    use serde_json::json;

    pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    pub(crate) fn tokens(kids: &[&str]) -> Tokens {
        let keys = hs256_set(kids);
        Tokens { issuer: "https://guard".into(), audience: "members".into(), keys }
    }

    pub(crate) fn issue(tokens: &Tokens, sub: &str) -> String {
        let public = json!({ "email": "ada@example.com" });
        let grant = Grant {
            sub: &Subject::try_from(sub.to_owned()).unwrap(),
            sid: &Sid::from_random([7; 16]),
            jti: "jti",
            public: public.as_object().unwrap(),
            now: NOW,
            lifetime: Duration::from_secs(60),
        };
        tokens.issue(&grant).unwrap()
    }

    /// A token with this header and these claims, signed with the set's first key.
    fn forge(tokens: &Tokens, header: &Value, claims: &Value) -> String {
        use jwt_compact::Algorithm;
        let part = |json: &Value| Base64UrlUnpadded::encode_string(json.to_string().as_bytes());
        let signed = format!("{}.{}", part(header), part(claims));
        let Material::Hs256(key) = &tokens.keys.signing().material;
        let signature = Hs256.sign(key, signed.as_bytes());
        let signature = jwt_compact::AlgorithmSignature::as_bytes(&signature).into_owned();
        format!("{signed}.{}", Base64UrlUnpadded::encode_string(&signature))
    }

    fn good_header() -> Value {
        json!({ "alg": "HS256", "typ": "at+jwt", "kid": "a" })
    }

    fn good_claims() -> Value {
        let now = NOW.seconds();
        json!({
            "iss": "https://guard", "aud": "members", "sub": "ada", "sid": "abc", "jti": "j",
            "iat": now, "exp": now + 60,
        })
    }

    fn with(mut json: Value, name: &str, value: Value) -> Value {
        if value.is_null() {
            json.as_object_mut().unwrap().remove(name);
        } else {
            json[name] = value;
        }
        json
    }

    #[test]
    fn an_issued_token_is_verified() {
        let tokens = tokens(&["a"]);
        let verified = tokens.verify(&issue(&tokens, "ada"), NOW).unwrap();
        assert_eq!(verified.sub().as_str(), "ada");
        assert_eq!(verified.sid(), &Sid::from_random([7; 16]));
        assert_eq!(verified.public()["email"], "ada@example.com");
        assert_eq!(verified.public().len(), 1);
    }

    #[test]
    fn the_forger_of_these_tests_makes_tokens_that_pass() {
        let tokens = tokens(&["a"]);
        let token = forge(&tokens, &good_header(), &good_claims());
        assert!(tokens.verify(&token, NOW).is_ok());
    }

    #[rstest]
    #[case::none("alg", json!("none"), TokenError::Signature)]
    #[case::another_algorithm("alg", json!("HS512"), TokenError::Signature)]
    #[case::asymmetric("alg", json!("RS256"), TokenError::Signature)]
    #[case::no_algorithm("alg", Value::Null, TokenError::Malformed)]
    #[case::no_type("typ", Value::Null, TokenError::Type)]
    #[case::id_token("typ", json!("JWT"), TokenError::Type)]
    #[case::unknown_key("kid", json!("b"), TokenError::UnknownKey)]
    #[case::critical("crit", json!(["exp"]), TokenError::Malformed)]
    #[case::unencoded("b64", json!(false), TokenError::Malformed)]
    fn a_header_is_refused(#[case] name: &str, #[case] value: Value, #[case] error: TokenError) {
        let tokens = tokens(&["a"]);
        let token = forge(&tokens, &with(good_header(), name, value), &good_claims());
        assert_eq!(tokens.verify(&token, NOW), Err(error));
    }

    #[rstest]
    #[case("iss", json!("https://other"), TokenError::Issuer)]
    #[case("iss", Value::Null, TokenError::Malformed)]
    #[case("aud", json!("others"), TokenError::Audience)]
    #[case("aud", json!(["others"]), TokenError::Audience)]
    #[case("aud", json!([]), TokenError::Audience)]
    #[case("aud", Value::Null, TokenError::Malformed)]
    #[case("sub", json!(""), TokenError::Malformed)]
    #[case("sub", json!(17), TokenError::Malformed)]
    #[case("sid", json!(""), TokenError::Malformed)]
    #[case("sid", json!("a:b"), TokenError::Malformed)]
    #[case("sid", Value::Null, TokenError::Malformed)]
    #[case("jti", Value::Null, TokenError::Malformed)]
    #[case("exp", Value::Null, TokenError::Malformed)]
    #[case("exp", json!("soon"), TokenError::Malformed)]
    #[case("exp", json!(-1), TokenError::Malformed)]
    #[case("exp", json!(NOW.seconds() - 5), TokenError::Expired)]
    #[case("iat", Value::Null, TokenError::Malformed)]
    #[case("iat", json!(NOW.seconds() + 6), TokenError::NotYet)]
    #[case("nbf", json!(NOW.seconds() + 6), TokenError::NotYet)]
    fn a_claim_is_refused(#[case] name: &str, #[case] value: Value, #[case] error: TokenError) {
        let tokens = tokens(&["a"]);
        let token = forge(&tokens, &good_header(), &with(good_claims(), name, value));
        assert_eq!(tokens.verify(&token, NOW), Err(error));
    }

    #[rstest]
    #[case("aud", json!(["others", "members"]))]
    #[case("exp", json!(NOW.seconds() - 4))]
    #[case("iat", json!(NOW.seconds() + 5))]
    #[case("nbf", json!(NOW.seconds() + 5))]
    fn a_claim_is_accepted(#[case] name: &str, #[case] value: Value) {
        let tokens = tokens(&["a"]);
        let token = forge(&tokens, &good_header(), &with(good_claims(), name, value));
        assert!(tokens.verify(&token, NOW).is_ok());
    }

    #[rstest]
    #[case("")]
    #[case("a.b")]
    #[case("a.b.c.d")]
    #[case("..")]
    #[case("not a token")]
    fn what_is_no_jwt_is_malformed(#[case] token: &str) {
        assert_eq!(tokens(&["a"]).verify(token, NOW), Err(TokenError::Malformed));
    }

    #[test]
    fn a_changed_or_foreign_signature_is_refused() {
        let ours = tokens(&["a"]);
        let token = issue(&ours, "ada");
        let mut changed = token.clone().into_bytes();
        let middle = token.rfind('.').unwrap() + 5;
        changed[middle] = if changed[middle] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert_eq!(ours.verify(&changed, NOW), Err(TokenError::Signature));
        let claims = token.split('.').nth(1).unwrap();
        let other = issue(&ours, "eve");
        let swapped = token.replacen(claims, other.split('.').nth(1).unwrap(), 1);
        assert_eq!(ours.verify(&swapped, NOW), Err(TokenError::Signature));
    }

    #[test]
    fn a_token_over_eight_kilobytes_is_neither_issued_nor_read() {
        let tokens = tokens(&["a"]);
        let claims = with(good_claims(), "pad", json!("x".repeat(MAX_BYTES)));
        let token = forge(&tokens, &good_header(), &claims);
        assert_eq!(tokens.verify(&token, NOW), Err(TokenError::Malformed));
        let public = json!({ "pad": "x".repeat(MAX_BYTES) });
        let sub = Subject::try_from("ada".to_owned()).unwrap();
        let grant = Grant {
            sub: &sub,
            sid: &Sid::from_random([0; 16]),
            jti: "j",
            public: public.as_object().unwrap(),
            now: NOW,
            lifetime: Duration::from_secs(1),
        };
        assert_eq!(tokens.issue(&grant), Err(TokenTooLong));
    }
}
