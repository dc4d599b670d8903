use super::*;
use crate::redirect::LocalTarget;
use crate::step_up::StepUp;
use rstest::rstest;
use std::time::Duration;

const ROUTES: &str = r#"[
    {"path": "/bank/*", "access": "session", "max_age": "5 minutes"},
    {"path": "/wires/*", "access": "session", "max_age": "10 minutes", "acr": ["mfa"], "methods": ["GET"]},
    {"path": "/posts/*", "access": "session", "acr": ["mfa"], "methods": ["POST"]}
]"#;

fn with_providers() -> Guard {
    let providers = r#"[
        {"issuer": "https://a.example", "audience": "x", "jwks_uri": "https://a.example/k", "subject_prefix": "a|"},
        {"issuer": "https://b.example", "client_id": "x", "name": "staff", "subject_prefix": "b|"},
        {"provider": "github", "client_id": "x", "subject_prefix": "c|"}
    ]"#;
    guard_with(&[("ROUTES", ROUTES), ("TRUSTED_ISSUERS", providers)])
}

#[rstest]
#[case("/bank/a", Some(300), None)]
#[case("/bank/a?b=/wires/c#d", Some(300), None)]
#[case("/wires/a", Some(600), Some("mfa"))]
#[case("/WIRES/a", Some(600), Some("mfa"))]
#[case("/wires/%2e%2e/bank/a", Some(300), Some("mfa"))]
#[case("/posts/a", None, None)]
#[case("/", None, None)]
fn a_sign_in_asks_the_provider_for_what_its_page_asks(
    #[case] page: &str,
    #[case] max_age: Option<u64>,
    #[case] acr: Option<&str>,
) {
    let max_age = max_age.map(Duration::from_secs);
    let expected = StepUp { max_age, acr: acr.map(|acr| vec![acr.to_owned()]) };
    assert_eq!(with_providers().step_up_for(&LocalTarget::new(page).unwrap()), expected);
}

#[test]
fn people_sign_in_at_the_providers_that_have_a_client() {
    let guard = with_providers();
    let names = guard.sign_in_providers().map(|(_, settings)| settings.name.clone());
    assert_eq!(Vec::from_iter(names), ["staff", "github"]);
    let (issuer, _) = guard.sign_in_provider("staff").unwrap();
    assert_eq!(issuer.trusted.issuer, "https://b.example");
    assert!(guard.sign_in_provider("a").is_none() && guard.sign_in_provider("").is_none());
}

#[test]
fn it_is_known_whether_a_rule_asks_when_the_login_was() {
    assert!(with_providers().asks_for_login_times());
    let other = r#"[{"path": "/a", "access": "session", "acr": ["mfa"]}]"#;
    assert!(!guard_with(&[("ROUTES", other)]).asks_for_login_times());
}
