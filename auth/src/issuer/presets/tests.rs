//! Tokens in the form that each provider documents. The sources are those of the table.

use super::*;
use crate::id_token::tests::{changed, key, sign};
use crate::issuer::{AccessTokenClaims, TrustedIssuer};
use crate::jwt::{TokenError, UnverifiedJwt};
use crate::token::tests::NOW;
use rstest::rstest;
use serde_json::json;

mod examples;

use examples::{TENANT, example};

fn parse(entry: Value) -> Result<TrustedIssuer, InvalidValue> {
    let list = json!([entry]).to_string();
    TrustedIssuer::parse_list(&list, "https://guard").map(|mut all| all.remove(0))
}

fn read(entry: Value, header: Value, claims: &Value) -> Result<AccessTokenClaims, TokenError> {
    let token = sign(header, claims);
    let read = parse(entry)
        .unwrap()
        .read_access_token(UnverifiedJwt::parse_of_provider(&token)?.verify(&key())?)?;
    read.period.judge(NOW).map(|()| read)
}

#[rstest]
#[case("auth0", json!({
    "sub": "p|auth0|65f1", "session": "s-1", "client": "spa",
    "public": { "roles": ["crew"], "scope": "openid read:boats", "permissions": ["read:boats"] },
}))]
#[case("clerk", json!({
    "sub": "p|user_2", "session": "sess_1", "client": "https://www.acme.example",
    "public": { "roles": ["admin"], "org_id": "org_1", "org_slug": "acme" },
}))]
#[case("supabase", json!({
    "sub": "p|6a1f", "session": "0b5f", "acr": "aal2", "auth_time": 1_500, "authenticated": 1_000,
    "public": { "roles": ["authenticated"], "email": "a@b.example", "is_anonymous": false },
}))]
#[case("cognito", json!({
    "sub": "p|aaaa", "session": "o-1", "client": "app-1", "auth_time": 1_000, "authenticated": 1_000,
    "public": { "roles": ["crew"], "groups": ["crew"], "scope": "openid", "username": "ada" },
}))]
#[case("keycloak", json!({
    "sub": "p|f:1", "session": "k-1", "client": "spa", "acr": "1", "auth_time": 1_000,
    "authenticated": 1_000,
    "public": {
        "roles": ["crew", "offline_access"], "scope": "openid email", "email": "a@b.example",
        "email_verified": true, "preferred_username": "ada",
    },
}))]
#[case("okta", json!({
    "sub": "p|00u1", "session": "102", "client": "0oa1", "auth_time": 1_000, "authenticated": 1_000,
    "public": { "roles": ["crew"], "groups": ["crew"], "scope": "openid boats" },
}))]
#[case("entra", json!({
    "sub": "p|o-1", "session": "s-1", "client": "spa",
    "public": { "roles": ["crew"], "scope": "boats.read" },
}))]
#[case("firebase", json!({
    "sub": "p|u-1", "session": "[\"1000\",null]", "auth_time": 1_000, "authenticated": 1_000,
    "public": { "roles": ["crew"], "email_verified": false, "sign_in_provider": "password" },
}))]
#[case("workos", json!({
    "sub": "p|user_1", "session": "session_1",
    "public": { "roles": ["member"], "org_id": "org_1", "permissions": ["boats:read"] },
}))]
#[case("zitadel", json!({
    "sub": "p|2", "session": "V2_31", "client": "spa", "public": { "roles": ["crew", "board"] },
}))]
fn a_documented_token_is_accepted_and_says_who_it_is(
    #[case] provider: &str,
    #[case] expected: Value,
) {
    let (entry, header, claims) = example(provider);
    let read = read(entry, header, &claims).unwrap();
    let found = json!({
        "sub": read.sub.as_str(), "session": read.session, "client": read.client, "acr": read.acr,
        "auth_time": read.auth_time.map(|at| at.seconds()),
        "authenticated": read.authenticated.seconds(), "public": read.public,
    });
    let usual = json!({
        "client": null, "acr": null, "auth_time": null, "authenticated": NOW.seconds(),
    });
    let expected = expected.as_object().unwrap().iter().fold(usual, |mut all, (name, value)| {
        all[name] = value.clone();
        all
    });
    assert_eq!(found, expected);
}

