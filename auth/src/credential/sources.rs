//! `TOKEN_SOURCES`: where a token may be, and how it is kept from the origin.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::body_format::BodyFormat;
use crate::http::{Head, is_token};
use crate::reserved_headers::is_reserved;

/// Where the guard looks for tokens. Never nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSources {
    /// `Authorization: Bearer`?
    pub bearer: bool,
    /// The session cookie?
    pub cookie: bool,
    /// Headers, in lower case.
    pub headers: Vec<String>,
    /// Parameters of the query.
    pub query: Vec<String>,
    /// Fields of a JSON object or form in the body.
    pub body: Vec<String>,
}

impl Default for TokenSources {
    fn default() -> Self {
        Self { bearer: true, cookie: true, ..Self::none() }
    }
}

impl TokenSources {
    fn none() -> Self {
        let (headers, query, body) = (Vec::new(), Vec::new(), Vec::new());
        Self { bearer: false, cookie: false, headers, query, body }
    }

    /// Reads a list like `bearer, cookie, header:x-access-token`.
    ///
    /// # Errors
    /// What to change.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut sources = Self::none();
        for source in text.split(',').map(str::trim) {
            match source.split_once(':') {
                None if source == "bearer" => sources.bearer = true,
                None if source == "cookie" => sources.cookie = true,
                Some(("header", name)) => sources.headers.push(header_name(name)?),
                Some(("query", name)) if is_name(name) => sources.query.push(name.into()),
                Some(("body", name)) if is_name(name) => sources.body.push(name.into()),
                _ => {
                    return Err("must be a list of `bearer`, `cookie`, `header:x-access-token`, \
                                `query:accessToken` and `body:accessToken`"
                        .into());
                }
            }
        }
        Ok(sources)
    }

    /// The form of a body that is to be searched for a token; `None` if it need not be read.
    pub fn body_of(&self, head: &impl Head) -> Option<BodyFormat> {
        if self.body.is_empty() || matches!(head.method(), "GET" | "HEAD") {
            return None;
        }
        BodyFormat::of(head.header("content-type").as_deref())
    }

    /// A URL, or part of one, without the query parameters that hold tokens. Every other
    /// character stays as it is.
    pub fn without_tokens<'a>(&self, url: &'a str) -> Cow<'a, str> {
        if self.query.is_empty() {
            return url.into();
        }
        let (front, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
        let Some((path, query)) = front.split_once('?') else {
            return url.into();
        };
        if !query.split('&').any(|pair| self.is_token(pair)) {
            return url.into();
        }
        let rest: Vec<&str> = query.split('&').filter(|pair| !self.is_token(pair)).collect();
        let mark = if rest.is_empty() { "" } else { "?" };
        format!("{path}{mark}{}{fragment}", rest.join("&")).into()
    }

    /// Names are compared as `application/x-www-form-urlencoded` reads them, as every origin would.
    fn is_token(&self, pair: &str) -> bool {
        let name = pair.split('=').next().unwrap_or_default().replace('+', " ");
        let name = percent_decode_str(&name).decode_utf8_lossy();
        self.query.iter().any(|token| *token == name)
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A header that means nothing else, in lower case.
fn header_name(name: &str) -> Result<String, String> {
    const TAKEN: [&str; 7] =
        ["authorization", "cookie", "host", "content-type", "content-length", "origin", "upgrade"];
    let name = name.to_ascii_lowercase();
    if !is_token(&name) || TAKEN.contains(&name.as_str()) || is_reserved(&name) {
        return Err(format!("names no header that could hold a token: `{name}`"));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

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
}
