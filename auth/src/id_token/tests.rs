use super::*;
use crate::issuer::tests::issuer;
use crate::jwt::UnverifiedJwt;
use crate::keys::{AlgorithmKey, PublishedKeys};
use crate::token::tests::NOW;
use base64ct::{Base64UrlUnpadded, Encoding};
use jwt_compact::Algorithm as _;
use jwt_compact::AlgorithmSignature as _;
use jwt_compact::alg::Es256;
use rstest::rstest;
use serde_json::json;

mod providers;

const KEYS: &str = include_str!("../../tests/data/keys.json");

/// The key that the tests' issuer signs with, and verifies.
pub(crate) fn key() -> AlgorithmKey {
    let keys: Value = serde_json::from_str(KEYS).unwrap();
    let jwk = keys["keys"].as_array().unwrap().iter().find(|jwk| jwk["kid"] == "ES256");
    AlgorithmKey::parse(jwk.unwrap()).unwrap()
}

/// A token with this header and these claims, well signed.
pub(crate) fn sign(mut header: Value, claims: &Value) -> String {
    header["alg"] = "ES256".into();
    header["kid"] = "ES256".into();
    let part = |json: &Value| Base64UrlUnpadded::encode_string(json.to_string().as_bytes());
    let input = format!("{}.{}", part(&header), part(claims));
    let AlgorithmKey::Es256(pair) = key() else { panic!("the key is an ES256 key") };
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
    IdToken::read(UnverifiedJwt::parse_of_provider(&token)?.verify(&key())?, issuer, nonce, NOW)
}

fn read(changes: Value, nonce: Option<&str>) -> Result<IdToken, TokenError> {
    read_with(&issuer(json!({})), json!({ "typ": "JWT" }), &changed(good(), changes), nonce)
}

#[test]
fn the_published_key_is_found_and_a_good_token_says_who_it_is() {
    let keys = PublishedKeys::parse(KEYS, &["ES256".into()]).unwrap();
    assert_eq!(keys.candidates(Some("ES256"), "ES256").len(), 1);
    let token = read(json!({}), Some("n")).unwrap();
    assert_eq!(token.sub.as_str(), "u-1");
    assert_eq!(token.issued.sid.as_deref(), Some("s 1"));
    assert_eq!(token.issued.at.seconds(), NOW.seconds());
    let claims = json!({ "email": "a@b.example", "name": "Ada" });
    assert_eq!(Value::Object(token.claims), claims, "only those that the settings name");
}

#[rstest]
#[case(json!({ "sid": null, "nonce": null, "nbf": NOW.seconds() + 59 }), None)]
#[case(json!({ "aud": ["members"] }), None)]
#[case(json!({ "aud": ["members", "members"] }), None)]
#[case(json!({ "aud": ["members", "others"], "azp": "members" }), None)]
#[case(json!({ "azp": "members" }), Some("n"))]
#[case(json!({ "azp": "" }), Some("n"))]
#[case(json!({ "nonce": "", "sid": "" }), None)]
#[case(json!({ "iat": NOW.seconds() + 12, "nbf": NOW.seconds() + 12 }), None)]
#[case(json!({ "iat": NOW.seconds() as f64 - 0.5, "exp": NOW.seconds() as f64 + 59.9 }), None)]
#[case(json!({ "exp": NOW.seconds() - 59 }), None)]
#[case(json!({ "iat": NOW.seconds() - 86_400 }), None)]
#[case(json!({ "typ": "ID" }), None)]
fn a_token_is_accepted(#[case] changes: Value, #[case] nonce: Option<&str>) {
    assert!(read(changes.clone(), nonce).is_ok(), "{changes} {:?}", read(changes.clone(), nonce));
}

