//! ID tokens in the shapes that providers document.

use super::*;

const AT: u64 = NOW.seconds();

/// What the shapes have in common, for the client `members`.
fn token(of: Value) -> Value {
    let common = json!({ "aud": "members", "iat": AT, "exp": AT + 3600 });
    changed(common, of)
}

fn google() -> Value {
    token(json!({
        "iss": "https://accounts.google.com", "azp": "members", "sub": "110169484474386276334",
        "at_hash": "HK6E_P6Dh8Y93mRNtsDB1Q", "hd": "example.com", "email": "jsmith@example.com",
        "email_verified": true, "nonce": "0394852-3190485-2490358", "jti": "9ddd",
    }))
}

fn entra() -> Value {
    token(json!({
        "ver": "2.0", "iss": "https://login.microsoftonline.com/9122040d-6c67-4c5b-b112-36a304b66dad/v2.0",
        "sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ", "nbf": AT - 300, "name": "Abe Lincoln",
        "preferred_username": "abe@example.com", "oid": "00000000-0000-0000-66f3-3332eca7ea81",
        "tid": "9122040d-6c67-4c5b-b112-36a304b66dad", "nonce": "123523", "aio": "Df2UVXL1ix!lMCWMSOJBcFatzcGfvFGhjKv8q5g0x732dR5MB5BisvGQO7YWByjd8iQDLq!eGbIDakyp5mnOrcdqHeYSnltepQmRp6AIZ8jY",
        "uti": "7s", "rh": "0.AX", "email": null,
    }))
}

fn okta() -> Value {
    token(json!({
        "ver": 1, "iss": "https://example.okta.com/oauth2/default", "sub": "00uid4BxXw6I6TV4m0g3",
        "jti": "ID.c4EsR3g1", "amr": ["pwd"], "idp": "00o3or8f6dXMhrbqu0g7", "auth_time": AT - 3,
        "at_hash": "preview", "name": "Saml Jackson", "email": "saml@example.com", "groups": ["Everyone"],
        "email_verified": true, "preferred_username": "saml@example.com", "zoneinfo": "America/Los_Angeles",
    }))
}

fn auth0() -> Value {
    token(json!({
        "iss": "https://example.eu.auth0.com/", "sub": "auth0|5c89", "sid": "sid-1", "nickname": "jane",
        "name": "Jane", "picture": "https://s.gravatar.com/a", "updated_at": "2026-11-26T10:00:00.000Z",
        "email": "jane@example.com", "email_verified": false, "https://members.example/roles": ["admin"],
        "auth_time": AT as f64 + 0.25, "org_id": "org_1",
    }))
}

fn keycloak() -> Value {
    token(json!({
        "iss": "https://sso.example/realms/crew", "sub": "f6a", "typ": "ID", "azp": "members", "sid": "",
        "jti": "1f", "auth_time": 0, "nonce": "", "session_state": "", "at_hash": "x", "acr": "1",
        "email_verified": false, "name": "Ada Winter", "groups": "crew", "given_name": "Ada",
        "preferred_username": "ada", "email": "ada@example.com", "realm_access": { "roles": ["x"] },
    }))
}

fn cognito() -> Value {
    token(json!({
        "iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a", "sub": "aaaaaaaa-bbbb",
        "token_use": "id", "cognito:username": "ada", "cognito:groups": ["crew"], "event_id": "4f",
        "origin_jti": "aa", "auth_time": AT, "email": "ada@example.com", "email_verified": true,
        "identities": [{ "userId": "1", "dateCreated": "1642699117273" }],
    }))
}

fn apple() -> Value {
    token(json!({
        "iss": "https://appleid.apple.com", "sub": "001999.a1b2.1713", "c_hash": "x", "auth_time": AT,
        "email": "x@privaterelay.appleid.com", "email_verified": "true", "is_private_email": "true",
        "nonce_supported": true, "real_user_status": 2, "transfer_sub": null,
    }))
}

