//! The credential a request carries, and where it may carry it.

mod sources;

pub use sources::TokenSources;

use std::borrow::Cow;

use crate::cookie;
use crate::decision::{Body, Head};
use crate::form::Form;
use crate::route::Target;

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

/// Two credentials that differ: a choice between them would be a guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ambiguous;

/// Everything a request carries where a token may be.
#[derive(Default)]
pub struct Sent<'a> {
    /// `Authorization`.
    pub authorization: Option<Cow<'a, str>>,
    /// `Cookie`.
    pub cookies: Option<Cow<'a, str>>,
    /// Texts under the configured names of headers, query parameters and body fields.
    pub named: Vec<String>,
}

impl<'h> Sent<'h> {
    /// Looks wherever the settings say, and nowhere else.
    pub fn of(head: &'h impl Head, sources: &TokenSources) -> Self {
        let headers = sources.headers.iter().filter_map(|name| head.header(name));
        let mut named: Vec<String> = headers.map(Cow::into_owned).collect();
        if !sources.query.is_empty()
            && let Some(target) = Target::of_url(head.url())
        {
            named.extend(Form::Page.texts(target.query(), &sources.query));
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

    /// Finds the credential; `None` if there is none.
    ///
    /// # Errors
    /// [`Ambiguous`] if two differ.
    pub fn credential<'a>(
        &'a self,
        cookie_name: &'a str,
    ) -> Result<Option<Credential<'a>>, Ambiguous> {
        let bearer = self.bearer().into_iter();
        let cookies = self.cookies.iter().flat_map(|header| cookie::values(header, cookie_name));
        let named = self.named.iter().map(|token| (Source::Named, token.trim()));
        let mut all = bearer
            .map(|token| (Source::Bearer, token))
            .chain(named.chain(cookies.map(|token| (Source::Cookie, token))))
            .filter(|(source, token)| *source == Source::Bearer || !token.is_empty());
        let Some((source, token)) = all.next() else { return Ok(None) };
        match all.all(|(_, other)| other == token) {
            true => Ok(Some(Credential { source, token })),
            false => Err(Ambiguous),
        }
    }
}

/// The token of a bearer credential; any other scheme is somebody else's credential.
pub(crate) fn bearer(authorization: &str) -> Option<&str> {
    scheme(authorization, "bearer")
}

/// The credential of this scheme, which is compared without case (RFC 9110, section 11.1).
pub(crate) fn scheme<'a>(authorization: &'a str, expected: &str) -> Option<&'a str> {
    let (scheme, sent) = authorization.split_once(' ').unwrap_or((authorization, ""));
    scheme.eq_ignore_ascii_case(expected).then_some(sent.trim_matches(' '))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const NAME: &str = "__Host-session";

    fn find(
        authorization: Option<&str>,
        cookies: Option<&str>,
        named: &[&str],
    ) -> Result<Option<(Source, String)>, Ambiguous> {
        let sent = Sent {
            authorization: authorization.map(Cow::from),
            cookies: cookies.map(Cow::from),
            named: named.iter().map(|text| (*text).to_owned()).collect(),
        };
        sent.credential(NAME).map(|found| found.map(|it| (it.source, it.token.to_owned())))
    }

    #[rstest]
    #[case(Some("Bearer abc"), None, &[], Some((Source::Bearer, "abc")))]
    #[case(Some("bearer abc"), None, &[], Some((Source::Bearer, "abc")))]
    #[case(Some("BEARER   abc"), None, &[], Some((Source::Bearer, "abc")))]
    #[case(Some("Bearer"), None, &[], Some((Source::Bearer, "")))]
    #[case(Some("Basic YWRh"), None, &[], None)]
    #[case(Some("Bearerabc"), None, &[], None)]
    #[case(Some("Token abc"), Some("__Host-session=xyz"), &[], Some((Source::Cookie, "xyz")))]
    #[case(None, Some("__Host-session=xyz; a=b"), &[], Some((Source::Cookie, "xyz")))]
    #[case(None, Some("__Host-session="), &[""], None)]
    #[case(Some("Bearer abc"), Some("__Host-session=abc"), &[], Some((Source::Bearer, "abc")))]
    #[case(None, Some("__Host-session=abc"), &["abc", ""], Some((Source::Named, "abc")))]
    #[case(Some("Basic YWRh"), None, &[" abc "], Some((Source::Named, "abc")))]
    #[case(None, None, &[], None)]
    fn the_credential_is_found(
        #[case] authorization: Option<&str>,
        #[case] cookies: Option<&str>,
        #[case] named: &[&str],
        #[case] expected: Option<(Source, &str)>,
    ) {
        let found = find(authorization, cookies, named).unwrap();
        assert_eq!(found, expected.map(|(source, token)| (source, token.to_owned())));
    }

    #[rstest]
    #[case(Some("Bearer abc"), "__Host-session=xyz", &[])]
    #[case(Some("Bearer"), "__Host-session=xyz", &[])]
    #[case(None, "__Host-session=abc; __Host-session=xyz", &[])]
    #[case(None, "__Host-session=abc", &["xyz"])]
    #[case(Some("Bearer abc"), "", &["xyz"])]
    #[case(None, "", &["abc", "xyz"])]
    fn two_that_differ_are_ambiguous(
        #[case] authorization: Option<&str>,
        #[case] cookies: &str,
        #[case] named: &[&str],
    ) {
        assert!(find(authorization, Some(cookies), named).is_err());
    }
}
