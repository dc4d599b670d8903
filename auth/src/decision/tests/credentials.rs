//! Which of several credentials counts, and what becomes of the others.

mod contested;
mod several_tokens;

use super::*;
use crate::credential::Source;
use crate::session::{Sid, Subject};
use crate::token::TokenGrant;
use base64ct::{Base64UrlUnpadded, Encoding};

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
    assert_eq!(check.principal().token().name().jti, counts);
    let headers = HeaderFilter::default();
    let changes = check.header_changes(&headers);
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
fn the_proof_of_a_bearer_holds_no_longer_than_its_token() {
    let guard = guard();
    let bearer = format!("Bearer {}", token(&guard, "a", "short", 0, 10));
    let cookie = format!("__Host-session={}", token(&guard, "a", "long", 1, 60));
    let check = check(&guard, &request("POST", "/x", &[(BEARER, &bearer), (COOKIE, &cookie)]));
    assert!(check.is_valid_at(NOW.plus(Duration::from_secs(14))));
    assert!(!check.is_valid_at(NOW.plus(Duration::from_secs(15))), "now the cookie needs one");
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
        let held = guard.presented_sessions(&asked(&guard, "POST", "/_auth/logout", sent), NOW);
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
    let held =
        guard.presented_sessions(&asked(&guard, "POST", "/_auth/logout", &sent), NOW).unwrap();
    let held: Vec<_> =
        held.iter().map(|it| (it.sid().as_str(), it.verify_times(NOW).is_ok())).collect();
    assert_eq!(held, [("a", true), ("b", false)]);
}
