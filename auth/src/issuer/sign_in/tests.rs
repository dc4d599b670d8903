use super::*;
use crate::issuer::TrustedIssuer;
use crate::issuer::tests::parsed;
use rstest::rstest;
use serde_json::{Value, json};

fn entry() -> Value {
    json!({ "issuer": "https://login.staff.example", "client_id": "app" })
}

fn parse(changes: Value) -> Result<TrustedIssuer, String> {
    parsed(entry(), changes).map_err(|error| error.to_string())
}

fn settings(changes: Value) -> SignInSettings {
    parse(changes).unwrap().sign_in.unwrap()
}

#[test]
fn a_client_id_is_enough_to_sign_people_in() {
    let issuer = parse(json!({})).unwrap();
    assert_eq!((issuer.audience, issuer.jwks_uri), (vec!["app".to_owned()], None));
    let settings = issuer.sign_in.unwrap();
    assert_eq!((&*settings.name, &*settings.title), ("staff", "login.staff.example"));
    assert_eq!(settings.scope, "openid profile email");
    assert_eq!(settings.client_authentication, ClientAuthentication::None);
    assert_eq!(
        settings.callback_url("https://app.example", "/_auth"),
        "https://app.example/_auth/callback/staff"
    );
}

#[rstest]
#[case(json!({ "client_secret_name": "S" }), ClientAuthentication::Basic)]
#[case(json!({ "client_secret_name": "S", "client_authentication": "client_secret_basic" }), ClientAuthentication::Basic)]
#[case(json!({ "client_secret_name": "S", "client_authentication": "client_secret_post" }), ClientAuthentication::Post)]
#[case(json!({ "client_authentication": "private_key_jwt" }), ClientAuthentication::PrivateKeyJwt)]
#[case(json!({ "client_authentication": "none" }), ClientAuthentication::None)]
fn the_client_authenticates_as_the_settings_say(
    #[case] changes: Value,
    #[case] how: ClientAuthentication,
) {
    assert_eq!(settings(changes).client_authentication, how);
}

#[rstest]
#[case("https://accounts.google.com", "google", "Google")]
#[case("https://login.example.com", "example", "login.example.com")]
#[case("https://www.login.example.com/realms/a", "example", "www.login.example.com")]
#[case("https://dev-123.okta.com", "dev-123", "dev-123.okta.com")]
#[case("https://tenant.eu.auth0.com/", "tenant", "tenant.eu.auth0.com")]
#[case("http://localhost:8080", "localhost", "localhost")]
#[case("https://idp.example", "idp", "idp.example")]
#[case("https://ID.Example.com:8443", "example", "ID.Example.com")]
fn a_provider_is_named_by_its_host(#[case] issuer: &str, #[case] name: &str, #[case] title: &str) {
    let settings = settings(json!({ "issuer": issuer }));
    assert_eq!((&*settings.name, &*settings.title), (name, title));
}

