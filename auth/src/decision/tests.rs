mod asserted;
mod cors;
mod credentials;
mod extends;
mod late;

use super::*;
use crate::config::BOUND;
use crate::jwt::TokenError;
use crate::session::{InvalidSession, SessionEnd, tests::session};
use crate::store::{Answer, Command, StoreError};
use crate::token::tests::{NOW, issue};
use rstest::rstest;

struct Request {
    method: &'static str,
    url: String,
    headers: Vec<(&'static str, String)>,
    body: Option<String>,
}

impl Head for Request {
    fn method(&self) -> &str {
        self.method
    }
    fn url(&self) -> &str {
        &self.url
    }
    fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        assert_eq!(name, name.to_ascii_lowercase());
        self.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())
    }
    fn has_body(&self) -> bool {
        self.body.is_some()
    }
    fn body(&self) -> Body<'_> {
        self.body.as_deref().map_or(Body::Unread, Body::Text)
    }
}

fn request(method: &'static str, path: &str, headers: &[(&'static str, &str)]) -> Request {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Request { method, url: format!("https://app.example{path}"), headers, body: None }
}

fn guard_with(changes: &[(&str, &str)]) -> Guard {
    let keys = r#"{"keys":[{"kty":"oct","alg":"HS256","kid":"a","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}"#;
    let all = [("ISSUER", "https://guard"), ("AUDIENCE", "members"), ("SIGNING_KEYS", keys)];
    let all = [changes, &all].concat();
    let find = |name: &str| all.iter().find(|(key, _)| *key == name);
    Guard::new(Settings::read(|name| find(name).map(|(_, text)| (*text).to_owned())).unwrap())
}

fn guard() -> Guard {
    guard_with(&[])
}

fn check(guard: &Guard, request: &Request) -> ForwardPlan {
    match guard.decide(request, NOW) {
        Decision::CheckSession(check) => *check,
        other => panic!("{other:?}"),
    }
}

fn refusal(guard: &Guard, request: &Request) -> Refused {
    match guard.decide(request, NOW) {
        Decision::Refuse(refused) => refused,
        other => panic!("{other:?}"),
    }
}

fn bearer(guard: &Guard) -> String {
    format!("Bearer {}", issue(guard.tokens(), "ada"))
}

fn cookie(guard: &Guard) -> String {
    format!("a=1; __Host-session={}; b=2", issue(guard.tokens(), "ada"))
}

#[test]
fn a_genuine_token_makes_a_question_to_the_store() {
    let guard = guard();
    let check = check(&guard, &request("GET", "/x", &[("authorization", &bearer(&guard))]));
    assert_eq!(check.caller().user().as_str(), "ada");
    let caller = check.caller();
    let (sid, jti) = (caller.sid().clone(), Some(caller.token().name().jti.clone()));
    let expected = Command::Check { sid, jti, idle_timeout: None, now: NOW };
    assert_eq!(check.caller().command(), expected);
}

#[test]
fn no_token_is_told_from_a_bad_one() {
    let guard = guard();
    let none = refusal(&guard, &request("GET", "/x", &[]));
    assert_eq!(
        none,
        Refused {
            refusal: Refusal::TokenMissing,
            login: None,
            https: None,
            route: Some("/*".into())
        }
    );
    let bad = refusal(&guard, &request("GET", "/x", &[("authorization", "Bearer x.y.z")]));
    assert_eq!(bad.refusal, Refusal::Token(TokenError::Malformed));
}

#[rstest]
#[case("/a/../b")]
#[case("/a/%2e%2e/b")]
#[case("/a\\b")]
fn a_path_that_changes_on_the_way_is_refused_whoever_asks(#[case] path: &str) {
    let guard = guard();
    let request = request("GET", path, &[("authorization", &bearer(&guard))]);
    assert_eq!(refusal(&guard, &request).refusal.code(), "bad_request");
}

#[rstest]
#[case::navigation(&[("sec-fetch-mode", "navigate")], true)]
#[case::old_browser(&[("accept", "text/html,*/*")], true)]
#[case::fetch_that_likes_html(&[("sec-fetch-mode", "cors"), ("accept", "text/html")], false)]
#[case::program(&[("accept", "*/*")], false)]
fn only_a_person_navigating_is_sent_to_the_login_page(
    #[case] headers: &[(&'static str, &str)],
    #[case] sent: bool,
) {
    let refused = refusal(&guard(), &request("GET", "/x?a=1&b=%2F", headers));
    let login = "/_auth/login?redirect=/x?a=1%26b=%252F".to_owned();
    assert_eq!(refused.login, sent.then_some(login));
    let put = refusal(&guard(), &request("PUT", "/x", headers));
    assert_eq!(put.login, None);
}

#[rstest]
#[case::its_page(
    "navigate",
    Some("https://app.example/form?a=1&b=2#c"),
    Some("/form?a=1%26b=2%23c")
)]
#[case::page_of_another_site("navigate", Some("https://evil.example/form"), Some("/"))]
#[case::page_that_is_kept_quiet("navigate", None, Some("/"))]
#[case::page_of_which_the_site_is_told("navigate", Some("https://app.example/"), Some("/"))]
#[case::page_with_a_token(
    "navigate",
    Some("https://app.example/form?t=x.y.z&a=1"),
    Some("/form?a=1")
)]
#[case::script("cors", Some("https://app.example/form"), None)]
fn a_form_sent_after_the_session_is_over_leads_to_the_login_page_and_back_to_where_it_was(
    #[case] mode: &str,
    #[case] referer: Option<&str>,
    #[case] back: Option<&str>,
) {
    let guard = guard_with(&[("TOKEN_SOURCES", "bearer, cookie, query:t")]);
    let cookie = "__Host-session=x.y.z";
    for (cookie, reason) in [(None, ""), (Some(cookie), "&reason=token_invalid")] {
        let headers = [("referer", referer), ("cookie", cookie)];
        let headers = headers.iter().filter_map(|(name, value)| Some((*name, (*value)?)));
        let sent = [("sec-fetch-mode", mode), ("sec-fetch-site", "same-origin")];
        let headers: Vec<_> = sent.into_iter().chain(headers).collect();
        let refused = refusal(&guard, &request("POST", "/save?x=1", &headers));
        let login = back.map(|back| format!("/_auth/login?redirect={back}{reason}"));
        assert_eq!(refused.login, login, "{headers:?}");
    }
}

