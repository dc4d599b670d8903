use super::*;
use crate::id_token::tests::{changed, key, sign};
use crate::issuer::tests::issuer;
use crate::jwt::UnverifiedJwt;
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
    let signed = UnverifiedJwt::parse_of_provider(&token)?.verify(&key())?;
    LogoutToken::read(signed, &issuer(json!({})), NOW)
}

fn read(changes: Value) -> Result<LogoutToken, TokenError> {
    read_with(json!({ "typ": "logout+jwt" }), &changed(good(), changes))
}

#[rstest]
#[case(json!({}), LogoutSubject::Session { sid: "s".into(), sub: Some("u-1".into()) })]
#[case(json!({ "sub": null }), LogoutSubject::Session { sid: "s".into(), sub: None })]
#[case(json!({ "sub": "" }), LogoutSubject::Session { sid: "s".into(), sub: None })]
#[case(json!({ "sid": null }), LogoutSubject::User("u-1".into()))]
#[case(json!({ "sid": "" }), LogoutSubject::User("u-1".into()))]
#[case(json!({ "sub": 7, "sid": 8 }), LogoutSubject::Session { sid: "8".into(), sub: Some("7".into()) })]
fn a_logout_token_names_a_session_or_a_user(#[case] changes: Value, #[case] whose: LogoutSubject) {
    assert_eq!(read(changes).unwrap().whose, whose);
}

#[rstest]
#[case(json!({ "sub": null, "sid": null }), TokenError::Malformed)]
#[case(json!({ "sub": "", "sid": "" }), TokenError::Malformed)]
#[case(json!({ "sid": ["s"] }), TokenError::Malformed)]
#[case(json!({ "jti": "" }), TokenError::Malformed)]
#[case(json!({ "jti": null }), TokenError::Malformed)]
#[case(json!({ "iat": null }), TokenError::Malformed)]
#[case(json!({ "exp": null, "iat": NOW.seconds() - 180 }), TokenError::Expired)]
#[case(json!({ "exp": NOW.seconds() - 60 }), TokenError::Expired)]
#[case(json!({ "iat": NOW.seconds() + 61 }), TokenError::NotYet)]
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

#[test]
fn without_exp_it_is_good_for_two_minutes_from_iat_on() {
    let at = |seconds| read(json!({ "exp": null, "iat": NOW.seconds() - seconds }));
    assert_eq!(at(0).unwrap().over.seconds(), NOW.seconds() + 120 + 60);
    assert!(at(179).is_ok());
    assert_eq!(at(180), Err(TokenError::Expired));
    let mut claims = good();
    for name in ["exp", "nonce"] {
        claims[name] = Value::Null;
    }
    assert!(read_with(json!({}), &claims).is_ok(), "null says nothing");
}

#[rstest]
#[case(json!({ EVENT: {} }))]
#[case(json!({ EVENT: { "sid_iss": "x" } }))]
#[case(json!({ EVENT: {}, "http://schemas.openid.net/event/other": {} }))]
fn events_may_say_more(#[case] events: Value) {
    assert!(read(json!({ "events": events })).is_ok());
}

#[rstest]
#[case(json!({}), true)]
#[case(json!({ "typ": "JWT" }), true)]
#[case(json!({ "typ": "LOGOUT+JWT", "jku": "https://idp.example/keys", "kid": 7 }), true)]
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
