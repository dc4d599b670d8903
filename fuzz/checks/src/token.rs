use auth::id_token::IdToken;
use auth::issuer::TrustedIssuer;
use auth::jwt::{TokenError, UnverifiedJwt};
use auth::keys::KeySet;
use auth::logout_token::LogoutToken;
use auth::time::Timestamp;
use auth::token::{Tokens, Verified};
use base64ct::{Base64UrlUnpadded, Encoding};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};
use serde_json::Value;

const KEYS: &str = include_str!("../../../auth/tests/data/keys.json");
const ISSUER: &str = "https://guard";
const AUDIENCE: &str = "members";
const ISSUERS: &str = r#"[{"issuer":"https://idp","audience":"members","jwks_uri":"https://idp/jwks",
    "access_tokens":{"audience":"members","typ":["at+jwt","JWT",null],"session_claim":"sid"}}]"#;
/// The tokens in the seeds are valid from an hour before to an hour after this time.
const NOW: u64 = 1_800_000_000;
/// The tolerated clock difference, in seconds.
const LEEWAY: u64 = 5;

/// A key in the form that the oracle needs.
struct Key {
    kid: String,
    alg: String,
    oracle: DecodingKey,
    algorithm: Algorithm,
}

struct Fixture {
    tokens: Tokens,
    issuer: TrustedIssuer,
    keys: Vec<Key>,
    /// Signs the inputs that consist of header and claims.
    secret: EncodingKey,
}

thread_local! {
    // Built once, as in an isolate, so that the cache is shared between tokens.
    static FIXTURE: Fixture = Fixture::new();
}

/// Input: a token; or, on two lines, header and claims, which are signed here, because a mutated token would only fail
/// the signature check.
pub fn token(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    FIXTURE.with(|fixture| match text.split_once('\n') {
        Some((header, claims)) => fixture.check(&fixture.sign(header, claims)),
        None => fixture.check(&text),
    });
}

impl Fixture {
    fn new() -> Self {
        let data: Value = serde_json::from_str(KEYS).unwrap();
        let keys = data["keys"].as_array().unwrap();
        let set = KeySet::parse(KEYS).unwrap();
        Self {
            tokens: Tokens::new(ISSUER.into(), AUDIENCE.into(), set),
            issuer: TrustedIssuer::parse_list(ISSUERS, ISSUER).unwrap().remove(0),
            keys: keys.iter().map(Key::of).collect(),
            secret: EncodingKey::from_secret(&decode(keys[0]["k"].as_str().unwrap())),
        }
    }

    fn sign(&self, header: &str, claims: &str) -> String {
        let part = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
        let input = format!("{}.{}", part(header), part(claims));
        let signature = crypto::sign(input.as_bytes(), &self.secret, Algorithm::HS256).unwrap();
        format!("{input}.{signature}")
    }

    fn check(&self, token: &str) {
        let now = Timestamp::from_millis(NOW * 1000);
        self.check_as_issuers(token, now);
        let verdict = self.tokens.verify(token, now);
        assert_eq!(verdict, self.tokens.verify(token, now), "the cached verdict differs");
        let signer = self.signer(token);
        if let Ok(verified) = verdict {
            signer.expect("accepted, but no key has signed it").assert_claims(token, &verified);
            self.check_at_other_times(token);
        }
    }

    /// Checks the token as an issuer's ID token, logout token and access token. No logout token is another, and an
    /// access token says of which session it is.
    fn check_as_issuers(&self, token: &str, now: Timestamp) {
        let key = &self.tokens.keys().signing().material;
        let verified = || UnverifiedJwt::parse_of_provider(token)?.verify(key);
        let id = verified().and_then(|it| IdToken::read(it, &self.issuer, None, now));
        let logout = verified().and_then(|it| LogoutToken::read(it, &self.issuer, now));
        let access = verified().and_then(|it| self.issuer.read_access_token(it));
        assert!(id.is_err() && access.is_err() || logout.is_err(), "accepted as both");
        if let Ok(access) = &access {
            let sid = &claims(token)["sid"];
            let named = sid.as_str().map_or_else(|| sid.to_string(), str::to_owned);
            assert_eq!(named, access.session);
        }
        if id.is_ok() || logout.is_ok() || access.is_ok() {
            self.keys[0].assert_signed(token);
            assert_eq!(claims(token)["iss"], self.issuer.issuer.as_str());
        }
    }

