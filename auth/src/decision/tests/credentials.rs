use super::*;
use crate::credential::Source;
use crate::session::Subject;
use crate::token::TokenGrant;
use base64ct::{Base64UrlUnpadded, Encoding};

/// A request of which it is known which of its sessions are over.
struct Told(Request, Vec<Sid>);

impl Head for Told {
    fn method(&self) -> &str {
        self.0.method()
    }
    fn url(&self) -> &str {
        self.0.url()
    }
    fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0.header(name)
    }
    fn has_body(&self) -> bool {
        self.0.has_body()
    }
    fn over(&self) -> Option<&[Sid]> {
        Some(&self.1)
    }
}

fn sid(name: &str) -> Sid {
    Sid::try_from(name.to_owned()).unwrap()
}

/// A token that was issued some seconds from now, and is good for as many more.
fn token(guard: &Guard, session: &str, jti: &str, issued: i64, lifetime: u64) -> String {
    let now = Timestamp::from_millis(NOW.millis().strict_add_signed(issued * 1000));
    let grant = TokenGrant {
        sub: &Subject::try_from("ada".to_owned()).unwrap(),
        sid: &sid(session),
        jti,
        public: &serde_json::Map::new(),
        now,
        lifetime: Duration::from_secs(lifetime),
    };
    guard.tokens().issue(&grant).unwrap()
}

