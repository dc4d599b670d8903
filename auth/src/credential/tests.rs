use super::*;
use rstest::rstest;

const NAME: &str = "__Host-session";

/// Headers, lent or given.
struct Request<'a>(Vec<(&'a str, &'a str)>, bool);

impl Head for Request<'_> {
    fn method(&self) -> &str {
        "GET"
    }
    fn url(&self) -> &str {
        "https://app.example/"
    }
    fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        let (_, value) = self.0.iter().find(|(sent, _)| *sent == name)?;
        Some(if self.1 { Cow::Owned((*value).to_owned()) } else { Cow::Borrowed(*value) })
    }
    fn has_body(&self) -> bool {
        false
    }
}

#[rstest]
#[case(Some("Bearer abc"), None, &[], &[(Source::Bearer, Some("abc"))])]
#[case(Some("bearer abc"), None, &[], &[(Source::Bearer, Some("abc"))])]
#[case(Some("BEARER   abc"), None, &[], &[(Source::Bearer, Some("abc"))])]
#[case(Some("Bearer"), None, &[], &[(Source::Bearer, None)])]
#[case(Some("Basic YWRh"), None, &[], &[])]
#[case(Some("Bearerabc"), None, &[], &[])]
#[case(Some("Token abc"), Some("__Host-session=xyz"), &[], &[(Source::Cookie, Some("xyz"))])]
#[case(None, Some("__Host-session=xyz; a=b"), &[], &[(Source::Cookie, Some("xyz"))])]
#[case(None, Some("__Host-session="), &[""], &[])]
#[case(Some("Bearer abc"), Some("__Host-session=x; __Host-session=y"), &[" def ", ""], &[(Source::Bearer, Some("abc")), (Source::Named, Some("def")), (Source::Cookie, Some("x")), (Source::Cookie, Some("y"))])]
#[case(None, None, &[], &[])]
fn credentials_are_found_in_the_order_of_their_sources(
    #[case] authorization: Option<&str>,
    #[case] cookies: Option<&str>,
    #[case] named: &[&str],
    #[case] expected: &[(Source, Option<&str>)],
) {
    let names: Vec<String> = (0..named.len()).map(|n| format!("x-{n}")).collect();
    let sources = TokenSources { headers: names.clone(), ..TokenSources::default() };
    let all = [("authorization", authorization), ("cookie", cookies)].into_iter();
    let all = all.filter_map(|(name, value)| Some((name, value?)));
    let all: Vec<_> =
        all.chain(names.iter().map(String::as_str).zip(named.iter().copied())).collect();
    for given in [false, true] {
        let request = Request(all.clone(), given);
        let sent = PresentedTokens::of(&request, &sources, Some(NAME));
        let mut found = Vec::new();
        sent.each(|it| found.push((it.source, it.token)));
        assert_eq!(found, expected);
    }
}

#[rstest]
#[case("Bearer abc", &["abc"])]
#[case("bearer \t abc", &["abc"])]
#[case("Basic YWRh, BEARER abc", &["abc"])]
#[case("Bearer abc, Bearer xyz", &["abc", "xyz"])]
#[case("Bearer abc,Basic YWRh", &["abc"])]
#[case("Bearer Bearer abc", &["Bearer", "abc"])]
#[case("Basic abc", &[])]
#[case("Token bearer", &[])]
#[case("Bearer", &[])]
fn whatever_may_be_taken_for_a_bearer_token_is_found(
    #[case] authorization: &str,
    #[case] expected: &[&str],
) {
    assert_eq!(bearer::possible(authorization).collect::<Vec<_>>(), expected);
}

#[test]
fn a_list_names_the_sources() {
    let text = "cookie, header:X-Access-Token,query:accessToken, body:accessToken,query:t";
    let expected = TokenSources {
        bearer: false,
        cookie: true,
        headers: vec!["x-access-token".into()],
        query: vec!["accessToken".into(), "t".into()],
        body: vec!["accessToken".into()],
    };
    assert_eq!(TokenSources::parse(text), Ok(expected));
    assert_eq!(TokenSources::parse("bearer, cookie"), Ok(TokenSources::default()));
}

#[rstest]
#[case("")]
#[case("bearer,")]
#[case("header")]
#[case("header:")]
#[case("header:a b")]
#[case("header:Cookie")]
#[case("header:Sec-WebSocket-Protocol")]
#[case("header:Keep-Alive")]
#[case("header:X-Auth-Request-User")]
#[case("query:")]
#[case("body:a b")]
#[case("Bearer")]
#[case("form:accessToken")]
fn anything_else_is_refused(#[case] text: &str) {
    assert!(TokenSources::parse(text).is_err());
}

#[rstest]
#[case("/a?t=x", "/a")]
#[case("/a?t", "/a")]
#[case("/a?t=x#t=y", "/a#t=y")]
#[case("/a?b=%2f&t=x&&c=+", "/a?b=%2f&&c=+")]
#[case("/a?%74=x&b&t=y", "/a?b")]
#[case("/a?b=1&", "/a?b=1&")]
#[case("/a?b=t&tt=1", "/a?b=t&tt=1")]
#[case("/a?b=1?t=2", "/a?b=1?t=2")]
#[case("/t=x", "/t=x")]
#[case("https://a.example/x?t=1&u=2", "https://a.example/x?u=2")]
fn query_tokens_are_taken_out_and_the_rest_stays(#[case] url: &str, #[case] rest: &str) {
    assert_eq!(TokenSources::parse("query:t").unwrap().without_tokens(url), rest);
    assert_eq!(TokenSources::default().without_tokens(url), url);
}
