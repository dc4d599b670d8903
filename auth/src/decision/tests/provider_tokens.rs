//! Tokens of identity providers: when their keys are fetched, and what the store is asked about their sessions.

mod admission;

use super::*;
use crate::device::DeviceClass;
use crate::id_token::tests::{changed, sign};
use crate::keys::PublishedKeys;
use crate::login::ClientInfo;
use crate::session::{Denial, Sid, Subject};
use serde_json::{Value, json};

const KEYS: &str = include_str!("../../../tests/data/keys.json");

fn guard_trusting(rules: Value, more: &[(&str, &str)]) -> Guard {
    let access_tokens = changed(json!({ "audience": "api", "session_claim": "sid" }), rules);
    let entry = json!({
        "issuer": "https://idp.example", "jwks_uri": "https://idp.example/jwks",
        "algorithms": ["ES256"], "subject_prefix": "idp|", "access_tokens": access_tokens,
    });
    let list = json!([entry]).to_string();
    guard_with(&[&[("TRUSTED_ISSUERS", &*list)], more].concat())
}

fn token(changes: Value) -> String {
    let claims = json!({
        "iss": "https://idp.example", "aud": "api", "sub": "u-1", "sid": "s-1", "client_id": "app",
        "iat": NOW.seconds(), "exp": NOW.seconds() + 60,
    });
    sign(json!({ "typ": "at+jwt" }), &changed(claims, changes))
}

fn asking(token: &str) -> Request {
    request("GET", "/x", &[("authorization", &format!("Bearer {token}"))])
}

fn learn(guard: &Guard) {
    let keys = PublishedKeys::parse(KEYS, &["ES256".into()]).unwrap();
    guard.issuer("https://idp.example").unwrap().keyring.answered(Some(keys), NOW);
}

