//! `COOKIE_DOMAIN` and `SITE_HOSTS`: the hosts that are one site, with one session. Only hosts that are named are of the
//! site: other subdomains may belong to anybody.

use crate::assertion;
use crate::http::is_loopback;
use crate::setting_value::InvalidValue;

/// The hosts that share the session cookie. Without any, each host has its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteHosts(Vec<SiteHost>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct SiteHost {
    /// With its port, if that is not the scheme's own.
    authority: String,
    /// As browsers write them in `Origin`: over `https`, and to this machine over `http`, too.
    origins: Vec<String>,
}

impl SiteHosts {
    /// Reads a list like `app.example.com, api.example.com`.
    ///
    /// # Errors
    /// What to change.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let mut all: Vec<SiteHost> = Vec::new();
        for (index, host) in text.split(',').map(str::trim).enumerate() {
            let host = SiteHost::parse(host).map_err(|error| error.in_item(index))?;
            if all.contains(&host) {
                let reason = format!("{} is listed twice", host.authority);
                return Err(InvalidValue::new(reason).in_item(index));
            }
            all.push(host);
        }
        Ok(Self(all))
    }

    /// Is any host named?
    pub fn are_named(&self) -> bool {
        !self.0.is_empty()
    }

    /// The first host that gets no cookie of this domain, by its place in the list.
    pub fn outside(&self, domain: &str) -> Option<usize> {
        let is_below = |name: &str| name.strip_suffix(domain).is_some_and(|it| it.ends_with('.'));
        self.0.iter().position(|host| host.name() != domain && !is_below(host.name()))
    }

    /// Does the session cookie count at the host of this URL?
    pub fn share_cookie_at(&self, url: &str) -> bool {
        self.0.is_empty() || self.at(url).is_some()
    }

    /// The origin of the named host that a URL is of, as browsers know it.
    pub fn origin_at(&self, url: &str) -> Option<&str> {
        let (scheme, _) = url.split_once("://")?;
        let host = self.at(url)?;
        let of_scheme =
            host.origins.iter().find(|it| it.split_once("://").unzip().0 == Some(scheme));
        of_scheme.or(host.origins.first()).map(String::as_str)
    }

    /// The named host that a URL is of. Some clients write it in upper case, or with the scheme's own port.
    fn at(&self, url: &str) -> Option<&SiteHost> {
        let site = assertion::audience(url);
        let (_, authority) = site.split_once("://")?;
        self.0.iter().find(|host| host.authority == authority)
    }

    /// The origins whose pages are the site's own, as browsers write them.
    pub fn origins(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|host| &host.origins).map(String::as_str)
    }

    /// Parts an absolute URL into the origin of a named host and what follows it; `None` if it has no such origin.
    /// Browsers compare scheme and host without case. They read much else as one of these hosts that is none, or that
    /// other parsers take for none.
    pub fn split<'a>(&self, url: &'a str) -> Option<(&str, &'a str)> {
        self.origins().find_map(|origin| {
            let (start, rest) = url.split_at_checked(origin.len())?;
            let ends = rest.is_empty() || rest.starts_with(['/', '?', '#']);
            (ends && start.eq_ignore_ascii_case(origin)).then_some((origin, rest))
        })
    }
}

impl SiteHost {
    fn parse(text: &str) -> Result<Self, InvalidValue> {
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) if is_port(port) => (name, Some(port)),
            _ => (text, None),
        };
        if name.contains('*') {
            let reason =
                "must name each host: a `*` would let the pages of any subdomain use the session";
            return Err(InvalidValue::new(reason));
        }
        if !is_host_name(name) {
            let what = "a host as browsers write it, like `app.example.com`, without `https://`";
            return Err(InvalidValue::expected(what, text));
        }
        if let Some(port @ ("80" | "443")) = port {
            let reason = format!("browsers leave port {port} out; write `{name}`");
            return Err(InvalidValue::new(reason));
        }
        let schemes = if is_loopback(name) { &["https", "http"][..] } else { &["https"] };
        let origins = schemes.iter().map(|scheme| format!("{scheme}://{text}")).collect();
        Ok(Self { authority: text.to_owned(), origins })
    }

    fn name(&self) -> &str {
        self.authority.split(':').next().unwrap_or_default()
    }
}

fn is_port(text: &str) -> bool {
    !text.starts_with('0') && text.parse::<u16>().is_ok_and(|port| port.to_string() == text)
}

/// `COOKIE_DOMAIN`: a domain with subdomains (RFC 6265, section 5.2.3).
///
/// # Errors
/// What to change.
pub fn cookie_domain(text: &str) -> Result<String, InvalidValue> {
    if let Some(domain) = text.strip_prefix('.').filter(|it| is_host_name(it)) {
        return Err(InvalidValue::new(format!("write it without the dot in front: `{domain}`")));
    }
    if !is_host_name(text) {
        let what = "a domain as browsers write it, like `example.com`";
        return Err(InvalidValue::expected(what, text));
    }
    match text.contains('.') {
        true => Ok(text.to_owned()),
        false => {
            let what =
                "a domain with a dot, because browsers take no cookie for all of a top level";
            Err(InvalidValue::expected(what, text))
        }
    }
}

