//! URLs in settings, and hosts.

use std::net::{Ipv4Addr, Ipv6Addr};

use ::http::Uri;

/// A URL that nobody on the way reads or changes: `https`, but for this machine and neighbours in
/// the same container network, whose names have no dot.
///
/// # Errors
/// What to change.
pub fn web_url(text: &str) -> Result<Uri, String> {
    let uri = absolute(text)?;
    let host = uri.host().unwrap_or_default();
    if uri.scheme_str() == Some("http") && !is_loopback(host) && !is_neighbour(host) {
        return Err("must be `https`, or others could read and change what travels".into());
    }
    Ok(uri)
}

/// An absolute http or https URL with a host.
fn absolute(text: &str) -> Result<Uri, String> {
    let uri: Uri = text.parse().map_err(|_| "is no URL")?;
    let scheme = uri.scheme_str().unwrap_or_default();
    if !matches!(scheme, "http" | "https") || uri.host().unwrap_or_default().is_empty() {
        return Err("must be an absolute URL, like `https://app.example.com`".into());
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err("must not carry a user or a password".into());
    }
    if text.contains('#') {
        return Err("must not have a fragment".into());
    }
    Ok(uri)
}

/// A name without a dot, which is no address: a URL parser makes one of what begins with a digit.
fn is_neighbour(host: &str) -> bool {
    host.starts_with(|c: char| c.is_ascii_alphabetic()) && !host.contains('.')
}

/// Does this host name mean the machine itself (RFC 6761, section 6.3; RFC 5735, section 3)?
pub fn is_loopback(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let name = host.strip_suffix('.').unwrap_or(&host);
    let v6 = name.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse().is_ok_and(|it: Ipv4Addr| it.is_loopback())
        || v6.is_some_and(|it| it.parse().is_ok_and(|it: Ipv6Addr| it.is_loopback()))
}

/// Is what follows the scheme of a URL a host and perhaps a port? The runtime makes it of whatever
/// stands in `Host` lines.
pub(crate) fn has_one_host(site: &str) -> bool {
    let after_scheme = site.split_once(':').and_then(|(_, rest)| rest.strip_prefix("//"));
    let authority = after_scheme.unwrap_or_default();
    let legal = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']')
    };
    !authority.is_empty() && authority.bytes().all(legal)
}

/// The host of an absolute URL, without its port.
pub(crate) fn host(url: &str) -> &str {
    let authority = url.split("://").nth(1).and_then(|rest| rest.split('/').next());
    let authority = authority.unwrap_or_default();
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    }
}
