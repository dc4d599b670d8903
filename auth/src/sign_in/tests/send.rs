use super::*;
use crate::site_hosts::SiteHosts;
use rstest::rstest;
use std::time::Duration;

fn parameters(issuer: &TrustedIssuer, query: &str, asked: StepUp) -> Value {
    let hints = SignInRequest::of_query(query, &SiteHosts::default()).hints;
    let metadata = metadata(issuer, json!({ "claims_parameter_supported": true }));
    let request = authorization_request(issuer, &metadata, &attempt(issuer, query, asked), &hints);
    let request = request.unwrap();
    let all = request.parameters().iter().map(|(name, value)| (name.clone(), value.clone().into()));
    Value::Object(all.collect())
}

#[test]
fn a_browser_is_sent_with_a_code_challenge_and_all_that_ties_the_answer_to_it() {
    let asked = StepUp::default();
    assert_eq!(
        parameters(&issuer(json!({})), "", asked),
        json!({
            "response_type": "code",
            "client_id": "app",
            "redirect_uri": "https://app.example/_auth/callback/staff",
            "scope": "openid profile email",
            "state": "AQEBAQEBAQEBAQEBAQEBAQ",
            "nonce": "AgICAgICAgICAgICAgICAg",
            // By Python's hashlib.
            "code_challenge": "3gJ7RmfVZlzn7-Pk8PXR_ZzJ8ZrsWHAD6Fiu4easwMY",
            "code_challenge_method": "S256",
        })
    );
}

#[rstest]
#[case(json!({}), "prompt=select_account&login_hint=ada%40a.example", json!({ "prompt": "select_account", "login_hint": "ada@a.example" }))]
#[case(json!({ "authorization": { "prompt": "login", "max_age": 600, "acr_values": ["a", "b"], "hd": "a.example" } }), "", json!({ "prompt": "login", "max_age": "600", "acr_values": "a b", "hd": "a.example" }))]
#[case(json!({ "authorization": { "prompt": "login" } }), "prompt=create", json!({ "prompt": "create" }))]
#[case(json!({}), "prompt=none&login_hint=", json!({}))]
#[case(json!({ "scope": ["openid", "groups"] }), "", json!({ "scope": "openid groups" }))]
fn settings_and_visitors_say_what_the_provider_is_asked(
    #[case] changes: Value,
    #[case] query: &str,
    #[case] more: Value,
) {
    let mut expected = parameters(&issuer(json!({})), "", StepUp::default());
    expected.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    assert_eq!(parameters(&issuer(changes), query, StepUp::default()), expected);
}

#[test]
fn what_a_page_asks_of_the_login_is_asked_for_on_the_way() {
    let asked = StepUp { max_age: Some(Duration::from_secs(300)), acr: Some(vec!["mfa".into()]) };
    let issuer = issuer(json!({ "authorization": { "max_age": 600, "acr_values": "any" } }));
    let sent = parameters(&issuer, "", asked);
    assert_eq!((&sent["max_age"], sent.get("acr_values")), (&json!("300"), None));
    let claims: Value = serde_json::from_str(sent["claims"].as_str().unwrap()).unwrap();
    assert_eq!(claims["id_token"]["acr"], json!({ "essential": true, "values": ["mfa"] }));
}

#[test]
fn a_strength_that_no_login_has_is_not_asked_for() {
    let asked = StepUp { max_age: None, acr: Some(Vec::new()) };
    let sent = parameters(&issuer(json!({})), "", asked);
    assert!(sent.get("acr_values").is_none() && sent.get("claims").is_none(), "{sent}");
}