/// Is it a host's name as a URL parser leaves it: in lower case, in Punycode (RFC 5891), without a dot at the end, and no
/// IP address? What ends in a number is one, or refused (URL Standard, "ends in a number").
fn is_host_name(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(legal)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit())
        || last.strip_prefix("0x").is_some_and(|it| it.bytes().all(|b| b.is_ascii_hexdigit()));
    text.len() <= 253 && text.split('.').all(is_label) && !is_number
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("app.example.com", &["https://app.example.com"])]
    #[case("app.example.com, example.com,a_b.example.com", &["https://app.example.com", "https://example.com", "https://a_b.example.com"])]
    #[case("app.example.com:8443", &["https://app.example.com:8443"])]
    #[case("xn--bcher-kva.example", &["https://xn--bcher-kva.example"])]
    #[case("app.guard.localhost:8787", &["https://app.guard.localhost:8787", "http://app.guard.localhost:8787"])]
    fn hosts_are_origins_over_https_and_to_this_machine_over_http(
        #[case] text: &str,
        #[case] origins: &[&str],
    ) {
        let hosts = SiteHosts::parse(text).unwrap();
        assert_eq!(hosts.origins().collect::<Vec<_>>(), origins);
    }

    #[rstest]
    #[case::nothing("")]
    #[case::a_gap("a.example,,b.example")]
    #[case::twice("a.example, a.example")]
    #[case::any("*.example.com")]
    #[case::scheme("https://app.example.com")]
    #[case::path("app.example.com/")]
    #[case::leading_dot(".example.com")]
    #[case::trailing_dot("app.example.com.")]
    #[case::two_dots("app..example.com")]
    #[case::upper_case("App.example.com")]
    #[case::no_ascii("bücher.example")]
    #[case::v4("192.0.2.1")]
    #[case::short_v4("127.1")]
    #[case::hexadecimal("a.0x7f")]
    #[case::v6("[::1]")]
    #[case::bare_v6("::1")]
    #[case::user("user@app.example.com")]
    #[case::port_of_https("app.example.com:443")]
    #[case::port_of_http("app.guard.localhost:80")]
    #[case::no_port("app.example.com:")]
    #[case::large_port("app.example.com:65536")]
    #[case::padded_port("app.example.com:08443")]
    #[case::space("app.example.com api.example.com")]
    #[case::hyphen("-app.example.com")]
    #[case::percent("app%2eexample.com")]
    fn whatever_no_browser_would_write_is_no_host(#[case] text: &str) {
        assert!(!SiteHosts::parse(text).unwrap_err().reason.is_empty());
    }

    #[rstest]
    #[case("app.example.com, example.com", None)]
    #[case("app.example.com, evilexample.com", Some(1))]
    #[case("example.com.evil.com", Some(0))]
    #[case("app.example.com:8443, com", Some(1))]
    fn hosts_are_of_the_domain_or_below_it(#[case] text: &str, #[case] outside: Option<usize>) {
        assert_eq!(SiteHosts::parse(text).unwrap().outside("example.com"), outside);
    }

    #[rstest]
    #[case("https://app.example.com/", true)]
    #[case("http://app.example.com/x", true)]
    #[case("https://dev.example.com:8443/", true)]
    #[case::upper_case("https://APP.Example.com/", true)]
    #[case::own_port("https://app.example.com:443/", true)]
    #[case::own_port_of_http("http://app.example.com:80/", true)]
    #[case::unnamed("https://evil.example.com/", false)]
    #[case::port_of_http("https://app.example.com:80/", false)]
    #[case::below("https://x.app.example.com/", false)]
    #[case::domain("https://example.com/", false)]
    #[case::port("https://app.example.com:8443/", false)]
    #[case::no_port("https://dev.example.com/", false)]
    #[case::trailing_dot("https://app.example.com./", false)]
    #[case::suffix("https://app.example.com.evil.com/", false)]
    #[case::in_the_path("https://evil.com/https://app.example.com/", false)]
    #[case::nothing("", false)]
    fn the_cookie_counts_at_named_hosts_only(#[case] url: &str, #[case] counts: bool) {
        let hosts = SiteHosts::parse("app.example.com, dev.example.com:8443").unwrap();
        assert_eq!(hosts.share_cookie_at(url), counts);
        assert!(SiteHosts::default().share_cookie_at(url));
    }

    #[rstest]
    #[case("https://app.example.com/x", Some("https://app.example.com"))]
    #[case::tls_ends_before("http://App.example.com/x", Some("https://app.example.com"))]
    #[case("http://app.localhost:8787/x", Some("http://app.localhost:8787"))]
    #[case("https://app.localhost:8787/x", Some("https://app.localhost:8787"))]
    #[case("https://evil.example.com/x", None)]
    fn browsers_know_a_host_by_an_origin(#[case] url: &str, #[case] origin: Option<&str>) {
        let hosts = SiteHosts::parse("app.example.com, app.localhost:8787").unwrap();
        assert_eq!(hosts.origin_at(url), origin);
    }

    #[rstest]
    #[case("example.com", true)]
    #[case("guard.localhost", true)]
    #[case("xn--bcher-kva.example", true)]
    #[case::leading_dot(".example.com", false)]
    #[case::trailing_dot("example.com.", false)]
    #[case::top_level("com", false)]
    #[case::localhost("localhost", false)]
    #[case::port("example.com:8443", false)]
    #[case::scheme("https://example.com", false)]
    #[case::upper_case("Example.com", false)]
    #[case::no_ascii("bücher.example", false)]
    #[case::v4("192.0.2.1", false)]
    #[case::v6("[2001:db8::1]", false)]
    #[case::any("*.example.com", false)]
    #[case::attribute("example.com; Path=/", false)]
    #[case::two("example.com, example.org", false)]
    fn a_cookies_domain_is_one_that_browsers_take(#[case] text: &str, #[case] is_taken: bool) {
        assert_eq!(cookie_domain(text).is_ok(), is_taken);
    }
}