/// What is refused of every provider.
#[rstest]
#[case("auth0")]
#[case("clerk")]
#[case("supabase")]
#[case("cognito")]
#[case("keycloak")]
#[case("okta")]
#[case("entra")]
#[case("firebase")]
#[case("workos")]
#[case("zitadel")]
fn a_token_of_another_kind_is_refused(#[case] provider: &str) {
    let (entry, header, claims) = example(provider);
    let refused = |header: Value, changes: Value| {
        read(entry.clone(), header, &changed(claims.clone(), changes)).unwrap_err()
    };
    let with = |changes: Value| refused(header.clone(), changes);
    assert_eq!(refused(json!({ "typ": "logout+jwt" }), json!({})), TokenError::Type);
    assert_eq!(with(json!({ "at_hash": "x" })), TokenError::Type, "an ID token");
    assert_eq!(with(json!({ "token_use": "id" })), TokenError::Type);
    assert_eq!(with(json!({ "typ": "ID" })), TokenError::Type);
    assert_eq!(with(json!({ "events": { "e": {} } })), TokenError::Type, "a logout token");
    assert_eq!(with(json!({ "cnf": { "jkt": "x" } })), TokenError::Bound);
    assert_eq!(with(json!({ "iss": "https://evil.example" })), TokenError::Issuer);
    assert_eq!(with(json!({ "aud": "others" })), TokenError::Audience);
    assert_eq!(with(json!({ "exp": NOW.seconds() - 11 })), TokenError::Expired);
    assert_eq!(with(json!({ "iat": NOW.seconds() + 11 })), TokenError::NotYet);
    assert_eq!(with(json!({ "exp": null })), TokenError::Malformed);
}

