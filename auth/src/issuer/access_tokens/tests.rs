use super::*;
use crate::id_token::tests::{changed, key, sign};
use crate::issuer::tests::issuer;
use crate::jwt::UnverifiedJwt;
use crate::setting_value::InvalidValue;
use crate::token::tests::NOW;
use rstest::rstest;
use serde_json::json;

/// In the settings, `null` says something, so these are not [`changed`].
fn with(changes: Value) -> Value {
    let mut rules = json!({ "audience": "api", "session_claim": "sid" });
    for (name, value) in changes.as_object().unwrap() {
        rules[name] = value.clone();
    }
    json!({
        "issuer": "https://idp.example", "jwks_uri": "https://idp.example/jwks",
        "access_tokens": rules,
    })
}

fn parse(changes: Value) -> Result<TrustedIssuer, InvalidValue> {
    let list = json!([with(changes)]).to_string();
    TrustedIssuer::parse_list(&list, "https://guard").map(|mut all| all.remove(0))
}

fn good() -> Value {
    json!({
        "iss": "https://idp.example", "aud": "api", "sub": "u", "sid": "s", "client_id": "app",
        "iat": NOW.seconds(), "exp": NOW.seconds() + 60, "jti": "j",
    })
}

fn read_typed(rules: Value, header: Value, claims: Value) -> Result<AccessTokenClaims, TokenError> {
    let token = sign(header, &changed(good(), claims));
    let token = UnverifiedJwt::parse_of_provider(&token)?.verify(&key())?;
    parse(rules).unwrap().read_access_token(token)
}

fn read(rules: Value, claims: Value) -> Result<AccessTokenClaims, TokenError> {
    read_typed(rules, json!({ "typ": "at+jwt" }), claims)
}

#[test]
fn a_token_of_rfc_9068_is_read_without_further_settings() {
    let claims =
        json!({ "auth_time": 1_000.7, "acr": "gold", "email": "a@b.example", "role": "x" });
    let read = read(json!({}), claims).unwrap();
    assert_eq!((read.sub.as_str(), &*read.session), ("u", "s"));
    assert_eq!((read.client.as_deref(), read.jti.as_deref()), (Some("app"), Some("j")));
    assert_eq!((read.auth_time, read.acr.as_deref()), (Some(read.authenticated), Some("gold")));
    assert_eq!(read.authenticated.millis(), 1_000_000);
    assert_eq!(Value::Object(read.public), json!({ "email": "a@b.example" }));
}

#[test]
fn who_accepts_no_access_tokens_has_none() {
    let token = sign(json!({ "typ": "at+jwt" }), &good());
    let token = UnverifiedJwt::parse_of_provider(&token).unwrap().verify(&key()).unwrap();
    assert_eq!(issuer(json!({})).read_access_token(token), Err(TokenError::Issuer));
    assert!(!issuer(json!({})).accepts_access_tokens_of("https://idp.example"));
    assert!(parse(json!({})).unwrap().accepts_access_tokens_of("https://idp.example"));
}

#[rstest]
#[case(json!({ "audience": null, "clients": "app" }), json!({ "aud": null }), Ok("s"))]
#[case(json!({ "audience": null, "clients": "app" }), json!({}), Err(TokenError::Audience))]
#[case(json!({ "audience": [null, "api"], "clients": "app" }), json!({ "aud": null }), Ok("s"))]
#[case(json!({ "audience": [null, "api"], "clients": "app" }), json!({ "aud": "api" }), Ok("s"))]
#[case(json!({ "audience": [null, "api"], "clients": "app" }), json!({ "aud": "x" }), Err(TokenError::Audience))]
#[case(json!({ "audience": ["x", "api"] }), json!({ "aud": ["api", "y"] }), Ok("s"))]
#[case(json!({}), json!({ "aud": ["y"] }), Err(TokenError::Audience))]
#[case(json!({}), json!({ "aud": [] }), Err(TokenError::Audience))]
#[case(json!({}), json!({ "aud": { "api": "api" } }), Err(TokenError::Audience))]
#[case(json!({ "issuers": "https://old.example" }), json!({ "iss": "https://old.example" }), Ok("s"))]
#[case(json!({}), json!({ "iss": ["https://idp.example"] }), Err(TokenError::Issuer))]
#[case(json!({ "clients": ["app", "web"] }), json!({ "azp": "web" }), Ok("s"))]
#[case(json!({ "clients": ["app"] }), json!({ "azp": "web" }), Err(TokenError::Client))]
#[case(json!({ "clients": ["app"] }), json!({ "azp": "" }), Ok("s"))]
#[case(json!({ "clients": ["app"] }), json!({ "client_id": null }), Err(TokenError::Client))]
#[case(json!({}), json!({ "client_id": { "a": 1 } }), Err(TokenError::Malformed))]
#[case(json!({ "require": { "/a/b": [1, true] } }), json!({ "a": { "b": true } }), Ok("s"))]
#[case(json!({ "require": { "/a/b": [1, true] } }), json!({ "a": { "b": "true" } }), Err(TokenError::Requirement))]
#[case(json!({ "require": { "/a/b": [1, true] } }), json!({}), Err(TokenError::Requirement))]
#[case(json!({ "require": { "x": [null, "y"] } }), json!({}), Ok("s"))]
#[case(json!({ "require": { "x": [null, "y"] } }), json!({ "x": "z" }), Err(TokenError::Requirement))]
#[case(json!({ "require": { "amr": "mfa" } }), json!({ "amr": ["pwd", "mfa"] }), Ok("s"))]
#[case(json!({ "require": { "amr": "mfa" } }), json!({ "amr": ["pwd"] }), Err(TokenError::Requirement))]
#[case(json!({ "require": { "x": { "present": false } } }), json!({ "x": 0 }), Err(TokenError::Requirement))]
#[case(json!({ "require": { "x": { "present": true } } }), json!({ "x": false }), Ok("s"))]
fn a_token_must_be_meant_for_us(
    #[case] rules: Value,
    #[case] claims: Value,
    #[case] expected: Result<&str, TokenError>,
) {
    let session = read(rules, claims).map(|read| read.session);
    assert_eq!(session.as_deref().map_err(|error| *error), expected);
}