#[rstest]
#[case(json!({ "iss": "https://evil.example" }), None, TokenError::Issuer)]
#[case(json!({ "iss": "https://idp.example/" }), None, TokenError::Issuer)]
#[case(json!({ "aud": "others" }), None, TokenError::Audience)]
#[case(json!({ "aud": ["members", "others"] }), None, TokenError::Audience)]
#[case(json!({ "aud": ["members", "others"], "azp": "others" }), None, TokenError::Audience)]
#[case(json!({ "aud": ["members", "others"], "azp": "" }), None, TokenError::Audience)]
#[case(json!({ "azp": "others" }), None, TokenError::Audience)]
#[case(json!({ "azp": ["members"] }), None, TokenError::Malformed)]
#[case(json!({ "aud": [] }), None, TokenError::Audience)]
#[case(json!({ "aud": ["members", 7.5] }), None, TokenError::Malformed)]
#[case(json!({ "aud": null }), None, TokenError::Malformed)]
#[case(json!({ "sub": null }), None, TokenError::Malformed)]
#[case(json!({ "sub": "" }), None, TokenError::Malformed)]
#[case(json!({ "sub": "x".repeat(1025) }), None, TokenError::Malformed)]
#[case(json!({ "sid": ["7"] }), None, TokenError::Malformed)]
#[case(json!({ "sub": 7.5 }), None, TokenError::Malformed)]
#[case(json!({ "sub": true }), None, TokenError::Malformed)]
#[case(json!({ "exp": null }), None, TokenError::Malformed)]
#[case(json!({ "iat": null }), None, TokenError::Malformed)]
#[case(json!({ "exp": NOW.seconds() - 60 }), None, TokenError::Expired)]
#[case(json!({ "exp": NOW.seconds() as f64 - 60.0 }), None, TokenError::Expired)]
#[case(json!({ "exp": (NOW.seconds() + 60).to_string() }), None, TokenError::Malformed)]
#[case(json!({ "exp": (NOW.seconds() + 60) * 1000 }), None, TokenError::Malformed)]
#[case(json!({ "iat": -1 }), None, TokenError::Malformed)]
#[case(json!({ "iat": NOW.seconds() - 86_401 }), None, TokenError::Expired)]
#[case(json!({ "iat": NOW.seconds() + 61 }), None, TokenError::NotYet)]
#[case(json!({ "nbf": NOW.seconds() as f64 + 61.5 }), None, TokenError::NotYet)]
#[case(json!({}), Some("m"), TokenError::Nonce)]
#[case(json!({ "nonce": null }), Some("n"), TokenError::Nonce)]
#[case(json!({ "nonce": "" }), Some("n"), TokenError::Nonce)]
#[case(json!({ "nonce": "" }), Some(""), TokenError::Nonce)]
#[case(json!({ "nonce": ["n"] }), None, TokenError::Malformed)]
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
#[case(json!({ "typ": "application/jwt" }), true)]
#[case(json!({ "typ": null }), true)]
#[case(json!({ "typ": "" }), true)]
#[case(json!({ "jku": "https://evil.example", "x5u": "https://evil.example", "x5c": ["MIIB"], "x5t": "x", "x5t#S256": "x", "cty": "json", "jwk": { "kty": "EC" } }), true)]
#[case(json!({ "crit": ["exp"], "exp": 1 }), false)]
#[case(json!({ "crit": null }), false)]
#[case(json!({ "b64": true }), false)]
#[case(json!({ "typ": "at+jwt" }), false)]
#[case(json!({ "typ": "application/at+jwt" }), false)]
#[case(json!({ "typ": "logout+jwt" }), false)]
#[case(json!({ "typ": 7 }), false)]
fn only_id_tokens_are_taken_for_one(#[case] header: Value, #[case] accepted: bool) {
    let read = read_with(&issuer(json!({})), header, &good(), None);
    assert_eq!(read.is_ok(), accepted, "{read:?}");
}

#[rstest]
#[case(json!({ "email_verified": true }), true)]
#[case(json!({ "email_verified": "true" }), true)]
#[case(json!({ "email_verified": false }), false)]
#[case(json!({ "email_verified": "false" }), false)]
#[case(json!({ "email_verified": "False" }), false)]
#[case(json!({ "email_verified": "pending" }), false)]
#[case(json!({ "email_verified": "" }), false)]
#[case(json!({ "email_verified": 0 }), false)]
#[case(json!({ "email_verified": 1 }), false)]
#[case(json!({}), true)]
fn an_address_that_is_not_verified_is_not_passed_on(#[case] changes: Value, #[case] passed: bool) {
    assert_eq!(read(changes, None).unwrap().claims.contains_key("email"), passed);
}

#[test]
fn one_that_is_trusted_all_the_same_is() {
    let issuer = issuer(json!({ "trust_email": true }));
    let claims = changed(good(), json!({ "email_verified": false }));
    let read = read_with(&issuer, json!({}), &claims, None).unwrap();
    assert!(read.claims.contains_key("email"));
}

#[test]
fn members_that_are_null_say_nothing_but_an_address_must_be_verified() {
    let mut claims = good();
    for name in ["nonce", "sid", "azp", "nbf", "name", "events", "typ", "email_verified"] {
        claims[name] = Value::Null;
    }
    let read = read_with(&issuer(json!({})), json!({}), &claims, None).unwrap();
    assert_eq!(read.issued.sid, None);
    assert_eq!(Value::Object(read.claims), json!({ "email_verified": false }));
    for name in ["iss", "sub", "aud", "iat", "exp"] {
        let mut claims = good();
        claims[name] = Value::Null;
        let read = read_with(&issuer(json!({})), json!({}), &claims, None);
        assert_eq!(read, Err(TokenError::Malformed), "{name}");
    }
}

#[rstest]
#[case(json!("crew"), json!(["crew"]))]
#[case(json!("crew, board"), json!(["crew, board"]))]
#[case(json!(["crew"]), json!(["crew"]))]
#[case(json!([]), json!([]))]
fn a_text_is_one_group(#[case] sent: Value, #[case] read_as: Value) {
    for name in ["groups", "roles"] {
        let read = read(json!({ name: sent }), None).unwrap();
        assert_eq!(read.claims[name], read_as);
    }
}