#[rstest]
// An ID token: `aud` is the client, and it has a `sid`.
#[case("auth0", json!({}), json!({ "aud": "spa", "sid": "s-1", "azp": null }), TokenError::Audience)]
#[case("auth0", json!({}), json!({ "https://session-guard/session_id": null, "sid": "s-1" }), NO_SESSION)]
#[case("clerk", json!({}), json!({ "sid": null }), NO_SESSION)]
#[case("clerk", json!({}), json!({ "sid": "" }), NO_SESSION)]
#[case("clerk", json!({}), json!({ "sts": "pending" }), TokenError::Requirement)]
#[case("clerk", json!({}), json!({ "azp": null }), TokenError::Client)]
#[case("clerk", json!({}), json!({ "azp": "https://evil.example" }), TokenError::Client)]
#[case("clerk", json!({ "typ": "at+jwt" }), json!({}), TokenError::Type)]
// The API keys `anon` and `service_role`, which are JWTs without `aud`, and an ID token for an application.
#[case("supabase", json!({}), json!({ "session_id": null }), NO_SESSION)]
#[case("supabase", json!({}), json!({ "aud": null, "session_id": null, "role": "anon" }), TokenError::Audience)]
#[case("supabase", json!({}), json!({ "aud": "app", "session_id": null }), TokenError::Audience)]
#[case("supabase", json!({}), json!({ "iss": "https://zyxwvuts.supabase.co/auth/v1" }), TokenError::Issuer)]
#[case("cognito", json!({}), json!({ "token_use": null }), TokenError::Requirement)]
#[case("cognito", json!({}), json!({ "client_id": "app-2" }), TokenError::Client)]
#[case("cognito", json!({}), json!({ "client_id": null }), TokenError::Client)]
#[case("cognito", json!({}), json!({ "origin_jti": null }), NO_SESSION)]
#[case("cognito", json!({}), json!({ "iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Xyz" }), TokenError::Issuer)]
#[case("keycloak", json!({}), json!({ "typ": null }), TokenError::Requirement)]
#[case("keycloak", json!({}), json!({ "typ": "Refresh" }), TokenError::Requirement)]
#[case("keycloak", json!({}), json!({ "typ": "DPoP" }), TokenError::Requirement)]
#[case("keycloak", json!({}), json!({ "sid": "" }), NO_SESSION)]
#[case("keycloak", json!({}), json!({ "azp": "other" }), TokenError::Client)]
#[case("keycloak", json!({}), json!({ "azp": "spa", "client_id": "other" }), TokenError::Client)]
#[case("keycloak", json!({}), json!({ "azp": ["spa"] }), TokenError::Malformed)]
#[case("keycloak", json!({}), json!({ "iss": "https://login.acme.example/realms/other" }), TokenError::Issuer)]
#[case("okta", json!({}), json!({ "session_id": null }), NO_SESSION)]
#[case("okta", json!({}), json!({ "cid": null, "scp": null, "idp": "00o" }), TokenError::Requirement)]
#[case("okta", json!({}), json!({ "uid": null }), TokenError::Malformed)]
#[case("okta", json!({}), json!({ "iss": "https://acme.okta.com" }), TokenError::Issuer)]
#[case("entra", json!({}), json!({ "sid": null }), NO_SESSION)]
// An ID token for the same application, and a token of an application for itself.
#[case("entra", json!({}), json!({ "scp": null, "nonce": "n" }), TokenError::Requirement)]
#[case("entra", json!({}), json!({ "scp": null, "idtyp": "app" }), TokenError::Requirement)]
#[case("entra", json!({}), json!({ "tid": "87654321-abcd-abcd-abcd-1234567890ab" }), TokenError::Requirement)]
#[case("entra", json!({}), json!({ "iss": "https://login.microsoftonline.com/87654321-abcd-abcd-abcd-1234567890ab/v2.0" }), TokenError::Issuer)]
#[case("firebase", json!({}), json!({ "auth_time": null }), NO_SESSION)]
#[case("firebase", json!({}), json!({ "sub": "[\"tenant\",\"u-1\"]" }), TokenError::Malformed)]
#[case("firebase", json!({}), json!({ "iss": "https://securetoken.google.com/other" }), TokenError::Issuer)]
// A session cookie.
#[case("firebase", json!({}), json!({ "iss": "https://session.firebase.google.com/acme" }), TokenError::Issuer)]
#[case("workos", json!({}), json!({ "sid": null }), NO_SESSION)]
#[case("workos", json!({}), json!({ "iss": "https://api.workos.com/user_management/client_2" }), TokenError::Issuer)]
// An ID token has no `jti`.
#[case("zitadel", json!({}), json!({ "jti": null, "sid": "V1_5" }), NO_SESSION)]
#[case("zitadel", json!({}), json!({ "jti": "31" }), NO_SESSION)]
#[case("zitadel", json!({}), json!({ "jti": "-at_32" }), NO_SESSION)]
fn a_token_that_is_not_meant_is_refused(
    #[case] provider: &str,
    #[case] header: Value,
    #[case] changes: Value,
    #[case] expected: TokenError,
) {
    let (entry, usual, claims) = example(provider);
    let error = read(entry, changed(usual, header), &changed(claims, changes)).unwrap_err();
    match (error, expected) {
        (TokenError::NoSession(why), NO_SESSION) => assert!(!why.is_empty()),
        (error, expected) => assert_eq!(error, expected),
    }
}

const NO_SESSION: TokenError = TokenError::NoSession("");

#[rstest]
#[case("auth0", json!({ "typ": "at+jwt" }), json!({ "client_id": "spa", "azp": null, "jti": "j" }))]
#[case("clerk", json!({}), json!({ "o": null, "org_role": "org:admin" }))]
#[case("clerk", json!({}), json!({ "sts": "active" }))]
#[case("supabase", json!({}), json!({ "amr": ["password"], "client_id": "oauth" }))]
#[case("keycloak", json!({ "typ": "application/AT+jwt" }), json!({}))]
#[case("keycloak", json!({}), json!({ "aud": ["account", "other"], "auth_time": 0 }))]
#[case("entra", json!({ "x5t": "x" }), json!({ "iss": format!("https://sts.windows.net/{TENANT}/"), "azp": null, "appid": "spa", "ver": "1.0" }))]
#[case("firebase", json!({}), json!({ "auth_time": 1_000.5, "firebase": { "tenant": "t" } }))]
#[case("workos", json!({ "typ": "JWT" }), json!({ "iss": "https://api.workos.com/user_management/client_1" }))]
#[case("workos", json!({}), json!({ "iss": "https://api.workos.com/", "aud": "client_1" }))]
#[case("zitadel", json!({ "typ": null }), json!({ "urn:zitadel:iam:org:project:roles": { "crew": {} } }))]
fn so_is_another_form_of_it(#[case] provider: &str, #[case] header: Value, #[case] changes: Value) {
    let (entry, usual, claims) = example(provider);
    let claims = changed(claims, changes);
    let read = read(entry, changed(usual, header), &claims);
    // A session that is named by a time must be named alike in all tokens.
    let is_fraction = claims["auth_time"].is_f64();
    assert_eq!(read.is_ok(), !is_fraction, "{read:?}");
}