fn adfs() -> Value {
    token(json!({
        "iss": "https://adfs.example/adfs", "sub": "/WCs8GE4aqX1LQ=", "upn": "ada@corp.example", "nbf": AT,
        "unique_name": "CORP\\ada", "sid": "S-1-5-21-34", "auth_time": AT, "group": "Domain Users",
        "apptype": "Confidential", "appid": "members", "authmethod": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
        "ver": "1.0", "scp": "openid", "mfa_auth_time": "2026-11-26", "pwd_url": "https://adfs.example/pwd",
    }))
}

fn slack() -> Value {
    token(json!({
        "iss": "https://slack.com", "sub": "U0R7MFMJM", "auth_time": AT, "nonce": "abcd", "at_hash": "tU",
        "https://slack.com/team_id": "T0R7GR", "https://slack.com/user_id": "U0R7MFMJM",
        "https://slack.com/team_image_default": true, "email": "krane@slack-corp.example",
        "email_verified": true, "date_email_verified": 1622128723, "locale": "en-US", "name": "krane",
    }))
}

fn uaa() -> Value {
    token(json!({
        "iss": "https://uaa.example/oauth/token", "sub": "5f3d", "aud": ["members"], "azp": "members",
        "cid": "members", "user_id": "5f3d", "user_name": "ada", "origin": "uaa", "zid": "uaa", "amr": ["pwd"],
        "scope": ["openid"], "auth_time": AT, "jti": "9c", "rev_sig": "7e", "client_id": "members",
        "email": "ada@example.com", "email_verified": false, "phone_number": null, "previous_logon_time": null,
        "roles": ["openid"], "grant_type": "authorization_code",
    }))
}

fn github_actions() -> Value {
    token(json!({
        "iss": "https://token.actions.githubusercontent.com", "jti": "x", "nbf": AT - 600, "exp": AT + 300,
        "sub": "repo:octo-org/octo-repo:environment:prod", "repository": "octo-org/octo-repo",
        "repository_visibility": "private", "run_id": "1", "run_attempt": "2", "head_ref": "", "base_ref": "",
        "runner_environment": "github-hosted", "ref": "refs/heads/main", "enterprise": null,
    }))
}

fn zitadel() -> Value {
    token(json!({
        "iss": "https://zitadel.example", "sub": "77776025198584418", "aud": ["members", "69234237810729019"],
        "azp": "members", "client_id": "members", "auth_time": AT, "nonce": null, "acr": null, "amr": ["pwd"],
        "sid": "V1_1", "at_hash": "x", "name": "Ada", "preferred_username": "ada@zitadel.example",
        "email": "ada@example.com", "email_verified": true, "locale": null, "updated_at": 1622128723,
        "urn:zitadel:iam:org:project:roles": { "admin": { "69": "example.com" } },
    }))
}

fn by_number() -> Value {
    token(json!({ "iss": "https://idp.example", "sub": 1234, "sid": 5, "aud": [42], "nonce": 7 }))
}

/// What is passed on unless the settings say otherwise.
#[rstest]
#[case::google(google(), json!({ "email": "jsmith@example.com", "email_verified": true }))]
#[case::entra(entra(), json!({ "name": "Abe Lincoln", "preferred_username": "abe@example.com" }))]
#[case::okta(okta(), json!({ "name": "Saml Jackson", "email": "saml@example.com", "email_verified": true, "preferred_username": "saml@example.com", "groups": ["Everyone"] }))]
#[case::auth0(auth0(), json!({ "name": "Jane", "email_verified": false }))]
#[case::keycloak(keycloak(), json!({ "name": "Ada Winter", "preferred_username": "ada", "email_verified": false, "groups": ["crew"] }))]
#[case::cognito(cognito(), json!({ "email": "ada@example.com", "email_verified": true }))]
#[case::apple(apple(), json!({ "email": "x@privaterelay.appleid.com", "email_verified": true }))]
#[case::adfs(adfs(), json!({}))]
#[case::slack(slack(), json!({ "name": "krane", "email": "krane@slack-corp.example", "email_verified": true }))]
#[case::uaa(uaa(), json!({ "email_verified": false, "roles": ["openid"] }))]
#[case::github_actions(github_actions(), json!({}))]
#[case::zitadel(zitadel(), json!({ "name": "Ada", "preferred_username": "ada@zitadel.example", "email": "ada@example.com", "email_verified": true }))]
fn a_token_in_a_providers_shape_says_who_it_is(#[case] claims: Value, #[case] passed_on: Value) {
    let issuer = issuer(json!({ "issuer": claims["iss"] }));
    let header =
        json!({ "typ": "JWT", "x5t": "dGhlIHRodW1icHJpbnQ", "jku": "https://evil.example/keys" });
    let read =
        read_with(&issuer, header, &claims, None).unwrap_or_else(|why| panic!("{why}: {claims}"));
    assert_eq!(read.sub.as_str(), claims["sub"]);
    assert_eq!(Value::Object(read.claims), passed_on);
    assert_eq!(read.issued.issuer, claims["iss"]);
}

