//! Who has signed in.

use super::*;
use crate::id_token::IdToken;
use crate::id_token::tests::{key, sign};
use crate::jwt::UnverifiedJwt;
use crate::login::AuthenticatedUser;
use rstest::rstest;
use std::time::Duration;

fn token(issuer: &TrustedIssuer, changes: Value) -> IdToken {
    let mut claims = json!({
        "iss": "https://idp.example", "aud": "app", "sub": "7", "nonce": "AgICAgICAgICAgICAgICAg",
        "iat": NOW.seconds(), "exp": NOW.seconds() + 60,
    });
    claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let text = sign(json!({}), &claims);
    let signed = UnverifiedJwt::parse_of_provider(&text).unwrap().verify(&key()).unwrap();
    IdToken::read(signed, issuer, Some("AgICAgICAgICAgICAgICAg"), NOW).unwrap()
}

fn info(claims: &Value) -> UserInfoClaims {
    read_user_info(200, None, &claims.to_string()).unwrap()
}

fn sign_in(
    changes: Value,
    asked: StepUp,
    claims: Value,
    said: Option<Value>,
) -> Result<AuthenticatedUser, SignInFailure> {
    let issuer = issuer(changes);
    let attempt = attempt(&issuer, "", asked);
    let said = said.map(|said| info(&said));
    user_of_id_token(&attempt, &issuer, token(&issuer, claims), said, false, NOW)
}

fn asked(max_age: Option<u64>, acr: Option<&str>) -> StepUp {
    StepUp {
        max_age: max_age.map(Duration::from_secs),
        acr: acr.map(|acr| vec![acr.into(), "other".into()]),
    }
}

/// How long ago the login was that the provider tells of.
fn ago(seconds: i64) -> Value {
    json!(NOW.seconds().saturating_add_signed(-seconds))
}

#[rstest]
#[case::nothing_asked(asked(None, None), json!({}), true)]
#[case::fresh(asked(Some(300), None), json!({ "auth_time": ago(0) }), true)]
#[case::as_old_as_it_may_be(asked(Some(300), None), json!({ "auth_time": ago(300) }), true)]
#[case::clocks_differ(asked(Some(300), None), json!({ "auth_time": ago(360) }), true)]
#[case::too_old(asked(Some(300), None), json!({ "auth_time": ago(361) }), false)]
#[case::not_said(asked(Some(300), None), json!({}), false)]
#[case::null(asked(Some(300), None), json!({ "auth_time": null }), false)]
#[case::a_text(asked(Some(300), None), json!({ "auth_time": ago(5).to_string() }), true)]
#[case::no_text_of_a_time(asked(Some(300), None), json!({ "auth_time": "now" }), false)]
#[case::with_a_fraction(asked(Some(300), None), json!({ "auth_time": NOW.seconds() as f64 - 1.5 }), true)]
#[case::milliseconds(asked(Some(300), None), json!({ "auth_time": NOW.millis() }), false)]
#[case::ahead_as_clocks_are(asked(Some(300), None), json!({ "auth_time": ago(-60) }), true)]
#[case::ahead(asked(Some(300), None), json!({ "auth_time": ago(-61) }), false)]
#[case::negative(asked(Some(300), None), json!({ "auth_time": -1 }), false)]
#[case::strong(asked(None, Some("mfa")), json!({ "acr": "mfa" }), true)]
#[case::one_of_several(asked(None, Some("mfa")), json!({ "acr": "other" }), true)]
#[case::weak(asked(None, Some("mfa")), json!({ "acr": "pwd" }), false)]
#[case::another_case(asked(None, Some("mfa")), json!({ "acr": "MFA" }), false)]
#[case::none(asked(None, Some("mfa")), json!({}), false)]
#[case::a_list(asked(None, Some("mfa")), json!({ "acr": ["mfa"] }), false)]
#[case::a_number(asked(None, Some("1")), json!({ "acr": 1 }), true)]
#[case::fresh_but_weak(asked(Some(300), Some("mfa")), json!({ "auth_time": ago(0), "acr": "pwd" }), false)]
#[case::strong_but_old(asked(Some(300), Some("mfa")), json!({ "auth_time": ago(400), "acr": "mfa" }), false)]
fn a_login_is_as_fresh_and_strong_as_was_asked(
    #[case] asked: StepUp,
    #[case] claims: Value,
    #[case] fine: bool,
) {
    let outcome = sign_in(json!({}), asked, claims, None);
    assert_eq!(outcome.is_ok(), fine, "{outcome:?}");
    if let Err(failure) = outcome {
        assert_eq!(failure.code(), "sign_in_not_enough");
        assert!(failure.cause().is_some());
    }
}

