use super::*;
use crate::jwt::{TokenError, UnverifiedJwt};
use crate::keys::KeySet;
use crate::token::Tokens;
use crate::token::tests::{NOW, issue};
use rstest::rstest;
use serde_json::{Value, json};
use std::cell::Cell;

#[rstest]
#[case("https://app.example.com", "https://app.example.com")]
#[case("https://App.Example.com/x?y#z", "https://app.example.com")]
#[case("https://app.example.com:443/", "https://app.example.com")]
#[case("https://app.example.com:80", "https://app.example.com:80")]
#[case("http://app.example.com:80", "http://app.example.com")]
#[case("http://127.0.0.1:8788/x", "http://127.0.0.1:8788")]
#[case("https://app.example.com:8443", "https://app.example.com:8443")]
#[case("http://[::1]:80/x", "http://[::1]")]
fn the_audience_is_an_origin_as_browsers_write_it(#[case] url: &str, #[case] origin: &str) {
    assert_eq!(audience(url), origin);
}

const ONE: &str = "https://one.example";

#[rstest]
#[case::at_once(0, 1)]
#[case::after_half_its_time(30, 1)]
#[case::after_more_than_that(31, 2)]
#[case::once_it_is_over(61, 2)]
fn an_assertion_is_sent_for_half_its_time(#[case] later: u64, #[case] signed: usize) {
    let (kept, count) = (Assertions::default(), Cell::new(0));
    let sign = || {
        count.set(count.get() + 1);
        Some(count.get().to_string())
    };
    kept.get_or_sign(ONE, NOW, sign).unwrap();
    let then = NOW.plus(Duration::from_secs(later));
    assert_eq!(*kept.get_or_sign(ONE, then, sign).unwrap(), *signed.to_string());
}

#[test]
fn each_audience_has_its_own_and_few_are_kept() {
    let kept = Assertions::default();
    let recall = |audience: &str, text: &str| {
        kept.get_or_sign(audience, NOW, || Some(text.to_owned())).unwrap().to_string()
    };
    assert_eq!(recall(ONE, "a"), "a");
    assert_eq!(recall("https://two.example", "b"), "b");
    assert_eq!(recall(ONE, "c"), "a");
    for n in 0..100 {
        recall(&format!("https://{n}.example"), "d");
        assert!(kept.0.borrow().len() <= MOST);
    }
    assert_eq!(recall(ONE, "e"), "e", "it had to make room");
}

#[test]
fn what_cannot_be_signed_is_an_error_each_time() {
    let kept = Assertions::default();
    assert_eq!(kept.get_or_sign(ONE, NOW, || None), Err(NotSigned));
    assert_eq!(kept.get_or_sign(ONE, NOW, || None), Err(NotSigned));
    assert_eq!(&*kept.get_or_sign(ONE, NOW, || Some("a".into())).unwrap(), "a");
}

fn tokens(kids: &[&str]) -> Tokens {
    Tokens::new("https://guard".into(), ONE.into(), keys(kids))
}

/// Keys of the oracle's test, of which `ES256` and `EdDSA` are private.
fn keys(kids: &[&str]) -> KeySet {
    let data: Value = serde_json::from_str(include_str!("../../tests/data/keys.json")).unwrap();
    let all = data["keys"].as_array().unwrap();
    let find = |kid: &&str| all.iter().find(|jwk| jwk["kid"] == *kid).unwrap();
    let chosen: Vec<_> = kids.iter().map(find).collect();
    KeySet::parse(&json!({ "keys": chosen }).to_string()).unwrap()
}

#[rstest]
#[case(&["HS256"], None)]
#[case(&["HS256", "RS256"], None)]
#[case(&["HS256", "ES256"], Some("ES256"))]
#[case(&["RS256", "EdDSA", "ES256"], Some("EdDSA"))]
fn the_first_private_key_with_a_public_half_signs(
    #[case] kids: &[&str],
    #[case] signer: Option<&str>,
) {
    assert_eq!(keys(kids).vouching().map(|key| key.kid.as_str()), signer);
    let tokens = tokens(kids);
    let verified = tokens.verify(&issue(&tokens, "ada"), NOW).unwrap();
    let assertion = tokens.assertion(&verified, ONE, NOW).unwrap();
    let kid = assertion
        .as_deref()
        .map(|text| UnverifiedJwt::parse(text).unwrap().kid().unwrap().map(str::to_owned));
    assert_eq!(kid.flatten().as_deref(), signer);
}

