use super::*;
use crate::keys::AlgorithmKey;
use crate::keys::tests::hs256_set;
use base64ct::{Base64UrlUnpadded, Encoding};
use jwt_compact::alg::Hs256;
use rstest::rstest;
use serde_json::json;

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

pub(crate) fn tokens(kids: &[&str]) -> Tokens {
    let keys = hs256_set(kids);
    Tokens::new("https://guard".into(), "members".into(), keys)
}

pub(crate) fn issue(tokens: &Tokens, sub: &str) -> String {
    let public = json!({ "email": "ada@example.com" });
    let grant = TokenGrant {
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
    let AlgorithmKey::Hs256(key) = &tokens.keys.signing().material else { panic!("no HS256 key") };
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
    let email = ("X-Auth-Request-Email".into(), "ada@example.com".to_owned());
    assert!(verified.identity().contains(&email), "{:?}", verified.identity());
    assert_eq!(verified.identity().len(), 4, "no registered claim is among them");
}

#[test]
fn a_token_names_the_client_that_it_is_issued_to_and_none_is_asked_for() {
    let claims = |tokens: &Tokens| tokens.claims(&issue(tokens, "ada"), NOW).unwrap();
    assert_eq!(claims(&tokens(&["a"]))["client_id"], "members");
    let tokens = tokens(&["a"]).with_client_id("web".into());
    assert_eq!(claims(&tokens)["client_id"], "web");
    let email = json!({ "email": "ada@example.com" });
    for client in [Value::Null, json!("other"), json!(7)] {
        let claims =
            with(with(good_claims(), "client_id", client), "email", email["email"].clone());
        let verified = tokens.verify(&forge(&tokens, &good_header(), &claims), NOW).unwrap();
        assert_eq!(Some(verified.public_claims()), email.as_object());
    }
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
#[case::no_claims("cty", json!("JWT"), TokenError::Malformed)]
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
    let public = json!({ "pad": "x".repeat(MAX_BYTES - 1000) });
    let sub = Subject::try_from("ada".to_owned()).unwrap();
    let grant = TokenGrant {
        sub: &sub,
        sid: &Sid::from_random([0; 16]),
        jti: "j",
        public: public.as_object().unwrap(),
        now: NOW,
        lifetime: Duration::from_secs(1),
    };
    assert_eq!(tokens.issue(&grant), Err(ClaimsTooLarge::Token));
}

#[test]
fn a_token_whose_origin_could_not_be_told_of_it_is_neither_issued_nor_taken() {
    let tokens = tokens(&["a"]);
    let roles = json!(["\u{436}".repeat(1300)]);
    let token = forge(&tokens, &good_header(), &with(good_claims(), "roles", roles.clone()));
    assert_eq!(tokens.verify(&token, NOW), Err(TokenError::TooLarge));
    let public = json!({ "roles": roles });
    let grant = TokenGrant {
        sub: &Subject::try_from("ada".to_owned()).unwrap(),
        sid: &Sid::from_random([0; 16]),
        jti: "j",
        public: public.as_object().unwrap(),
        now: NOW,
        lifetime: Duration::from_secs(1),
    };
    let error = tokens.issue(&grant).unwrap_err();
    assert!(error.to_string().contains("`roles`"), "{error}");
    let told = tokens.with_identity_headers(Preset::default(), identity::Encoding::Utf8);
    assert!(told.verify(&token, NOW).is_ok() && told.issue(&grant).is_ok());
}
