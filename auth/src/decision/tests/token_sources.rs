//! `TOKEN_SOURCES`: where a token is looked for, and that it stays at the guard.

use super::*;

#[test]
fn somebody_elses_credentials_are_left_alone() {
    let guard = guard();
    let cookie = format!("__Host-session={}", issue(guard.tokens(), "ada"));
    let headers = [("authorization", "Basic YWRh"), ("cookie", &cookie as &str)];
    let check = check(&guard, &request("GET", "/", &headers));
    assert_eq!(check.header_changes(&HeaderFilter::default()).remove, ["cookie"]);
}

#[test]
fn a_token_may_be_wherever_the_settings_say_and_stays_at_the_guard() {
    let guard = guard_with(&[("TOKEN_SOURCES", "header:x-access-token, query:t, body:t")]);
    let token = issue(guard.tokens(), "ada");
    let by_header = check(&guard, &request("GET", "/", &[("x-access-token", &token)]));
    assert_eq!(by_header.header_changes(&HeaderFilter::default()).remove, ["x-access-token"]);
    let page = format!("https://app.example/?t={token}&u=1");
    let path = format!("/a?b=%2F&t={token}#c");
    let by_query = check(&guard, &request("GET", &path, &[("referer", &page)]));
    assert_eq!(by_query.target().instead.as_deref(), Some("/a?b=%2F"));
    assert!(
        by_query
            .header_changes(&HeaderFilter::default())
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
        let changes = check.header_changes(&sent);
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
    let guard = assertion::guard_that_asserts(&[]);
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
    let changes = anonymous.header_changes(&sent);
    assert!(changes.remove.contains(&"authorization"), "{changes:?}");
    let kept = changes.set.iter().find(|(name, _)| *name == "Cookie").map(|(_, value)| *value);
    assert!(kept.is_some_and(|kept| !kept.contains(&token)), "{kept:?}");
}