#[rstest]
#[case(json!({ "client_id": "" }), "[0].client_id: expected a text")]
#[case(json!({ "client_id": null, "name": "staff" }), "[0].client_id: is required")]
#[case(json!({ "client_id": 7 }), "[0].client_id: expected a text, got 7")]
#[case(json!({ "name": "Staff" }), "[0].name: expected a name of at most 32 lower-case letters")]
#[case(json!({ "name": "-a" }), "[0].name: expected")]
#[case(json!({ "name": "a/b" }), "[0].name: expected")]
#[case(json!({ "name": "" }), "[0].name: expected")]
#[case(json!({ "name": "a".repeat(33) }), "[0].name: expected")]
#[case(json!({ "issuer": "https://127.0.0.1" }), "[0].name: is required")]
#[case(json!({ "issuer": "http://login.staff.example" }), "[0].issuer: expected an https URL")]
#[case(json!({ "issuer": "staff", "name": "a" }), "[0].issuer: expected an absolute URL")]
#[case(json!({ "client_secret_name": "hush" }), "[0].client_secret_name: expected the name of the variable")]
#[case(json!({ "client_secret_name": "S", "client_authentication": "none" }), "[0].client_secret_name: is of no use")]
#[case(json!({ "client_secret_name": "S", "client_authentication": "private_key_jwt" }), "[0].client_secret_name: is of no use")]
#[case(json!({ "client_authentication": "client_secret_post" }), "[0].client_secret_name: is required")]
#[case(json!({ "client_authentication": "client_secret_jwt" }), "[0].client_authentication: expected `client_secret_basic`")]
#[case(json!({ "scope": "profile email" }), "[0].scope: needs `openid`")]
#[case(json!({ "authorization": { "state": "x" } }), "[0].authorization.state: is not to be set here")]
#[case(json!({ "authorization": { "request_uri": "x" } }), "[0].authorization.request_uri: is not")]
#[case(json!({ "authorization": { "code_challenge_method": "plain" } }), "[0].authorization.code_challenge_method: is not")]
#[case(json!({ "authorization": { "response_mode": "form_post" } }), "[0].authorization.response_mode: is not")]
#[case(json!({ "authorization": { "max_age": -1 } }), "[0].authorization.max_age: expected a duration")]
#[case(json!({ "authorization": { "max_age": "1500ms" } }), "[0].authorization.max_age: expected whole seconds")]
#[case(json!({ "authorization": { "prompt": null } }), "[0].authorization.prompt: expected a text")]
#[case(json!({ "endpoints": { "token": "http://idp.example/token" } }), "[0].endpoints.token: expected an https URL")]
#[case(json!({ "endpoints": { "token": "https://idp.example/\u{e9}" } }), "[0].endpoints.token: expected a URL in ASCII")]
#[case(json!({ "endpoints": { "jwks": "https://idp.example/token" } }), "[0].endpoints.jwks: unknown member")]
#[case(json!({ "redirect_uri": "http://app.example/_auth/callback/staff" }), "[0].redirect_uri: expected an https URL")]
#[case(json!({ "pushed_authorization_requests": "yes" }), "[0].pushed_authorization_requests: expected true or false")]
#[case(json!({ "frontchannel_logout": 1 }), "[0].frontchannel_logout: expected true or false")]
#[case(json!({ "audience": "other" }), "[0].audience: needs `client_id` among its values")]
#[case(json!({ "userinfo": "yes" }), "[0].userinfo: expected true, or an object")]
#[case(json!({ "userinfo": { "email": "email" } }), "[0].userinfo.sub: is required")]
#[case(json!({ "userinfo": { "sub": "id", "iss": "a" } }), "[0].userinfo.iss: is no claim")]
#[case(json!({ "userinfo": { "sub": "id", "auth_time": "a" } }), "[0].userinfo.auth_time: is no claim")]
#[case(json!({ "userinfo": { "sub": "id" } }), "[0].endpoints.authorization: is required where `userinfo` is a mapping")]
fn a_wrong_member_is_named_with_what_to_change(#[case] changes: Value, #[case] says: &str) {
    let error = parse(changes).unwrap_err();
    assert!(error.starts_with(says), "{error}");
}

fn plain(changes: Value) -> Value {
    let endpoints = json!({
        "authorization": "https://idp.example/a",
        "token": "https://idp.example/t",
        "userinfo": "https://idp.example/u",
    });
    let mut all = json!({ "userinfo": { "sub": "id" }, "endpoints": endpoints });
    all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    all
}

#[test]
fn plain_oauth_has_no_audience_so_no_token_of_it_is_ever_taken() {
    let issuer = parse(plain(json!({}))).unwrap();
    assert!(issuer.audience.is_empty() && issuer.jwks_uri.is_none());
    let settings = issuer.sign_in.unwrap();
    assert!(settings.is_plain_oauth() && settings.scope.is_empty());
}

#[rstest]
#[case(json!({ "audience": "app" }), "[0].audience: is of no use")]
#[case(json!({ "jwks_uri": "https://idp.example/jwks" }), "[0].jwks_uri: is of no use")]
#[case(json!({ "access_tokens": { "audience": "a", "session_claim": "sid" } }), "[0].access_tokens: is of no use")]
fn plain_oauth_has_nothing_that_verifies_tokens(#[case] changes: Value, #[case] says: &str) {
    let error = parse(plain(changes)).unwrap_err();
    assert!(error.starts_with(says), "{error}");
}

#[rstest]
#[case::same_names("a", "a", false)]
#[case::other_names("a", "b", true)]
fn no_two_providers_have_one_name(#[case] one: &str, #[case] two: &str, #[case] fine: bool) {
    let entry = |issuer: &str, name: &str| json!({ "issuer": issuer, "client_id": "c", "name": name, "subject_prefix": format!("{issuer}|") });
    let list = json!([entry("https://a.example", one), entry("https://b.example", two)]);
    let read = TrustedIssuer::parse_list(&list.to_string(), "https://guard");
    assert_eq!(read.is_ok(), fine, "{read:?}");
    let says = "[1].name: another entry has the same one";
    assert!(fine || read.unwrap_err().to_string().starts_with(says));
}

