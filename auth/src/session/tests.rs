use super::*;
use rstest::rstest;
use std::rc::Rc;

pub(crate) fn session(sid: &str, created: u64, expires: u64) -> Session {
    Session {
        sid: Sid::try_from(sid.to_owned()).unwrap(),
        jti: "jti".into(),
        previous_jti: None,
        refreshed: None,
        unused: false,
        created: Timestamp::from_millis(created),
        seen: Timestamp::from_millis(created),
        expires: Timestamp::from_millis(expires),
        idle_expires: None,
        idle_timeout: None,
        transient: false,
        device: DeviceClass::Desktop,
        user_agent: String::new(),
        place: None,
        data: None,
        client_data: None,
        issuer: None,
        issuer_sid: None,
        admin: false,
        deny_until: None,
        readmit: false,
        rights: None,
        ended: None,
    }
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn token(jti: &str, issued: u64) -> TokenName {
    TokenName { jti: jti.into(), issued: at(issued) }
}

#[test]
fn an_absent_session_is_unknown() {
    assert_eq!(judge_token(None, [&token("jti", 0)], at(0)), Err(InvalidSession::Unknown));
}

#[rstest]
#[case::fresh(10, None, Ok(()))]
#[case::at_the_absolute_deadline(100, None, Err(InvalidSession::Expired { at: at(100) }))]
#[case::before_the_idle_deadline(49, Some(50), Ok(()))]
#[case::at_the_idle_deadline(50, Some(50), Err(InvalidSession::Expired { at: at(50) }))]
#[case::idle_deadline_beyond_the_absolute_one(100, Some(200), Err(InvalidSession::Expired { at: at(100) }))]
fn a_session_is_live_until_its_first_deadline(
    #[case] now: u64,
    #[case] idle: Option<u64>,
    #[case] expected: Result<(), InvalidSession>,
) {
    let mut found = session("a", 0, 100);
    found.idle_expires = idle.map(at);
    assert_eq!(found.is_live(at(now)), expected.is_ok());
    assert_eq!(judge_token(Some(found.into()), [&token("jti", 0)], at(now)).map(|_| ()), expected);
}

#[test]
fn an_ended_session_stays_ended_even_past_its_deadline() {
    let ending = SessionEnd::Superseded { at: at(5), by: DeviceClass::Mobile };
    let mut found = session("a", 0, 100);
    found.ended = Some(ending.clone());
    assert_eq!(
        judge_token(Some(found.clone().into()), [&token("jti", 0)], at(6)),
        Err(InvalidSession::Ended(ending.clone()))
    );
    assert_eq!(
        judge_token(Some(found.into()), [&token("jti", 0)], at(1000)),
        Err(InvalidSession::Ended(ending))
    );
}

#[test]
fn the_idle_deadline_slides_once_per_tenth_of_the_timeout_and_never_for_the_dead() {
    let timeout = Duration::from_millis(100);
    let mut found = session("a", 0, 1000);
    found.idle_expires = Some(at(100));
    assert!(!found.extend_idle_deadline(timeout, at(9)));
    assert!(found.extend_idle_deadline(timeout, at(10)));
    assert_eq!((found.seen, found.idle_expires), (at(10), Some(at(110))));
    assert!(
        !found.extend_idle_deadline(timeout, at(110)),
        "a session past its deadline is not revived"
    );
    found.ended = Some(SessionEnd::Revoked { at: at(20) });
    assert!(!found.extend_idle_deadline(timeout, at(60)), "nor is an ended one");
}

#[rstest]
#[case::by_its_own(Some(700), Some(100), Some(700))]
#[case::by_the_settings(None, Some(100), Some(100))]
#[case::by_its_own_alone(Some(700), None, Some(700))]
#[case::not_at_all(None, None, None)]
fn a_session_with_an_idle_timeout_of_its_own_is_extended_by_that(
    #[case] own: Option<u64>,
    #[case] by_settings: Option<u64>,
    #[case] expected: Option<u64>,
) {
    let by_settings = by_settings.map(Duration::from_millis);
    let idle_expires = Some(at(50));
    let found = Session { idle_timeout: own, idle_expires, ..session("a", 0, 1_000_000) };
    assert_eq!(found.idle_timeout_or(by_settings), expected.map(Duration::from_millis));
    let mut refreshed = found.clone();
    assert!(refreshed.refresh(&token("jti", 0), "b".into(), by_settings, true, at(40)));
    assert_eq!(refreshed.idle_expires, expected.map(|own| at(40 + own)).or(idle_expires));
    let mut unused = found;
    assert!(unused.refresh(&token("jti", 0), "b".into(), by_settings, false, at(40)));
    assert_eq!((unused.seen, unused.idle_expires), (at(0), idle_expires), "nobody has used it");
    assert_eq!(unused.jti, "b");
}

#[test]
fn the_stored_format_is_this_json() {
    let mut stored = session("abc", 1_700_000_000_000, 1_700_000_600_000);
    stored.idle_expires = Some(at(1_700_000_300_000));
    stored.user_agent = "curl/8".into();
    stored.place = Some("Berlin, DE".into());
    stored.data = Some(r#"{"theme":"dark"}"#.into());
    stored.ended =
        Some(SessionEnd::Superseded { at: at(1_700_000_100_000), by: DeviceClass::Tablet });
    let json = r#"{"sid":"abc","jti":"jti","created":1700000000000,"seen":1700000000000,"expires":1700000600000,"idle_expires":1700000300000,"device":"desktop","user_agent":"curl/8","place":"Berlin, DE","data":"{\"theme\":\"dark\"}","ended":{"why":"superseded","at":1700000100000,"by":"tablet"}}"#;
    assert_eq!(serde_json::to_string(&stored).unwrap(), json);
    assert_eq!(serde_json::from_str::<Session>(json).unwrap(), stored);
    stored.admin = true;
    stored.deny_until = Some(Timestamp::FAR_FUTURE);
    stored.readmit = true;
    stored.rights = Some(r#"{"roles":[]}"#.into());
    stored.idle_timeout = Some(60_000);
    stored.transient = true;
    let json = json.replace(r#","device""#, r#","idle_timeout":60000,"transient":true,"device""#);
    let new = r#","admin":true,"deny_until":99999999999999,"readmit":true,"rights":"{\"roles\":[]}","ended""#;
    let json = json.replace(r#","ended""#, new);
    assert_eq!(serde_json::to_string(&stored).unwrap(), json);
    assert_eq!(serde_json::from_str::<Session>(&json).unwrap(), stored);
    let least = r#"{"sid":"a","jti":"j","created":1,"seen":1,"expires":2,"device":"other"}"#;
    assert_eq!(
        serde_json::to_string(&serde_json::from_str::<Session>(least).unwrap()).unwrap(),
        least
    );
}

#[test]
fn private_data_does_not_reach_debug_output() {
    let mut private = session("a", 0, 1);
    private.data = Some(r#"{"pin":"1234"}"#.into());
    assert!(!format!("{private:?}").contains("1234"));
}

#[rstest]
#[case::current("b", 50_000, 60_000, TokenGeneration::Current)]
#[case::just_before("a", 0, 79_999, TokenGeneration::Previous)]
#[case::too_long_after("a", 0, 80_000, TokenGeneration::Outdated)]
#[case::older("z", 0, 50_001, TokenGeneration::Outdated)]
#[case::of_the_same_second("z", 50_999, 60_000, TokenGeneration::Outdated)]
#[case::somebody_elses_newer_one("z", 51_000, 60_000, TokenGeneration::Current)]
fn a_refresh_leaves_the_token_before_it_thirty_seconds_and_until_its_successor_is_used(
    #[case] jti: &str,
    #[case] issued: u64,
    #[case] now: u64,
    #[case] expected: TokenGeneration,
) {
    let mut found = session("a", 0, 100_000);
    found.jti = "a".into();
    assert_eq!(
        found.token_generation(&token("any", 0), at(0)),
        TokenGeneration::Current,
        "never refreshed"
    );
    assert!(found.refresh(&token("a", 0), "b".into(), None, true, at(50_000)));
    let unused = if jti == "a" { TokenGeneration::Previous } else { expected };
    assert_eq!(found.token_generation(&token(jti, issued), at(now)), unused, "nobody has used b");
    assert!(!found.record_token_use("a", at(50_001)), "it is not the current one");
    assert!(found.record_token_use("b", at(50_001)));
    assert!(!found.record_token_use("b", at(50_002)), "it is known");
    assert_eq!(found.token_generation(&token(jti, issued), at(now)), expected);
    let judged = judge_token(Some(found.into()), [&token(jti, issued)], at(now)).map(drop);
    let outdated = expected == TokenGeneration::Outdated;
    assert_eq!(judged, if outdated { Err(InvalidSession::Outdated) } else { Ok(()) });
}

#[test]
fn one_good_token_of_several_is_enough() {
    let mut found = session("a", 0, 100_000);
    assert!(found.refresh(&token("jti", 0), "b".into(), None, true, at(1)));
    assert!(found.record_token_use("b", at(2)));
    let found = Some(Rc::new(found));
    let (old, current) = (token("jti", 0), token("b", 1));
    let judged = |tokens: &[&TokenName]| {
        judge_token(found.clone(), tokens.iter().copied(), at(90_000)).map(drop)
    };
    assert_eq!(judged(&[&old]), Err(InvalidSession::Outdated));
    assert_eq!(judged(&[&old, &current]), Ok(()));
    assert_eq!(judged(&[&current, &old]), Ok(()));
    assert_eq!(judged(&[&old, &token("z", 0)]), Err(InvalidSession::Outdated));
    assert_eq!(judged(&[]), Err(InvalidSession::Outdated));
}

#[test]
fn a_session_is_refreshed_at_most_once_in_thirty_seconds() {
    let mut found = session("a", 0, 100_000);
    let (first, b) = (token("jti", 0), token("b", 0));
    assert!(found.refresh(&first, "b".into(), None, true, at(1)));
    assert!(!found.refresh(&first, "c".into(), None, true, at(30_000)));
    assert!(found.refresh(&b, "c".into(), None, true, at(30_000)), "it learns that b is used");
    assert!(!found.refresh(&b, "c".into(), None, true, at(30_000)));
    assert_eq!((found.jti.as_str(), found.previous_jti.as_deref()), ("b", Some("jti")));
    assert!(found.refresh(&b, "c".into(), Some(Duration::from_secs(5)), true, at(30_001)));
    assert_eq!((found.jti.as_str(), found.previous_jti.as_deref()), ("c", Some("b")));
    assert_eq!((found.seen, found.idle_expires), (at(30_001), Some(at(35_001))));
    assert!(found.unused);
}

#[test]
fn a_refresh_whose_answer_was_lost_is_repeated_until_its_token_is_used() {
    let mut found = session("a", 0, 10_000_000);
    let old = token("jti", 0);
    assert!(found.refresh(&old, "b".into(), None, true, at(1_000)));
    let later = Duration::from_secs(60);
    for now in [100_000, 200_000, 300_000].map(at) {
        assert!(found.refresh(&old, "not taken".into(), Some(later), true, now));
        assert_eq!((found.jti.as_str(), found.previous_jti.as_deref()), ("b", Some("jti")));
        assert_eq!((found.refreshed, found.seen), (Some(now), now), "the token lasts from now on");
        assert_eq!(found.idle_expires, Some(now.plus(later)));
    }
    found.idle_expires = None;
    assert!(found.record_token_use("b", at(300_001)));
    assert_eq!(found.token_generation(&old, at(329_999)), TokenGeneration::Previous);
    assert_eq!(found.token_generation(&old, at(330_000)), TokenGeneration::Outdated);
}

#[test]
fn a_providers_session_is_named_by_its_issuer_its_user_and_what_its_token_says() {
    let sid = |issuer, sub: &str, session| {
        Sid::of_provider(issuer, &Subject::try_from(sub.to_owned()).unwrap(), session)
    };
    let one = sid("https://idp.test", "ada", "s1");
    assert_eq!(one, sid("https://idp.test", "ada", "s1"));
    assert_eq!(one.as_str().len(), 22, "as long as any other");
    let others = [
        sid("https://idp.test/", "ada", "s1"),
        sid("https://idp.test", "adas", "1"),
        sid("https://idp.test", "ad", "as1"),
        sid("https://idp.test", "ada", "s2"),
        sid("https://idp.testa", "da", "s1"),
    ];
    assert!(!others.contains(&one));
}

#[rstest]
#[case::the_guards_own(None, false, 50, 160_000, None, false)]
#[case::its_idle_deadline_is_hard(Some(9), false, 50, 60_050, Some(50), false)]
#[case::its_idle_deadline_is_soft(Some(9), true, 50, 60_050, None, true)]
#[case::its_absolute_deadline_never_is(Some(9), true, 100_000, 160_000, Some(100_000), false)]
fn a_providers_record_is_kept_for_a_minute_and_leaves_a_denial_unless_it_may_begin_anew(
    #[case] deny_until: Option<u64>,
    #[case] readmit: bool,
    #[case] idle: u64,
    #[case] forget_at: u64,
    #[case] expired: Option<u64>,
    #[case] lapses: bool,
) {
    let (deny_until, idle_expires) = (deny_until.map(at), Some(at(idle)));
    let live = Session { deny_until, readmit, idle_expires, ..session("a", 0, 100_000) };
    assert_eq!(live.forget_at(), at(forget_at));
    let denial = live.denial();
    assert_eq!(denial.map(|it| it.denial), expired.map(|at_| Denial::Expired { at: at(at_) }));
    assert!(!live.has_lapsed(at(idle - 1)));
    assert_eq!(live.has_lapsed(at(idle)), lapses);
    let ending = SessionEnd::Revoked { at: at(1) };
    let ended = Session { ended: Some(ending.clone()), ..live };
    assert!(!ended.has_lapsed(at(idle)));
    assert_eq!(ended.denial().map(|it| it.denial), deny_until.map(|_| Denial::Ended(ending)));
}

#[rstest]
#[case::sets(None, r#"{"roles":["a"]}"#, Some(r#"{"roles":["a"]}"#))]
#[case::in_one_order(
    Some(r#"{"roles":[]}"#),
    r#"{"claims":{},"scopes":["b"]}"#,
    Some(r#"{"roles":[],"scopes":["b"],"claims":{}}"#)
)]
#[case::replaces(
    Some(r#"{"roles":["a"],"claims":{"x":1}}"#),
    r#"{"claims":{"y":null}}"#,
    Some(r#"{"roles":["a"],"claims":{"y":null}}"#)
)]
#[case::removes(
    Some(r#"{"roles":["a"],"scopes":[]}"#),
    r#"{"scopes":null}"#,
    Some(r#"{"roles":["a"]}"#)
)]
#[case::removes_the_last(Some(r#"{"roles":["a"]}"#), r#"{"roles":null}"#, None)]
#[case::removes_what_is_not_there(None, r#"{"roles":null}"#, None)]
#[case::whatever_is_in_them(
    Some(r#"{"roles":["\"claims\":{}","scopes",":"],"claims":{"a":{"x":1,"scopes":[]},"roles":[]}}"#),
    r#"{"scopes":["\",\"claims\":"]}"#,
    Some(r#"{"roles":["\"claims\":{}","scopes",":"],"scopes":["\",\"claims\":"],"claims":{"a":{"x":1,"scopes":[]},"roles":[]}}"#)
)]
#[case::changes_nothing(Some(r#"{"claims":{"a":1.50}}"#), "{}", Some(r#"{"claims":{"a":1.50}}"#))]
fn rights_are_changed_member_by_member(
    #[case] old: Option<&str>,
    #[case] change: &str,
    #[case] expected: Option<&str>,
) {
    let read: RightsChange = serde_json::from_str(change).unwrap();
    assert_eq!(read.apply(old).as_deref(), expected);
    let again: RightsChange = serde_json::from_str(&serde_json::to_string(&read).unwrap()).unwrap();
    assert_eq!(again, read, "a command keeps it");
}
