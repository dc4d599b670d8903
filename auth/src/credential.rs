//! The credential a request carries: a bearer token, or the session cookie.

use crate::cookie;

/// Where the token was found. Cookies are sent by the browser whoever asks it to, so they need
/// a proof of the asking site; bearer tokens do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// `Authorization: Bearer` (RFC 6750, section 2.1).
    Bearer,
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

/// Finds the credential; `None` if there is none.
///
/// # Errors
/// [`Ambiguous`] if header and cookie, or two cookies of the name, differ.
pub fn find<'a>(
    authorization: Option<&'a str>,
    cookies: Option<&'a str>,
    cookie_name: &'a str,
) -> Result<Option<Credential<'a>>, Ambiguous> {
    let bearer = authorization.and_then(bearer);
    let cookies = cookies.into_iter().flat_map(|header| cookie::values(header, cookie_name));
    let cookies = cookies.map(|token| Credential { source: Source::Cookie, token });
    let mut all = bearer.into_iter().chain(cookies.filter(|cookie| !cookie.token.is_empty()));
    let Some(first) = all.next() else { return Ok(None) };
    if all.all(|other| other.token == first.token) { Ok(Some(first)) } else { Err(Ambiguous) }
}

/// The token of a bearer credential. The scheme is compared without case (RFC 9110, section
/// 11.1); any other scheme is somebody else's credential.
fn bearer(authorization: &str) -> Option<Credential<'_>> {
    let (scheme, token) = authorization.split_once(' ').unwrap_or((authorization, ""));
    let token = token.trim_matches(' ');
    scheme.eq_ignore_ascii_case("bearer").then_some(Credential { source: Source::Bearer, token })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const NAME: &str = "__Host-session";

    #[rstest]
    #[case(Some("Bearer abc"), None, Some((Source::Bearer, "abc")))]
    #[case(Some("bearer abc"), None, Some((Source::Bearer, "abc")))]
    #[case(Some("BEARER   abc"), None, Some((Source::Bearer, "abc")))]
    #[case(Some("Bearer"), None, Some((Source::Bearer, "")))]
    #[case(Some("Basic YWRh"), None, None)]
    #[case(Some("Bearerabc"), None, None)]
    #[case(Some("Token abc"), Some("__Host-session=xyz"), Some((Source::Cookie, "xyz")))]
    #[case(None, Some("__Host-session=xyz; a=b"), Some((Source::Cookie, "xyz")))]
    #[case(None, Some("__Host-session="), None)]
    #[case(Some("Bearer abc"), Some("__Host-session=abc"), Some((Source::Bearer, "abc")))]
    #[case(None, None, None)]
    fn the_credential_is_found(
        #[case] authorization: Option<&str>,
        #[case] cookies: Option<&str>,
        #[case] expected: Option<(Source, &str)>,
    ) {
        let found = find(authorization, cookies, NAME).unwrap();
        assert_eq!(found.map(|c| (c.source, c.token)), expected);
    }

    #[rstest]
    #[case(Some("Bearer abc"), "__Host-session=xyz")]
    #[case(Some("Bearer"), "__Host-session=xyz")]
    #[case(None, "__Host-session=abc; __Host-session=xyz")]
    fn two_that_differ_are_ambiguous(#[case] authorization: Option<&str>, #[case] cookies: &str) {
        assert!(find(authorization, Some(cookies), NAME).is_err());
    }
}