/// Other JWTs: one of another issuer, one that another key has signed, and one of a trusted issuer.
fn stranger(issuer: &str) -> String {
    let part = |json: &str| Base64UrlUnpadded::encode_string(json.as_bytes());
    let header = part(r#"{"alg":"HS256","typ":"at+jwt","kid":"a"}"#);
    let claims = part(&format!(
        r#"{{"iss":"{issuer}","aud":"members","sub":"eve","sid":"a","jti":"j","iat":1,"exp":9}}"#
    ));
    format!("{header}.{claims}.{}", "A".repeat(43))
}

const ISSUERS: &str = r#"[{"issuer":"https://idp.example","audience":"us","jwks_uri":"https://idp.example/keys","algorithms":["RS256"]}]"#;

fn lenient_guard() -> Guard {
    let sources = "bearer, cookie, header:x-access-token";
    guard_with(&[("TOKEN_SOURCES", sources), ("TRUSTED_ISSUERS", ISSUERS)])
}

/// Puts what a word stands for in its place. Words are a session's letter, and `-` for an old token,
/// `+` for one that came a second later, `!` for one whose time is over.
fn fill(guard: &Guard, text: &str) -> String {
    let words: [(&str, String); 9] = [
        ("{a}", token(guard, "a", "a0", 0, 60)),
        ("{a+}", token(guard, "a", "a1", 1, 60)),
        ("{a-}", token(guard, "a", "a-1", -100, 160)),
        ("{a!}", token(guard, "a", "a!", -100, 60)),
        ("{b}", token(guard, "b", "b0", 0, 60)),
        ("{b!}", token(guard, "b", "b!", -100, 60)),
        ("{stranger}", stranger("https://elsewhere.example")),
        ("{forged}", stranger("https://guard")),
        ("{idp}", stranger("https://idp.example")),
    ];
    words.iter().fold(text.to_owned(), |text, (word, token)| text.replace(word, token))
}

fn asked(
    guard: &Guard,
    method: &'static str,
    path: &str,
    sent: &[(&'static str, &str)],
) -> Request {
    let sent: Vec<_> = sent.iter().map(|(name, text)| (*name, fill(guard, text))).collect();
    let sent: Vec<_> = sent.iter().map(|(name, text)| (*name, text.as_str())).collect();
    request(method, path, &sent)
}

const BEARER: &str = "authorization";
const COOKIE: &str = "cookie";
const NAMED: &str = "x-access-token";

/// What is sent; whose token counts, by its `jti`; and what of `Authorization` and `Cookie` goes on.
#[rstest]
#[case::an_opaque_bearer(&[(BEARER, "Bearer theirs"), (COOKIE, "__Host-session={a}")], "a0", Some("Bearer theirs"), None)]
#[case::a_strangers_jwt(&[(BEARER, "Bearer {stranger}"), (COOKIE, "t=1; __Host-session={a}")], "a0", Some("Bearer {stranger}"), Some("t=1"))]
#[case::a_jwt_without_an_issuer(&[(BEARER, "Bearer e30.e30.e30"), (COOKIE, "__Host-session={a}")], "a0", Some("Bearer e30.e30.e30"), None)]
#[case::an_empty_bearer(&[(BEARER, "Bearer "), (COOKIE, "__Host-session={a}")], "a0", Some("Bearer "), None)]
#[case::a_basic_credential(&[(BEARER, "Basic YTpi"), (COOKIE, "__Host-session={a}")], "a0", Some("Basic YTpi"), None)]
#[case::another_scheme(&[(BEARER, "DPoP {a}"), (COOKIE, "__Host-session={a}")], "a0", Some("DPoP {a}"), None)]
#[case::a_forged_bearer(&[(BEARER, "Bearer {forged}"), (COOKIE, "__Host-session={a}")], "a0", Some("Bearer {forged}"), None)]
#[case::a_trusted_issuers_bearer(&[(BEARER, "Bearer {idp}"), (COOKIE, "__Host-session={a}")], "a0", Some("Bearer {idp}"), None)]
#[case::two_lines_of_authorization(&[(BEARER, "Bearer theirs, Bearer {b}"), (COOKIE, "__Host-session={a}")], "a0", None, None)]
#[case::a_bearer_of_ours_alone(&[(BEARER, "Bearer {a}"), (COOKIE, "t=1")], "a0", None, Some("t=1"))]
#[case::the_same_twice(&[(BEARER, "Bearer {a}"), (COOKIE, "__Host-session={a}")], "a0", None, None)]
#[case::a_newer_cookie(&[(BEARER, "Bearer {a}"), (COOKIE, "__Host-session={a+}")], "a1", None, None)]
#[case::an_older_cookie(&[(BEARER, "Bearer {a}"), (COOKIE, "__Host-session={a-}")], "a0", None, None)]
#[case::an_expired_bearer_of_the_session(&[(BEARER, "Bearer {a!}"), (COOKIE, "__Host-session={a}")], "a0", None, None)]
#[case::an_expired_cookie_of_the_session(&[(BEARER, "Bearer {a}"), (COOKIE, "__Host-session={a!}")], "a0", None, None)]
#[case::an_expired_bearer_of_another(&[(BEARER, "Bearer {b!}"), (COOKIE, "__Host-session={a}")], "a0", None, None)]
#[case::an_expired_cookie_of_another(&[(BEARER, "Bearer {a}"), (COOKIE, "__Host-session={b!}")], "a0", None, None)]
#[case::a_cookie_that_is_no_jwt(&[(BEARER, "Bearer {a}"), (COOKIE, "t=1; __Host-session=theirs")], "a0", None, Some("t=1; __Host-session=theirs"))]
#[case::a_strangers_cookie(&[(BEARER, "Bearer {a}"), (COOKIE, "__Host-session={stranger}")], "a0", None, Some("__Host-session={stranger}"))]
#[case::a_forged_cookie(&[(BEARER, "Bearer {a}"), (COOKIE, "__Host-session={forged}; t=1")], "a0", None, Some("t=1"))]
#[case::an_empty_cookie(&[(BEARER, "Bearer {a}"), (COOKIE, "__Host-session=; t=1")], "a0", None, Some("t=1"))]
#[case::two_cookies_of_the_name(&[(COOKIE, "__Host-session=theirs; __Host-session={a}")], "a0", None, Some("__Host-session=theirs"))]
#[case::two_cookies_of_one_session(&[(COOKIE, "__Host-session={a-}; __Host-session={a}; t=1")], "a0", None, Some("t=1"))]
#[case::an_expired_cookie_before(&[(COOKIE, "__Host-session={b!}; __Host-session={a}")], "a0", None, None)]
#[case::a_forged_cookie_before(&[(COOKIE, "__Host-session={forged}; __Host-session={a}")], "a0", None, None)]
#[case::a_named_token_beside_their_bearer(&[(NAMED, "{a}"), (BEARER, "Bearer theirs")], "a0", Some("Bearer theirs"), None)]
#[case::a_named_token_beside_old_cookies(&[(NAMED, "{a+}"), (COOKIE, "__Host-session={a-}; __Host-session=theirs")], "a1", None, Some("__Host-session=theirs"))]
fn what_cannot_be_ours_decides_nothing_and_goes_on(
    #[case] sent: &[(&'static str, &str)],
    #[case] counts: &str,
    #[case] authorization: Option<&str>,
    #[case] cookie: Option<&str>,
) {
    let guard = lenient_guard();
    let check = check(&guard, &asked(&guard, "GET", "/x", sent));
    assert_eq!(check.caller().token().name().jti, counts);
    let headers = HeaderFilter::default();
    let changes = check.forward(&headers);
    let goes_on = |name: &str| {
        let set = changes.set.iter().find(|(set, _)| set.eq_ignore_ascii_case(name));
        let came = sent.iter().find(|(sent, _)| *sent == name).map(|(_, text)| fill(&guard, text));
        let stays = !changes.remove.contains(&name);
        set.map(|(_, text)| (*text).to_owned()).or(came.filter(|_| stays))
    };
    assert_eq!(goes_on(BEARER), authorization.map(|text| fill(&guard, text)), "{changes:?}");
    assert_eq!(goes_on(COOKIE), cookie.map(|text| fill(&guard, text)), "{changes:?}");
    assert_eq!(goes_on(NAMED), None, "{changes:?}");
}

#[rstest]
#[case::nothing(&[], "token_missing")]
#[case::an_opaque_bearer(&[(BEARER, "Bearer theirs")], "token_invalid")]
#[case::a_strangers_bearer(&[(BEARER, "Bearer {stranger}")], "token_invalid")]
#[case::an_empty_bearer(&[(BEARER, "Bearer")], "token_invalid")]
#[case::an_opaque_cookie(&[(COOKIE, "__Host-session=theirs")], "token_invalid")]
#[case::two_that_are_none(&[(BEARER, "Bearer theirs"), (COOKIE, "__Host-session=old")], "token_invalid")]
#[case::an_expired_cookie(&[(BEARER, "Bearer theirs"), (COOKIE, "__Host-session={a!}")], "token_expired")]
#[case::two_that_are_over(&[(BEARER, "Bearer {a!}"), (COOKIE, "__Host-session={b!}")], "token_expired")]
#[case::another_scheme(&[(BEARER, "Basic YTpi")], "token_missing")]
#[case::a_named_one_that_is_none(&[(NAMED, "theirs"), (BEARER, "Bearer {a}")], "bad_request")]
fn without_a_token_that_counts_nobody_is_there(
    #[case] sent: &[(&'static str, &str)],
    #[case] code: &str,
) {
    let guard = lenient_guard();
    assert_eq!(refusal(&guard, &asked(&guard, "GET", "/x", sent)).refusal.code(), code);
}

#[rstest]
#[case::bearer_and_cookie(&[(BEARER, "Bearer {a}"), (COOKIE, "__Host-session={b}")], ["bearer", "cookie"])]
#[case::two_cookies(&[(COOKIE, "__Host-session={a}; __Host-session={b}")], ["Two", "cookies"])]
#[case::named_and_cookie(&[(NAMED, "{a}"), (COOKIE, "__Host-session={b}")], ["another header", "cookie"])]
#[case::named_and_bearer(&[(NAMED, "{a}"), (BEARER, "Bearer {b}")], ["bearer", "another header"])]
#[case::a_session_twice(&[(BEARER, "Bearer {a}"), (COOKIE, "__Host-session={a+}; __Host-session={b}")], ["cookies", "cookies"])]
fn two_sessions_are_asked_about_and_refused_only_if_both_are_live(
    #[case] sent: &[(&'static str, &str)],
    #[case] places: [&str; 2],
) {
    let guard = lenient_guard();
    let request = || asked(&guard, "GET", "/x", sent);
    let Decision::Contested(sessions) = guard.decide(&request(), NOW) else { panic!("two") };
    let names: Vec<_> = sessions.iter().map(|it| it.sid().as_str()).collect();
    assert!(matches!(&names[..], ["a", "b"] | ["b", "a"]), "{names:?}");
    for (over, counts) in [("a", "b"), ("b", "a")] {
        match guard.decide(&Told(request(), vec![sid(over)]), NOW) {
            Decision::CheckSession(check) => {
                assert_eq!(check.caller().sid().as_str(), counts);
                let sent = HeaderFilter::default();
                let changes = format!("{:?}", check.forward(&sent));
                assert!(!changes.contains("__Host-session"), "{changes}");
            }
            other => panic!("{over} is over: {other:?}"),
        }
    }
    let Decision::Refuse(refused) = guard.decide(&Told(request(), vec![]), NOW) else {
        panic!("a choice would be a guess")
    };
    let (code, detail) = (refused.refusal.code(), refused.refusal.detail());
    assert!(code == "bad_request" && places.iter().all(|it| detail.contains(it)), "{detail}");
}

#[test]
fn only_a_few_sessions_are_asked_about() {
    let guard = guard();
    let many = |count: usize| {
        let tokens = (0..count).map(|n| token(&guard, &format!("s{n}"), "j", 0, 60));
        let cookies: Vec<_> = tokens.map(|token| format!("__Host-session={token}")).collect();
        request("GET", "/x", &[(COOKIE, &cookies.join("; "))])
    };
    assert!(matches!(guard.decide(&many(4), NOW), Decision::Contested(all) if all.len() == 4));
    assert_eq!(refusal(&guard, &many(5)).refusal.code(), "bad_request");
}

/// An unsafe method of another site's, by a browser; `true`: the request passes.
#[rstest]
#[case::a_cookie_alone(&[(COOKIE, "__Host-session={a}")], false)]
#[case::beside_an_opaque_bearer(&[(BEARER, "Bearer theirs"), (COOKIE, "__Host-session={a}")], false)]
#[case::beside_a_strangers_jwt(&[(BEARER, "Bearer {stranger}"), (COOKIE, "__Host-session={a}")], false)]
#[case::beside_a_forged_bearer(&[(BEARER, "Bearer {forged}"), (COOKIE, "__Host-session={a}")], false)]
#[case::beside_an_expired_bearer(&[(BEARER, "Bearer {a!}"), (COOKIE, "__Host-session={a}")], false)]
#[case::beside_another_scheme(&[(BEARER, "Basic YTpi"), (COOKIE, "__Host-session={a}")], false)]
#[case::beside_an_empty_bearer(&[(BEARER, "Bearer"), (COOKIE, "__Host-session={a}")], false)]
#[case::beside_a_bearer_of_the_session(&[(BEARER, "Bearer {a}"), (COOKIE, "__Host-session={a+}")], true)]
#[case::beside_a_named_token_of_the_session(&[(NAMED, "{a}"), (COOKIE, "__Host-session={a+}")], true)]
#[case::a_bearer_beside_their_cookie(&[(BEARER, "Bearer {a}"), (COOKIE, "__Host-session=theirs")], true)]
#[case::a_bearer_beside_an_expired_cookie(&[(BEARER, "Bearer {a}"), (COOKIE, "__Host-session={b!}")], true)]
fn no_untrusted_header_spares_the_cookie_its_proof(
    #[case] sent: &[(&'static str, &str)],
    #[case] passes: bool,
) {
    let guard = lenient_guard();
    let sent = [sent, &[("sec-fetch-site", "cross-site")]].concat();
    match guard.decide(&asked(&guard, "POST", "/x", &sent), NOW) {
        Decision::CheckSession(_) => assert!(passes),
        Decision::Refuse(refused) => {
            assert_eq!((refused.refusal, passes), (Refusal::CrossSite, false));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_other_tokens_that_a_decision_keeps_count_as_what_it_holds() {
    let guard = guard();
    let bytes = |cookie| {
        let sent = [(BEARER, "Bearer {a+}"), (COOKIE, cookie)];
        check(&guard, &asked(&guard, "GET", "/x", &sent)).bytes()
    };
    let with_other = bytes("__Host-session={a}");
    assert!(with_other > bytes("__Host-session={a+}") + token(&guard, "a", "a0", 0, 60).len());
}

#[test]
fn the_proof_of_a_bearer_holds_no_longer_than_its_token() {
    let guard = guard();
    let bearer = format!("Bearer {}", token(&guard, "a", "short", 0, 10));
    let cookie = format!("__Host-session={}", token(&guard, "a", "long", 1, 60));
    let check = check(&guard, &request("POST", "/x", &[(BEARER, &bearer), (COOKIE, &cookie)]));
    assert!(check.holds(NOW.plus(Duration::from_secs(14))));
    assert!(!check.holds(NOW.plus(Duration::from_secs(15))), "now the cookie needs one");
}

/// Whose sessions a logout ends, by their sids, if this site asks and if nobody says who does.
#[rstest]
#[case::nothing(&[], Err("token_missing"), Err("token_missing"))]
#[case::garbage(&[(BEARER, "Bearer x"), (COOKIE, "__Host-session=y")], Err("token_invalid"), Err("token_invalid"))]
#[case::a_bearer(&[(BEARER, "Bearer {a}")], Ok("a"), Ok("a"))]
#[case::an_expired_bearer(&[(BEARER, "Bearer {a!}")], Ok("a"), Ok("a"))]
#[case::an_old_bearer(&[(BEARER, "Bearer {a-}")], Ok("a"), Ok("a"))]
#[case::a_cookie(&[(COOKIE, "__Host-session={a}")], Ok("a"), Err("cross_site"))]
#[case::an_expired_cookie(&[(COOKIE, "__Host-session={a!}")], Ok("a"), Err("cross_site"))]
#[case::two_of_one_session(&[(BEARER, "Bearer {a!}"), (COOKIE, "__Host-session={a}")], Ok("a"), Ok("a"))]
#[case::two_sessions(&[(BEARER, "Bearer {a}"), (COOKIE, "__Host-session={b}")], Ok("a b"), Ok("a"))]
#[case::two_cookies(&[(COOKIE, "__Host-session={a!}; __Host-session=x; __Host-session={b}")], Ok("a b"), Err("cross_site"))]
#[case::an_applications_bearer(&[(BEARER, "Bearer x"), (COOKIE, "__Host-session={a}")], Ok("a"), Err("cross_site"))]
fn a_logout_ends_the_sessions_of_all_that_our_keys_have_signed(
    #[case] sent: &[(&'static str, &str)],
    #[case] by_this_site: Result<&str, &str>,
    #[case] by_somebody: Result<&str, &str>,
) {
    let guard = lenient_guard();
    let own = [sent, &[("sec-fetch-site", "same-origin")]].concat();
    for (sent, expected) in [(&own[..], by_this_site), (sent, by_somebody)] {
        let held = guard.held(&asked(&guard, "POST", "/_auth/logout", sent), NOW);
        let sids = |held: Vec<crate::token::AuthenticToken>| {
            held.iter().map(|it| it.sid().to_string()).collect::<Vec<_>>().join(" ")
        };
        let held = held.map(sids).map_err(|refusal| refusal.code());
        assert_eq!(held.as_deref().map_err(|code| *code), expected);
    }
}

/// An expired token ends one session only, so it must not stand for a good one of the same session.
#[test]
fn a_logout_goes_by_a_token_whose_time_it_is_if_one_of_the_session_came_along() {
    let guard = lenient_guard();
    let sent = [
        (BEARER, "Bearer {a!}"),
        (COOKIE, "__Host-session={b!}; __Host-session={a}"),
        ("sec-fetch-site", "same-origin"),
    ];
    let held = guard.held(&asked(&guard, "POST", "/_auth/logout", &sent), NOW).unwrap();
    let held: Vec<_> = held.iter().map(|it| (it.sid().as_str(), it.at(NOW).is_ok())).collect();
    assert_eq!(held, [("a", true), ("b", false)]);
}

#[rstest]
#[case(&[(BEARER, "Bearer {a}")], false)]
#[case(&[(COOKIE, "__Host-session={a}")], true)]
#[case(&[(BEARER, "Bearer {a+}"), (COOKIE, "__Host-session={a}")], true)]
#[case(&[(BEARER, "Bearer {a}"), (COOKIE, "__Host-session={a!}")], true)]
#[case(&[(BEARER, "Bearer {a}"), (COOKIE, "__Host-session={b!}")], false)]
#[case(&[(BEARER, "Bearer {a}"), (COOKIE, "__Host-session=theirs")], false)]
fn a_cookie_is_renewed_if_a_token_of_the_session_came_in_it(
    #[case] sent: &[(&'static str, &str)],
    #[case] in_cookie: bool,
) {
    let guard = lenient_guard();
    let caller = guard.authenticate(&asked(&guard, "GET", "/_auth/refresh", sent), NOW).unwrap();
    assert_eq!(caller.in_cookie(), in_cookie);
    let bears = sent.iter().any(|(name, _)| *name == BEARER);
    assert_eq!(caller.source() == Source::Bearer, bears);
}

#[test]
fn of_two_tokens_of_one_second_the_session_knows_which_is_current() {
    let guard = guard();
    let bearer = format!("Bearer {}", token(&guard, "a", "old", 0, 60));
    let cookie = format!("__Host-session={}", token(&guard, "a", "new", 0, 60));
    let request = request("GET", "/x", &[(BEARER, &bearer), (COOKIE, &cookie)]);
    let caller = guard.authenticate(&request, NOW).unwrap();
    assert_eq!((caller.token().name().jti.as_str(), caller.has_several_tokens()), ("old", true));
    let mut live = session("a", NOW.millis(), NOW.millis() + 100_000);
    (live.jti, live.previous_jti, live.refreshed) = ("new".into(), Some("old".into()), Some(NOW));
    let later = NOW.plus(Duration::from_secs(40));
    let current = caller.clone().with_current_token(&live, later);
    assert_eq!(current.token().name().jti, "new");
    let verdict = guard.live(&caller, Answer::Found(Some(live.clone().into())), later);
    assert!(verdict.is_ok(), "the old one alone would end it: {verdict:?}");
    live.jti = "third".into();
    let verdict = guard.live(&caller, Answer::Found(Some(live.into())), later);
    assert_eq!(verdict, Err(Refusal::Session(InvalidSession::Outdated)));
}

#[test]
fn in_monitor_mode_a_request_of_two_sessions_goes_on_without_an_identity_and_is_noted() {
    let guard = guard_with(&[("MODE", "monitor")]);
    let sent = [(BEARER, "Bearer {a}"), (COOKIE, "__Host-session={b}; t=1")];
    let request = asked(&guard, "GET", "/x", &sent);
    let Decision::Forward(anonymous) = guard.decide(&Told(request, vec![]), NOW) else { panic!() };
    assert!(anonymous.said().contains(r#""code":"bad_request""#), "{}", anonymous.said());
    let sent = HeaderFilter::default();
    let changes = anonymous.forward(&sent);
    assert_eq!((changes.remove, changes.set), (vec!["authorization"], vec![("Cookie", "t=1")]));
}

#[test]
fn in_an_outage_another_token_of_a_session_that_was_seen_does_not_pass() {
    let guard = guard_with(&[("STORE_FAILURE", "allow-recent: 60 seconds")]);
    let checks = ["{a}", "{a+}"].map(|token| {
        let bearer = format!("Bearer {token}");
        check(&guard, &asked(&guard, "GET", "/x", &[(BEARER, &bearer)]))
    });
    let down = || Err(StoreError::Unreachable("down".into()));
    let live = session("a", NOW.millis(), NOW.millis() + 1_000_000);
    guard.judge(&checks[1], found(Some(live.clone())), NOW).unwrap();
    assert!(guard.judge(&checks[1], down(), NOW).is_ok());
    assert!(guard.judge(&checks[0], down(), NOW).is_err(), "it may be an old one");
    guard.judge(&checks[0], found(Some(live)), NOW).unwrap();
    assert!(checks.iter().all(|check| guard.judge(check, down(), NOW).is_ok()), "both were seen");
    guard.forget([checks[0].caller().sid()]);
    assert!(checks.iter().all(|check| guard.judge(check, down(), NOW).is_err()), "it was ended");
}

/// Of an old and a current token of one session, the current one says whether the session is over.
#[test]
fn a_contested_session_is_asked_about_by_its_newest_token() {
    let guard = lenient_guard();
    let old = token(&guard, "a", "old", -20, 900);
    let current = token(&guard, "a", "current", -10, 900);
    let other = token(&guard, "b", "other", -5, 900);
    let cookies = format!("__Host-session={current}; __Host-session={other}");
    let authorization = format!("Bearer {old}");
    let headers = [("authorization", authorization.as_str()), ("cookie", cookies.as_str())];
    let decision = guard.decide(&request("GET", "/x", &headers), NOW);
    let Decision::Contested(sessions) = decision else { panic!("{decision:?}") };
    let names: Vec<&str> = sessions.iter().map(|it| it.name().jti.as_str()).collect();
    assert_eq!(names, ["other", "current"]);
}
