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
mod tests;
