use super::*;
use crate::id_token::tests::{changed, key, sign};
use crate::issuer::tests::issuer;
use crate::token::tests::NOW;
use rstest::rstest;
use serde_json::json;

fn good() -> Value {
    json!({
        "iss": "https://idp.example", "aud": "members", "sub": "u-1", "sid": "s", "jti": "j",
        "iat": NOW.seconds(), "exp": NOW.seconds() + 60, "events": { EVENT: {} },
    })
}

fn read_with(header: Value, claims: &Value) -> Result<LogoutToken, TokenError> {
    let token = sign(header, claims);
    LogoutToken::read(Unverified::parse(&token)?, &key(), &issuer(json!({})), NOW)
}

fn read(changes: Value) -> Result<LogoutToken, TokenError> {
    read_with(json!({ "typ": "logout+jwt" }), &changed(good(), changes))
}

#[rstest]
#[case(json!({}), Whose::Session { sid: "s".into(), sub: Some("u-1".into()) })]
#[case(json!({ "sub": null }), Whose::Session { sid: "s".into(), sub: None })]
#[case(json!({ "sid": null }), Whose::User("u-1".into()))]
fn a_logout_token_names_a_session_or_a_user(#[case] changes: Value, #[case] whose: Whose) {
    assert_eq!(read(changes).unwrap().whose, whose);
}

#[rstest]
#[case(json!({ "sub": null, "sid": null }), TokenError::Malformed)]
#[case(json!({ "sub": "" }), TokenError::Malformed)]
#[case(json!({ "sid": 7 }), TokenError::Malformed)]
#[case(json!({ "jti": null }), TokenError::Malformed)]
#[case(json!({ "iat": null }), TokenError::Malformed)]
#[case(json!({ "exp": null }), TokenError::Malformed)]
#[case(json!({ "exp": NOW.seconds() - 5 }), TokenError::Expired)]
#[case(json!({ "iat": NOW.seconds() + 6 }), TokenError::NotYet)]
#[case(json!({ "iss": "https://evil.example" }), TokenError::Issuer)]
#[case(json!({ "aud": "others" }), TokenError::Audience)]
#[case(json!({ "events": null }), TokenError::Type)]
#[case(json!({ "events": {} }), TokenError::Type)]
#[case(json!({ "events": [EVENT] }), TokenError::Type)]
#[case(json!({ "events": { EVENT: true } }), TokenError::Type)]
#[case(json!({ "events": { "http://schemas.openid.net/event/other": {} } }), TokenError::Type)]
#[case(json!({ "nonce": "n" }), TokenError::Type)]
fn a_logout_token_is_refused(#[case] changes: Value, #[case] error: TokenError) {
    assert_eq!(read(changes), Err(error));
}

#[rstest]
#[case(json!({}), true)]
#[case(json!({ "typ": "JWT" }), true)]
#[case(json!({ "typ": "application/logout+jwt" }), true)]
#[case(json!({ "typ": "at+jwt" }), false)]
fn only_logout_tokens_are_taken_for_one(#[case] header: Value, #[case] accepted: bool) {
    assert_eq!(read_with(header, &good()).is_ok(), accepted);
}

#[test]
fn two_tokens_share_no_note() {
    let note = |changes| read(changes).unwrap().used_note();
    assert_eq!(note(json!({})), note(json!({ "sub": null })));
    assert_ne!(note(json!({})), note(json!({ "jti": "k" })));
}
