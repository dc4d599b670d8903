//! The assertion that goes to the origin with an identity.

use super::*;
use crate::identity::ASSERTION;
use crate::jwt::UnverifiedJwt;

const ROUTES: &str =
    r#"[{"path":"/open","access":"public"},{"path":"/maybe","access":"optional"}]"#;

/// A guard that signs with a key of the oracle's test.
pub(super) fn guard_that_asserts(changes: &[(&str, &str)]) -> Guard {
    let data = include_str!("../../../tests/data/keys.json");
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    let all = data["keys"].as_array().unwrap();
    let jwk = all.iter().find(|jwk| jwk["kid"] == "ES256").unwrap();
    let keys = serde_json::json!({ "keys": [jwk] }).to_string();
    guard_with(&[changes, &[("SIGNING_KEYS", &keys), ("ROUTES", ROUTES)]].concat())
}

/// The assertions among the headers that are set.
fn assertions<'a>(changes: &HeaderChanges<'a>) -> Vec<&'a str> {
    let all = changes.set.iter().filter(|(name, _)| *name == ASSERTION);
    all.map(|(_, text)| *text).collect()
}

#[rstest]
#[case("/private")]
#[case("/maybe")]
fn an_assertion_goes_along_with_an_identity_and_never_without(#[case] path: &str) {
    let guard = guard_that_asserts(&[]);
    let check = check(&guard, &request("GET", path, &[("authorization", &bearer(&guard))]));
    let forged = HeaderFilter::read("\n\nX_Auth_Request_Assertion");
    let changes = check.header_changes(&forged);
    assert_eq!(assertions(&changes).len(), 1);
    assert!(changes.remove.contains(&"X_Auth_Request_Assertion"));
    let anonymous = check.header_changes_without_identity(&forged);
    assert!(anonymous.set.is_empty() && anonymous.remove.contains(&"X_Auth_Request_Assertion"));
}

#[rstest]
#[case::public("/open", true)]
#[case::optional_without_a_token("/maybe", false)]
fn nobody_is_asserted_where_nobody_is_asked(#[case] path: &str, #[case] has_token: bool) {
    let guard = guard_that_asserts(&[]);
    let token = bearer(&guard);
    let headers = [("authorization", &token as &str)];
    let headers = if has_token { &headers[..] } else { &[] };
    let Decision::Forward(anonymous) = guard.decide(&request("GET", path, headers), NOW) else {
        panic!("it is for everybody");
    };
    assert_eq!(anonymous.header_changes(&HeaderFilter::default()).set, []);
}

#[rstest]
#[case::the_origins_url(&[("ORIGIN_URL", "https://Origin.example:443/")], "https://origin.example")]
#[case::the_requests_host(&[], "https://app.example")]
fn an_assertion_is_for_the_origin(#[case] changes: &[(&str, &str)], #[case] audience: &str) {
    let guard = guard_that_asserts(changes);
    let check = check(&guard, &request("GET", "/x", &[("authorization", &bearer(&guard))]));
    let sent = HeaderFilter::default();
    let changes = check.header_changes(&sent);
    let key = &guard.tokens().keys().signing().material;
    let signed = UnverifiedJwt::parse(assertions(&changes)[0]).unwrap().verify(key).unwrap();
    let claims = signed.claims.into_rest();
    assert_eq!((&claims["aud"], &claims["sub"]), (&audience.into(), &"ada".into()));
}

#[test]
fn without_a_key_for_it_there_is_none() {
    let guard = guard();
    let check = check(&guard, &request("GET", "/x", &[("authorization", &bearer(&guard))]));
    assert_eq!(assertions(&check.header_changes(&HeaderFilter::default())), [""; 0]);
}

#[test]
fn debug_output_tells_no_assertion() {
    let guard = guard_that_asserts(&[]);
    let check = check(&guard, &request("GET", "/x", &[("authorization", &bearer(&guard))]));
    let assertion = check.assertion.as_deref().unwrap();
    assert!(!format!("{check:?}").contains(assertion));
}

#[rstest]
#[case::at_once(0, true, true)]
#[case::while_its_proof_is_sent(30, true, true)]
#[case::once_its_proof_is_old(31, true, false)]
#[case::in_its_tokens_leeway(64, true, false)]
#[case::once_its_token_is_over(65, false, false)]
fn what_was_decided_holds_as_long_as_its_token_and_its_proof_do(
    #[case] later: u64,
    #[case] plain: bool,
    #[case] asserted: bool,
) {
    let then = NOW.plus(Duration::from_secs(later));
    for (guard, holds) in [(guard(), plain), (guard_that_asserts(&[]), asserted)] {
        let request = request("GET", "/x", &[("authorization", &bearer(&guard))]);
        let check = check(&guard, &request);
        assert_eq!(check.is_valid_at(then), holds);
        if holds {
            let again = check.asked_at(then);
            let Decision::CheckSession(anew) = guard.decide(&request, then) else {
                panic!("it holds")
            };
            assert_eq!(again.principal().command(), anew.principal().command());
            let sent = HeaderFilter::default();
            assert_eq!(again.header_changes(&sent), anew.header_changes(&sent));
        }
    }
}