#[rstest]
#[case(json!("at+jwt"), json!({ "typ": "Application/AT+JWT" }), true)]
#[case(json!("application/at+jwt"), json!({ "typ": "at+jwt" }), true)]
#[case(json!("at+jwt"), json!({ "typ": "JWT" }), false)]
#[case(json!("at+jwt"), json!({}), false)]
#[case(json!([null, "JWT"]), json!({}), true)]
#[case(json!(null), json!({ "typ": "" }), true)]
#[case(json!(null), json!({ "typ": "JWT" }), false)]
#[case(json!([null, "JWT"]), json!({ "typ": 7 }), false)]
#[case(json!([null, "JWT"]), json!({ "typ": "x/jwt" }), false)]
fn types_are_those_of_the_settings(
    #[case] types: Value,
    #[case] header: Value,
    #[case] accepted: bool,
) {
    let read = read_typed(json!({ "typ": types }), header, json!({}));
    assert_eq!(read.is_ok(), accepted, "{read:?}");
}

#[rstest]
#[case(json!("sid"), json!({ "sid": 7 }), Some("7"))]
#[case(json!("/a/b~1c/0"), json!({ "a": { "b/c": ["x"] } }), Some("x"))]
#[case(json!("https://a.example/sid"), json!({ "https://a.example/sid": "x" }), Some("x"))]
#[case(json!(["a", "sid"]), json!({}), Some("s"))]
#[case(json!(["a", "sid"]), json!({ "a": "x" }), Some("x"))]
#[case(json!(["a", "sid"]), json!({ "a": true }), None)]
#[case(json!("a"), json!({ "a": ["x"] }), None)]
#[case(json!("a"), json!({ "a": 7.5 }), None)]
#[case(json!("a"), json!({ "a": -7 }), None)]
#[case(json!("a"), json!({}), None)]
#[case(json!("/a/b"), json!({ "a": { "b": "" } }), None)]
#[case(json!("/a/b"), json!({ "a": { "b": null } }), None)]
#[case(json!("a"), json!({ "a": "x".repeat(1025) }), None)]
#[case(json!({ "claim": "a", "before": "-" }), json!({ "a": "x-y-z" }), Some("x"))]
#[case(json!({ "claim": "a", "before": "-" }), json!({ "a": "xyz" }), None)]
#[case(json!({ "parts": ["a", "b"] }), json!({ "a": "1", "b": 2 }), Some(r#"["1","2"]"#))]
#[case(json!({ "parts": ["a", "b"] }), json!({ "a": "1\",\"2", "b": "3" }), Some(r#"["1\",\"2","3"]"#))]
#[case(json!({ "parts": ["a", "b"] }), json!({ "a": "1" }), None)]
#[case(json!({ "parts": ["sid", { "claim": "/b/c", "optional": true }] }), json!({}), Some(r#"["s",null]"#))]
#[case(json!({ "parts": ["sid", { "claim": "/b/c", "optional": true }] }), json!({ "b": { "c": "" } }), Some(r#"["s",""]"#))]
#[case(json!({ "parts": ["sid", { "claim": "/b/c", "optional": true }] }), json!({ "b": { "c": "null" } }), Some(r#"["s","null"]"#))]
#[case(json!({ "parts": ["/b/c", "sid"] }), json!({ "b": { "c": "" } }), None)]
fn a_session_is_named_by_claims(
    #[case] claim: Value,
    #[case] claims: Value,
    #[case] expected: Option<&str>,
) {
    let session = read(json!({ "session_claim": claim }), claims).map(|read| read.session);
    assert_eq!(session.as_deref().ok(), expected, "{session:?}");
}