#[rstest]
fn an_assertion_says_who_to_whom_and_for_a_minute(#[values("ES256", "EdDSA")] alg: &str) {
    let tokens = tokens(&[alg]);
    let verified = tokens.verify(&issue(&tokens, "ada"), NOW).unwrap();
    let text = tokens.assertion(&verified, "https://app.example", NOW).unwrap().unwrap();
    let key = &tokens.keys().find(Some(alg)).unwrap().material;
    let signed = UnverifiedJwt::parse(&text).unwrap().verify(key).unwrap();
    assert!(signed.is_of_type(TYPE));
    let expected = json!({
        "iss": "https://guard", "aud": "https://app.example", "sub": "ada",
        "sid": verified.sid().as_str(), "email": "ada@example.com",
        "iat": NOW.seconds(), "exp": NOW.seconds() + 60,
    });
    assert_eq!(Value::Object(signed.claims.into_rest()), expected);
}

#[rstest]
fn no_assertion_is_an_access_token_nor_the_other_way_round(
    #[values("HS256", "HS384", "HS512", "ES256", "EdDSA")] alg: &str,
) {
    // The audience is the same, so that nothing but the type tells them apart.
    let tokens = tokens(&[alg]);
    let access = issue(&tokens, "ada");
    let verified = tokens.verify(&access, NOW).unwrap();
    let key = tokens.keys().signing();
    let parsed = UnverifiedJwt::parse(&access).unwrap().verify(&key.material).unwrap();
    assert!(!parsed.is_of_type(TYPE));
    let assertion = key.sign(TYPE, parsed.claims.into_rest(), NOW, LIFETIME).unwrap();
    assert_eq!(tokens.verify(&assertion, NOW), Err(TokenError::Type));
    if let Some(text) = tokens.assertion(&verified, ONE, NOW).unwrap() {
        assert_eq!(tokens.verify(&text, NOW), Err(TokenError::Type));
    }
}

#[test]
fn a_recalled_token_brings_its_assertion_along() {
    let tokens = tokens(&["ES256"]);
    let access = issue(&tokens, "ada");
    let assertion = |at| {
        let verified = tokens.verify(&access, at).unwrap();
        tokens.assertion(&verified, ONE, at).unwrap().unwrap()
    };
    let first = assertion(NOW);
    assert!(Rc::ptr_eq(&first, &assertion(NOW.plus(IN_USE))));
    assert!(!Rc::ptr_eq(&first, &assertion(NOW.plus(IN_USE + Duration::from_secs(1)))));
}

#[rstest]
fn the_proof_of_a_login_says_for_whom_and_what_is_asked(#[values("ES256", "EdDSA")] alg: &str) {
    let tokens = tokens(&["HS256", alg]);
    let body = r#"{"username":"ada","password":"b\u00e9"}"#;
    let text = tokens.login_proof("https://App.example:443/internal/login?a=b", body, NOW);
    let text = text.unwrap().unwrap();
    let key = &tokens.keys().find(Some(alg)).unwrap().material;
    let signed = UnverifiedJwt::parse(&text).unwrap().verify(key).unwrap();
    assert!(signed.is_of_type(LOGIN_TYPE) && !signed.is_of_type(TYPE));
    let expected = json!({
        "iss": "https://guard", "aud": "https://app.example",
        // printf '%s' '{"username":"ada","password":"b\u00e9"}' | sha256sum
        "body_sha256": "2637410f5b0c99d70179ffaf5a10352b0c6d7d59013d5e08f0d2c52588ad7606",
        "iat": NOW.seconds(), "exp": NOW.seconds() + 60,
    });
    assert_eq!(Value::Object(signed.claims.into_rest()), expected);
    assert_eq!(tokens.verify(&text, NOW), Err(TokenError::Type));
    assert!(!text.contains("ada"));
}

#[test]
fn without_a_private_key_that_has_a_public_half_a_login_has_no_proof() {
    let proof = tokens(&["HS256", "RS256"]).login_proof(ONE, "{}", NOW);
    assert_eq!(proof, Ok(None));
}