#[test]
fn users_and_sessions_of_two_tenants_of_firebase_are_told_apart() {
    let (entry, header, claims) = example("firebase");
    let of = |tenant: Value| {
        let claims = changed(claims.clone(), json!({ "firebase": { "tenant": tenant } }));
        let read = read(entry.clone(), header.clone(), &claims).unwrap();
        (read.sub.as_str().to_owned(), read.session)
    };
    assert_eq!(of(Value::Null), ("p|u-1".into(), r#"["1000",null]"#.into()));
    assert_eq!(of("t".into()), (r#"p|["t","u-1"]"#.into(), r#"["1000","t"]"#.into()));
}

#[rstest]
#[case("auth0", "https://acme.eu.auth0.com/.well-known/jwks.json")]
#[case("clerk", "https://clerk.acme.example/.well-known/jwks.json")]
#[case("supabase", "https://abcdefgh.supabase.co/auth/v1/.well-known/jwks.json")]
#[case(
    "cognito",
    "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC/.well-known/jwks.json"
)]
#[case("keycloak", "https://login.acme.example/realms/staff/protocol/openid-connect/certs")]
#[case("okta", "https://acme.okta.com/oauth2/default/v1/keys")]
#[case(
    "entra",
    "https://login.microsoftonline.com/12345678-abcd-abcd-abcd-1234567890ab/discovery/v2.0/keys"
)]
#[case(
    "firebase",
    "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com"
)]
#[case("workos", "https://api.workos.com/sso/jwks/client_1")]
#[case("zitadel", "https://acme.zitadel.cloud/oauth/v2/keys")]
fn the_keys_are_where_the_provider_has_them(#[case] provider: &str, #[case] uri: &str) {
    let issuer = parse(example(provider).0).unwrap();
    assert_eq!(issuer.jwks_uri.as_deref(), Some(uri));
    assert!(issuer.audience.is_empty(), "its ID tokens are refused");
    assert!(issuer.access_tokens.unwrap().max_session.is_none());
}

#[rstest]
#[case(json!({ "provider": "auth1" }), "provider: expected one of auth0, clerk,")]
#[case(json!({ "provider": 7 }), "provider: expected a text")]
#[case(json!({ "provider": "auth0" }), "issuer: is required")]
#[case(json!({ "provider": "entra" }), "issuer: is required, or `tenant`")]
#[case(json!({ "provider": "auth0", "issuer": "https://a.auth0.com" }), "issuer: expected Auth0's `iss`, which ends with a slash")]
#[case(json!({ "provider": "auth0", "issuer": "https://a.auth0.com/" }), "access_tokens.audience: is required")]
#[case(json!({ "provider": "clerk", "issuer": "http://clerk.example.com" }), "issuer: expected an https URL")]
#[case(json!({ "provider": "cognito", "pool": "eu-west-1_A" }), "access_tokens.clients: is required where `audience` has null")]
#[case(json!({ "provider": "cognito", "pool": "eu-west-1/A" }), "pool: expected an id")]
#[case(json!({ "provider": "cognito", "pool": "pool" }), "issuer: expected Cognito's `iss`")]
#[case(json!({ "provider": "okta", "issuer": "https://acme.okta.com" }), "issuer: expected a custom authorization server's `iss`")]
#[case(json!({ "provider": "okta", "issuer": "https://acme.okta.com/oauth2/" }), "issuer: expected a custom")]
#[case(json!({ "provider": "entra", "tenant": "common" }), "issuer: expected `https://login.microsoftonline.com/TENANT/v2.0` with the id of one tenant")]
#[case(json!({ "provider": "entra", "tenant": "organizations" }), "issuer: expected")]
#[case(json!({ "provider": "entra", "issuer": "https://login.microsoftonline.com/common/v2.0" }), "issuer: expected")]
#[case(json!({ "provider": "entra", "issuer": "https://login.example/x/v2.0" }), "issuer: expected")]
#[case(json!({ "provider": "firebase", "issuer": "https://securetoken.google.com/" }), "issuer: expected `https://securetoken")]
#[case(json!({ "provider": "workos", "issuer": "https://auth.acme.example" }), "issuer: expected")]
#[case(json!({ "provider": "keycloak", "issuer": "https://login.example.com/" }), "issuer: expected a realm's `iss`")]
#[case(json!({ "provider": "zitadel", "issuer": "https://a.example/", }), "issuer: expected")]
#[case(json!({ "provider": "auth0", "issuer": "https://a.auth0.com/", "tenant": "a" }), "access_tokens.audience: is required")]
#[case(json!({ "provider": "firebase", "project": "a", "tenant": "a" }), "tenant: unknown member")]
#[case(json!({ "provider": "firebase", "project": "a", "access_tokens": true }), "access_tokens: expected an object")]
#[case(json!({ "provider": "firebase", "project": "a", "issuer": "https://guard" }), "issuer: expected the provider's `iss`, which is not ISSUER")]
#[case(json!({ "provider": "workos", "client_id": "a", "access_tokens": { "issuers": ["https://guard"] } }), "access_tokens.issuers: expected the provider's `iss`, which is not ISSUER")]
fn a_preset_says_what_it_lacks(#[case] entry: Value, #[case] says: &str) {
    let error = parse(entry).unwrap_err().to_string();
    assert!(error.starts_with(&format!("[0].{says}")), "{error}");
}

