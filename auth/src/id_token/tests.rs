use super::*;
use crate::issuer::tests::issuer;
use crate::keys::PublishedKeys;
use crate::token::tests::NOW;
use base64ct::{Base64UrlUnpadded, Encoding};
use jwt_compact::Algorithm as _;
use jwt_compact::AlgorithmSignature as _;
use jwt_compact::alg::Es256;
use rstest::rstest;
use serde_json::json;

const KEYS: &str = include_str!("../../tests/data/keys.json");

/// The key that the tests' issuer signs with, and verifies.
pub(crate) fn key() -> Material {
    let keys: Value = serde_json::from_str(KEYS).unwrap();
    let jwk = keys["keys"].as_array().unwrap().iter().find(|jwk| jwk["kid"] == "ES256");
    Material::parse(jwk.unwrap()).unwrap()
}

/// A token with this header and these claims, well signed.
pub(crate) fn sign(mut header: Value, claims: &Value) -> String {
    header["alg"] = "ES256".into();
    header["kid"] = "ES256".into();
    let part = |json: &Value| Base64UrlUnpadded::encode_string(json.to_string().as_bytes());
    let input = format!("{}.{}", part(&header), part(claims));
    let Material::Es256(pair) = key() else { panic!("the key is an ES256 key") };
    let signature = Es256.sign(pair.signing.as_ref().unwrap(), input.as_bytes());
    format!("{input}.{}", Base64UrlUnpadded::encode_string(&signature.as_bytes()))
}

/// Claims changed; `null` takes one away.
pub(crate) fn changed(mut claims: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

fn good() -> Value {
    json!({
        "iss": "https://idp.example", "aud": "members", "sub": "u-1", "sid": "s 1", "nonce": "n",
        "iat": NOW.seconds(), "exp": NOW.seconds() + 60, "at_hash": "x", "email": "a@b.example",
        "name": "Ada", "scope": "sessions:revoke",
    })
}

fn read_with(
    issuer: &TrustedIssuer,
    header: Value,
    claims: &Value,
    nonce: Option<&str>,
) -> Result<IdToken, TokenError> {
    let token = sign(header, claims);
    IdToken::read(Unverified::parse(&token)?, &key(), issuer, nonce, NOW)
}

fn read(changes: Value, nonce: Option<&str>) -> Result<IdToken, TokenError> {
    read_with(&issuer(json!({})), json!({ "typ": "JWT" }), &changed(good(), changes), nonce)
}

#[test]
fn the_published_key_is_found_and_a_good_token_says_who_it_is() {
    let keys = PublishedKeys::parse(KEYS, &["ES256".into()]).unwrap();
    assert_eq!(keys.find(Some("ES256")).unwrap().alg(), "ES256");
    let token = read(json!({}), Some("n")).unwrap();
    assert_eq!(token.sub.as_str(), "u-1");
    assert_eq!(token.issued.sid.as_deref(), Some("s 1"));
    assert_eq!(token.issued.at.seconds(), NOW.seconds());
    let claims = json!({ "email": "a@b.example", "name": "Ada" });
    assert_eq!(Value::Object(token.claims), claims, "only those that the settings name");
}

#[rstest]
#[case(json!({ "sid": null, "nonce": null, "nbf": NOW.seconds() + 4 }), None)]
#[case(json!({ "aud": ["members"] }), None)]
#[case(json!({ "aud": ["members", "others"], "azp": "members" }), None)]
#[case(json!({ "azp": "members" }), Some("n"))]
#[case(json!({ "exp": NOW.seconds() - 4 }), None)]
#[case(json!({ "iat": NOW.seconds() - 86_400 }), None)]
fn a_token_is_accepted(#[case] changes: Value, #[case] nonce: Option<&str>) {
    assert!(read(changes.clone(), nonce).is_ok(), "{changes} {:?}", read(changes.clone(), nonce));
}

#[rstest]
#[case(json!({ "iss": "https://evil.example" }), None, TokenError::Issuer)]
#[case(json!({ "iss": "https://idp.example/" }), None, TokenError::Issuer)]
#[case(json!({ "aud": "others" }), None, TokenError::Audience)]
#[case(json!({ "aud": ["members", "others"] }), None, TokenError::Audience)]
#[case(json!({ "aud": ["members", "others"], "azp": "others" }), None, TokenError::Audience)]
#[case(json!({ "azp": "others" }), None, TokenError::Audience)]
#[case(json!({ "aud": null }), None, TokenError::Malformed)]
#[case(json!({ "sub": null }), None, TokenError::Malformed)]
#[case(json!({ "sub": "" }), None, TokenError::Malformed)]
#[case(json!({ "sub": "x".repeat(1025) }), None, TokenError::Malformed)]
#[case(json!({ "sid": 7 }), None, TokenError::Malformed)]
#[case(json!({ "exp": null }), None, TokenError::Malformed)]
#[case(json!({ "iat": null }), None, TokenError::Malformed)]
#[case(json!({ "exp": NOW.seconds() - 5 }), None, TokenError::Expired)]
#[case(json!({ "iat": NOW.seconds() - 86_401 }), None, TokenError::Expired)]
#[case(json!({ "iat": NOW.seconds() + 6 }), None, TokenError::NotYet)]
#[case(json!({}), Some("m"), TokenError::Nonce)]
#[case(json!({ "nonce": null }), Some("n"), TokenError::Nonce)]
#[case(json!({ "nonce": 7 }), None, TokenError::Malformed)]
#[case(json!({ "events": {} }), None, TokenError::Type)]
fn a_token_is_refused(
    #[case] changes: Value,
    #[case] nonce: Option<&str>,
    #[case] error: TokenError,
) {
    assert_eq!(read(changes, nonce), Err(error));
}

#[rstest]
#[case(json!({}), true)]
#[case(json!({ "typ": "JWT" }), true)]
#[case(json!({ "typ": "jwt" }), true)]
#[case(json!({ "typ": "at+jwt" }), false)]
#[case(json!({ "typ": "logout+jwt" }), false)]
#[case(json!({ "typ": 7 }), false)]
fn only_id_tokens_are_taken_for_one(#[case] header: Value, #[case] accepted: bool) {
    let read = read_with(&issuer(json!({})), header, &good(), None);
    assert_eq!(read.is_ok(), accepted, "{read:?}");
}

#[rstest]
#[case(json!({ "email_verified": true }), true)]
#[case(json!({ "email_verified": false }), false)]
#[case(json!({ "email_verified": "false" }), false)]
#[case(json!({}), true)]
fn an_address_that_is_not_verified_is_not_passed_on(#[case] changes: Value, #[case] passed: bool) {
    assert_eq!(read(changes, None).unwrap().claims.contains_key("email"), passed);
}

#[test]
fn a_strangers_signature_is_refused() {
    let token = sign(json!({}), &good());
    let (input, _) = token.rsplit_once('.').unwrap();
    let forged = format!("{input}.{}", Base64UrlUnpadded::encode_string(&[7; 64]));
    let token = Unverified::parse(&forged).unwrap();
    let read = IdToken::read(token, &key(), &issuer(json!({})), None, NOW);
    assert_eq!(read, Err(TokenError::Signature));
}
