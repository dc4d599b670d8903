//! An origin at `ORIGIN_URL` hears that address as its host, and names it where it means itself: in
//! redirects, and in links of the header. To clients it is at the site's address.

use crate::assertion::audience;
use crate::http::Target;

/// A URL of an answer's header with `site`, as in `https://app.example.com`, where it names `origin`; `None`
/// if it does not. Whatever else it says stays as it is.
pub fn renamed(url: &str, origin: &str, site: &str) -> Option<String> {
    // What was no UTF-8 has been lost to whoever looks at it, and would be lost to the client.
    let is_lost = url.contains('\u{fffd}');
    own_prefix(url, origin).filter(|_| !is_lost).map(|len| site.to_owned() + &url[len..])
}

/// How many bytes of a URL, from its start, name the origin: scheme, host and port, or the latter two
/// after `//`. Applications behind a proxy often do not know whether they are asked by `https`, so either
/// scheme is the origin's. What only begins like it, has a user before it, or is read as another host by
/// some clients, does not name it.
fn own_prefix(url: &str, origin: &str) -> Option<usize> {
    let (scheme, after) = match url.find("//")? {
        0 => ("", 0),
        at => (url[..at].strip_suffix(':')?, at),
    };
    if !["", "http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return None;
    }
    let rest = &url[after + 2..];
    let end = rest.bytes().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
    let authority = &rest[..end.unwrap_or(rest.len())];
    let (own_scheme, own) = origin.split_once("://")?;
    let scheme = if scheme.is_empty() { own_scheme } else { scheme };
    let is_own =
        without_port(scheme, authority).eq_ignore_ascii_case(without_port(own_scheme, own));
    is_own.then_some(after + 2 + authority.len())
}

/// Host and port, without the one that the scheme has anyway.
fn without_port<'a>(scheme: &str, authority: &'a str) -> &'a str {
    let port = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    authority.strip_suffix(port).unwrap_or(authority)
}

/// `Origin` and `Referer` of a request from the site itself, as if it came from a page of the origin's;
/// `None` for whatever comes from elsewhere, or says nothing.
pub fn from_own_page(value: &str, site: &str, origin: &str) -> Option<String> {
    let rest = value.strip_prefix(site)?;
    (rest.is_empty() || rest.starts_with('/')).then(|| audience(origin) + rest)
}

/// The site that a request is for, as browsers write it.
pub fn site_of(url: &str) -> String {
    audience(Target::site_of(url))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const SITE: &str = "https://app.example.com";

    #[rstest]
    #[case::slash("http://127.0.0.1:8788/items/", "https://app.example.com/items/")]
    #[case::nothing_more("http://127.0.0.1:8788", "https://app.example.com")]
    #[case::query("http://127.0.0.1:8788?a=b", "https://app.example.com?a=b")]
    #[case::fragment("http://127.0.0.1:8788#a", "https://app.example.com#a")]
    #[case::other_scheme("https://127.0.0.1:8788/a", "https://app.example.com/a")]
    #[case::no_scheme("//127.0.0.1:8788/a", "https://app.example.com/a")]
    #[case::case("HTTP://127.0.0.1:8788/A", "https://app.example.com/A")]
    #[case::itself_in_the_query(
        "http://127.0.0.1:8788/a?next=http://127.0.0.1:8788/b",
        "https://app.example.com/a?next=http://127.0.0.1:8788/b"
    )]
    #[case::beyond_ascii("http://127.0.0.1:8788/é?b=⚓", "https://app.example.com/é?b=⚓")]
    #[case::escapes("http://127.0.0.1:8788/%2e%2e//x", "https://app.example.com/%2e%2e//x")]
    fn what_names_the_origin_names_the_site(#[case] location: &str, #[case] expected: &str) {
        let said = renamed(location, "http://127.0.0.1:8788", SITE);
        assert_eq!(said.as_deref(), Some(expected));
    }

    #[rstest]
    #[case("/a")]
    #[case("")]
    #[case("a//127.0.0.1:8788/")]
    #[case("?u=//127.0.0.1:8788/")]
    #[case("https://other.example/")]
    #[case("http://127.0.0.1:87880/")]
    #[case("http://127.0.0.1:878/")]
    #[case("http://127.0.0.1/")]
    #[case("http://127.0.0.1:8788.evil.example/")]
    #[case("http://127.0.0.1:8788@evil.example/")]
    #[case("http://user@127.0.0.1:8788/")]
    #[case("http://127.0.0.1:8788;@evil.example/")]
    #[case("http://127.0.0.1:8788 .evil.example/")]
    #[case("http://127.0.0.1:8788>@evil.example/")]
    #[case("http://127.0.0.1:8788\\@evil.example/")]
    #[case("http:\\\\127.0.0.1:8788/")]
    #[case("http:/127.0.0.1:8788/")]
    #[case("http:127.0.0.1:8788/")]
    #[case("ftp://127.0.0.1:8788/")]
    #[case("javascript://127.0.0.1:8788/%0aalert(1)")]
    #[case("xhttp://127.0.0.1:8788/")]
    #[case("http://127.0.0.1:8788%2f/")]
    #[case("http://127.0.0.1:8788/\u{fffd}")]
    fn what_names_something_else_stays(#[case] location: &str) {
        assert_eq!(renamed(location, "http://127.0.0.1:8788", SITE), None);
    }

    #[rstest]
    #[case("https://App.Internal", "http://app.internal/a", true)]
    #[case("https://app.internal", "https://app.internal:443/a", true)]
    #[case("https://app.internal:443", "https://app.internal/a", true)]
    #[case("https://app.internal", "http://app.internal:80/a", true)]
    #[case("https://app.internal", "//app.internal/a", true)]
    #[case("https://app.internal", "https://app.internal:80/a", false)]
    #[case("https://app.internal:8443", "https://app.internal/a", false)]
    #[case("http://[::1]:8788", "http://[::1]:8788/a", true)]
    #[case("https://app.internal", "https://app.internal.evil.example/a", false)]
    #[case("https://app.internal", "https://evil-app.internal/a", false)]
    #[case("https://app.internal", "https://sub.app.internal/a", false)]
    fn schemes_and_ports_are_compared(
        #[case] origin: &str,
        #[case] location: &str,
        #[case] is_own: bool,
    ) {
        let said = renamed(location, origin, SITE);
        assert_eq!(said, is_own.then(|| format!("{SITE}/a")));
    }

    #[rstest]
    #[case(SITE, Some("https://o.internal"))]
    #[case("https://app.example.com/a?b=c", Some("https://o.internal/a?b=c"))]
    #[case("https://app.example.com.evil.example", None)]
    #[case("https://app.example.com:8443", None)]
    #[case("https://app.example.com@evil.example/", None)]
    #[case("http://app.example.com", None)]
    #[case("https://evil.example/https://app.example.com", None)]
    #[case("null", None)]
    #[case("", None)]
    fn only_the_sites_own_pages_become_the_origins(
        #[case] value: &str,
        #[case] expected: Option<&str>,
    ) {
        let said = from_own_page(
            value,
            &site_of("https://App.example.com:443/x"),
            "https://O.internal:443",
        );
        assert_eq!(said.as_deref(), expected);
    }
}
