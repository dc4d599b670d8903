use super::*;
use rstest::rstest;

pub(crate) fn hs256_set(kids: &[&str]) -> KeySet {
    let key = |kid: &&str| {
        let k = "A".repeat(43 - kid.len()) + kid;
        format!(r#"{{"kty":"oct","alg":"HS256","kid":"{kid}","k":"{k}A"}}"#)
    };
    let keys = kids.iter().map(key).collect::<Vec<_>>().join(",");
    KeySet::parse(&format!(r#"{{"keys":[{keys}]}}"#)).unwrap()
}

const K: &str = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA";

#[rstest]
#[case("", "JWK Set")]
#[case("[]", "JWK Set")]
#[case(r#"{"keys":[]}"#, "no key")]
#[case(r#"{"keys":[{}]}"#, "`kty`")]
#[case(r#"{"keys":[{"kty":"oct","k":"K"}]}"#, "alg")]
#[case(r#"{"keys":[{"kty":"oct","alg":"none","k":"K"}]}"#, "not supported")]
#[case(r#"{"keys":[{"kty":"RSA","alg":"HS256","k":"K"}]}"#, "not supported")]
#[case(r#"{"keys":[{"kty":"oct","alg":"HS256","use":"enc","k":"K"}]}"#, "`use`")]
#[case(r#"{"keys":[{"kty":"oct","alg":"HS256","k":"c2VjcmV0"}]}"#, "32 bytes")]
#[case(r#"{"keys":[{"kty":"oct","alg":"HS256","k":"***"}]}"#, "base64url")]
#[case(r#"{"keys":[{"kty":"oct","alg":"HS256"}]}"#, "base64url")]
#[case(r#"{"keys":[{"kty":"oct","alg":"HS256","k":"K"}]}"#, "needs a `kid`")]
#[case(r#"{"keys":[{"kty":"oct","alg":"HS256","kid":"","k":"K"}]}"#, "needs a `kid`")]
#[case(r#"{"keys":[{"kty":"oct","alg":"HS256","kid":"a","k":"K"},{"kty":"oct","alg":"HS256","kid":"a","k":"K"}]}"#, "same `kid`")]
fn a_bad_key_set_is_refused_with_what_to_change(#[case] json: &str, #[case] says: &str) {
    let error = KeySet::parse(&json.replace('K', K)).unwrap_err().to_string();
    assert!(error.contains(says), "{error}");
    assert!(!error.contains(K), "the key is in the message: {error}");
}

#[test]
fn the_first_key_signs_and_all_are_found_by_kid() {
    let keys = hs256_set(&["new", "old"]);
    assert_eq!(keys.signing().kid, "new");
    assert_eq!(keys.find(Some("old")).unwrap().kid, "old");
    assert!(keys.find(Some("none")).is_none());
}

#[test]
fn a_token_without_kid_means_the_only_key_or_none() {
    assert!(hs256_set(&["a"]).find(None).is_some());
    assert!(hs256_set(&["a", "b"]).find(None).is_none());
}

#[test]
fn debug_output_tells_no_secret() {
    let json = format!(r#"{{"keys":[{{"kty":"oct","alg":"HS256","kid":"a","k":"{K}"}}]}}"#);
    let debug = format!("{:?}", KeySet::parse(&json).unwrap());
    assert!(debug.contains("HS256") && !debug.contains("secret-secret"), "{debug}");
}

#[test]
fn names_in_the_log_hang_on_the_key_that_signs() {
    let hashed = |kids: &[&str]| hs256_set(kids).log_key().pseudonym("m-001");
    assert_eq!(hashed(&["a", "b"]), hashed(&["a"]), "a key behind it changes nothing");
    assert_ne!(hashed(&["b", "a"]), hashed(&["a"]), "one in front of it does");
    let all = |kids: &[&str]| -> Vec<_> {
        let keys = hs256_set(kids);
        keys.log_keys().map(|(kid, key)| (kid.to_owned(), key.pseudonym("m-001"))).collect()
    };
    let expected = [("b", hashed(&["b"])), ("a", hashed(&["a"]))];
    assert_eq!(all(&["b", "a"]), expected.map(|(kid, name)| (kid.to_owned(), name)));
}
