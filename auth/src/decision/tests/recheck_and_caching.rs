//! Responses that come after their session may have ended, and which responses a cache may keep.

use super::*;
use std::rc::Rc;

fn down() -> StoreError {
    StoreError::Unreachable("down".into())
}

fn live() -> Session {
    session("a", NOW.millis(), NOW.millis() + 1_000_000)
}

#[rstest]
#[case(Ok(Some(live())), None)]
#[case(Ok(None), Some("session_unknown"))]
#[case(Ok(Some(Session { ended: Some(SessionEnd::Revoked { at: NOW }), ..live() })), Some("session_revoked"))]
#[case(Ok(Some(Session { expires: NOW, ..live() })), Some("session_expired"))]
#[case(Err(down()), Some("store_unavailable"))]
fn a_late_answer_is_for_a_session_that_is_known_to_live(
    #[case] found: Result<Option<Session>, StoreError>,
    #[case] refusal: Option<&str>,
) {
    let guard = guard();
    let sid = live().sid;
    let verdict = guard.recheck(&sid, found.map(|session| session.map(Rc::new)), NOW);
    assert_eq!(verdict.err().map(|refusal| refusal.code()), refusal);
}

#[test]
fn a_late_answer_passes_in_an_outage_only_if_that_is_allowed_and_the_session_was_seen_lately() {
    let guard = guard_with(&[("STORE_FAILURE", "allow-recent: 60 seconds")]);
    let sid = live().sid;
    let later = |seconds| NOW.plus(Duration::from_secs(seconds));
    let ask = |found: Result<Option<Session>, StoreError>, seconds| {
        guard.recheck(&sid, found.map(|session| session.map(Rc::new)), later(seconds)).is_ok()
    };
    assert!(!ask(Err(down()), 0), "never seen");
    assert!(ask(Ok(Some(live())), 0));
    assert!(ask(Err(down()), 59));
    assert!(!ask(Err(down()), 60), "too long ago");
    assert!(!ask(Ok(None), 1));
    assert!(!ask(Err(down()), 2), "known to be gone");
}

const ROUTES: &str = r#"[
    {"path":"/open/*","access":"public"},
    {"path":"/maybe/*","access":"optional"},
    {"path":"/sign-in","access":"public","login":true}
]"#;

#[rstest]
#[case(&[], "/open/x", false, true)]
#[case(&[], "/open/x", true, true)]
#[case(&[], "/maybe/x", false, false)]
#[case(&[], "/sign-in", false, false)]
#[case(&[("MODE", "monitor")], "/open/x", false, true)]
#[case(&[("MODE", "monitor")], "/x", false, false)]
#[case(&[("MODE", "monitor")], "/open/../x", false, false)]
#[case(&[("FORWARD_CREDENTIAL", "true")], "/open/x", false, true)]
#[case(&[("FORWARD_CREDENTIAL", "true")], "/open/x", true, false)]
fn a_cache_may_stand_between_only_for_public_paths_and_without_the_credential(
    #[case] settings: &[(&str, &str)],
    #[case] path: &str,
    #[case] has_token: bool,
    #[case] expected: bool,
) {
    let guard = guard_with(&[settings, &[("ROUTES", ROUTES)]].concat());
    for header in [("authorization", bearer(&guard)), ("cookie", cookie(&guard))] {
        let header = [(header.0, header.1.as_str())];
        let request = request("GET", path, if has_token { &header } else { &[] });
        let decision = guard.decide(&request, NOW);
        let Decision::Forward(anonymous) = decision else { panic!("{decision:?}") };
        assert_eq!(anonymous.is_cacheable(), expected, "{path} {has_token}");
    }
}

#[test]
fn a_preflight_is_for_no_cache() {
    let guard = guard();
    let headers = [("origin", "https://a.example"), ("access-control-request-method", "GET")];
    let decision = guard.decide(&request("OPTIONS", "/x", &headers), NOW);
    let Decision::Forward(anonymous) = decision else { panic!("{decision:?}") };
    assert!(!anonymous.is_cacheable());
}