#[rstest]
#[case(json!("a b"), json!("a b"))]
#[case(json!(["a", "b c", "", 7, "d"]), json!("a d"))]
#[case(json!({ "a": 1 }), json!(""))]
fn scopes_become_a_text(#[case] sent: Value, #[case] expected: Value) {
    let read = read(json!({ "scope_claim": ["scp", "scope"] }), json!({ "scp": sent })).unwrap();
    assert_eq!(read.public["scope"], expected);
}

#[rstest]
#[case(json!("crew"), json!(["crew"]))]
#[case(json!(["crew", 7, ["x"], ""]), json!(["crew"]))]
#[case(json!({ "crew": {}, "board": null }), json!(["board", "crew"]))]
#[case(json!([{ "crew": {} }]), json!(["crew"]))]
#[case(json!(7), json!([]))]
fn roles_become_a_list(#[case] sent: Value, #[case] mut expected: Value) {
    let rules = json!({ "roles_claim": "/r/s", "groups_claim": "/r/s" });
    let read = read(rules, json!({ "r": { "s": sent } })).unwrap();
    let sorted = |list: &mut Value| list.as_array_mut().unwrap().sort_by_key(Value::to_string);
    for name in ["roles", "groups"] {
        let mut found = read.public[name].clone();
        sorted(&mut found);
        sorted(&mut expected);
        assert_eq!(found, expected);
    }
}

#[test]
fn only_what_the_settings_name_rides_along_and_no_address_that_is_not_verified() {
    let claims = json!({
        "email": "a@b.example", "email_verified": false, "roles": ["admin"], "scope": "sessions:revoke",
        "m": { "plan": "gold" },
    });
    let rules = json!({ "claims": { "plan": "/m/plan", "mail": "email", "gone": "gone" } });
    assert_eq!(Value::Object(read(rules, claims).unwrap().public), json!({ "plan": "gold" }));
}

#[rstest]
#[case(json!({ "auth_time": "1000" }))]
#[case(json!({ "auth_time": -1 }))]
#[case(json!({ "auth_time": 1e15 }))]
#[case(json!({ "sub": null }))]
#[case(json!({ "sub": { "a": 1 } }))]
#[case(json!({ "sub": "x".repeat(1025) }))]
#[case(json!({ "exp": "soon" }))]
fn what_cannot_be_read_is_malformed(#[case] claims: Value) {
    assert_eq!(read(json!({}), claims).unwrap_err(), TokenError::Malformed);
}

#[test]
fn a_login_is_not_later_than_its_token() {
    let read = read(json!({}), json!({ "auth_time": NOW.seconds() + 1000 })).unwrap();
    assert_eq!(read.authenticated.seconds(), NOW.seconds());
}