#[rstest]
#[case(None, "https://a.example", None)]
#[case(Some("https://a.example/_auth/callback/staff"), "https://a.example", None)]
#[case(Some("https://a.example/_auth/callback/staff"), "https://A.example", None)]
#[case(Some("https://a.example/_auth/callback/staff"), "http://a.example", None)]
#[case(
    Some("https://a.example/_auth/callback/staff"),
    "https://a.example:8443",
    Some("https://a.example")
)]
#[case(
    Some("https://a.example/_auth/callback/staff"),
    "https://b.example",
    Some("https://a.example")
)]
fn a_sign_in_begins_where_it_comes_back_to(
    #[case] redirect_uri: Option<&str>,
    #[case] site: &str,
    #[case] other: Option<&str>,
) {
    let settings = settings(json!({ "redirect_uri": redirect_uri }));
    assert_eq!(settings.other_site(site), other);
    let known = redirect_uri.map_or(site, |_| "https://a.example");
    assert_eq!(settings.site_at_provider(site), known);
}

fn preset(provider: &str, changes: Value) -> Result<TrustedIssuer, String> {
    let entry = json!({ "provider": provider, "client_id": "app" });
    parsed(entry, changes).map_err(|error| error.to_string())
}

#[rstest]
#[case("keycloak", "https://id.example/realms/a", "Keycloak")]
#[case("auth0", "https://a.eu.auth0.com/", "Auth0")]
#[case("okta", "https://a.okta.com/oauth2/default", "Okta")]
#[case(
    "entra",
    "https://login.microsoftonline.com/12345678-abcd-abcd-abcd-1234567890ab/v2.0",
    "Microsoft"
)]
#[case(
    "cognito",
    "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123",
    "Amazon Cognito"
)]
#[case("zitadel", "https://login.example.com", "Zitadel")]
fn a_preset_signs_people_in_without_accepting_access_tokens(
    #[case] provider: &str,
    #[case] issuer: &str,
    #[case] title: &str,
) {
    let read = preset(provider, json!({ "issuer": issuer, "clock_tolerance": 5 })).unwrap();
    assert!(read.access_tokens.is_none() && read.jwks_uri.is_some());
    let settings = read.sign_in.unwrap();
    assert_eq!((&*settings.name, &*settings.title), (provider, title));
    let both = json!({ "issuer": issuer, "access_tokens": { "audience": "api", "clients": "c", "session_claim": "sid" } });
    assert!(preset(provider, both).unwrap().access_tokens.is_some());
}

#[test]
fn workos_signs_nobody_in_by_the_id_of_its_application() {
    let read = preset("workos", json!({ "client_id": "client_01" })).unwrap();
    assert!(read.sign_in.is_none() && read.access_tokens.is_some());
}

#[test]
fn github_is_plain_oauth_of_which_an_endpoint_can_be_anothers() {
    let read = preset("github", json!({ "client_secret_name": "S" })).unwrap();
    let settings = read.sign_in.unwrap();
    assert_eq!((&*settings.name, &*settings.scope), ("github", "read:user"));
    let UserInfo::Mapped(mapping) = &settings.user_info else { panic!("{settings:?}") };
    assert!(mapping.contains(&("sub".into(), ClaimPath::of("id"))));
    let own = json!({
        "issuer": "https://git.example",
        "endpoints": { "userinfo": "https://git.example/api/v3/user" },
        "userinfo": { "groups": "teams" },
    });
    let settings = preset("github", own).unwrap().sign_in.unwrap();
    let endpoints = &settings.endpoints;
    assert_eq!(endpoints.token.as_deref(), Some("https://git.example/login/oauth/access_token"));
    assert_eq!(endpoints.userinfo.as_deref(), Some("https://git.example/api/v3/user"));
    let UserInfo::Mapped(mapping) = &settings.user_info else { panic!("{settings:?}") };
    assert_eq!(mapping.len(), 5);
    let error = parsed(json!({ "provider": "github" }), json!({})).unwrap_err().to_string();
    assert!(error.starts_with("[0].client_id: is required"), "{error}");
}
