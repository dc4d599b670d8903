//! What the guard itself sends to a provider, and how it reads the answers.

use super::*;
use crate::jwt::UnverifiedJwt;
use base64ct::{Base64UrlUnpadded, Encoding};
use rstest::rstest;

/// The first key pair of RFC 8037, appendix A.
fn vouching() -> KeySet {
    let jwk = r#"{"kty":"OKP","crv":"Ed25519","kid":"e","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}"#;
    KeySet::parse(&format!(r#"{{"keys":[{jwk}]}}"#)).unwrap()
}

fn request_of(issuer: &TrustedIssuer, keys: &KeySet) -> Result<ProviderRequest, SignInFailure> {
    let metadata = metadata(issuer, json!({}));
    let client = Client { issuer, metadata: &metadata, keys, jti: [5; 16], now: NOW };
    token_request(&client, &attempt(issuer, "", StepUp::default()), "c&d")
}

fn header<'a>(request: &'a ProviderRequest, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(it, _)| *it == name).map(|(_, value)| &**value)
}

const EXCHANGE: &str = "grant_type=authorization_code&code=c%26d&redirect_uri=https%3A%2F%2Fapp.example%2F_auth%2Fcallback%2Fstaff&code_verifier=AwMDAwMDAwMDAwMDAwMDAwQEBAQEBAQEBAQEBAQEBAQ";

#[rstest]
#[case(json!({}), "&client_id=app", None)]
#[case(json!({ "client_secret_name": "S", "client_authentication": "client_secret_post" }), "&client_id=app&client_secret=p%3Aw%2F%2B%C3%A4", None)]
#[case(json!({ "client_secret_name": "S" }), "", Some("Basic YXBwOnAlM0F3JTJGJTJCJUMzJUE0"))]
fn a_code_is_exchanged_by_the_client(
    #[case] changes: Value,
    #[case] more: &str,
    #[case] authorization: Option<&str>,
) {
    let request = request_of(&issuer(changes), &keys()).unwrap();
    assert_eq!((request.method, &*request.url), ("POST", "https://idp.example/token"));
    assert_eq!(request.body.as_deref(), Some(&*format!("{EXCHANGE}{more}")));
    assert_eq!(header(&request, "authorization"), authorization);
    assert_eq!(header(&request, "accept"), Some("application/json"));
    assert_eq!(header(&request, "content-type"), Some("application/x-www-form-urlencoded"));
}

#[rstest]
#[case("app", "secret", "YXBwOnNlY3JldA==")]
#[case::colon_in_the_id("a:b", "c", "YSUzQWI6Yw==")]
#[case::of_app_auth(
    "1PpG/Q 1",
    "z/tZ9VwFZqApmIQ+ZH1I5pLk/uB4ud:X2/8bL+wfFTt1rFw=",
    "MVBwRyUyRlErMTp6JTJGdFo5VndGWnFBcG1JUSUyQlpIMUk1cExrJTJGdUI0dWQlM0FYMiUyRjhiTCUyQndmRlR0MXJGdyUzRA=="
)]
fn id_and_secret_are_encoded_as_in_forms_first(
    #[case] id: &str,
    #[case] secret: &str,
    #[case] expected: &str,
) {
    let mut issuer = issuer(json!({ "client_id": id, "client_secret_name": "S" }));
    issuer.sign_in.as_mut().unwrap().client_secret = Some(Secret::new(secret));
    let request = request_of(&issuer, &keys()).unwrap();
    assert_eq!(header(&request, "authorization"), Some(&*format!("Basic {expected}")));
}

#[rstest]
#[case(json!({}), "https://idp.example")]
#[case(json!({ "client_assertion_audience": "https://idp.example/token" }), "https://idp.example/token")]
fn a_client_without_a_secret_proves_itself_by_the_guards_key(
    #[case] changes: Value,
    #[case] audience: &str,
) {
    let mut members = json!({ "client_authentication": "private_key_jwt" });
    members.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let issuer = issuer(members);
    let request = request_of(&issuer, &vouching()).unwrap();
    let body = request.body.unwrap();
    let find = |name: &str| {
        let mut all = form_urlencoded::parse(body.as_bytes()).filter(|(it, _)| it == name);
        (all.next().unwrap().1.into_owned(), all.count()).0
    };
    assert_eq!(
        find("client_assertion_type"),
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    );
    assert_eq!(find("client_id"), "app");
    assert_eq!(header_names(&request.headers), ["accept", "content-type", "user-agent"]);
    let assertion = find("client_assertion");
    let keys = vouching();
    let read = UnverifiedJwt::parse(&assertion).unwrap();
    assert!(read.verify(&keys.vouching().unwrap().material).is_ok());
    let claims = assertion.split('.').nth(1).unwrap();
    let claims = Base64UrlUnpadded::decode_vec(claims).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    let (from, to) = (NOW.seconds(), NOW.seconds() + 60);
    let jti = "BQUFBQUFBQUFBQUFBQUFBQ";
    assert_eq!(
        claims,
        json!({ "iss": "app", "sub": "app", "aud": audience, "jti": jti, "iat": from, "exp": to })
    );
    let without = request_of(&issuer, &self::keys());
    assert!(matches!(without, Err(SignInFailure::Refused(_))));
}