#[rstest]
#[case::no_word("POST", &[], false)]
#[case::same_origin("POST", &[("sec-fetch-site", "same-origin")], true)]
#[case::typed_in("POST", &[("sec-fetch-site", "none")], true)]
#[case::same_site("POST", &[("sec-fetch-site", "same-site")], false)]
#[case::cross_site("DELETE", &[("sec-fetch-site", "cross-site")], false)]
#[case::own_origin("POST", &[("origin", "https://app.example")], true)]
#[case::other_origin("POST", &[("origin", "https://evil.example")], false)]
#[case::prefix_of_origin("POST", &[("origin", "https://app.exam")], false)]
#[case::null_origin("POST", &[("origin", "null")], false)]
#[case::empty_origin("POST", &[("origin", "")], false)]
#[case::both_disagree("POST", &[("sec-fetch-site", "cross-site"), ("origin", "https://app.example")], false)]
#[case::same_origin_decides_alone("POST", &[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")], true)]
#[case::same_origin_of_a_sandbox("POST", &[("sec-fetch-site", "same-origin"), ("origin", "null")], true)]
#[case::the_user_on_this_site("POST", &[("sec-fetch-site", "none"), ("origin", "https://app.example")], true)]
#[case::the_user_by_another_site("POST", &[("sec-fetch-site", "none"), ("origin", "https://evil.example")], false)]
#[case::the_user_by_another_scheme("PUT", &[("sec-fetch-site", "none"), ("origin", "http://app.example")], false)]
#[case::the_user_by_another_port("DELETE", &[("sec-fetch-site", "none"), ("origin", "https://app.example:8443")], false)]
#[case::the_user_by_nobody("PATCH", &[("sec-fetch-site", "none"), ("origin", "null")], false)]
#[case::the_user_by_an_extension("POST", &[("sec-fetch-site", "none"), ("origin", "chrome-extension://abc")], false)]
#[case::the_user_by_two("POST", &[("sec-fetch-site", "none"), ("origin", "https://app.example, https://evil.example")], false)]
#[case::the_user_by_an_empty_origin("POST", &[("sec-fetch-site", "none"), ("origin", "")], false)]
#[case::a_neighbour_as_this_site("POST", &[("sec-fetch-site", "same-site"), ("origin", "https://app.example")], false)]
#[case::two_words("POST", &[("sec-fetch-site", "same-origin, same-origin"), ("origin", "https://app.example")], false)]
#[case::an_empty_word("POST", &[("sec-fetch-site", ""), ("origin", "https://app.example")], false)]
#[case::another_case("POST", &[("sec-fetch-site", "None")], false)]
#[case::websocket_by_the_user("GET", &[("upgrade", "websocket"), ("sec-fetch-site", "none"), ("origin", "https://evil.example")], false)]
#[case::safe_method("GET", &[("sec-fetch-site", "cross-site")], true)]
#[case::websocket("GET", &[("upgrade", "websocket"), ("origin", "https://evil.example")], false)]
fn a_cookie_on_an_unsafe_method_needs_a_proof_of_its_site(
    #[case] method: &'static str,
    #[case] headers: &[(&'static str, &str)],
    #[case] passes: bool,
) {
    let guard = guard();
    let cookie = cookie(&guard);
    let with_cookie = [headers, &[("cookie", &cookie as &str)]].concat();
    let decision = guard.decide(&request(method, "/x", &with_cookie), NOW);
    let refused = matches!(&decision, Decision::Refuse(r) if r.refusal == Refusal::CrossSite);
    assert_eq!(refused, !passes, "{decision:?}");
    let bearer = bearer(&guard);
    let with_bearer = [headers, &[("authorization", &bearer as &str)]].concat();
    check(&guard, &request(method, "/x", &with_bearer));
}

#[rstest]
#[case::a_program(&[], true)]
#[case::same_origin(&[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")], true)]
#[case::the_user(&[("sec-fetch-site", "none")], true)]
#[case::own_origin(&[("origin", "https://app.example")], true)]
#[case::the_user_by_another_site(&[("sec-fetch-site", "none"), ("origin", "https://evil.example")], false)]
#[case::the_user_by_nobody(&[("sec-fetch-site", "none"), ("origin", "null")], false)]
#[case::other_origin(&[("origin", "https://evil.example")], false)]
#[case::cross_site(&[("sec-fetch-site", "cross-site"), ("origin", "https://app.example")], false)]
fn login_and_logout_are_this_sites_or_a_programs(
    #[case] headers: &[(&'static str, &str)],
    #[case] passes: bool,
) {
    let verdict = guard().refuse_other_origins(&request("POST", "/_auth/logout", headers));
    assert_eq!(verdict, if passes { Ok(()) } else { Err(Refusal::CrossSite) });
}