#[test]
fn names_may_be_numbers() {
    let issuer = issuer(json!({ "audience": "42" }));
    let read = read_with(&issuer, json!({}), &by_number(), Some("7")).unwrap();
    assert_eq!((read.sub.as_str(), read.issued.sid.as_deref()), ("1234", Some("5")));
}

#[rstest]
#[case::cognito(cognito(), json!({ "cognito:groups": ["crew"], "cognito:username": "ada" }))]
#[case::auth0(auth0(), json!({ "https://members.example/roles": ["admin"] }))]
#[case::adfs(adfs(), json!({ "upn": "ada@corp.example", "group": "Domain Users" }))]
#[case::zitadel(zitadel(), json!({ "urn:zitadel:iam:org:project:roles": { "admin": { "69": "example.com" } } }))]
fn claims_of_any_name_are_passed_on_if_the_settings_name_them(
    #[case] claims: Value,
    #[case] wanted: Value,
) {
    let names: Vec<&String> = wanted.as_object().unwrap().keys().collect();
    let issuer = issuer(json!({ "issuer": claims["iss"], "claims": names }));
    let read = read_with(&issuer, json!({}), &claims, None).unwrap();
    assert_eq!(Value::Object(read.claims), wanted);
}

/// Access tokens that the same keys sign, for the same audience.
#[rstest]
#[case::keycloak(changed(keycloak(), json!({ "typ": "Bearer" })))]
#[case::keycloak_refresh(changed(keycloak(), json!({ "typ": "Refresh" })))]
#[case::keycloak_offline(changed(keycloak(), json!({ "typ": "Offline" })))]
#[case::cognito(changed(cognito(), json!({ "token_use": "access" })))]
#[case::odd(changed(cognito(), json!({ "token_use": ["id"] })))]
fn an_access_token_is_no_id_token(#[case] claims: Value) {
    let issuer = issuer(json!({ "issuer": claims["iss"] }));
    assert_eq!(read_with(&issuer, json!({}), &claims, None), Err(TokenError::Type));
}

/// As Entra ID sends for somebody in hundreds of groups.
#[test]
fn a_token_may_be_larger_than_an_access_token() {
    let groups: Vec<String> =
        (0..400).map(|n| format!("{n:08}-0000-0000-0000-000000000000")).collect();
    let claims = changed(entra(), json!({ "groups": groups }));
    let issuer = issuer(json!({ "issuer": claims["iss"] }));
    assert!(sign(json!({}), &claims).len() > 2 * crate::jwt::MAX_BYTES);
    assert_eq!(
        read_with(&issuer, json!({}), &claims, None).unwrap().claims["groups"][399],
        groups[399]
    );
    let overage = json!({ "_claim_names": { "groups": "src1" }, "_claim_sources": { "src1": { "endpoint": "https://graph.example/" } } });
    let read = read_with(&issuer, json!({}), &changed(entra(), overage), None).unwrap();
    assert!(!read.claims.contains_key("groups"));
    let pad = "x".repeat(crate::jwt::MAX_PROVIDER_BYTES);
    let huge = changed(entra(), json!({ "pad": pad }));
    assert_eq!(read_with(&issuer, json!({}), &huge, None), Err(TokenError::Malformed));
}
