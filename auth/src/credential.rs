//! The credential a request carries, and where it may carry it.

mod sources;

pub use sources::TokenSources;

use std::borrow::Cow;

use crate::body_format::BodyFormat;
use crate::cookie;
use crate::http::{Body, Head, Target, bearer};

/// Where the token was found. Cookies are sent by the browser whoever asks it to, so they need
/// a proof of the asking site; what a program must put there itself does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// `Authorization: Bearer` (RFC 6750, section 2.1).
    Bearer,
    /// A header, a parameter of the query or a field of the body.
    Named,
    /// The session cookie.
    Cookie,
}

/// A token that nobody has looked at yet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Credential<'a> {
    /// Where it was found.
    pub source: Source,
    /// The token as it was sent.
    pub token: &'a str,
}

/// Everything a request carries where a token may be.
#[derive(Default)]
pub struct PresentedTokens<'a> {
    /// `Authorization`.
    pub authorization: Option<Cow<'a, str>>,
    /// `Cookie`.
    pub cookies: Option<Cow<'a, str>>,
    /// Texts under the configured names of headers, query parameters and body fields.
    pub named: Vec<String>,
}

impl<'h> PresentedTokens<'h> {
    /// Looks wherever the settings say, and nowhere else.
    pub fn of(head: &'h impl Head, sources: &TokenSources) -> Self {
        let headers = sources.headers.iter().filter_map(|name| head.header(name));
        let mut named: Vec<String> = headers.map(Cow::into_owned).collect();
        if !sources.query.is_empty()
            && let Some(target) = Target::of_url(head.url())
        {
            named.extend(BodyFormat::Page.texts(target.query(), &sources.query));
        }
        if let (Body::Text(body), Some(form)) = (head.body(), sources.body_of(head)) {
            named.extend(form.texts(body, &sources.body));
        }
        Self {
            authorization: head.header("authorization").filter(|_| sources.bearer),
            cookies: head.header("cookie").filter(|_| sources.cookie),
            named,
        }
    }

    /// The bearer token.
    pub fn bearer(&self) -> Option<&str> {
        self.authorization.as_deref().and_then(bearer)
    }

    /// Every text that stands where a token may be, in the order of the sources.
    pub fn credentials<'a>(&'a self, cookie_name: &'a str) -> impl Iterator<Item = Credential<'a>> {
        let bearer = self.bearer().map(|token| Credential { source: Source::Bearer, token });
        let cookies = self.cookies.iter().flat_map(|header| cookie::values(header, cookie_name));
        let cookies = cookies.map(|token| Credential { source: Source::Cookie, token });
        let named = self.named.iter().map(|token| token.trim());
        let named = named.map(|token| Credential { source: Source::Named, token });
        let is_there = |it: &Credential| it.source == Source::Bearer || !it.token.is_empty();
        bearer.into_iter().chain(named).chain(cookies).filter(is_there)
    }

    /// Every text in `Authorization` that some server may take for a bearer token: the runtime joins
    /// several lines by a comma.
    pub fn bearers(&self) -> impl Iterator<Item = &str> {
        let words = self.authorization.as_deref().unwrap_or_default().split([',', ' ', '\t']);
        let mut follows = false;
        words.filter(|word| !word.is_empty()).filter(move |word| {
            let is_token = follows;
            follows = word.eq_ignore_ascii_case("bearer");
            is_token
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const NAME: &str = "__Host-session";

    fn sent(
        authorization: Option<&str>,
        cookies: Option<&str>,
        named: &[&str],
    ) -> PresentedTokens<'static> {
        PresentedTokens {
            authorization: authorization.map(|text| text.to_owned().into()),
            cookies: cookies.map(|text| text.to_owned().into()),
            named: named.iter().map(|text| (*text).to_owned()).collect(),
        }
    }

    #[rstest]
    #[case(Some("Bearer abc"), None, &[], &[(Source::Bearer, "abc")])]
    #[case(Some("bearer abc"), None, &[], &[(Source::Bearer, "abc")])]
    #[case(Some("BEARER   abc"), None, &[], &[(Source::Bearer, "abc")])]
    #[case(Some("Bearer"), None, &[], &[(Source::Bearer, "")])]
    #[case(Some("Basic YWRh"), None, &[], &[])]
    #[case(Some("Bearerabc"), None, &[], &[])]
    #[case(Some("Token abc"), Some("__Host-session=xyz"), &[], &[(Source::Cookie, "xyz")])]
    #[case(None, Some("__Host-session=xyz; a=b"), &[], &[(Source::Cookie, "xyz")])]
    #[case(None, Some("__Host-session="), &[""], &[])]
    #[case(Some("Bearer abc"), Some("__Host-session=x; __Host-session=y"), &[" def ", ""], &[(Source::Bearer, "abc"), (Source::Named, "def"), (Source::Cookie, "x"), (Source::Cookie, "y")])]
    #[case(None, None, &[], &[])]
    fn credentials_are_found_in_the_order_of_their_sources(
        #[case] authorization: Option<&str>,
        #[case] cookies: Option<&str>,
        #[case] named: &[&str],
        #[case] expected: &[(Source, &str)],
    ) {
        let sent = sent(authorization, cookies, named);
        let found: Vec<_> = sent.credentials(NAME).map(|it| (it.source, it.token)).collect();
        assert_eq!(found, expected);
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
        let sent = sent(Some(authorization), None, &[]);
        assert_eq!(sent.bearers().collect::<Vec<_>>(), expected);
    }
}