#[test]
fn the_origin_gets_the_identity_and_not_the_credential() {
    let guard = guard();
    let sent = HeaderFilter::read("\n\nAccept\nx_auth_request_user\nX-Auth-Request-Email\nCookie");
    let by_cookie = check(&guard, &request("GET", "/", &[("cookie", &cookie(&guard))]));
    let changes = by_cookie.forward(&sent);
    assert_eq!(changes.remove, ["x_auth_request_user", "X-Auth-Request-Email"]);
    let sid = by_cookie.caller().sid().as_str();
    assert_eq!(changes.set, [("Cookie", "a=1; b=2")]);
    let expected = [
        ("X-Auth-Request-User", "ada"),
        ("X-Auth-Request-Session", sid),
        ("X-Auth-Request-Email", "ada@example.com"),
        ("X-Auth-Request-Claim-email", "ada@example.com"),
    ];
    let identity = changes.identity.iter().map(|(name, value)| (&**name, value.as_str()));
    assert!(identity.eq(expected), "{:?}", changes.identity);
    let by_bearer = check(&guard, &request("GET", "/", &[("authorization", &bearer(&guard))]));
    assert_eq!(by_bearer.forward(&HeaderFilter::default()).remove, ["authorization"]);
}

#[rstest]
#[case("TRACE", "/x", "method_not_allowed")]
#[case("TRACE", "/_auth/login", "method_not_allowed")]
#[case("CONNECT", "/x", "method_not_allowed")]
#[case("TRACE", "/public/x", "method_not_allowed")]
#[case("GET", "/x", "token_missing")]
fn what_shows_a_request_to_its_client_is_refused_everywhere(
    #[case] method: &'static str,
    #[case] path: &str,
    #[case] code: &str,
) {
    let guard = guard_with(&[("ROUTES", r#"[{"path": "/public/*", "access": "public"}]"#)]);
    assert_eq!(refusal(&guard, &request(method, path, &[])).refusal.code(), code);
}

#[rstest]
#[case("app.example", false)]
#[case("app.example:8787", false)]
#[case("[::1]:8787", false)]
#[case("app.example, evil.example", true)]
#[case("a@app.example", true)]
#[case("a b", true)]
#[case("", true)]
fn a_host_that_is_none_is_refused(#[case] host: &str, #[case] refused: bool) {
    let guard = guard();
    let request = Request { url: format!("https://{host}/x"), ..request("GET", "/x", &[]) };
    let code = refusal(&guard, &request).refusal.code();
    assert_eq!(code, if refused { "bad_request" } else { "token_missing" });
}

#[rstest]
#[case::an_applications_own("[]", "POST", true)]
#[case::on_a_safe_method("[]", "GET", false)]
#[case::where_it_is_for_everybody(r#"[{"path": "/x", "access": "optional"}]"#, "POST", false)]
#[case::where_methods_matter(
    r#"[{"path": "/y", "access": "session", "methods": ["GET"]}]"#,
    "POST",
    false
)]
fn the_origin_is_told_of_another_method_only_where_none_was_decided_about(
    #[case] routes: &str,
    #[case] method: &'static str,
    #[case] passes: bool,
) {
    let guard = guard_with(&[("ROUTES", routes)]);
    let check = check(&guard, &request(method, "/x", &[("authorization", &bearer(&guard))]));
    let sent = HeaderFilter::read("\n\nX-HTTP-Method-Override");
    let changes = check.forward(&sent);
    assert_eq!(!changes.remove.contains(&"X-HTTP-Method-Override"), passes);
    let sent = HeaderFilter::read("\n\nx-http-method");
    let anonymous = check.forward_anonymously(&sent);
    assert_eq!(!anonymous.remove.contains(&"x-http-method"), passes);
}

#[test]
fn somebody_elses_credentials_are_left_alone() {
    let guard = guard();
    let cookie = format!("__Host-session={}", issue(guard.tokens(), "ada"));
    let headers = [("authorization", "Basic YWRh"), ("cookie", &cookie as &str)];
    let check = check(&guard, &request("GET", "/", &headers));
    assert_eq!(check.forward(&HeaderFilter::default()).remove, ["cookie"]);
}

#[test]
fn a_token_may_be_wherever_the_settings_say_and_stays_at_the_guard() {
    let guard = guard_with(&[("TOKEN_SOURCES", "header:x-access-token, query:t, body:t")]);
    let token = issue(guard.tokens(), "ada");
    let by_header = check(&guard, &request("GET", "/", &[("x-access-token", &token)]));
    assert_eq!(by_header.forward(&HeaderFilter::default()).remove, ["x-access-token"]);
    let page = format!("https://app.example/?t={token}&u=1");
    let path = format!("/a?b=%2F&t={token}#c");
    let by_query = check(&guard, &request("GET", &path, &[("referer", &page)]));
    assert_eq!(by_query.target().instead.as_deref(), Some("/a?b=%2F"));
    assert!(
        by_query
            .forward(&HeaderFilter::default())
            .set
            .contains(&("Referer", "https://app.example/?u=1"))
    );
    let elsewhere = refusal(&guard, &request("GET", "/", &[("authorization", &bearer(&guard))]));
    assert_eq!(elsewhere.refusal, Refusal::TokenMissing);
    let navigation = [("accept", "text/html")];
    let stale = refusal(&guard, &request("GET", "/a?t=x.y.z&b=1", &navigation));
    assert_eq!(stale.login.unwrap(), "/_auth/login?redirect=/a?b=1&reason=token_invalid");
}

#[test]
fn the_credential_reaches_the_origin_only_if_it_is_told_to() {
    let sources = ("TOKEN_SOURCES", "bearer, cookie, header:x-token, query:t");
    for (setting, stays) in [("false", true), ("true", false)] {
        let guard = guard_with(&[sources, ("FORWARD_CREDENTIAL", setting)]);
        let token = issue(guard.tokens(), "ada");
        let headers = [("x-token", token.as_str()), ("cookie", &cookie(&guard))];
        let check = check(&guard, &request("GET", &format!("/a?t={token}&b=c"), &headers));
        let sent = HeaderFilter::read("\n\nx-token\ncookie");
        let changes = check.forward(&sent);
        assert_eq!(changes.remove.contains(&"x-token"), stays);
        assert_eq!(changes.set.iter().any(|(name, _)| *name == "Cookie"), stays);
        assert_eq!(check.target().instead.as_deref(), stays.then_some("/a?b=c"));
    }
}

#[test]
fn a_body_is_read_only_where_a_token_may_be_in_it() {
    let json = [("content-type", "application/json")];
    let reads = |guard: &Guard, method, path, headers: &[_]| {
        matches!(guard.decide(&request(method, path, headers), NOW), Decision::ReadBody)
    };
    let with = guard_with(&[("TOKEN_SOURCES", "bearer, body:t")]);
    assert!(reads(&with, "POST", "/", &json));
    assert!(reads(&with, "POST", "/_auth/logout", &json));
    assert!(!reads(&with, "POST", "/_auth/login", &json));
    assert!(!reads(&with, "GET", "/", &json));
    assert!(!reads(&with, "POST", "/", &[("content-type", "text/plain")]));
    assert!(!reads(&guard(), "POST", "/", &json));
    let token = issue(with.tokens(), "ada");
    let read = |body: Option<String>| Request { body, ..request("POST", "/", &json) };
    check(&with, &read(Some(format!(r#"{{"t":"{token}"}}"#))));
    let none = refusal(&with, &read(Some("{}".into())));
    assert_eq!(none.refusal, Refusal::TokenMissing);
    let two = Request {
        body: Some(r#"{"t":"x"}"#.into()),
        ..request("POST", "/", &[json[0], ("authorization", &bearer(&with))])
    };
    assert!(matches!(refusal(&with, &two).refusal, Refusal::BadRequest(_)));
}

fn found(session: Option<Session>) -> Result<Answer, StoreError> {
    Ok(Answer::Found(session.map(Rc::new)))
}

#[test]
fn the_stores_answer_decides() {
    let guard = guard();
    let check = check(&guard, &request("GET", "/", &[("authorization", &bearer(&guard))]));
    let judge = |answer| guard.judge(&check, answer, NOW).map(drop);
    let live = session("a", NOW.millis(), NOW.millis() + 1000);
    let mut ended = live.clone();
    let ending = SessionEnd::Revoked { at: NOW };
    ended.ended = Some(ending.clone());
    assert_eq!(judge(found(Some(live))), Ok(()));
    assert_eq!(judge(found(Some(ended))), Err(Refusal::Session(InvalidSession::Ended(ending))));
    assert_eq!(judge(found(None)), Err(Refusal::Session(InvalidSession::Unknown)));
    let down = StoreError::Unreachable("down".into());
    assert_eq!(judge(Err(down.clone())), Err(Refusal::StoreUnavailable(down)));
    let other = judge(Ok(Answer::Listed(vec![])));
    assert!(matches!(other, Err(Refusal::StoreUnavailable(_))), "{other:?}");
}

const ROUTES: &str = r#"[
    {"path": "/open/*", "access": "public"},
    {"path": "/either", "access": "optional"},
    {"path": "/admin/*", "access": "session", "roles": ["admin"]}
]"#;

#[rstest]
#[case("GET", "/x", &[], "token_missing")]
#[case("GET", "/x", &[("authorization", "Bearer a.b.c")], "token_invalid")]
#[case("POST", "/x", &[("cookie", "COOKIE"), ("sec-fetch-site", "cross-site")], "cross_site")]
#[case("GET", "/a/../b", &[("authorization", "BEARER")], "bad_request")]
#[case("GET", "/login", &[("authorization", "BEARER")], "not_found")]
fn in_monitor_mode_what_would_be_refused_goes_on_without_an_identity_and_is_noted(
    #[case] method: &'static str,
    #[case] path: &str,
    #[case] headers: &[(&'static str, &str)],
    #[case] code: &str,
) {
    let login = ("LOGIN_URL", "https://app.example/login");
    let (enforcing, monitoring) = (guard_with(&[login]), guard_with(&[login, ("MODE", "monitor")]));
    let (bearer, cookie) = (bearer(&monitoring), cookie(&monitoring));
    let fill = |text| match text {
        "BEARER" => &bearer,
        "COOKIE" => &cookie,
        text => text,
    };
    let headers: Vec<_> = headers.iter().map(|(name, text)| (*name, fill(text))).collect();
    let request = request(method, path, &headers);
    assert_eq!(refusal(&enforcing, &request).refusal.code(), code);
    let Decision::Forward(anonymous) = monitoring.decide(&request, NOW) else { panic!() };
    let said = format!(r#""decision":"would_refuse","code":"{code}","route":"/*""#);
    assert_eq!(anonymous.said(), said);
    let sent = HeaderFilter::read("\n\nX_Auth_Request_User");
    let changes = anonymous.forward(&sent);
    assert!(changes.remove.contains(&"X_Auth_Request_User"), "{changes:?}");
    assert!(changes.set.iter().all(|(name, _)| *name == "Cookie"), "{changes:?}");
}

#[rstest]
#[case("/x", "enforce", false, "refuse")]
#[case("/x", "monitor", true, "would_refuse")]
#[case("/either", "enforce", true, "forward")]
#[case("/either", "monitor", true, "forward")]
fn whether_a_request_without_a_live_session_goes_on_is_the_rules_and_the_modes_to_say(
    #[case] path: &str,
    #[case] mode: &str,
    #[case] goes_on: bool,
    #[case] said: &str,
) {
    let guard = guard_with(&[("ROUTES", ROUTES), ("MODE", mode)]);
    let check = check(&guard, &request("GET", path, &[("authorization", &bearer(&guard))]));
    let refusal = guard.judge(&check, found(None), NOW).map(drop).unwrap_err();
    assert_eq!(check.goes_on(), goes_on);
    let begins = format!(r#""decision":"{said}""#);
    assert!(check.said(Some(&refusal)).starts_with(&begins), "{}", check.said(Some(&refusal)));
}

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
    assert_eq!(check(&guard, &request(method, path, &headers)).is_ahead(), ahead);
}

#[rstest]
#[case(("MODE", "monitor"))]
#[case(("FORWARD_SESSION_DATA", "true"))]
fn nothing_is_sent_ahead_where_the_answer_may_need_another_request(#[case] setting: (&str, &str)) {
    let guard = guard_with(&[("OVERLAP_SAFE_REQUESTS", "true"), setting]);
    let request = request("GET", "/x", &[("authorization", &bearer(&guard))]);
    assert!(!check(&guard, &request).is_ahead());
}

#[test]
fn a_stale_session_sends_a_person_to_login_with_the_reason_and_an_outage_does_not() {
    let guard = guard();
    let headers = [("authorization", &bearer(&guard) as &str), ("sec-fetch-mode", "navigate")];
    let request = request("GET", "/x", &headers);
    let check = check(&guard, &request);
    let told =
        |answer| guard.refused(guard.judge(&check, answer, NOW).unwrap_err(), &request, None);
    let login = "/_auth/login?redirect=/x&reason=session_unknown";
    assert_eq!(told(found(None)).login.as_deref(), Some(login));
    let down = StoreError::Unreachable("down".into());
    assert_eq!(told(Err(down)).login, None);
}

#[test]
fn in_an_outage_only_sessions_seen_live_recently_pass_and_only_when_allowed() {
    let guard = guard_with(&[("STORE_FAILURE", "allow-recent: 60 seconds")]);
    let check = check(&guard, &request("GET", "/", &[("authorization", &bearer(&guard))]));
    let down = || Err(StoreError::Unreachable("down".into()));
    let later = |seconds| NOW.plus(Duration::from_secs(seconds));
    assert!(guard.judge(&check, down(), NOW).is_err(), "never seen");
    let live = session("a", NOW.millis(), NOW.millis() + 1_000_000);
    guard.judge(&check, found(Some(live.clone())), NOW).unwrap();
    assert!(guard.judge(&check, down(), later(59)).is_ok());
    assert!(guard.judge(&check, down(), later(60)).is_err(), "too long ago");
    guard.judge(&check, found(Some(live)), NOW).unwrap();
    guard.judge(&check, found(None), NOW).unwrap_err();
    assert!(guard.judge(&check, down(), later(1)).is_err(), "known to be gone");
    let short = session("a", NOW.millis(), NOW.millis() + 10_000);
    guard.judge(&check, found(Some(short.clone())), NOW).unwrap();
    assert!(guard.judge(&check, down(), later(9)).is_ok());
    assert!(guard.judge(&check, down(), later(10)).is_err(), "past its own deadline");
    guard.judge(&check, found(Some(short)), NOW).unwrap();
    guard.forget([check.caller().sid()]);
    assert!(guard.judge(&check, down(), later(1)).is_err(), "ended here");
}

#[rstest]
#[case("http://localhost:8787/", true)]
#[case("http://127.0.0.1/", true)]
#[case("http://[::1]:80/", true)]
#[case("https://app.example/", false)]
#[case("https://localhost.evil.example/", false)]
#[case("https://app.example:443/http://localhost/", false)]
fn development_keys_serve_this_machine_only(#[case] url: &str, #[case] serves: bool) {
    let keys = r#"{"keys":[{"kty":"oct","alg":"HS256","kid":"development-only-1","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}"#;
    let guard = guard_with(&[("SIGNING_KEYS", keys)]);
    let request = Request { method: "GET", url: url.into(), headers: vec![], body: None };
    let code = refusal(&guard, &request).refusal.code();
    assert_eq!(code, if serves { "token_missing" } else { "misconfigured" });
}

#[rstest]
#[case::itself("/internal/login", true)]
#[case::with_a_query("/internal/login?a=b", true)]
#[case::slash("/internal/login/", true)]
#[case::below("/internal/login/x", true)]
#[case::far_below("/internal/login/x/y%20z", true)]
#[case::case("/Internal/LOGIN", true)]
#[case::doubled("//internal//login", true)]
#[case::behind_a_host("//x/internal/login", true)]
#[case::encoded("/internal/%6cogin", true)]
#[case::encoded_twice("/internal/%256cogin", true)]
#[case::encoded_by_16_bits("/internal/%u006cogin", true)]
#[case::overlong("/internal/%c1%acogin", true)]
#[case::parameter("/internal/login;a=b", true)]
#[case::parameter_before("/internal;a=b/login", true)]
#[case::parameter_of_dots("/x/..;/internal/login", true)]
#[case::dots("/internal/x/..%2flogin", true)]
#[case::dot("/internal/login.", true)]
#[case::space("/internal/login%20", true)]
#[case::line("/internal/login%0a", true)]
#[case::nothing("/internal/login%00", true)]
#[case::query_encoded("/internal/login%3fx", true)]
#[case::fragment_encoded("/internal/login%23x", true)]
#[case::format("/internal/login.json", true)]
#[case::format_of_another_case("/internal/LOGIN.JSON", true)]
#[case::backslash("/internal%5clogin", true)]
#[case::not_an_escape("/internal/login%", true)]
#[case::full_width("/internal/%ef%bd%8cogin", true)]
#[case::invisible("/internal/lo%c2%adgin", true)]
#[case::another("/internal/logins", false)]
#[case::one_more("/internal/login-page", false)]
#[case::above("/internal", false)]
#[case::elsewhere("/x/internal/login", false)]
fn the_login_url_is_no_path_for_clients(#[case] path: &str, #[case] hidden: bool) {
    let login_urls = [
        ("", "https://app.example/internal/login"),
        ("", "https://App.Example/internal/login/"),
        ("", "https://login.example/internal/login?a=b"),
        ("https://origin.example", "https://origin.example:8443/internal/login"),
        ("https://origin.example", "https://login.example/internal/LOGIN"),
        ("https://origin.example", "https://origin.example/internal/%6cogin"),
    ];
    for (origin, login) in login_urls {
        let guard = guard_with(&[("ORIGIN_URL", origin), ("LOGIN_URL", login)]);
        for method in ["GET", "POST", "OPTIONS"] {
            let request = request(method, path, &[("authorization", &bearer(&guard))]);
            let decision = guard.decide(&request, NOW);
            let found = matches!(&decision, Decision::Refuse(r) if r.refusal == Refusal::NotFound);
            assert_eq!(found, hidden, "{login}: {decision:?}");
        }
    }
    let bound = [("ORIGIN", BOUND), ("LOGIN_URL", "https://login.example/internal/login")];
    let bound = guard_with(&bound);
    let decision = bound.decide(&request("GET", path, &[("authorization", &bearer(&bound))]), NOW);
    assert_eq!(matches!(&decision, Decision::Refuse(_)), hidden, "{decision:?}");
}

#[rstest]
#[case::of_the_longest("/", 8 * 1024 - 1, "token_missing")]
#[case::longer("/", 8 * 1024, "uri_too_long")]
#[case::much_longer("/%2e", 1_000_000, "uri_too_long")]
#[case::below_the_own("/_auth/admin/", 9_000, "uri_too_long")]
fn a_path_that_is_too_long_is_refused_unread(
    #[case] start: &str,
    #[case] more: usize,
    #[case] code: &str,
) {
    let routes = r#"[{"path":"/*a*b*c","access":"session"},{"path":"/x/*","access":"public"}]"#;
    let path = format!("{start}{}?{}", ".a".repeat(more / 2), "q".repeat(20_000));
    let path = if more % 2 == 1 { path.replacen('.', "..", 1) } else { path };
    let request = request("GET", &path, &[]);
    let refused = refusal(&guard_with(&[("ROUTES", routes)]), &request);
    assert_eq!(
        (refused.refusal.code(), refused.refusal.status() == 414),
        (code, code == "uri_too_long")
    );
    let monitor = guard_with(&[("ROUTES", routes), ("MODE", "monitor")]);
    let goes_on = matches!(monitor.decide(&request, NOW), Decision::Forward(_));
    assert_eq!(goes_on, start != "/_auth/admin/");
}

#[test]
fn a_path_that_can_be_read_in_too_many_ways_is_refused() {
    let path = "/%u002e;%c0%ae%5c%3f%23%00%20.".repeat(200);
    let guard = guard();
    let request = request("GET", &path, &[("authorization", &bearer(&guard))]);
    assert_eq!(refusal(&guard, &request).refusal.code(), "bad_request");
}

const OPEN: &str = r#"[
    {"path": "/open/*", "access": "public"},
    {"path": "/sign-in", "access": "public", "login": true},
    {"path": "/either", "access": "optional"}
]"#;

#[rstest]
#[case::the_origins_login("POST", "/sign-in", &[], true)]
#[case::a_page("GET", "/x", &[], true)]
#[case::a_token("GET", "/x", &[("authorization", "BEARER")], true)]
#[case::a_post("POST", "/x", &[("cookie", "COOKIE")], true)]
#[case::a_login("POST", "/_auth/login", &[], true)]
#[case::the_login_page("GET", "/_auth/login", &[], true)]
#[case::keys("GET", "/.well-known/jwks.json", &[], true)]
#[case::health("GET", "/_auth/health", &[], false)]
#[case::no_endpoint("GET", "/_auth/x", &[], false)]
#[case::for_everybody("GET", "/open/x", &[], false)]
#[case::for_everybody_with_a_token("GET", "/open/x", &[("authorization", "BEARER")], true)]
#[case::for_everybody_with_a_cookie("GET", "/open/x", &[("cookie", "COOKIE")], true)]
#[case::for_everybody_with_another_cookie("GET", "/open/x", &[("cookie", "a=b")], false)]
#[case::for_everybody_with_anothers_token("GET", "/open/x", &[("authorization", "Bearer theirs")], false)]
#[case::for_everybody_in_another_spelling("GET", "/open//x", &[], true)]
#[case::for_anybody("GET", "/either", &[], false)]
#[case::for_anybody_with_a_token("GET", "/either", &[("authorization", "BEARER")], true)]
#[case::a_preflight("OPTIONS", "/x", &PREFLIGHT, true)]
#[case::a_token_in_the_query("GET", "/open/x?t=a.b.c", &[], true)]
#[case::a_token_in_a_header("GET", "/open/x", &[("x-token", "a.b.c")], true)]
fn tokens_and_logins_do_not_come_over_http(
    #[case] method: &'static str,
    #[case] path: &str,
    #[case] headers: &[(&'static str, &str)],
    #[case] needs_https: bool,
) {
    let sources = ("TOKEN_SOURCES", "bearer, cookie, query:t, header:x-token");
    let guard = guard_with(&[("ROUTES", OPEN), sources]);
    let (bearer, cookie) = (bearer(&guard), cookie(&guard));
    let fill = |text| match text {
        "BEARER" => &bearer,
        "COOKIE" => &cookie,
        text => text,
    };
    let headers: Vec<_> = headers.iter().map(|(name, text)| (*name, fill(text))).collect();
    for (site, is_open) in [
        ("http://app.example", true),
        ("http://app.example:8080", true),
        ("http://10.0.0.1", true),
        ("http://localhost.example", true),
        ("http://127.example", true),
        ("https://app.example", false),
        ("http://localhost:8787", false),
        ("http://LocalHost", false),
        ("http://app.localhost:8787", false),
        ("http://127.0.0.1:8787", false),
        ("http://127.1.2.3", false),
        ("http://[::1]:8787", false),
    ] {
        let request = Request { url: format!("{site}{path}"), ..request(method, path, &headers) };
        let code = |guard: &Guard| match guard.decide(&request, NOW) {
            Decision::Refuse(refused) => Some(refused.refusal.code()),
            _ => None,
        };
        let expected = is_open && needs_https;
        assert_eq!(code(&guard) == Some("https_required"), expected, "{site}: {:?}", code(&guard));
        let off = guard_with(&[("ROUTES", OPEN), sources, ("REQUIRE_HTTPS", "false")]);
        assert_ne!(code(&off), Some("https_required"), "{site}");
    }
}

#[rstest]
#[case("GET", "http://app.example/x?a=%2F&t=x.y.z#f", true, Some("https://app.example/x?a=%2F"))]
#[case("GET", "http://app.example:8080/x", true, Some("https://app.example/x"))]
#[case("GET", "http://[2001:db8::1]:80/", true, Some("https://[2001:db8::1]/"))]
#[case(
    "GET",
    "http://app.example/_auth/login?redirect=/\u{e9}",
    true,
    Some("https://app.example/_auth/login")
)]
#[case(
    "GET",
    "http://app.example/_auth/login?redirect=/x",
    true,
    Some("https://app.example/_auth/login?redirect=/x")
)]
#[case("GET", "http://app.example/x", false, None)]
#[case("POST", "http://app.example/_auth/login", true, None)]
#[case("HEAD", "http://app.example/x", true, None)]
fn who_navigates_is_sent_to_the_same_address_over_https(
    #[case] method: &'static str,
    #[case] url: &str,
    #[case] navigates: bool,
    #[case] there: Option<&str>,
) {
    let mode = if navigates { "navigate" } else { "cors" };
    let guard = guard_with(&[("TOKEN_SOURCES", "bearer, query:t")]);
    let request = request(method, "/", &[("sec-fetch-mode", mode), ("accept", "text/html")]);
    let refused = refusal(&guard, &Request { url: url.into(), ..request });
    assert_eq!(refused.refusal.code(), "https_required");
    assert_eq!((refused.https.as_deref(), refused.login), (there, None));
}

#[rstest]
#[case("x")]
#[case("a.b.c")]
#[case("eyJhbGciOiJFUzI1NiIsImtpZCI6Im90aGVyIn0.e30.c2ln")]
fn cookies_that_name_no_key_of_ours_keep_nobody_out(#[case] other: &str) {
    let guard = guard_with(&[]);
    let token = issue(guard.tokens(), "ada");
    let others = format!("__Host-session={other}; ").repeat(100);
    let cookies = format!("{others}__Host-session={token}");
    let decision = guard.decide(&request("GET", "/x", &[("cookie", &cookies)]), NOW);
    assert!(matches!(decision, Decision::CheckSession(_)), "{decision:?}");
}

#[rstest]
#[case::the_last_that_is_looked_at(7, true)]
#[case::one_later(8, false)]
#[case::one_of_a_flood(5_000, false)]
fn of_many_texts_that_may_be_tokens_few_signatures_are_verified(
    #[case] before: usize,
    #[case] passes: bool,
) {
    let guard = asserted::guard_that_asserts(&[]);
    let token = issue(guard.tokens(), "ada");
    let (start, end) = (&token[..token.len() - 16], &token[token.len() - 8..]);
    let forged = |n: usize| format!("{start}{n:08}{end}");
    let flood: Vec<String> = (0..before).map(forged).collect();
    // Verifying each would be minutes.
    let cookies: String = flood.iter().map(|text| format!("__Host-session={text}; ")).collect();
    let cookies = format!("{cookies}__Host-session={token}; a=b");
    let by_cookie = guard.decide(&request("GET", "/x", &[("cookie", &cookies)]), NOW);
    assert_eq!(matches!(by_cookie, Decision::CheckSession(_)), passes, "{by_cookie:?}");
    // None of them reaches the origin, looked at or not.
    let bearers: String = flood.iter().map(|text| format!("Bearer {text}, ")).collect();
    let bearers = format!("{bearers}Bearer {token}");
    let headers = [("authorization", &bearers as &str), ("cookie", &cookies)];
    let decision = guard.decide(&request("GET", "/open", &headers), NOW);
    let Decision::Forward(anonymous) = decision else { panic!("{decision:?}") };
    let sent = HeaderFilter::default();
    let changes = anonymous.forward(&sent);
    assert!(changes.remove.contains(&"authorization"), "{changes:?}");
    let kept = changes.set.iter().find(|(name, _)| *name == "Cookie").map(|(_, value)| *value);
    assert!(kept.is_some_and(|kept| !kept.contains(&token)), "{kept:?}");
}

#[test]
fn in_monitor_mode_it_is_only_noted_that_a_request_came_over_http() {
    let guard = guard_with(&[("MODE", "monitor")]);
    let request = Request { url: "http://app.example/x".into(), ..request("GET", "/x", &[]) };
    let Decision::Forward(anonymous) = guard.decide(&request, NOW) else { panic!() };
    assert!(anonymous.said().contains(r#""would_refuse","code":"https_required""#));
}

#[test]
fn debug_output_tells_no_token_and_no_cookie() {
    let guard = guard();
    let cookie = format!("hidden=1; {}", cookie(&guard));
    let check = check(&guard, &request("GET", "/", &[("cookie", &cookie)]));
    assert!(!format!("{check:?}").contains("hidden"));
}

const PREFLIGHT: [(&str, &str); 2] =
    [("origin", "https://other.example"), ("access-control-request-method", "PUT")];

#[rstest]
#[case::as_browsers_send_it("OPTIONS", &PREFLIGHT, true)]
#[case::of_a_sandboxed_page("OPTIONS", &[("origin", "null"), PREFLIGHT[1]], true)]
#[case::with_its_headers("OPTIONS", &[PREFLIGHT[0], PREFLIGHT[1], ("access-control-request-headers", "x-a")], true)]
#[case::without_an_origin("OPTIONS", &[PREFLIGHT[1]], false)]
#[case::with_an_empty_origin("OPTIONS", &[("origin", ""), PREFLIGHT[1]], false)]
#[case::without_a_method("OPTIONS", &[PREFLIGHT[0]], false)]
#[case::with_two_methods("OPTIONS", &[PREFLIGHT[0], ("access-control-request-method", "PUT, GET")], false)]
#[case::with_no_body("OPTIONS", &[PREFLIGHT[0], PREFLIGHT[1], ("content-length", "0")], true)]
#[case::with_a_body("OPTIONS", &[PREFLIGHT[0], PREFLIGHT[1], ("content-length", "3")], false)]
#[case::with_a_length_that_is_none("OPTIONS", &[PREFLIGHT[0], PREFLIGHT[1], ("content-length", "")], false)]
#[case::with_an_odd_length("OPTIONS", &[PREFLIGHT[0], PREFLIGHT[1], ("content-length", "00")], false)]
#[case::with_two_lengths("OPTIONS", &[PREFLIGHT[0], PREFLIGHT[1], ("content-length", "0, 0")], false)]
#[case::with_a_length_and_a_sign("OPTIONS", &[PREFLIGHT[0], PREFLIGHT[1], ("content-length", "+0")], false)]
#[case::with_a_body_to_come("OPTIONS", &[PREFLIGHT[0], PREFLIGHT[1], ("expect", "100-continue")], false)]
#[case::with_trailers("OPTIONS", &[PREFLIGHT[0], PREFLIGHT[1], ("trailer", "x-sum")], false)]
#[case::with_a_body_of_chunks("OPTIONS", &[PREFLIGHT[0], PREFLIGHT[1], ("transfer-encoding", "chunked")], false)]
#[case::with_an_upgrade("OPTIONS", &[PREFLIGHT[0], PREFLIGHT[1], ("upgrade", "websocket")], false)]
#[case::with_a_token_that_is_no_good("OPTIONS", &[PREFLIGHT[0], PREFLIGHT[1], ("authorization", "Bearer x.y.z")], false)]
#[case::in_lower_case("options", &PREFLIGHT, false)]
#[case::another_method("GET", &PREFLIGHT, false)]
#[case::the_method_asked_about("PUT", &PREFLIGHT, false)]
#[case::a_method_that_is_overridden("POST", &[PREFLIGHT[0], PREFLIGHT[1], ("x-http-method-override", "OPTIONS")], false)]
fn a_preflight_goes_on_without_a_session_and_nothing_else_does(
    #[case] method: &'static str,
    #[case] headers: &[(&'static str, &str)],
    #[case] passes: bool,
) {
    let passed = match guard().decide(&request(method, "/x", headers), NOW) {
        Decision::Forward(_) => true,
        Decision::Refuse(refused) => {
            assert!(refused.refusal.asks_for_login(), "{refused:?}");
            false
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(passed, passes);
}

#[test]
fn a_preflight_with_a_body_that_no_header_tells_of_is_none() {
    let request = Request { body: Some("a=b".into()), ..request("OPTIONS", "/x", &PREFLIGHT) };
    assert_eq!(refusal(&guard(), &request).refusal, Refusal::TokenMissing);
}

#[test]
fn a_preflight_takes_no_identity_and_no_cookie_along() {
    let headers = [PREFLIGHT[0], PREFLIGHT[1], ("cookie", "a=1; __Host-session=; b=2")];
    let decision = guard().decide(&request("OPTIONS", "/x", &headers), NOW);
    let Decision::Forward(anonymous) = decision else { panic!("{decision:?}") };
    let sent = HeaderFilter::read("\n\nOrigin\nX_Auth_Request_User\nX-HTTP-Method-Override");
    let changes = anonymous.forward(&sent);
    assert_eq!(changes.remove, ["X_Auth_Request_User", "X-HTTP-Method-Override"]);
    assert_eq!(changes.set, [("Cookie", "a=1; b=2")]);
}

#[test]
fn options_with_a_session_are_as_any_request() {
    let guard = guard_with(&[(
        "ROUTES",
        r#"[{"path":"/*","access":"session","roles":["admin"],"preflight":false}]"#,
    )]);
    let bearer = bearer(&guard);
    let headers = [PREFLIGHT[0], PREFLIGHT[1], ("authorization", &bearer as &str)];
    let check = check(&guard, &request("OPTIONS", "/x", &headers));
    let live = session("a", NOW.millis(), NOW.millis() + 1000);
    let verdict = guard.judge(&check, found(Some(live)), NOW);
    assert!(matches!(verdict, Err(Refusal::RouteDenied { .. })), "{verdict:?}");
}

#[rstest]
#[case::login_url("/internal/login", "not_found")]
#[case::rewritten("/a/../internal/login", "bad_request")]
#[case::encoded_slash("/a%2fb", "token_missing")]
#[case::parameter("/a;b", "token_missing")]
#[case::switched_off("/closed", "token_missing")]
#[case::an_own_endpoint("/_auth/session", "method_not_allowed")]
#[case::below_the_own("/_auth/other", "not_found")]
fn a_preflight_opens_nothing_else(#[case] path: &str, #[case] code: &str) {
    let guard = guard_with(&[
        ("ORIGIN_URL", "https://origin.example"),
        ("LOGIN_URL", "https://origin.example/internal/login"),
        ("ROUTES", r#"[{"path":"/closed","access":"session","preflight":false}]"#),
    ]);
    assert_eq!(refusal(&guard, &request("OPTIONS", path, &PREFLIGHT)).refusal.code(), code);
}
