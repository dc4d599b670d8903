use std::borrow::Cow;

use auth::body_format::BodyFormat;
use auth::cookie::{self, RemainingCookies};
use auth::credential::{Credential, PresentedTokens, Source, TokenSources};
use auth::http::Head;

struct Headers<'a> {
    authorization: &'a str,
    cookies: &'a str,
}

impl Head for Headers<'_> {
    fn method(&self) -> &str {
        "GET"
    }

    fn url(&self) -> &str {
        "https://app.example/"
    }

    fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "authorization" => Some(self.authorization.into()),
            "cookie" => Some(self.cookies.into()),
            _ => None,
        }
    }

    fn has_body(&self) -> bool {
        false
    }
}

const NAME: &str = "__Host-session";

/// Input: the first line is an `Authorization` header, the rest a `Cookie` header.
pub fn credential(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (authorization, cookies) = text.split_once('\n').unwrap_or(("", &text));
    let (head, sources) = (Headers { authorization, cookies }, TokenSources::default());
    PresentedTokens::of(&head, &sources, Some(NAME)).each(|Credential { source, token }| {
        let Some(token) = token else { return };
        let whole = if source == Source::Bearer { authorization } else { cookies };
        assert!(whole.contains(token), "{token:?} was not sent");
        let is_word = token.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
        if source == Source::Bearer && is_word {
            assert!(
                sources.any_possible_bearer(&head, |it| it == token),
                "{token:?} would be forwarded"
            );
        }
    });
    let values: Vec<&str> = cookie::values(cookies, NAME).collect();
    if let RemainingCookies::Others(rest) =
        cookie::without(cookies, NAME, |value| value.contains('a'))
    {
        let is_left = |value: &str| value.contains('a') || value.is_empty();
        assert!(!cookie::values(&rest, NAME).any(is_left), "our cookie is left in {rest:?}");
    }
    match cookie::without(cookies, NAME, |_| true) {
        RemainingCookies::Whole => {
            assert_eq!(values.len(), 0, "our cookies are left in {cookies:?}")
        }
        RemainingCookies::Others(rest) => {
            assert_eq!(
                cookie::without(&rest, NAME, |_| true),
                RemainingCookies::Whole,
                "our cookie is left in {rest:?}"
            );
        }
        RemainingCookies::Nothing => {}
    }
}

/// A URL without tokens contains no token in a query parameter that the settings name.
pub fn query_token(url: &str) {
    let sources = TokenSources::parse("query:a").unwrap();
    let rest = sources.without_tokens(url);
    let query = rest.split('#').next().and_then(|front| front.split_once('?'));
    let left = query.map(|(_, query)| BodyFormat::Form.texts(query, &sources.query));
    assert!(left.is_none_or(|texts| texts.is_empty()), "a token is left in {rest:?}");
}