fn header_names<'a>(headers: &[(&'a str, String)]) -> Vec<&'a str> {
    headers.iter().map(|(name, _)| *name).collect()
}

#[test]
fn parameters_are_left_at_the_provider_beforehand_where_it_says_so() {
    let issuer = issuer(json!({ "client_secret_name": "S" }));
    let says = json!({ "pushed_authorization_request_endpoint": "https://idp.example/par", "require_pushed_authorization_requests": true });
    let metadata = metadata(&issuer, says);
    let (attempt, keys) = (attempt(&issuer, "", StepUp::default()), keys());
    let request =
        authorization_request(&issuer, &metadata, &attempt, &SignInHints::default()).unwrap();
    assert!(request.is_pushed());
    let client =
        Client { issuer: &issuer, metadata: &metadata, keys: &keys, jti: [5; 16], now: NOW };
    let pushed = request.push(&client).unwrap();
    assert_eq!(pushed.url, "https://idp.example/par");
    let body = pushed.body.as_deref().unwrap();
    assert!(
        body.contains("&state=")
            && body.contains("&code_challenge=")
            && body.contains("client_id=app")
    );
    assert_eq!(body.matches("client_id=").count(), 1);
    assert!(header(&pushed, "authorization").unwrap().starts_with("Basic "));
    let url = request.url_of_pushed(201, r#"{"request_uri":"urn:a:b","expires_in":60}"#);
    assert_eq!(url.unwrap(), "https://idp.example/authorize?client_id=app&request_uri=urn%3Aa%3Ab");
    for (status, body) in [(200, "{}"), (400, "{\"error\":\"invalid_request\"}"), (201, "")] {
        let error = request.url_of_pushed(status, body).unwrap_err();
        assert_eq!(error.code(), "sign_in_refused", "{status}");
    }
    assert_eq!(request.url_of_pushed(503, "").unwrap_err().code(), "sign_in_unavailable");
}

#[rstest]
#[case(json!({}), json!({}), false)]
#[case(json!({}), json!({ "require_pushed_authorization_requests": true }), true)]
#[case(json!({ "pushed_authorization_requests": true }), json!({}), true)]
#[case(json!({ "pushed_authorization_requests": false }), json!({ "require_pushed_authorization_requests": true }), false)]
fn the_settings_or_the_provider_say_whether_they_are(
    #[case] changes: Value,
    #[case] says: Value,
    #[case] is_pushed: bool,
) {
    let issuer = issuer(changes);
    let metadata = metadata(&issuer, says);
    let attempt = attempt(&issuer, "", StepUp::default());
    let request =
        authorization_request(&issuer, &metadata, &attempt, &SignInHints::default()).unwrap();
    assert_eq!(request.is_pushed(), is_pushed);
    let keys = keys();
    let client =
        Client { issuer: &issuer, metadata: &metadata, keys: &keys, jti: [5; 16], now: NOW };
    assert!(request.push(&client).is_err(), "no endpoint is known");
}

#[rstest]
#[case("https://idp.example/a", "https://idp.example/a?response_type=code&client_id=")]
#[case("https://idp.example/a?p=B2C", "https://idp.example/a?p=B2C&response_type=code&client_id=")]
#[case("https://idp.example/a?", "https://idp.example/a?response_type=code&client_id=")]
fn an_endpoint_may_have_a_query_of_its_own(#[case] endpoint: &str, #[case] begins: &str) {
    let issuer = issuer(json!({ "client_id": "a&b" }));
    let metadata = metadata(&issuer, json!({ "authorization_endpoint": endpoint }));
    let attempt = attempt(&issuer, "", StepUp::default());
    let request =
        authorization_request(&issuer, &metadata, &attempt, &SignInHints::default()).unwrap();
    assert!(request.url().starts_with(&format!("{begins}a%26b&")), "{}", request.url());
}

const JSON: Option<&str> = Some("application/json; charset=utf-8");
const FORM: Option<&str> = Some("application/x-www-form-urlencoded; charset=utf-8");

fn plain() -> TrustedIssuer {
    let entry = json!({ "provider": "github", "client_id": "app", "client_secret_name": "S" });
    crate::issuer::tests::parsed(entry, json!({})).unwrap()
}

#[rstest]
#[case(200, JSON, r#"{"id_token":"i","access_token":"a","token_type":"Bearer"}"#)]
#[case::no_type(200, None, r#"{"id_token":"i","access_token":"a"}"#)]
#[case::text(
    200,
    Some("text/plain"),
    r#"{"id_token":"i","access_token":"a","token_type":"bearer","expires_in":"60"}"#
)]
#[case::bom(200, JSON, "\u{feff}{\"id_token\":\"i\",\"access_token\":\"a\"}")]
#[case::created(201, JSON, r#"{"id_token":"i","access_token":"a"}"#)]
#[case::null_members(
    200,
    JSON,
    r#"{"id_token":"i","access_token":"a","token_type":null,"scope":null,"refresh_token":null}"#
)]
fn tokens_are_read_however_providers_write_them(
    #[case] status: u16,
    #[case] content_type: Option<&str>,
    #[case] body: &str,
) {
    let read = read_token_response(&issuer(json!({})), status, content_type, body).unwrap();
    assert_eq!(read.id_token.as_ref().map(Secret::expose), Some("i"));
    assert_eq!(read.access_token.as_ref().map(Secret::expose), Some("a"));
    assert!(!format!("{read:?}").contains("\"i\""));
}