fn seconds_later(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

#[test]
fn keys_are_fetched_before_a_token_is_judged() {
    let guard = guard_trusting(json!({}), &[]);
    let request = asking(&token(json!({})));
    let Decision::FetchKeys(issuer) = guard.decide(&request, NOW) else { panic!("not fetched") };
    assert_eq!(issuer.trusted.issuer, "https://idp.example");
    learn(&guard);
    assert_eq!(check(&guard, &request).principal().user().as_str(), "idp|u-1");
}

#[test]
fn keys_that_cannot_be_fetched_are_no_fault_of_the_token() {
    let guard = guard_trusting(json!({}), &[]);
    guard.issuer("https://idp.example").unwrap().keyring.answered(None, NOW);
    let refused = refusal(&guard, &asking(&token(json!({}))));
    assert!(matches!(refused.refusal, Refusal::IssuerUnavailable(_)), "{refused:?}");
    assert!(!refused.refusal.asks_for_login());
    let again = guard.decide(&asking(&token(json!({}))), seconds_later(2));
    assert!(matches!(again, Decision::FetchKeys(_)), "{again:?}");
}

#[test]
fn a_token_that_known_keys_have_not_signed_asks_for_others_once_a_minute() {
    let guard = guard_trusting(json!({}), &[]);
    learn(&guard);
    let good = token(json!({}));
    let forged = format!("{}AAAA", &good[..good.len() - 4]);
    assert_eq!(refusal(&guard, &asking(&forged)).refusal, Refusal::Token(TokenError::Signature));
    let later = guard.decide(&asking(&forged), seconds_later(60));
    assert!(matches!(later, Decision::FetchKeys(_)), "{later:?}");
    let known = guard.decide(&asking(&good), seconds_later(59));
    assert!(matches!(known, Decision::CheckSession(_)), "known keys wait for nothing: {known:?}");
}

#[test]
fn neither_a_token_of_our_own_nor_a_strangers_waits_for_keys() {
    let guard = guard_trusting(json!({}), &[]);
    let own = request("GET", "/x", &[("authorization", &bearer(&guard))]);
    assert!(matches!(guard.decide(&own, NOW), Decision::CheckSession(_)));
    let stranger = token(json!({ "iss": "https://stranger.example" }));
    assert!(matches!(refusal(&guard, &asking(&stranger)).refusal, Refusal::Token(_)));
}

#[test]
fn a_provider_without_published_keys_has_none_to_fetch() {
    let list = r#"[{"issuer":"https://idp.example","access_tokens":{"audience":"api","session_claim":"sid","secret":"IDP_SECRET"}}]"#;
    let secret = "x".repeat(32);
    let guard = guard_with(&[("TRUSTED_ISSUERS", list), ("IDP_SECRET", &secret)]);
    let refused = refusal(&guard, &asking(&token(json!({})))).refusal;
    assert_eq!(refused, Refusal::Token(TokenError::UnknownKey));
}

#[rstest]
#[case(json!({ "forward": true }), true)]
#[case(json!({}), true)]
#[case(json!({ "forward": false }), false)]
fn the_application_goes_on_getting_the_token(#[case] rules: Value, #[case] forwarded: bool) {
    let guard = guard_trusting(rules, &[]);
    learn(&guard);
    let plan = check(&guard, &asking(&token(json!({}))));
    let sent = guard.header_filter("\n\nauthorization");
    let removed = plan.header_changes(&sent).remove;
    assert_eq!(!removed.contains(&"authorization"), forwarded, "{removed:?}");
}

const OPTIONAL: &str =
    r#"[{"path": "/open", "access": "public"}, {"path": "/either", "access": "optional"}]"#;

fn asking_for(path: &str, token: &str) -> Request {
    request("GET", path, &[("authorization", &format!("Bearer {token}"))])
}

fn withholds(changes: &HeaderChanges<'_>) -> bool {
    changes.remove.contains(&"authorization")
}

/// Is the token withheld if its session is live, and if it is not?
fn withheld_with_and_without_session(guard: &Guard, path: &str) -> (bool, bool) {
    let plan = check(guard, &asking_for(path, &token(json!({}))));
    let sent = guard.header_filter("\n\nauthorization");
    assert!(guard.judge(&plan, found(None), NOW).is_err());
    (
        withholds(&plan.header_changes(&sent)),
        withholds(&plan.header_changes_without_identity(&sent)),
    )
}

#[rstest]
#[case("/either", "enforce", (false, true))]
#[case("/either", "monitor", (false, false))]
#[case("/x", "monitor", (false, false))]
fn the_application_gets_no_token_of_a_session_that_is_over(
    #[case] path: &str,
    #[case] mode: &str,
    #[case] withheld: (bool, bool),
) {
    let guard = guard_trusting(json!({}), &[("ROUTES", OPTIONAL), ("MODE", mode)]);
    learn(&guard);
    assert_eq!(withheld_with_and_without_session(&guard, path), withheld);
}

#[rstest]
#[case::expired("/either", "enforce", json!({ "iat": 1, "exp": 2 }), true, true)]
#[case::too_old("/either", "enforce", json!({ "iat": NOW.seconds() - 1000 }), true, true)]
#[case::too_old_and_not_enforced("/either", "monitor", json!({ "iat": NOW.seconds() - 1000 }), true, false)]
#[case::nobody_could_find_out("/either", "enforce", json!({}), false, true)]
#[case::the_applications_own("/either", "enforce", json!({ "aud": "other" }), true, false)]
#[case::public("/open", "enforce", json!({}), true, false)]
#[case::public_without_keys("/open", "enforce", json!({}), false, false)]
fn without_a_session_a_providers_token_goes_on_only_where_none_is_looked_for(
    #[case] path: &str,
    #[case] mode: &str,
    #[case] changes: Value,
    #[case] has_keys: bool,
    #[case] withheld: bool,
) {
    let moment = NOW.to_string();
    let more = [("ROUTES", OPTIONAL), ("MODE", mode), ("NOT_BEFORE", &*moment)];
    let guard = guard_trusting(json!({}), &more);
    match has_keys {
        true => learn(&guard),
        false => guard.issuer("https://idp.example").unwrap().keyring.answered(None, NOW),
    }
    let decision = guard.decide(&asking_for(path, &token(changes)), NOW);
    let Decision::Forward(plan) = decision else { panic!("{decision:?}") };
    assert_eq!(
        withholds(&plan.header_changes(&guard.header_filter("\n\nauthorization"))),
        withheld
    );
    assert!(!plan.is_cacheable(), "the answer may be for this user alone");
}

#[test]
fn nor_does_it_get_one_that_is_over_beside_a_live_session() {
    let guard = guard_trusting(json!({}), &[]);
    learn(&guard);
    let (over, cookie) = (token(json!({})), cookie(&guard));
    let bearer = format!("Bearer {over}");
    let sent = request("GET", "/x", &[("authorization", &bearer), ("cookie", &cookie)]);
    assert!(matches!(guard.decide(&sent, NOW), Decision::ConflictingTokens(_)));
    let sid = guard.tokens().verify_signature(&over).unwrap().sid().clone();
    let decision = guard.decide(&AfterEnds(sent, vec![sid]), NOW);
    let Decision::CheckSession(plan) = decision else { panic!("{decision:?}") };
    assert_eq!(plan.principal().user().as_str(), "ada");
    assert!(withholds(&plan.header_changes(&guard.header_filter("\n\nauthorization\ncookie"))));
}

#[test]
fn after_many_bad_signatures_no_token_is_looked_at_to_fetch_keys() {
    let of = |issuer: &str| {
        json!({
            "issuer": issuer, "jwks_uri": format!("{issuer}/jwks"), "algorithms": ["ES256"],
            "subject_prefix": format!("{issuer}|"),
            "access_tokens": { "audience": "api", "session_claim": "sid" },
        })
    };
    let list = json!([of("https://idp.example"), of("https://b.example")]).to_string();
    let guard = guard_with(&[("TRUSTED_ISSUERS", &list)]);
    learn(&guard);
    let good = token(json!({}));
    let forged = |n: usize| format!("{}{}", &good[..good.len() - 4], ["AAAA", "AAEA"][n % 2]);
    let sent = |forgeries: usize| {
        let other = token(json!({ "iss": "https://b.example" }));
        let cookies = (0..forgeries).map(forged).chain([other]);
        let cookies: Vec<_> = cookies.map(|it| format!("__Host-session={it}")).collect();
        request("GET", "/x", &[("cookie", &cookies.join("; "))])
    };
    assert!(matches!(guard.decide(&sent(7), NOW), Decision::FetchKeys(_)));
    assert!(matches!(guard.decide(&sent(8), NOW), Decision::Refuse(_)));
}

#[test]
fn a_token_is_no_good_any_more_once_its_issuer_has_taken_back_the_key() {
    let guard = guard_trusting(json!({}), &[]);
    learn(&guard);
    let request = asking(&token(json!({})));
    let plan = check(&guard, &request);
    learn(&guard);
    assert!(
        plan.is_valid_at(NOW),
        "anybody can have the same keys fetched, which costs nobody else"
    );
    let more = KEYS.replacen('{', "{ ", 1);
    let more = PublishedKeys::parse(&more, &["ES256".into()]).unwrap();
    guard.issuer("https://idp.example").unwrap().keyring.answered(Some(more), NOW);
    assert!(!plan.is_valid_at(NOW), "it is not known yet whether the key is still there");
    let plan = check(&guard, &request);
    assert!(plan.is_valid_at(NOW));
    let others = PublishedKeys::parse(KEYS, &["RS256".into()]).unwrap();
    guard.issuer("https://idp.example").unwrap().keyring.answered(Some(others), NOW);
    assert!(!plan.is_valid_at(NOW));
    let refused = refusal(&guard, &request).refusal;
    assert_eq!(refused, Refusal::Token(TokenError::UnknownKey));
}

#[test]
fn keys_that_could_not_be_fetched_again_for_a_day_serve_no_token() {
    let guard = guard_trusting(json!({}), &[]);
    learn(&guard);
    let request = asking(&token(json!({ "exp": NOW.seconds() + 100_000 })));
    let plan = check(&guard, &request);
    let day = seconds_later(86_400);
    assert!(plan.is_valid_at(seconds_later(86_399)) && !plan.is_valid_at(day));
    assert!(matches!(guard.decide(&request, day), Decision::FetchKeys(_)));
    guard.issuer("https://idp.example").unwrap().keyring.answered(None, day);
    let Decision::Refuse(refused) = guard.decide(&request, day) else { panic!("it passes") };
    assert!(matches!(refused.refusal, Refusal::IssuerUnavailable(_)), "{refused:?}");
}

#[test]
fn what_is_told_of_a_token_names_user_session_and_rights_as_they_are_here() {
    let rules = json!({ "roles_claim": "/realm_access/roles", "scope_claim": "scp" });
    let guard = guard_trusting(rules, &[]);
    learn(&guard);
    let text = token(json!({
        "realm_access": { "roles": ["admin"] }, "scp": ["read"], "scope": "write", "roles": ["other"],
        "email": "ada@rowing.example", "permissions": ["all"],
    }));
    let claims = guard.tokens().claims(&text, NOW).unwrap();
    let sid = guard.tokens().verify_signature(&text).unwrap().sid().to_string();
    let expected = json!({
        "iss": "https://idp.example", "aud": "api", "client_id": "app", "iat": NOW.seconds(),
        "exp": NOW.seconds() + 60, "sub": "idp|u-1", "sid": sid, "roles": ["admin"], "scope": "read",
        "email": "ada@rowing.example",
    });
    assert_eq!(Value::from(claims), expected);
}

#[rstest]
#[case(json!({}), true)]
#[case(json!({ "subject_claim": "sub" }), true)]
#[case(json!({ "subject_claim": "uid" }), false)]
fn logout_tokens_name_users_by_sub_alone(#[case] rules: Value, #[case] same: bool) {
    let guard = guard_trusting(rules, &[]);
    assert_eq!(guard.issuer("https://idp.example").unwrap().trusted.names_users_at_logout(), same);
}

#[test]
fn an_end_is_remembered_until_the_last_token_of_the_longest_session_is_over() {
    let guard = guard_trusting(json!({ "max_session": "1 hour" }), &[]);
    let issuer = &guard.issuer("https://idp.example").unwrap().trusted;
    let user = Subject::try_from("idp|u-1".to_owned()).unwrap();
    let last = seconds_later(3600 + 30 * 86_400);
    assert_eq!(issuer.unseen_session(&user, "s-1", NOW).unwrap().deny_until, last);
    assert_eq!(issuer.last_first_sight(NOW), Some(last));
}
