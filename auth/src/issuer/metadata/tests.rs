use super::*;
use crate::issuer::tests::parsed;
use crate::time::Timestamp;
use rstest::rstest;
use serde_json::json;
use std::rc::Rc;
use std::time::Duration;

fn issuer(changes: Value) -> TrustedIssuer {
    let entry = json!({ "issuer": "https://idp.example", "client_id": "app", "name": "staff" });
    parsed(entry, changes).unwrap()
}

fn document(changes: Value) -> String {
    let mut all = json!({
        "issuer": "https://idp.example",
        "authorization_endpoint": "https://idp.example/a",
        "token_endpoint": "https://idp.example/t",
        "jwks_uri": "https://idp.example/k",
    });
    all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    all.to_string()
}

fn read(changes: Value) -> Result<ProviderMetadata, String> {
    ProviderMetadata::parse(&document(changes), &issuer(json!({})))
}

#[test]
fn what_is_not_said_is_not_there() {
    let read = read(json!({ "userinfo_endpoint": null, "end_session_endpoint": "" })).unwrap();
    assert_eq!(read.authorization_endpoint, "https://idp.example/a");
    assert_eq!(read.jwks_uri.as_deref(), Some("https://idp.example/k"));
    assert_eq!((read.userinfo_endpoint, read.end_session_endpoint), (None, None));
    assert!(!read.requires_par && !read.sends_iss && !read.takes_claims);
}

#[rstest]
#[case::slash(json!({ "issuer": "https://idp.example/" }), "with or without a slash at its end")]
#[case::tenants(json!({ "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0" }), "the issuer \"https://login.microsoftonline.com/{tenantid}/v2.0\"")]
#[case::another(json!({ "issuer": "https://evil.example" }), "has the issuer \"https://evil.example\"")]
#[case::case(json!({ "issuer": "https://IDP.example" }), "has the issuer")]
#[case::none(json!({ "issuer": null }), "has no `issuer`")]
#[case::a_list(json!({ "issuer": ["https://idp.example"] }), "has no `issuer`")]
#[case(json!({ "token_endpoint": "http://idp.example/t" }), "wrong `token_endpoint`: expected an https URL")]
#[case(json!({ "token_endpoint": "/t" }), "wrong `token_endpoint`: expected an absolute URL")]
#[case(json!({ "token_endpoint": "https://idp.example/\u{e9}" }), "wrong `token_endpoint`: expected a URL in ASCII")]
#[case(json!({ "token_endpoint": "https://idp.example/a b" }), "wrong `token_endpoint`: expected a URL in ASCII")]
#[case(json!({ "token_endpoint": 7 }), "wrong `token_endpoint`: expected a URL")]
#[case(json!({ "authorization_endpoint": "javascript:alert(1)" }), "wrong `authorization_endpoint`")]
#[case(json!({ "authorization_endpoint": "https://a@evil.example/" }), "wrong `authorization_endpoint`")]
#[case(json!({ "authorization_endpoint": null }), "names no `authorization_endpoint`")]
#[case(json!({ "end_session_endpoint": "data:text/html,x" }), "wrong `end_session_endpoint`")]
fn a_document_that_leads_astray_is_refused(#[case] changes: Value, #[case] says: &str) {
    let error = read(changes).unwrap_err();
    assert!(error.contains(says), "{error}");
}

#[rstest]
#[case("")]
#[case("[]")]
#[case("<html></html>")]
#[case(r#"{"issuer":"https://idp.example","issuer":"https://idp.example"}"#)]
fn what_is_no_plain_object_is_refused(#[case] text: &str) {
    let error = ProviderMetadata::parse(text, &issuer(json!({}))).unwrap_err();
    assert!(error.contains("is no JSON object"), "{error}");
}

