//! What `docs/verify-requests.md` tells an origin in Rust to do, word for word, done with the guard's
//! assertions.

mod user_of;

use auth::keys::KeySet;
use auth::session::{Sid, Subject};
use auth::time::Timestamp;
use auth::token::{TokenGrant, Tokens};
use jsonwebtoken::jwk::JwkSet;
use rstest::rstest;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use user_of::user_of;

const GUARD: &str = "https://app.example.com";
const ORIGIN: &str = "https://origin.example.com";

fn tokens(issuer: &str, audience: &str) -> Tokens {
    let data: serde_json::Value = serde_json::from_str(include_str!("../data/keys.json")).unwrap();
    let all = data["keys"].as_array().unwrap();
    let jwk = all.iter().find(|jwk| jwk["kid"] == "ES256").unwrap();
    let keys = KeySet::parse(&serde_json::json!({ "keys": [jwk] }).to_string()).unwrap();
    Tokens::new(issuer.into(), audience.into(), keys)
}

/// The snippet reads the ambient clock.
fn now() -> Timestamp {
    #[allow(clippy::disallowed_methods)]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(now.as_millis() as u64)
}

fn access_token(tokens: &Tokens, now: Timestamp) -> String {
    let sub = &Subject::try_from("ada".to_owned()).unwrap();
    let (sid, public) = (&Sid::from_random([7; 16]), &serde_json::Map::new());
    let grant = TokenGrant { sub, sid, jti: "j", public, now, lifetime: Duration::from_secs(60) };
    tokens.issue(&grant).unwrap()
}

fn assertion(tokens: &Tokens, audience: &str, now: Timestamp) -> String {
    let verified = tokens.verify(&access_token(tokens, now), now).unwrap();
    tokens.assertion(&verified, audience, now).unwrap().unwrap().to_string()
}

fn published(tokens: &Tokens) -> JwkSet {
    serde_json::from_value(tokens.keys().public()).unwrap()
}

#[test]
fn the_documentation_says_the_same() {
    let page = include_str!("../../../docs/verify-requests.md");
    let snippet = page.split("```rust\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(include_str!("user_of.rs"), snippet);
}

#[test]
fn an_assertion_of_the_guard_says_whose_request_it_is() {
    let guard = tokens(GUARD, "members");
    let user = user_of(&assertion(&guard, ORIGIN, now()), &published(&guard));
    assert_eq!(user.unwrap(), "ada");
}

#[rstest]
#[case::for_another_origin(assertion(&tokens(GUARD, "members"), "https://other.example", now()))]
#[case::of_another_guard(assertion(&tokens("https://other.example", "members"), ORIGIN, now()))]
#[case::that_is_over(assertion(&tokens(GUARD, "members"), ORIGIN, Timestamp::from_millis(now().millis() - 66_000)))]
#[case::an_access_token(access_token(&tokens(GUARD, ORIGIN), now()))]
#[case::nothing(String::new())]
fn another_does_not(#[case] assertion: String) {
    let keys = published(&tokens(GUARD, "members"));
    assert!(user_of(&assertion, &keys).is_err());
}
