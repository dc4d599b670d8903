use super::*;
use rstest::rstest;
use serde_json::{Value, json};

/// An issuer as most are, changed by `changes`.
pub(crate) fn issuer(changes: Value) -> TrustedIssuer {
    let list = json!([with(changes)]).to_string();
    TrustedIssuer::parse_list(&list, "https://guard").unwrap().remove(0)
}

fn with(changes: Value) -> Value {
    let json = json!({
        "issuer": "https://idp.example", "audience": "members",
        "jwks_uri": "https://idp.example/jwks", "algorithms": ["ES256"],
    });
    changed(json, changes)
}

/// An entry with these members in place of its own.
fn changed(mut json: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        json[name] = value.clone();
    }
    json
}

/// The entry, changed by `changes`, of which those that are `null` are left out.
pub(crate) fn parsed(entry: Value, changes: Value) -> Result<TrustedIssuer, InvalidValue> {
    let mut entry = changed(entry, changes);
    entry.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    let list = json!([entry]).to_string();
    TrustedIssuer::parse_list(&list, "https://guard").map(|mut all| all.remove(0))
}

#[test]
fn what_is_left_out_is_as_most_providers_have_it() {
    let json = r#"[{"issuer":"i","audience":["a","b"],"jwks_uri":"http://localhost/jwks"}]"#;
    let all = TrustedIssuer::parse_list(json, "https://guard").unwrap();
    assert_eq!(all[0].algorithms, ["RS256"]);
    assert_eq!(all[0].audience, ["a", "b"]);
    assert!(all[0].claims.contains(&"email".to_owned()));
    assert_eq!(all[0].clock_tolerance, Duration::from_secs(60));
    assert_eq!(all[0].subject("x").unwrap().as_str(), "x");
}

#[rstest]
#[case(json!({ "issuer": "" }), "[0].issuer: expected the provider's `iss`")]
#[case(json!({ "issuer": "https://guard" }), "[0].issuer: expected the provider's `iss`, which is not ISSUER, got \"https://guard\"")]
#[case(json!({ "audience": "" }), "[0].audience: expected")]
#[case(json!({ "audience": [] }), "[0].audience: expected")]
#[case(json!({ "audience": 7 }), "[0].audience: expected a text or a list of texts, got 7")]
#[case(json!({ "audience": ["a", null] }), "[0].audience[1]: expected a text, got null")]
#[case(json!({ "jwks_uri": "http://idp.example/jwks" }), "[0].jwks_uri: expected an https URL, got \"http://idp.example/…\"")]
#[case(json!({ "jwks_uri": "/jwks" }), "[0].jwks_uri: expected an absolute URL")]
#[case(json!({ "algorithms": [] }), "[0].algorithms: expected at least one of RS256")]
#[case(json!({ "algorithms": "ES256" }), "[0].algorithms: expected a list of texts, got \"ES256\"")]
#[case(json!({ "algorithms": ["ES256", "HS256"] }), "[0].algorithms[1]: expected one of RS256")]
#[case(json!({ "algorithms": ["none"] }), "[0].algorithms[0]: expected one of RS256")]
#[case(json!({ "claims": ["email", "sid"] }), "[0].claims[1]: expected a claim that the guard does not set itself, got \"sid\"")]
#[case(json!({ "claims": null }), "[0].claims: expected a list of texts, got null")]
#[case(json!({ "subject_prefix": 7 }), "[0].subject_prefix: expected a text, got 7")]
#[case(json!({ "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0" }), "[0].issuer: expected the `iss` as tokens have it, with an entry for each tenant")]
#[case(json!({ "clock_tolerance": "soon" }), "[0].clock_tolerance: expected a duration like `60 seconds`, of 10 minutes at most, got \"soon\"")]
#[case(json!({ "clock_tolerance": "11 minutes" }), "[0].clock_tolerance: expected")]
#[case(json!({ "clock_tolerance": -1 }), "[0].clock_tolerance: expected")]
#[case(json!({ "clock_tolerance": 1.5 }), "[0].clock_tolerance: expected")]
#[case(json!({ "clock_tolerance": null }), "[0].clock_tolerance: expected")]
#[case(json!({ "not_before": "yesterday" }), "[0].not_before: expected a moment like `2026-11-26T12:05:00Z`, got \"yesterday\"")]
#[case(json!({ "not_before": 1_700_000_000 }), "[0].not_before: expected a text, got 1700000000")]
#[case(json!({ "jwks_url": "https://idp.example/jwks" }), "[0].jwks_url: unknown member; expected `issuer`")]
fn a_bad_issuer_is_refused_and_named(#[case] changes: Value, #[case] says: &str) {
    let list = json!([with(changes)]).to_string();
    let error = TrustedIssuer::parse_list(&list, "https://guard").unwrap_err().to_string();
    assert!(error.starts_with(says), "{error}");
}

#[rstest]
#[case(json!("10 minutes"), 600)]
#[case(json!("2s"), 2)]
#[case(json!(0), 0)]
#[case(json!(120), 120)]
fn a_clock_tolerance_is_a_span_or_seconds(#[case] text: Value, #[case] seconds: u64) {
    let issuer = issuer(json!({ "clock_tolerance": text }));
    assert_eq!(issuer.clock_tolerance, Duration::from_secs(seconds));
}

#[rstest]
#[case(json!({}), json!({}), false)]
#[case(json!({}), json!({ "subject_prefix": "b|" }), false)]
#[case(json!({ "subject_prefix": "" }), json!({ "subject_prefix": "b|" }), false)]
#[case(json!({ "subject_prefix": "b|c" }), json!({ "subject_prefix": "b|" }), false)]
#[case(json!({ "subject_prefix": "a|" }), json!({ "subject_prefix": "b|" }), true)]
#[case(json!({ "subject_prefix": "" }), json!({ "subject_prefix": "" }), true)]
fn users_of_two_issuers_are_kept_apart(
    #[case] one: Value,
    #[case] mut other: Value,
    #[case] fine: bool,
) {
    other["issuer"] = "https://other.example".into();
    let list = json!([with(one), with(other)]).to_string();
    let read = TrustedIssuer::parse_list(&list, "https://guard");
    assert_eq!(read.is_ok(), fine, "{read:?}");
}

#[test]
fn one_issuer_stands_there_once() {
    let prefix = json!({ "subject_prefix": "a|" });
    let list = json!([with(prefix.clone()), with(prefix)]).to_string();
    let error = TrustedIssuer::parse_list(&list, "https://guard").unwrap_err().to_string();
    assert!(error.starts_with("[1].issuer: is listed twice"), "{error}");
}

#[test]
fn a_prefix_stands_before_the_sub() {
    let issuer = issuer(json!({ "subject_prefix": "idp|" }));
    assert_eq!(issuer.subject("x").unwrap().as_str(), "idp|x");
    assert!(issuer.subject(&"x".repeat(1021)).is_none());
}
