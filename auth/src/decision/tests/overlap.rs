//! `OVERLAP_SAFE_REQUESTS`: which requests are sent to the origin beside the session check.

use super::*;

#[rstest]
#[case("true", "GET", "/x", &[], true)]
#[case("true", "HEAD", "/x", &[], true)]
#[case("true", "POST", "/x", &[], false)]
#[case("true", "OPTIONS", "/x", &[], false)]
#[case("true", "GET", "/x", &[("upgrade", "websocket")], false)]
#[case("true", "GET", "/either", &[], false)]
#[case("true", "GET", "/admin/x", &[], false)]
#[case("false", "GET", "/x", &[], false)]
fn only_safe_requests_that_nothing_but_the_session_can_stop_are_sent_ahead(
    #[case] setting: &str,
    #[case] method: &'static str,
    #[case] path: &str,
    #[case] headers: &[(&'static str, &str)],
    #[case] ahead: bool,
) {
    let guard = guard_with(&[("ROUTES", ROUTES), ("OVERLAP_SAFE_REQUESTS", setting)]);
    let bearer = bearer(&guard);
    let headers = [headers, &[("authorization", &bearer as &str)]].concat();
    assert_eq!(check(&guard, &request(method, path, &headers)).overlaps_store(), ahead);
}

#[rstest]
#[case(("MODE", "monitor"))]
#[case(("FORWARD_SESSION_DATA", "true"))]
fn nothing_is_sent_ahead_where_the_answer_may_need_another_request(#[case] setting: (&str, &str)) {
    let guard = guard_with(&[("OVERLAP_SAFE_REQUESTS", "true"), setting]);
    let request = request("GET", "/x", &[("authorization", &bearer(&guard))]);
    assert!(!check(&guard, &request).overlaps_store());
}