#[rstest]
#[case::refused_with_200(
    200,
    JSON,
    r#"{"error":"bad_verification_code","error_description":"x"}"#,
    "sign_in_expired"
)]
#[case::used_or_old(400, JSON, r#"{"error":"invalid_grant"}"#, "sign_in_expired")]
#[case::wrong_secret(401, JSON, r#"{"error":"invalid_client"}"#, "sign_in_refused")]
#[case::as_a_form(
    200,
    FORM,
    "error=incorrect_client_credentials&error_description=x",
    "sign_in_refused"
)]
#[case::an_object(400, JSON, r#"{"error":{"code":"invalid_grant"}}"#, "sign_in_expired")]
#[case::html(400, Some("text/html"), "<html>", "sign_in_refused")]
#[case::html_with_200(200, Some("text/html"), "<html>", "sign_in_refused")]
#[case::redirect(302, None, "", "sign_in_refused")]
#[case::empty(200, JSON, "", "sign_in_refused")]
#[case::a_list(200, JSON, "[]", "sign_in_refused")]
#[case::no_id_token(200, JSON, r#"{"access_token":"a"}"#, "sign_in_refused")]
#[case::null_id_token(200, JSON, r#"{"access_token":"a","id_token":null}"#, "sign_in_refused")]
#[case::twice(200, JSON, r#"{"id_token":"i","id_token":"j"}"#, "sign_in_refused")]
#[case::too_many(429, JSON, "{}", "sign_in_unavailable")]
#[case::away(503, Some("text/html"), "<html>", "sign_in_unavailable")]
#[case::later(400, JSON, r#"{"error":"temporarily_unavailable"}"#, "sign_in_unavailable")]
fn an_answer_without_tokens_says_why(
    #[case] status: u16,
    #[case] content_type: Option<&str>,
    #[case] body: &str,
    #[case] code: &str,
) {
    let failure = read_token_response(&issuer(json!({})), status, content_type, body).unwrap_err();
    assert_eq!(failure.code(), code, "{failure:?}");
}

#[test]
fn who_may_have_the_wrong_client_authentication_is_told() {
    let body = r#"{"error":"invalid_client","error_description":"bad"}"#;
    let failure = read_token_response(&issuer(json!({})), 401, JSON, body).unwrap_err();
    let cause = failure.cause().unwrap();
    assert!(cause.contains("client_secret_post") && cause.contains("bad"), "{cause}");
}

#[rstest]
#[case(JSON, r#"{"access_token":"gho_1","token_type":"bearer","scope":"read:user"}"#, true)]
#[case(FORM, "access_token=gho_1&scope=read%3Auser&token_type=bearer", true)]
#[case(Some("text/html"), "access_token=gho_1", false)]
#[case::dpop(JSON, r#"{"access_token":"a","token_type":"DPoP"}"#, false)]
#[case::header_injection(JSON, r#"{"access_token":"a\r\nb: c"}"#, false)]
#[case::space(JSON, r#"{"access_token":"a b"}"#, false)]
#[case::empty(JSON, r#"{"access_token":""}"#, false)]
#[case::number(JSON, r#"{"access_token":7}"#, false)]
fn plain_oauth_needs_an_access_token_that_can_be_sent(
    #[case] content_type: Option<&str>,
    #[case] body: &str,
    #[case] fine: bool,
) {
    let issuer = plain();
    let read = read_token_response(&issuer, 200, content_type, body);
    assert_eq!(read.is_ok(), fine, "{read:?}");
    if let Ok(tokens) = read {
        let (metadata, keys) = (ProviderMetadata::of_settings(&issuer).unwrap(), keys());
        let client =
            Client { issuer: &issuer, metadata: &metadata, keys: &keys, jti: [5; 16], now: NOW };
        let request = user_info_request(&client, &tokens).unwrap().unwrap();
        assert_eq!((request.method, &*request.url), ("GET", "https://api.github.com/user"));
        assert_eq!(header(&request, "authorization"), Some("Bearer gho_1"));
        assert!(header(&request, "user-agent").is_some(), "GitHub refuses requests without one");
    }
}

