use super::*;
use crate::session::Session;
use crate::session::tests::session;
use rstest::rstest;
use serde_json::json;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn read(body: Value) -> EndMany {
    EndMany::parse(&body.to_string(), NOW).unwrap()
}

#[rstest]
#[case::nothing("", "expected a JSON object")]
#[case::an_empty_object("{}", "says of no session that it is to end; name `users`")]
#[case::no_criterion(r#"{"dry_run":true,"limit":5}"#, "says of no session")]
#[case::all_of_nothing(r#"{"all":false}"#, "says of no session")]
#[case::a_contradiction(r#"{"all":true,"users":["ada"]}"#, "all: contradicts")]
#[case::a_misspelt_criterion(
    r#"{"user":["ada"],"all":true}"#,
    "user: unknown member; expected `users`"
)]
#[case::nobody(r#"{"users":[]}"#, "users: names nothing")]
#[case::a_user_without_a_name(r#"{"users":["ada",""]}"#, "users: names nothing")]
#[case::one_user(r#"{"users":"ada"}"#, "users: expected a list of texts")]
#[case::no_issuer(r#"{"issuers":[],"users":["ada"]}"#, "issuers: names nothing")]
#[case::an_unknown_class(
    r#"{"devices":["mobile","phone"]}"#,
    "devices[1]: expected a class of device"
)]
#[case::no_span(r#"{"idle_longer_than":30}"#, "idle_longer_than: expected a text, got 30")]
#[case::no_moment(r#"{"created_before":"yesterday"}"#, "created_before: expected a moment")]
#[case::null(r#"{"users":["ada"],"devices":null}"#, "devices: expected a list of texts, got null")]
#[case::a_member_twice(
    r#"{"users":["ada"],"users":["ben"]}"#,
    "expected a JSON object: a member stands there twice"
)]
#[case::a_foreign_cursor(r#"{"all":true,"cursor":"a:b"}"#, "cursor: is none of this guard's")]
#[case::a_large_page(r#"{"all":true,"limit":41}"#, "limit: must be from 1 to 40")]
#[case::no_page(r#"{"all":true,"limit":0}"#, "limit: must be from 1 to 40")]
#[case::a_list("[]", "expected an object, got a list")]
fn what_names_no_session_ends_none(#[case] body: &str, #[case] says: &str) {
    let refusal = EndMany::parse(body, NOW).unwrap_err();
    assert_eq!((refusal.status(), refusal.code()), (400, "bad_request"));
    assert!(refusal.detail().starts_with(says), "{}", refusal.detail());
}

#[test]
fn users_are_each_taken_once_in_pages_whatever_their_order_and_whose_name_begins_another() {
    let all = ["ada", "ada2", "b", "a", "ada", "é", ".."];
    let mut asked = read(json!({ "users": all, "limit": 2 }));
    let (mut taken, mut pages) = (Vec::new(), 0);
    loop {
        let page = asked.next_users().unwrap();
        let Some(last) = page.last() else { break };
        (asked.cursor, pages) = (Cursor::at(last), pages + 1);
        taken.extend(page.iter().map(|user| user.as_str().to_owned()));
    }
    assert_eq!((taken.len(), pages), (6, 3), "{taken:?}");
    assert!(all.iter().all(|user| taken.contains(&(*user).to_owned())), "{taken:?}");
    assert_eq!(read(json!({ "all": true })).next_users(), None);
}

#[test]
fn without_a_condition_all_sessions_are_meant_and_with_one_none_that_begins_meanwhile() {
    assert_eq!(read(json!({ "all": true })).criteria, None);
    assert_eq!(read(json!({ "users": ["ada"] })).criteria, None);
    let conditions = [
        json!({ "devices": ["other"] }),
        json!({ "created_before": "2999-01-01T00:00:00Z" }),
        json!({ "issuers": ["i"], "idle_longer_than": "1 day" }),
    ];
    for asked in conditions {
        let criteria = read(asked.clone()).criteria.unwrap();
        assert_eq!(
            criteria.created_before,
            Some(Timestamp::from_millis(NOW.millis() + 1)),
            "{asked}"
        );
    }
}

fn found(change: impl Fn(&mut Session)) -> Session {
    let mut session = session("a", NOW.millis() - 100_000, NOW.millis() + 900_000);
    session.seen = Timestamp::from_millis(NOW.millis() - 60_000);
    session.issuer = Some("https://idp.example".into());
    change(&mut session);
    session
}

#[rstest]
#[case(json!({ "devices": ["mobile", "desktop"] }), true)]
#[case(json!({ "devices": ["mobile"] }), false)]
#[case(json!({ "issuers": ["https://idp.example"] }), true)]
#[case(json!({ "issuers": ["https://idp"] }), false)]
#[case(json!({ "created_before": "2023-11-14T22:11:41Z" }), true)]
#[case(json!({ "created_before": "2023-11-14T22:11:40Z" }), false)]
#[case(json!({ "idle_longer_than": "60 seconds" }), true)]
#[case(json!({ "idle_longer_than": "61 seconds" }), false)]
#[case(json!({ "issuers": ["https://idp.example"], "devices": ["mobile"] }), false)]
#[case(json!({ "issuers": ["https://idp.example"], "devices": ["desktop"] }), true)]
fn all_criteria_must_hold(#[case] asked: Value, #[case] is_meant: bool) {
    let criteria = read(asked).criteria.unwrap();
    assert_eq!(criteria.include(&found(|_| {})), is_meant);
    let spared = SessionCriteria { except: Some(found(|_| {}).sid.into()), ..criteria.clone() };
    assert!(!spared.include(&found(|_| {})));
    let others = SessionCriteria { sids: vec!["b".into()], ..criteria };
    assert!(!others.include(&found(|_| {})));
}

#[rstest]
#[case::not_said_for_so_long(60, true)]
#[case::it_may_have_been_used_since(69, false)]
#[case::it_cannot(70, true)]
fn a_session_that_may_have_been_used_since_is_not_idle(#[case] ago: u64, #[case] is_meant: bool) {
    let criteria = read(json!({ "idle_longer_than": "60 seconds" })).criteria.unwrap();
    let session = found(|it| {
        it.seen = Timestamp::from_millis(NOW.millis() - ago * 1000);
        // Use moves it at most once in ten seconds.
        it.idle_expires = (ago > 60).then(|| Timestamp::from_millis(it.seen.millis() + 100_000));
    });
    assert_eq!(criteria.include(&session), is_meant);
}