#[test]
fn the_settings_can_ask_for_a_fresh_login_of_everybody() {
    let changes = || json!({ "authorization": { "max_age": 60 } });
    assert!(sign_in(changes(), asked(None, None), json!({}), None).is_err());
    let hour_ago = json!({ "auth_time": ago(3600) });
    assert!(sign_in(changes(), asked(Some(7200), None), hour_ago, None).is_err());
    assert!(sign_in(changes(), asked(None, None), json!({ "auth_time": ago(30) }), None).is_ok());
}

#[test]
fn what_is_said_of_the_login_is_in_the_guards_token() {
    let claims = json!({ "auth_time": ago(5), "acr": 2, "email": "ada@a.example", "secret": "x" });
    let user = sign_in(json!({}), asked(None, None), claims, None).unwrap();
    let expected = json!({ "auth_time": ago(5), "acr": "2", "email": "ada@a.example" });
    assert_eq!(Value::Object(user.claims), expected);
    assert_eq!(user.issued.unwrap().issuer, "https://idp.example");
}

#[test]
fn a_login_of_unknown_age_counts_as_old_where_a_rule_asks() {
    let issuer = issuer(json!({}));
    let attempt = attempt(&issuer, "", StepUp::default());
    let user = |claims: Value| {
        user_of_id_token(&attempt, &issuer, token(&issuer, claims), None, true, NOW).unwrap().claims
    };
    assert_eq!(user(json!({}))["auth_time"], 0);
    assert_eq!(user(json!({ "auth_time": ago(9) }))["auth_time"], ago(9));
}

#[test]
fn an_id_token_that_is_exchanged_is_no_fresher_login_than_a_sign_in() {
    let mut issuer = issuer(json!({}));
    let exchanged = |issuer: &TrustedIssuer, claims: Value, asks: bool| {
        with_login(token(issuer, claims), issuer, asks, NOW).claims.get("auth_time").cloned()
    };
    assert_eq!(exchanged(&issuer, json!({}), true), Some(json!(0)));
    assert_eq!(exchanged(&issuer, json!({ "auth_time": ago(9) }), true), Some(ago(9)));
    assert_eq!(exchanged(&issuer, json!({}), false), None);
    issuer.sign_in = None;
    assert_eq!(exchanged(&issuer, json!({}), true), None);
}

#[rstest]
#[case::completed(json!({ "groups": ["crew"] }), json!({ "sub": "7", "email": "ada@a.example" }), json!({ "groups": ["crew"], "email": "ada@a.example" }))]
#[case::the_token_wins(json!({ "groups": ["crew"] }), json!({ "sub": "7", "groups": ["board"] }), json!({ "groups": ["crew"] }))]
#[case::a_number(json!({}), json!({ "sub": 7, "groups": "crew" }), json!({ "groups": ["crew"] }))]
#[case::an_address_and_its_proof_are_of_one_source(json!({ "email_verified": true }), json!({ "sub": "7", "email": "b@a.example" }), json!({ "email": "b@a.example" }))]
#[case::the_tokens_own(json!({ "email": "a@a.example" }), json!({ "sub": "7", "email": "b@a.example", "email_verified": true }), json!({ "email": "a@a.example" }))]
#[case::unverified(json!({}), json!({ "sub": "7", "email": "b@a.example", "email_verified": false }), json!({ "email_verified": false }))]
#[case::what_is_of_the_login(json!({}), json!({ "sub": "7", "auth_time": ago(1), "acr": "mfa", "sid": "9", "exp": 1 }), json!({}))]
fn user_information_completes_the_token(
    #[case] claims: Value,
    #[case] said: Value,
    #[case] expected: Value,
) {
    let user = sign_in(json!({}), asked(None, None), claims, Some(said)).unwrap();
    assert_eq!(Value::Object(user.claims), expected);
}

#[rstest]
#[case(json!({ "sub": "8" }))]
#[case(json!({ "sub": "" }))]
#[case(json!({ "sub": ["7"] }))]
#[case(json!({ "email": "ada@a.example" }))]
fn user_information_of_another_user_is_refused(#[case] said: Value) {
    let outcome = sign_in(json!({}), asked(None, None), json!({}), Some(said));
    assert!(matches!(outcome, Err(SignInFailure::Refused(_))), "{outcome:?}");
}