#[test]
fn user_information_is_asked_for_if_the_settings_say_so() {
    let tokens = TokenResponse { id_token: None, access_token: Some(Secret::new("a")) };
    let ask = |changes: Value, says: Value, tokens: &TokenResponse| {
        let issuer = issuer(changes);
        let (metadata, keys) = (metadata(&issuer, says), keys());
        let client =
            Client { issuer: &issuer, metadata: &metadata, keys: &keys, jti: [5; 16], now: NOW };
        user_info_request(&client, tokens).map(|it| it.map(|it| it.url))
    };
    assert_eq!(ask(json!({}), json!({}), &tokens), Ok(None));
    let wanted = || json!({ "userinfo": true });
    assert_eq!(ask(wanted(), json!({}), &tokens), Ok(Some("https://idp.example/userinfo".into())));
    assert!(ask(wanted(), json!({ "userinfo_endpoint": null }), &tokens).is_err());
    let none = TokenResponse { id_token: None, access_token: None };
    assert!(ask(wanted(), json!({}), &none).is_err());
}

#[rstest]
#[case(200, JSON, r#"{"sub":"7"}"#, None)]
#[case(200, Some("text/plain"), r#"{"sub":7}"#, None)]
#[case(401, JSON, r#"{"error":"invalid_token"}"#, Some("sign_in_refused"))]
#[case(403, JSON, r#"{"message":"Forbidden"}"#, Some("sign_in_refused"))]
#[case(200, Some("application/jwt"), "a.b.c", Some("sign_in_refused"))]
#[case(200, JSON, "[]", Some("sign_in_refused"))]
#[case(200, JSON, r#"{"sub":"7","sub":"8"}"#, Some("sign_in_refused"))]
#[case(302, None, "", Some("sign_in_refused"))]
#[case(500, None, "", Some("sign_in_unavailable"))]
fn user_information_is_json(
    #[case] status: u16,
    #[case] content_type: Option<&str>,
    #[case] body: &str,
    #[case] code: Option<&str>,
) {
    let read = read_user_info(status, content_type, body);
    assert_eq!(read.as_ref().err().map(SignInFailure::code), code, "{read:?}");
}

#[rstest]
#[case(
    Some("i"),
    Some(
        "https://idp.example/logout?id_token_hint=i&client_id=app&post_logout_redirect_uri=https%3A%2F%2Fapp.example%2F_auth%2Flogged-out"
    )
)]
#[case(
    None,
    Some(
        "https://idp.example/logout?client_id=app&post_logout_redirect_uri=https%3A%2F%2Fapp.example%2F_auth%2Flogged-out"
    )
)]
fn a_logout_goes_on_to_the_provider(#[case] hint: Option<&str>, #[case] url: Option<&str>) {
    let issuer = issuer(json!({}));
    let back = "https://app.example/_auth/logged-out";
    let found = end_session_url(&issuer, &metadata(&issuer, json!({})), hint, back);
    assert_eq!(found.as_deref(), url);
    let without = metadata(&issuer, json!({ "end_session_endpoint": null }));
    assert_eq!(end_session_url(&issuer, &without, hint, back), None);
    let long =
        end_session_url(&issuer, &metadata(&issuer, json!({})), Some(&"x".repeat(5000)), back);
    assert!(!long.unwrap().contains("id_token_hint"));
}

#[rstest]
#[case("iss=https%3A%2F%2Fidp.example&sid=7", true)]
#[case("iss=https%3A%2F%2Fidp.example", false)]
#[case("sid=7", false)]
#[case("iss=&sid=7", false)]
#[case("iss=a&sid=7&sid=8", false)]
#[case("iss=a&iss=b&sid=7", false)]
#[case("", false)]
fn a_logout_in_a_frame_names_the_provider_and_its_session_once(
    #[case] query: &str,
    #[case] fine: bool,
) {
    let read = FrontchannelLogout::read(query);
    assert_eq!(read.is_some(), fine, "{read:?}");
}