#[rstest]
#[case(json!({ "audience": null }), "clients: is required where `audience` has null")]
#[case(json!({ "audience": [null, "a"] }), "clients: is required where `audience` has null")]
#[case(json!({ "audience": ["a", ""] }), "audience[1]: expected a text, got an empty one")]
#[case(json!({ "audience": [] }), "audience: expected")]
#[case(json!({ "session_claim": "jti" }), "session_claim: `jti` differs from token to token")]
#[case(json!({ "session_claim": ["sid", "/iat"] }), "session_claim[1]: `/iat` differs from token to token")]
#[case(json!({ "session_claim": "sub" }), "session_claim: needs a claim that every token has")]
#[case(json!({ "session_claim": { "parts": ["sub", { "claim": "x", "optional": true }] } }), "session_claim: needs a claim")]
#[case(json!({ "session_claim": { "parts": ["sid", "jti"] } }), "session_claim: `jti` differs")]
#[case(json!({ "session_claim": { "parts": [] } }), "session_claim.parts: expected at least one claim")]
#[case(json!({ "session_claim": { "parts": ["a"], "x": 1 } }), "session_claim.x: unknown member")]
#[case(json!({ "session_claim": { "claim": "jti", "before": "" } }), "session_claim.before: expected what ends")]
#[case(json!({ "session_claim": "/a~2" }), "session_claim: expected a claim's name")]
#[case(json!({ "session_claim": [] }), "session_claim: expected at least one claim")]
#[case(json!({ "claims": ["scope"] }), "claims[0]: expected a claim other than these")]
#[case(json!({ "claims": { "sub": "x" } }), "claims.sub: expected a claim that the guard does not set itself")]
#[case(json!({ "claims": ["/a/b"] }), "claims[0]: expected a name; a JSON Pointer needs one")]
#[case(json!({ "require": { "a": {} } }), "require.a.present: is required")]
#[case(json!({ "require": { "a": [["b"]] } }), "require.a: expected a value")]
#[case(json!({ "require": "a" }), "require: expected an object")]
#[case(json!({ "typ": [] }), "typ: expected a type")]
#[case(json!({ "typ": [7] }), "typ[0]: expected a text")]
#[case(json!({ "max_session": "soon" }), "max_session: expected a duration")]
#[case(json!({ "session_ttl": 7 }), "session_ttl: expected a text")]
#[case(json!({ "forward": "no" }), "forward: expected true or false")]
#[case(json!({ "agents": [""] }), "agents[0]: expected a text, got an empty one")]
#[case(json!({ "clients": "" }), "clients[0]: expected a text, got an empty one")]
#[case(json!({ "secret": "hush hush" }), "secret: expected the name of the variable")]
#[case(json!({ "clock_tolerance": "1 hour" }), "clock_tolerance: expected")]
#[case(json!({ "issuers": ["https://guard"] }), "issuers: expected the provider's `iss`, which is not ISSUER")]
#[case(json!({ "sesion_claim": "x" }), "sesion_claim: unknown member; expected `issuers`")]
fn a_bad_rule_is_refused_and_named(#[case] rules: Value, #[case] says: &str) {
    let error = parse(rules).unwrap_err().to_string();
    assert!(error.starts_with(&format!("[0].access_tokens.{says}")), "{error}");
    assert!(!error.contains("hush"), "{error}");
}

mod keys {
    use super::*;
    use base64ct::{Base64UrlUnpadded, Encoding};
    use hmac::{Hmac, Mac};
    use sha2::Sha256;

    const KEYS: &str = include_str!("../../../tests/data/keys.json");

    /// A token that is signed by HS256 with these bytes.
    fn sign_hs256(secret: &[u8], alg: &str) -> String {
        let part = |json: Value| Base64UrlUnpadded::encode_string(json.to_string().as_bytes());
        let header = json!({ "alg": alg, "kid": "ES256", "typ": "at+jwt" });
        let input = format!("{}.{}", part(header), part(good()));
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        mac.update(input.as_bytes());
        format!("{input}.{}", Base64UrlUnpadded::encode_string(&mac.finalize().into_bytes()))
    }

    fn verify(keys: &PublishedKeys, token: &str) -> Result<(), TokenError> {
        let token = UnverifiedJwt::parse_of_provider(token)?;
        token.verify_by_one_of(&keys.candidates(token.kid()?, token.alg()?)).map(drop)
    }

    #[test]
    fn a_public_key_is_no_secret_and_no_signature_is_none() {
        let keys = PublishedKeys::parse(KEYS, &["ES256".into(), "RS256".into()]).unwrap();
        assert_eq!(verify(&keys, &sign(json!({}), &good())), Ok(()));
        let all: Value = serde_json::from_str(KEYS).unwrap();
        let jwk = all["keys"].as_array().unwrap().iter().find(|jwk| jwk["kid"] == "ES256").unwrap();
        for secret in [jwk["x"].as_str().unwrap(), &jwk.to_string(), KEYS] {
            let token = sign_hs256(secret.as_bytes(), "HS256");
            assert_eq!(verify(&keys, &token), Err(TokenError::UnknownKey));
        }
        for alg in ["none", "None", "ES256", "RS256"] {
            assert!(verify(&keys, &sign_hs256(b"", alg)).is_err(), "{alg}");
        }
        let unsigned = sign(json!({}), &good());
        let unsigned = format!("{}.", unsigned.rsplit_once('.').unwrap().0);
        assert_eq!(verify(&keys, &unsigned), Err(TokenError::Signature));
    }

    #[test]
    fn a_shared_secret_verifies_its_own_algorithm_only() {
        let secret = "0123456789abcdef0123456789abcdef";
        let keys = PublishedKeys::of_secret(secret);
        assert_eq!(verify(&keys, &sign_hs256(secret.as_bytes(), "HS256")), Ok(()));
        assert_eq!(verify(&keys, &sign_hs256(b"another", "HS256")), Err(TokenError::Signature));
        assert_eq!(
            verify(&keys, &sign_hs256(secret.as_bytes(), "HS512")),
            Err(TokenError::UnknownKey)
        );
        assert_eq!(verify(&keys, &sign(json!({}), &good())), Err(TokenError::UnknownKey));
    }
}