    /// The only key that has signed the token, according to the guard. The oracle must agree.
    fn signer(&self, token: &str) -> Option<&Key> {
        let signed = |key: &&Key| {
            let known = self.tokens.keys().find(Some(&key.kid)).unwrap();
            UnverifiedJwt::parse(token).is_ok_and(|token| token.verify(&known.material).is_ok())
        };
        let signers: Vec<&Key> = self.keys.iter().filter(signed).collect();
        assert!(signers.len() <= 1, "signed by {} keys", signers.len());
        signers.iter().for_each(|key| key.assert_signed(token));
        signers.first().copied()
    }

    /// Times are checked on every use, also of a cached token.
    fn check_at_other_times(&self, token: &str) {
        let late = self.tokens.verify(token, Timestamp::from_millis(u64::MAX));
        assert_eq!(late, Err(TokenError::Expired));
        let early = self.tokens.verify(token, Timestamp::from_millis(0));
        assert!(early == Err(TokenError::NotYet) || claims(token)["iat"].as_u64() <= Some(LEEWAY));
    }
}

impl Key {
    fn of(jwk: &Value) -> Self {
        let text = |name: &str| jwk[name].as_str().unwrap_or_default();
        let oracle = match text("kty") {
            "oct" => DecodingKey::from_secret(&decode(text("k"))),
            "EC" => DecodingKey::from_ec_components(text("x"), text("y")).unwrap(),
            "OKP" => DecodingKey::from_ed_components(text("x")).unwrap(),
            _ => DecodingKey::from_rsa_components(text("n"), text("e")).unwrap(),
        };
        let (kid, alg) = (text("kid").into(), text("alg").into());
        Self { kid, alg, oracle, algorithm: text("alg").parse().unwrap() }
    }

    fn assert_signed(&self, token: &str) {
        let (input, signature) = token.rsplit_once('.').unwrap();
        let verdict = crypto::verify(signature, input.as_bytes(), &self.oracle, self.algorithm);
        assert_eq!(verdict, Ok(true), "only the guard accepts {token}");
        assert_eq!(part(token, 0)["alg"], self.alg.as_str());
    }

    fn assert_claims(&self, token: &str, verified: &Verified) {
        let (header, claims) = (part(token, 0), claims(token));
        assert_eq!(header["kid"], self.kid.as_str());
        assert_eq!(claims["iss"], ISSUER);
        let aud = &claims["aud"];
        assert!(
            aud == AUDIENCE || aud.as_array().is_some_and(|all| all.contains(&AUDIENCE.into()))
        );
        assert_eq!(claims["sub"], verified.sub().as_str());
        assert_eq!(claims["sid"], verified.sid().as_str());
        assert!(claims["exp"].as_u64().is_some_and(|exp| exp + LEEWAY > NOW));
        for begin in ["iat", "nbf"].iter().filter_map(|name| claims.get(name)) {
            assert!(begin.as_u64().is_some_and(|begin| begin <= NOW + LEEWAY));
        }
    }
}

fn claims(token: &str) -> Value {
    part(token, 1)
}

/// A part of a token, parsed independently.
fn part(token: &str, index: usize) -> Value {
    serde_json::from_slice(&decode(token.split('.').nth(index).unwrap())).unwrap()
}

fn decode(text: &str) -> Vec<u8> {
    Base64UrlUnpadded::decode_vec(text).unwrap()
}