#[test]
fn what_the_entry_says_itself_counts() {
    let entry = json!({
        "provider": "keycloak", "issuer": "https://login.acme.example/realms/staff",
        "jwks_uri": "https://keys.example/", "algorithms": ["ES256"], "clock_tolerance": 30,
        "access_tokens": {
            "audience": "boats", "roles_claim": "/resource_access/boats/roles", "groups_claim": null,
            "require": { "typ": ["Bearer", "X"], "acr": "1" }, "max_session": "10 hours", "session_ttl": "1 hour", "forward": false,
            "agents": ["bot"],
        },
    });
    let issuer = parse(entry).unwrap();
    assert_eq!(issuer.jwks_uri.as_deref(), Some("https://keys.example/"));
    let rules = issuer.access_tokens.unwrap();
    assert_eq!(rules.roles_claim[0].to_string(), "/resource_access/boats/roles");
    assert_eq!((rules.groups_claim.len(), rules.forward), (0, false));
    let required = Vec::from_iter(rules.require.iter().map(ToString::to_string));
    assert_eq!(required, [r#"`acr` = "1""#, r#"`typ` = "Bearer" or "X""#]);
    assert_eq!(rules.session_claim.to_string(), "`sid`", "the rest is the preset's");
    assert_eq!(rules.clock_tolerance.as_secs(), 30);
    assert_eq!(rules.max_session.map(|it| it.as_secs()), Some(36_000));
    assert!(rules.is_agent(Some("bot")) && !rules.is_agent(Some("spa")) && !rules.is_agent(None));
}

#[test]
fn a_further_requirement_takes_none_of_the_presets_away() {
    let (mut entry, header, claims) = example("cognito");
    entry["access_tokens"]["require"] = json!({ "username": "ada" });
    assert!(read(entry.clone(), header.clone(), &claims).is_ok());
    for changes in [json!({ "token_use": null }), json!({ "username": "eve" })] {
        let read = read(entry.clone(), header.clone(), &changed(claims.clone(), changes));
        assert_eq!(read.unwrap_err(), TokenError::Requirement);
    }
}

#[test]
fn two_entries_do_not_accept_one_iss() {
    let workos = |client: &str, issuers: Value| {
        json!({
            "provider": "workos", "client_id": client, "subject_prefix": "p|",
            "access_tokens": { "issuers": issuers },
        })
    };
    let parse = |all: Value| TrustedIssuer::parse_list(&all.to_string(), "https://guard");
    let old = json!(["https://api.workos.com"]);
    let error = parse(json!([workos("a", old.clone()), workos("b", old.clone())])).unwrap_err();
    assert!(error.to_string().starts_with("[1].issuer: has an `iss` that another"), "{error}");
    assert!(parse(json!([workos("a", old), workos("b", json!([]))])).is_ok());
}