#[test]
fn what_the_settings_say_stands_before_what_the_provider_says() {
    let issuer = issuer(json!({
        "jwks_uri": "https://own.example/k",
        "endpoints": { "token": "https://own.example/t", "end_session": "https://own.example/e" },
    }));
    let document = document(json!({ "token_endpoint": "http://broken.example" }));
    let read = ProviderMetadata::parse(&document, &issuer).unwrap();
    assert_eq!(read.token_endpoint, "https://own.example/t");
    assert_eq!(read.end_session_endpoint.as_deref(), Some("https://own.example/e"));
    assert_eq!(read.jwks_uri.as_deref(), Some("https://own.example/k"));
    assert_eq!(read.authorization_endpoint, "https://idp.example/a");
}

#[rstest]
#[case("https://idp.example", "https://idp.example/.well-known/openid-configuration")]
#[case("https://a.auth0.com/", "https://a.auth0.com/.well-known/openid-configuration")]
#[case(
    "https://idp.example/realms/a",
    "https://idp.example/realms/a/.well-known/openid-configuration"
)]
fn the_document_is_below_the_issuer(#[case] iss: &str, #[case] url: &str) {
    assert_eq!(ProviderMetadata::discovery_url(&issuer(json!({ "issuer": iss }))), url);
}

const AUTHORIZATION: &str = "https://idp.example/a";
const TOKEN: &str = "https://idp.example/t";

#[rstest]
#[case(json!({ "endpoints": { "authorization": AUTHORIZATION, "token": TOKEN }, "jwks_uri": "https://idp.example/k" }), true)]
#[case(json!({ "endpoints": { "authorization": AUTHORIZATION, "token": TOKEN } }), false)]
#[case(json!({ "endpoints": { "authorization": AUTHORIZATION }, "jwks_uri": "https://idp.example/k" }), false)]
#[case(json!({ "jwks_uri": "https://idp.example/k" }), false)]
#[case(json!({ "userinfo": { "sub": "id" }, "endpoints": { "authorization": AUTHORIZATION, "token": TOKEN, "userinfo": TOKEN } }), true)]
fn a_provider_whose_settings_say_all_is_not_asked(#[case] changes: Value, #[case] all: bool) {
    let issuer = issuer(changes);
    let metadata = ProviderMetadata::of_settings(&issuer);
    assert_eq!(metadata.is_some(), all);
    let cache = ProviderMetadataCache::of(metadata);
    let found = cache.look(Timestamp::from_millis(0));
    assert_eq!(matches!(found, MetadataLookup::Use(_)), all, "{found:?}");
}

/// What a cache says, in a letter, at a second.
fn look(cache: &ProviderMetadataCache, second: u64) -> char {
    match cache.look(at(second)) {
        MetadataLookup::Use(_) => 'u',
        MetadataLookup::UseAndFetch(_) => 'r',
        MetadataLookup::Fetch => 'f',
        MetadataLookup::Wait => 'w',
        MetadataLookup::Unavailable => '-',
    }
}

fn at(second: u64) -> Timestamp {
    Timestamp::from_millis(0).plus(Duration::from_secs(second))
}

#[test]
fn one_request_asks_and_the_others_wait_or_use_what_is_old() {
    let cache = ProviderMetadataCache::default();
    assert_eq!([look(&cache, 0), look(&cache, 1), look(&cache, 6)], ['f', 'w', 'f']);
    cache.answered(None, at(6));
    assert_eq!([look(&cache, 6), look(&cache, 7), look(&cache, 7)], ['-', 'f', 'w']);
    cache.answered(read(json!({})).ok(), at(7));
    assert_eq!([look(&cache, 8), look(&cache, 3606)], ['u', 'u']);
    // Old ones serve, however long nobody answers.
    assert_eq!([look(&cache, 3607), look(&cache, 3608)], ['r', 'u']);
    cache.answered(None, at(3609));
    assert_eq!([look(&cache, 3668), look(&cache, 3669)], ['u', 'r']);
    cache.answered(None, at(3670));
    assert_eq!(look(&cache, 1_000_000), 'r');
    let MetadataLookup::Use(known) = cache.look(at(1_000_001)) else { panic!("it is asked for") };
    assert_eq!(known, Rc::new(read(json!({})).unwrap()));
}
