//! URLs in settings, and hosts.

use std::net::{Ipv4Addr, Ipv6Addr};

use ::http::Uri;

use super::Target;
use crate::setting_value::InvalidValue;

/// A URL that nobody on the way reads or changes: `https`, but for this machine and neighbours in
/// the same container network, whose names have no dot.
///
/// # Errors
/// What to change.
pub fn web_url(text: &str) -> Result<Uri, InvalidValue> {
    let uri = absolute(text)?;
    let host = uri.host().unwrap_or_default();
    if uri.scheme_str() == Some("http") && !is_loopback(host) && !is_neighbour(host) {
        return Err(other_url("an https URL", text));
    }
    Ok(uri)
}

/// Something else was expected than this URL. Its path, its query and its user may hold secrets.
pub fn other_url(what: &str, text: &str) -> InvalidValue {
    let site = Target::site_of(text);
    let end = site.find(['?', '#']).unwrap_or(site.len());
    let site =
        &site[..if site.contains("://") { end } else { site.find('/').unwrap_or(end).min(end) }];
    match site.contains('@') {
        true => InvalidValue::new(format!("expected {what}")),
        false if site.len() == text.len() => InvalidValue::expected(what, text),
        false => InvalidValue::expected(what, &format!("{site}/…")),
    }
}

/// An absolute http or https URL with a host.
fn absolute(text: &str) -> Result<Uri, InvalidValue> {
    const ABSOLUTE: &str = "an absolute URL like `https://app.example.com`";
    let uri: Uri = text.parse().map_err(|_| other_url(ABSOLUTE, text))?;
    let scheme = uri.scheme_str().unwrap_or_default();
    if !matches!(scheme, "http" | "https") || uri.host().unwrap_or_default().is_empty() {
        return Err(other_url(ABSOLUTE, text));
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(InvalidValue::new("expected a URL without a user or a password"));
    }
    if text.contains('#') {
        return Err(other_url("a URL without a fragment", text));
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
