//! When a request renews its cookie, and which answer carries it.

use super::*;
use crate::cookie::SessionCookie;
use crate::session::{REFRESH_GRACE, Subject, judge_session};
use crate::token::TokenGrant;
use std::rc::Rc;

const SETTINGS: &[(&str, &str)] = &[
    ("SESSION_TTL", "7 days"),
    ("TOKEN_TTL", "15 minutes"),
    ("TOKEN_SOURCES", "bearer, cookie, header:x-token"),
];

fn sid() -> Sid {
    Sid::try_from("s".to_owned()).unwrap()
}

/// A token that was issued now and lives so many seconds.
fn token(guard: &Guard, lifetime: u64) -> String {
    let grant = TokenGrant {
        sub: &Subject::try_from("ada".to_owned()).unwrap(),
        sid: &sid(),
        jti: "jti",
        public: &serde_json::Map::new(),
        now: NOW,
        lifetime: Duration::from_secs(lifetime),
    };
    guard.tokens().issue(&grant).unwrap()
}

fn later(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

/// A session that lives for so many seconds.
fn live(seconds: u64) -> Session {
    session("s", NOW.millis(), later(seconds).millis())
}

/// The first second in which a request with these headers renews its cookie; `None` if it does in none.
fn first_renewal(
    settings: &[(&str, &str)],
    lifetime: u64,
    lives: u64,
    headers: &[&'static str],
) -> Option<u64> {
    let guard = guard_with(settings);
    let token = token(&guard, lifetime);
    let prefix = |name: &str| match name {
        "cookie" => "__Host-session=",
        "authorization" => "Bearer ",
        _ => "",
    };
    let values = headers.iter().map(|name| (*name, format!("{}{token}", prefix(name))));
    let values: Vec<(&'static str, String)> = values.collect();
    let values: Vec<_> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let request = request("GET", "/x", &values);
    (0..lifetime).find(|seconds| {
        let plan = check(&guard, &request);
        let found = judge_session(Some(Rc::new(live(lives))), later(*seconds)).unwrap();
        let is_due = guard.renewal(&plan, &found, later(*seconds)).is_some();
        assert!(!is_due || !plan.is_valid_at(later(*seconds)), "a cached plan renews nothing");
        is_due
    })
}

const WEEK: u64 = 7 * 24 * 3600;
const COOKIE: &[&str] = &["cookie"];

#[rstest]
#[case::past_half_of_its_life(SETTINGS, 900, WEEK, COOKIE, Some(450))]
#[case::past_half_of_the_life_that_it_has(SETTINGS, 300, WEEK, COOKIE, Some(150))]
#[case::not_before_the_store_gives_another(SETTINGS, 40, WEEK, COOKIE, Some(30))]
#[case::a_session_that_ends_with_it(SETTINGS, 900, 900, COOKIE, None)]
#[case::a_session_that_ends_soon_after(SETTINGS, 900, 905, COOKIE, None)]
#[case::a_session_that_ends_later(SETTINGS, 900, 906, COOKIE, Some(450))]
#[case::a_bearer_token(SETTINGS, 900, WEEK, &["authorization"], None)]
#[case::a_bearer_token_beside_the_cookie(SETTINGS, 900, WEEK, &["cookie", "authorization"], None)]
#[case::another_header_beside_the_cookie(SETTINGS, 900, WEEK, &["cookie", "x-token"], None)]
#[case::tokens_that_live_as_long_as_sessions(&[], 900, WEEK, COOKIE, None)]
#[case::in_monitor_mode(&[("TOKEN_TTL", "15 minutes"), ("MODE", "monitor")], 900, WEEK, COOKIE, Some(450))]
fn a_cookie_is_renewed_once_and_only_where_no_other_place_holds_its_token(
    #[case] settings: &[(&str, &str)],
    #[case] lifetime: u64,
    #[case] lives: u64,
    #[case] headers: &[&'static str],
    #[case] expected: Option<u64>,
) {
    assert_eq!(first_renewal(settings, lifetime, lives, headers), expected);
}

#[test]
fn a_plan_for_the_last_token_of_a_session_is_cached_again_once_its_session_is_known() {
    let guard = guard_with(SETTINGS);
    let cookie = format!("__Host-session={}", token(&guard, 900));
    let plan = check(&guard, &request("GET", "/x", &[("cookie", &cookie)]));
    assert!(plan.is_valid_at(later(449)));
    assert!(!plan.is_valid_at(later(450)));
    let found = judge_session(Some(Rc::new(live(900))), later(450)).unwrap();
    assert!(guard.renewal(&plan, &found, later(450)).is_none());
    assert!(plan.is_valid_at(later(450)));
    assert!(!plan.is_valid_at(later(906)), "its times hold all the same");
}

#[rstest]
#[case::new(0, 900, WEEK, Some(450))]
#[case::due(500, 900, WEEK, Some(0))]
#[case::the_last(0, 900, 900, None)]
fn clients_are_told_when_to_refresh(
    #[case] now: u64,
    #[case] lifetime: u64,
    #[case] lives: u64,
    #[case] expected: Option<u64>,
) {
    let guard = guard_with(SETTINGS);
    let text = token(&guard, lifetime);
    let caller = guard.principal_of_token(&text, NOW).unwrap();
    let told = guard.refresh_in(caller.token(), &live(lives), later(now));
    assert_eq!(told, expected.map(Duration::from_secs));
}

fn renewal(changes: impl FnOnce(&mut Session)) -> Renewal {
    let mut session = Session { refreshed: Some(NOW), ..live(WEEK) };
    changes(&mut session);
    Renewal::new(session, "a.b.c".into(), NOW, Duration::from_secs(900))
}

fn lines(renewal: &Renewal, has: &[&str], now: Timestamp) -> Vec<String> {
    let cookie = SessionCookie::new("__Host-session".into(), None);
    renewal.lines(&cookie, has.iter().copied(), Recipient::Client, now)
}

const LINE: &str = "__Host-session=a.b.c; Path=/; HttpOnly; Secure; SameSite=Lax";

#[rstest]
#[case::alone(&[], true)]
#[case::beside_others(&["theme=dark", "__Host-session-guard-page=1; Path=/", "=__Host-session"], true)]
#[case::after_a_login(&["__Host-session=x.y.z; Path=/"], false)]
#[case::after_a_logout(&["theme=dark", "__Host-session=; Path=/; Max-Age=0"], false)]
#[case::written_loosely(&[" __Host-session =x"], false)]
fn a_renewed_cookie_never_stands_beside_another(#[case] has: &[&str], #[case] is_set: bool) {
    let expected = if is_set { vec![format!("{LINE}; Max-Age=890")] } else { vec![] };
    assert_eq!(lines(&renewal(|_| ()), has, later(10)), expected);
}

#[test]
fn a_renewed_cookie_ends_with_the_browser_if_the_first_did() {
    assert_eq!(lines(&renewal(|it| it.transient = true), &[], NOW), [LINE]);
}

#[test]
fn a_proxy_gets_the_cookie_in_one_line() {
    let cookie = SessionCookie::new("__Secure-session".into(), Some("example.com".into()));
    let lines = |recipient| renewal(|_| ()).lines(&cookie, [], recipient, NOW);
    let both = lines(Recipient::Client);
    assert!(both.len() == 2 && both[0].ends_with("Max-Age=0"), "{both:?}");
    for shows_redirects in [true, false] {
        assert_eq!(lines(Recipient::Proxy { shows_redirects }), both[1..]);
    }
}

#[test]
fn a_token_that_has_outgrown_the_cookie_leaves_the_browser_the_one_that_it_has() {
    let session = Session { refreshed: Some(NOW), ..live(WEEK) };
    let renewal = Renewal::new(session, "a".repeat(4096), NOW, Duration::from_secs(900));
    assert_eq!(lines(&renewal, &[], NOW), [""; 0]);
}

#[test]
fn an_answer_that_took_long_sets_no_cookie_that_the_browser_may_have_a_newer_one_of() {
    let renewal = renewal(|_| ());
    assert!(renewal.is_newest(later(19)));
    assert!(!renewal.is_newest(later(20)), "it may be replaced {REFRESH_GRACE:?} after its issue");
    let same = Session { refreshed: Some(NOW), ..live(WEEK) };
    assert!(renewal.is_still_newest(Some(&same), later(439)));
    assert!(!renewal.is_still_newest(Some(&same), later(440)), "the next is due");
    let replaced = Session { jti: "next".into(), ..same.clone() };
    assert!(!renewal.is_still_newest(Some(&replaced), later(60)));
    let ended = Session { ended: Some(SessionEnd::Revoked { at: later(59) }), ..same };
    assert!(!renewal.is_still_newest(Some(&ended), later(60)));
    assert!(!renewal.is_still_newest(None, later(60)), "nobody knows");
}
