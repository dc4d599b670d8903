//! `max_age` and `acr`: what all rules together ask of a login.

use super::*;
use crate::step_up::StepUp;
use crate::time::Timestamp;
use std::time::Duration;

fn step_up(max_age: Option<u64>, acr: Option<&[&str]>) -> StepUp {
    let acr = acr.map(|all| all.iter().map(|it| (*it).to_owned()).collect());
    StepUp { max_age: max_age.map(Duration::from_secs), acr }
}

#[rstest]
#[case::nothing("/open", None)]
#[case::nothing_where_no_rule_matches("/x", None)]
#[case::of_one_rule("/pay/x", Some(step_up(Some(600), Some(&["otp", "key"]))))]
#[case::in_another_spelling("/PAY/x", Some(step_up(Some(600), Some(&["otp", "key"]))))]
#[case::the_shortest_age_and_what_is_in_both_lists("/pay/..%2fbank/x", Some(step_up(Some(60), Some(&["key"]))))]
#[case::of_the_one_that_asks("/pay/..%2fopen", Some(step_up(Some(600), Some(&["otp", "key"]))))]
#[case::lists_that_agree_on_nothing("/pay/..%2fodd", Some(step_up(Some(600), Some(&[]))))]
fn all_rules_that_hold_are_satisfied_together(
    #[case] path: &str,
    #[case] expected: Option<StepUp>,
) {
    let json = json!([
        { "path": "/open", "access": "session" },
        { "path": "/pay/*", "access": "session", "max_age": "10 minutes", "acr": ["otp", "key"] },
        { "path": "/bank/*", "access": "session", "max_age": "1 minute", "acr": ["key", "mfa"] },
        { "path": "/odd", "access": "session", "acr": ["none"] },
    ]);
    let rules = Rules::parse(&json.to_string()).unwrap();
    assert_eq!(find(&rules, "GET", path).step_up(), expected);
}

#[rstest]
#[case::as_old_as_allowed(step_up(Some(60), None), Some(40_000), None, true)]
#[case::older(step_up(Some(60), None), Some(39_999), None, false)]
#[case::unknown(step_up(Some(60), None), None, Some("key"), false)]
#[case::strong(step_up(None, Some(&["key", "otp"])), None, Some("otp"), true)]
#[case::of_another_strength(step_up(None, Some(&["key"])), Some(100_000), Some("keys"), false)]
#[case::of_no_strength(step_up(None, Some(&["key"])), Some(100_000), None, false)]
#[case::of_strengths_that_agree_on_nothing(step_up(None, Some(&[])), Some(100_000), Some("key"), false)]
#[case::both(step_up(Some(60), Some(&["key"])), Some(40_000), Some("key"), true)]
#[case::strong_but_old(step_up(Some(60), Some(&["key"])), Some(39_000), Some("key"), false)]
#[case::fresh_but_weak(step_up(Some(60), Some(&["key"])), Some(40_000), Some("pwd"), false)]
fn a_login_is_fresh_and_strong_enough_or_not(
    #[case] needed: StepUp,
    #[case] login: Option<u64>,
    #[case] acr: Option<&str>,
    #[case] is_enough: bool,
) {
    let now = Timestamp::from_millis(100_000);
    let login = login.map(Timestamp::from_millis);
    assert_eq!(needed.is_satisfied_by(login, acr, now), is_enough);
}