#[rstest]
#[case(json!("1 second"), 1, true)]
#[case(json!("1 second"), 2, false)]
#[case(json!(0), 1, false)]
#[case(json!("10 minutes"), 600, true)]
fn an_issuers_clock_may_be_as_far_ahead_as_the_settings_say(
    #[case] tolerance: Value,
    #[case] ahead: u64,
    #[case] fine: bool,
) {
    let issuer = issuer(json!({ "clock_tolerance": tolerance }));
    let claims =
        changed(good(), json!({ "iat": NOW.seconds() + ahead, "exp": NOW.seconds() + 700 }));
    let read = read_with(&issuer, json!({}), &claims, None);
    assert_eq!(read.is_ok(), fine, "{read:?}");
}

#[test]
fn audiences_that_are_all_ours_need_no_azp() {
    let issuer = issuer(json!({ "audience": ["members", "members-android"] }));
    let both = changed(good(), json!({ "aud": ["members", "members-android"] }));
    assert!(read_with(&issuer, json!({}), &both, None).is_ok());
    let presented = changed(good(), json!({ "aud": "members", "azp": "members-android" }));
    assert!(read_with(&issuer, json!({}), &presented, None).is_ok());
}

#[test]
fn a_strangers_signature_is_refused() {
    let token = sign(json!({}), &good());
    let (input, _) = token.rsplit_once('.').unwrap();
    let forged = format!("{input}.{}", Base64UrlUnpadded::encode_string(&[7; 64]));
    let token = UnverifiedJwt::parse_of_provider(&forged).unwrap();
    let by_several = token.verify_by_one_of(&[&key(), &key()]).map(drop);
    assert_eq!(by_several, Err(TokenError::Signature));
    assert_eq!(token.verify_by_one_of(&[]).map(drop), Err(TokenError::UnknownKey));
    assert_eq!(token.verify(&key()).map(drop), Err(TokenError::Signature));
}

#[rstest]
#[case::the_very_same(json!({ "jti": "j" }), json!({ "jti": "j" }), true)]
#[case::by_its_jti_alone(json!({ "jti": "j" }), json!({ "jti": "j", "nonce": "m" }), true)]
#[case::another_jti(json!({ "jti": "j" }), json!({ "jti": "k" }), false)]
#[case::without_one_the_same(json!({}), json!({}), true)]
#[case::without_one_another(json!({}), json!({ "name": "Ben" }), false)]
#[case::an_empty_one_is_none(json!({ "jti": "" }), json!({ "jti": "", "name": "Ben" }), false)]
#[case::a_list_is_none(json!({ "jti": [7] }), json!({ "jti": [7], "name": "Ben" }), false)]
fn an_id_token_is_known_again(#[case] one: Value, #[case] other: Value, #[case] same: bool) {
    let [one, other] = [one, other].map(|changes| note(&issuer(json!({})), changes));
    assert_eq!(one == other, same);
}

/// What says that such a token of this issuer was used.
fn note(issuer: &TrustedIssuer, changes: Value) -> EntryName {
    let token = sign(json!({ "typ": "JWT" }), &changed(good(), changes));
    let token = UnverifiedJwt::parse_of_provider(&token).unwrap();
    let digest = token.digest();
    let token = IdToken::read(token.verify(&key()).unwrap(), issuer, None, NOW).unwrap();
    token.once(&digest).note
}

#[test]
fn another_issuers_token_of_the_same_name_is_another() {
    let other = issuer(json!({ "issuer": "https://other.example" }));
    let other = note(&other, json!({ "jti": "j", "iss": "https://other.example" }));
    assert_ne!(other, note(&issuer(json!({})), json!({ "jti": "j" })));
}

#[test]
fn another_signature_under_the_same_makes_no_other_token() {
    let token = sign(json!({ "typ": "JWT" }), &good());
    let (signed, _) = token.rsplit_once('.').unwrap();
    let digest = |token: &str| UnverifiedJwt::parse(token).map(|token| token.digest()).unwrap();
    assert_eq!(digest(&token), digest(&format!("{signed}.AAAA")));
}

#[rstest]
#[case(60, 60)]
#[case(10 * 24 * 3600, 24 * 3600)]
fn a_used_id_token_is_remembered_for_as_long_as_it_would_be_taken(
    #[case] lifetime: u64,
    #[case] at_least: u64,
) {
    let token = read(json!({ "exp": NOW.seconds() + lifetime }), None).unwrap();
    let kept = token.over.since(NOW).as_secs();
    assert!((at_least..at_least + 300).contains(&kept), "{kept}");
}

#[rstest]
#[case(0, None)]
#[case(-1, Some(TokenError::TooOld))]
#[case(-200, Some(TokenError::Expired))]
fn a_token_from_before_the_issuers_moment_begins_no_session(
    #[case] issued: i64,
    #[case] error: Option<TokenError>,
) {
    let moment = NOW.to_utc().unwrap().to_rfc3339();
    let issuer = issuer(json!({ "not_before": moment }));
    let issued = NOW.seconds().saturating_add_signed(issued);
    let claims = changed(good(), json!({ "iat": issued, "exp": issued + 100 }));
    assert_eq!(read_with(&issuer, json!({}), &claims, None).err(), error);
}
