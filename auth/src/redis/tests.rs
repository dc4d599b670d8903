use super::*;
use crate::session::tests::session;
use crate::session::{DataKind, RightsChange, RightsOf, SessionEnd, Sid, TokenName};
use crate::store::CommandResult;
use crate::store::SessionSelector;
use crate::store::StoreError;
use crate::time::Timestamp;
use rstest::rstest;
use std::rc::Rc;
use std::time::Duration;

fn user(sub: &str) -> Subject {
    Subject::try_from(sub.to_owned()).unwrap()
}

fn check(idle: Option<Duration>) -> Command {
    Command::Check {
        sid: Sid::try_from("abc".to_owned()).unwrap(),
        jti: Some("a/b".into()),
        idle_timeout: idle,
        is_use: true,
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
    let expected = format!("/evalsha/{}/1/guard%3AYWRh/42/abc/1000/a%2Fb", redis.check.sha1());
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
    assert_eq!(answer, Ok(CommandResult::Found(None)));
}

#[test]
fn a_record_is_read() {
    let stored = session("abc", 1, 2);
    let body = format!(r#"{{"result":{}}}"#, json(&json(&stored)));
    let answer = Redis::answer(&check(None), 200, &body);
    assert_eq!(answer, Ok(CommandResult::Found(Some(Rc::new(stored)))));
}

#[test]
fn a_lost_script_is_told_from_every_other_error() {
    let lost = r#"{"error":"NOSCRIPT No matching script. Please use EVAL."}"#;
    assert_eq!(Redis::answer(&check(None), 400, lost), Err(RestError::ScriptLost));
}

/// What each command could be answered by a record of session `abc`, ended or not.
fn commands() -> Vec<(&'static str, Command)> {
    let sid = Sid::try_from("abc".to_owned()).unwrap();
    let now = Timestamp::from_millis(42);
    let token = TokenName { jti: "jti".into(), issued: now };
    let refresh = Command::Refresh {
        sid: sid.clone(),
        token,
        jti: "k".into(),
        idle_timeout: None,
        is_use: true,
        now,
    };
    let open =
        Command::Open { session: Box::new(session("new", 42, 100)), limit: None, end: vec![], now };
    let admit = Command::Admit {
        session: Box::new(session("new", 42, 100)),
        limit: None,
        authenticated: now,
        idle_timeout: None,
        now,
    };
    let change = RightsChange::default();
    let set_rights = |whose| Command::SetRights { whose, change: change.clone(), now };
    let ending = SessionEnd::Revoked { at: now };
    let end = |which| Command::end(which, ending.clone());
    vec![
        ("check", check(None)),
        ("open", open),
        ("refresh", refresh),
        (
            "set data",
            Command::SetData { sid: sid.clone(), kind: DataKind::Data, old: None, new: None, now },
        ),
        ("end one", end(SessionSelector::One(sid.clone()))),
        ("end others", end(SessionSelector::Others(sid.clone()))),
        ("end issued", end(SessionSelector::IssuerSession { issuer: "idp".into(), sid: None })),
        ("list", Command::List { now }),
        ("user", Command::User { now }),
        ("block", Command::Block { block: None, now }),
        ("admit", admit),
        ("set rights", set_rights(RightsOf::Session(sid.clone()))),
        ("set rights of the user", set_rights(RightsOf::User)),
        ("changed at", Command::ChangedAt { at: now }),
    ]
}

fn record(sid: &str, ended: Option<u64>) -> String {
    let mut record = session(sid, 1, 100);
    record.ended = ended.map(|at| SessionEnd::Revoked { at: Timestamp::from_millis(at) });
    json(&json(&record))
}

#[rstest]
#[case::the_session(record("abc", None), "check")]
#[case::another_session(record("other", None), "")]
#[case::found(format!(r#"["found",{}]"#, record("abc", None)), "refresh, set data, set rights")]
#[case::found_another(format!(r#"["found",{}]"#, record("other", None)), "")]
#[case::found_none(r#"["found"]"#.into(), "refresh, set data, set rights")]
#[case::changed(format!(r#"["changed",{}]"#, record("abc", None)), "refresh, set data, set rights")]
#[case::changed_another(format!(r#"["changed",{}]"#, record("other", None)), "")]
#[case::changed_an_ended_one(format!(r#"["changed",{}]"#, record("abc", Some(42))), "")]
#[case::ended(format!(r#"["ended",{}]"#, record("abc", Some(42))), "open, refresh")]
#[case::ended_another(format!(r#"["ended",{}]"#, record("other", Some(42))), "open")]
#[case::ended_a_live_one(format!(r#"["ended",{}]"#, record("abc", None)), "")]
#[case::ended_the_new_one(format!(r#"["ended",{}]"#, record("new", Some(42))), "")]
#[case::full(format!(r#"["full",{}]"#, record("abc", None)), "open, admit")]
#[case::full_of_ended(format!(r#"["full",{}]"#, record("abc", Some(42))), "")]
#[case::ends_none("[[],[]]".into(), "end one, end others, end issued, block")]
#[case::ends_it(format!("[[{}],[]]", record("abc", Some(42))), "end one, block")]
#[case::ended_it_before(format!("[[],[{}]]", record("abc", Some(41))), "end one, block")]
#[case::ends_it_at_another_moment(format!("[[{}],[]]", record("abc", Some(41))), "")]
#[case::ends_another(format!("[[{}],[]]", record("other", Some(42))), "end others, block")]
#[case::ends_a_live_one(format!("[[{}],[]]", record("abc", None)), "")]
#[case::one_list_of_two("[[]]".into(), "")]
#[case::listed_none("[]".into(), "list, changed at")]
#[case::listed_live(format!("[{}]", record("abc", None)), "list")]
#[case::listed_changed(format!("[{}]", record("abc", Some(42))), "changed at")]
#[case::null("null".into(), "check")]
#[case::found_the_new_one(format!(r#"["found",{}]"#, record("new", None)), "admit")]
#[case::admitted(format!(r#"["admitted",{}]"#, record("new", None)), "admit")]
#[case::admitted_another(format!(r#"["admitted",{}]"#, record("abc", None)), "")]
#[case::admitted_none(r#"["admitted"]"#.into(), "")]
#[case::admitted_and_ended(
    format!(r#"["admitted",{},{}]"#, record("new", None), record("abc", Some(42))),
    "admit"
)]
#[case::admitted_and_not_ended(
    format!(r#"["admitted",{},{}]"#, record("new", None), record("abc", None)),
    ""
)]
#[case::denied(r#"["denied","{\"until\":9,\"expired\":1}"]"#.into(), "admit")]
#[case::denied_without_a_reason(r#"["denied","{\"until\":9}"]"#.into(), "")]
#[case::denied_for_two(
    r#"["denied","{\"until\":9,\"expired\":1,\"ended\":{\"why\":\"reused\",\"at\":1}}"]"#.into(),
    ""
)]
#[case::blocked(r#"["blocked","{\"at\":1}"]"#.into(), "open, admit")]
#[case::blocked_by_nothing(r#"["blocked"]"#.into(), "")]
#[case::nothing_of_a_user(r#"["user","{}"]"#.into(), "user, set rights of the user")]
#[case::no_user(r#"["user"]"#.into(), "")]
#[case::a_user(
    format!(r#"["user","{{\"not_before\":1}}",{}]"#, record("abc", None)),
    "user, set rights of the user"
)]
#[case::a_user_with_an_ended_one(
    format!(r#"["user","{{}}",{},{}]"#, record("abc", None), record("other", Some(42))),
    "user"
)]
fn only_an_answer_to_the_command_about_what_it_asked_is_taken(
    #[case] result: String,
    #[case] takers: &str,
) {
    let body = format!(r#"{{"result":{result}}}"#);
    let answers = commands().into_iter().map(|(name, it)| (name, Redis::answer(&it, 200, &body)));
    let (mut taken, mut others) = (Vec::new(), Vec::new());
    for (name, answer) in answers {
        match answer {
            Ok(_) => taken.push(name),
            other => others.push((name, other)),
        }
    }
    assert_eq!(taken.join(", "), takers, "{body}: {others:?}");
    for (name, other) in others {
        let is_unreadable = matches!(other, Err(RestError::Failed(StoreError::Unreadable(_))));
        assert!(is_unreadable, "{name}: {other:?}");
    }
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
#[case::error_beside_a_result(200, r#"{"result":null,"error":"ERR internal"}"#)]
#[case::cut_off(200, r#"{"result":nul"#)]
#[case::two_replies(200, r#"{"result":null}{"result":null}"#)]
#[case::a_page(502, "<html><body>Bad Gateway</body></html>")]
#[case::an_empty_failure(503, "")]
#[case::a_redirect(302, "")]
#[case::a_redirect_with_a_reply(307, r#"{"result":null}"#)]
#[case::no_content(204, "")]
#[case::created(201, r#"{"result":null}"#)]
#[case::compressed(200, "\u{1f}\u{fffd}\u{8}")]
#[case::no_permission(
    400,
    r#"{"error":"NOPERM this user has no permissions to run the 'evalsha' command"}"#
)]
#[case::read_only(400, r#"{"error":"READONLY You can't write against a read only replica."}"#)]
#[case::loading(400, r#"{"error":"LOADING Redis is loading the dataset in memory"}"#)]
#[case::busy(400, r#"{"error":"BUSY Redis is busy running a script."}"#)]
#[case::cannot_save(400, r#"{"error":"MISCONF Redis is configured to save RDB snapshots"}"#)]
#[case::cluster_down(400, r#"{"error":"CLUSTERDOWN The cluster is down"}"#)]
#[case::moved(400, r#"{"error":"MOVED 3999 127.0.0.1:6381"}"#)]
#[case::full(400, r#"{"error":"OOM command not allowed when used memory > 'maxmemory'."}"#)]
#[case::over_quota(400, r#"{"error":"ERR DB capacity quota exceeded"}"#)]
#[case::too_many(400, r#"{"error":"ERR max daily request limit exceeded. Limit: 10000"}"#)]
#[case::not_in_words(400, r#"{"error":{"message":"x"}}"#)]
#[case::an_array(200, r#"[{"result":null}]"#)]
fn what_is_not_understood_is_a_failure_and_never_an_absent_session(
    #[case] status: u16,
    #[case] body: &str,
) {
    for (name, command) in commands() {
        let answer = Redis::answer(&command, status, body);
        assert!(matches!(answer, Err(RestError::Failed(_))), "{name}: {answer:?}");
    }
    // Notes and the index's answers are texts, whatever they say.
    if body.contains(r#"{"result":""#) {
        return;
    }
    assert!(matches!(Redis::recalled(status, body), Err(RestError::Failed(_))));
    assert!(matches!(Redis::counted(status, body), Err(RestError::Failed(_))));
    assert!(matches!(Redis::index_answer(status, body), Err(RestError::Failed(_))));
}

#[rstest]
#[case(StoreError::TimedOut(Duration::from_secs(1)), true)]
#[case(StoreError::Unreachable("lost".into()), true)]
#[case(StoreError::Unreadable("<html>".into()), true)]
#[case(StoreError::Refused { status: 502, message: String::new() }, true)]
#[case(StoreError::Refused { status: 400, message: "OOM".into() }, false)]
#[case(StoreError::Refused { status: 401, message: "WRONGPASS".into() }, false)]
#[case(StoreError::Refused { status: 429, message: String::new() }, false)]
fn only_a_store_that_refuses_has_surely_not_applied_a_command(
    #[case] error: StoreError,
    #[case] may: bool,
) {
    assert_eq!(error.may_have_applied(), may, "{error}");
}
