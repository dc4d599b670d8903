use super::*;
use crate::session::Sid;
use crate::session::tests::session;
use crate::time::Timestamp;
use rstest::rstest;
use std::time::Duration;

fn user(sub: &str) -> Subject {
    Subject::try_from(sub.to_owned()).unwrap()
}

fn check(idle: Option<Duration>) -> Command {
    Command::Check {
        sid: Sid::try_from("abc".to_owned()).unwrap(),
        idle_timeout: idle,
        now: Timestamp::from_millis(42),
    }
}

#[rstest]
#[case("ada", "guard:YWRh")]
#[case("a:b{c}\n*", "guard:YTpie2N9Cio")]
#[case("guard:YWRh", "guard:Z3VhcmQ6WVdSaA")]
fn a_sub_cannot_forge_another_users_key(#[case] sub: &str, #[case] key: &str) {
    assert_eq!(Redis::new("guard:", ReadConsistency::Strong).key(&user(sub)), key);
}

#[test]
fn a_check_is_one_get_that_the_primary_answers() {
    let redis = Redis::new("guard:", ReadConsistency::Strong);
    let request = redis.request(&user("ada"), &check(Some(Duration::from_secs(1))));
    let expected = format!("/evalsha/{}/1/guard%3AYWRh/42/abc/1000", redis.check.sha1());
    assert_eq!(request, RestRequest { path: expected, body: None });
}

#[test]
fn the_nearest_replica_answers_only_when_it_was_chosen() {
    let redis = Redis::new("guard:", ReadConsistency::Nearest);
    assert_eq!(redis.request(&user("ada"), &check(None)).path, "/hget/guard%3AYWRh/abc");
    let sliding = redis.request(&user("ada"), &check(Some(Duration::from_secs(1))));
    assert!(sliding.path.starts_with("/evalsha/"), "a write goes to the primary: {sliding:?}");
}

#[test]
fn a_null_is_an_absent_session() {
    let answer = Redis::answer(&check(None), 200, r#"{"result":null}"#);
    assert_eq!(answer, Ok(Answer::Found(None)));
}

#[test]
fn a_record_is_read() {
    let stored = session("abc", 1, 2);
    let body = format!(r#"{{"result":{}}}"#, json(&json(&stored)));
    let answer = Redis::answer(&check(None), 200, &body);
    assert_eq!(answer, Ok(Answer::Found(Some(Rc::new(stored)))));
}

#[test]
fn a_lost_script_is_told_from_every_other_error() {
    let lost = r#"{"error":"NOSCRIPT No matching script. Please use EVAL."}"#;
    assert_eq!(Redis::answer(&check(None), 400, lost), Err(RestError::ScriptLost));
}

#[rstest]
#[case::no_result(200, "{}")]
#[case::not_json(200, "<html>")]
#[case::empty(200, "")]
#[case::another_type(200, r#"{"result":17}"#)]
#[case::not_a_session(200, r#"{"result":"{}"}"#)]
#[case::wrong_token(401, r#"{"error":"WRONGPASS invalid or missing auth token"}"#)]
#[case::throttled(429, "slow down")]
#[case::broken(500, r#"{"result":null}"#)]
#[case::error_with_success(200, r#"{"error":"ERR internal"}"#)]
fn what_is_not_understood_is_a_failure_and_never_an_absent_session(
    #[case] status: u16,
    #[case] body: &str,
) {
    let answer = Redis::answer(&check(None), status, body);
    assert!(matches!(answer, Err(RestError::Failed(_))), "{answer:?}");
}