#[test]
fn who_may_sign_in_is_judged_by_all_that_is_said() {
    let changes = || json!({ "allow": { "team": "blue", "email_domain": "a.example" }, "deny": { "sub": "9" } });
    let verified =
        |team: &str| json!({ "team": team, "email": "ada@a.example", "email_verified": true });
    let user = sign_in(changes(), asked(None, None), verified("blue"), None).unwrap();
    assert!(!user.claims.contains_key("team"), "it need not be passed on");
    let by_info = json!({ "sub": "7", "email": "ada@a.example", "email_verified": true });
    let blue = json!({ "team": "blue", "email_verified": true });
    assert!(sign_in(changes(), asked(None, None), blue.clone(), Some(by_info)).is_ok());
    let unproved = json!({ "sub": "7", "email": "ada@a.example" });
    let outcome = sign_in(changes(), asked(None, None), blue, Some(unproved));
    assert_eq!(outcome.unwrap_err().code(), "sign_in_not_allowed");
    let mut nine = verified("blue");
    nine["sub"] = json!("9");
    assert_eq!(
        sign_in(changes(), asked(None, None), nine, None).unwrap_err().code(),
        "sign_in_not_allowed"
    );
    // And so it is if the ID token is exchanged.
    let issuer = issuer(changes());
    assert!(AuthenticatedUser::by_issuer(token(&issuer, verified("red")), &issuer).is_err());
    assert!(AuthenticatedUser::by_issuer(token(&issuer, verified("blue")), &issuer).is_ok());
}

fn by_github(
    changes: Value,
    asked: StepUp,
    said: &Value,
) -> Result<AuthenticatedUser, SignInFailure> {
    let entry = json!({ "provider": "github", "client_id": "app", "subject_prefix": "github|" });
    let issuer = crate::issuer::tests::parsed(entry, changes).unwrap();
    user_of_plain_oauth(&attempt(&issuer, "", asked), &issuer, &info(said), false, NOW)
}

#[test]
fn a_user_of_github_is_known_by_a_number_as_text() {
    let said =
        json!({ "id": 583_231, "login": "ada", "name": "Ada", "email": null, "site_admin": false });
    let user = by_github(json!({}), asked(None, None), &said).unwrap();
    assert_eq!(user.sub.as_str(), "github|583231");
    let expected = json!({ "preferred_username": "ada", "name": "Ada" });
    assert_eq!(Value::Object(user.claims), expected);
    assert_eq!(user.issued.unwrap().sid, None);
    let allow = || json!({ "allow": { "preferred_username": ["ada", "bob"] } });
    assert!(by_github(allow(), asked(None, None), &said).is_ok());
    let eve = json!({ "id": 1, "login": "eve" });
    assert_eq!(
        by_github(allow(), asked(None, None), &eve).unwrap_err().code(),
        "sign_in_not_allowed"
    );
    let by_id = || json!({ "allow": { "sub": ["583231"] } });
    assert!(by_github(by_id(), asked(None, None), &said).is_ok());
}

#[rstest]
#[case(json!({ "login": "ada" }))]
#[case(json!({ "id": null, "login": "ada" }))]
#[case(json!({ "id": "", "login": "ada" }))]
#[case(json!({ "id": [7], "login": "ada" }))]
#[case::a_fraction(json!({ "id": 7.5, "login": "ada" }))]
#[case::too_large_to_be_read_exactly(json!({ "id": 1e20, "login": "ada" }))]
#[case(json!({ "id": true, "login": "ada" }))]
fn user_information_without_an_id_is_nobodys(#[case] said: Value) {
    assert!(by_github(json!({}), asked(None, None), &said).is_err());
}

#[test]
fn plain_oauth_cannot_say_how_fresh_or_strong_a_login_was() {
    let said = json!({ "id": 7, "login": "ada", "email": "ada@a.example" });
    for asked in [asked(Some(300), None), asked(None, Some("mfa"))] {
        assert_eq!(by_github(json!({}), asked, &said).unwrap_err().code(), "sign_in_not_enough");
    }
    let by_domain = json!({ "allow": { "email_domain": "a.example" } });
    let failure = by_github(by_domain.clone(), asked(None, None), &said).unwrap_err();
    assert!(failure.cause().unwrap().contains("trust_email"));
    let mut trusted = by_domain;
    trusted["trust_email"] = json!(true);
    assert!(by_github(trusted, asked(None, None), &said).is_ok());
}

#[test]
fn claims_that_no_token_has_room_for_are_named_in_the_log() {
    let groups = Vec::from_iter((0..500).map(|n| format!("group-{n}")));
    let failure =
        sign_in(json!({}), asked(None, None), json!({ "groups": groups }), None).unwrap_err();
    assert!(failure.cause().unwrap().contains("`groups` is the largest"), "{failure:?}");
}
