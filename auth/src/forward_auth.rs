//! Forward-auth: a proxy asks whether a request of its client may pass, and describes it in headers. It is read
//! strictly: what is said twice, or not at all, is not guessed.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::body_format::BodyFormat;
use crate::http::{Head, Recipient, Target, has_one_host, is_token};
use crate::refusal::Refusal;

/// The header in which a proxy that asks sends its key.
pub const KEY: &str = "x-guard-proxy-key";

/// The header in which it sends its key with what it passes on to the guard's own endpoints. Another one, so that none of
/// its clients can ask through it.
pub const SITE_KEY: &str = "x-guard-site-key";

/// The header in which a proxy says who its client is, by the address alone.
const CLIENT_IP: &str = "x-guard-client-ip";

const METHOD: [&str; 2] = ["x-original-method", "x-forwarded-method"];
const ORIGINAL_URL: &str = "x-original-url";
const PROTO: &str = "x-forwarded-proto";
const HOST: &str = "x-forwarded-host";
const URI: &str = "x-forwarded-uri";

/// What comes with an upgrade to HTTP/2 (RFC 7540, section 3.2.1).
const H2C: &str = "http2-settings";

/// A request that somebody else describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedRequest {
    /// The method, as sent.
    pub method: String,
    /// The absolute URL. Path and query are as sent.
    pub url: String,
    /// Does it upgrade to WebSocket? Proxies keep `Upgrade` for themselves, but not the handshake's key.
    pub upgrades: bool,
    /// Who gets the answer.
    pub recipient: Recipient,
}

/// What a proxy says of a request that it passes on to one of the guard's own endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxiedRequest {
    /// The absolute URL, at the host that its client has asked.
    pub url: String,
    /// Its client's address.
    pub client_ip: Option<String>,
}

impl DescribedRequest {
    /// Reads what a proxy describes: `X-Original-Method` with `X-Original-URL`, or `X-Forwarded-Method` with
    /// `X-Forwarded-Proto`, `X-Forwarded-Host` and `X-Forwarded-Uri`.
    ///
    /// # Errors
    /// What the proxy has to change.
    pub fn read(head: &impl Head, recipient: Recipient) -> Result<Self, Refusal> {
        let [original, forwarded] = METHOD.map(|name| head.header(name));
        let url = match (head.header(ORIGINAL_URL), head.header(URI)) {
            (Some(_), Some(_)) => return Err(TWICE),
            (Some(url), None) => url.into_owned(),
            (None, Some(uri)) if !uri.starts_with('/') => return Err(TARGET_ILLEGAL),
            (None, Some(uri)) => [&*forwarded_site(head)?, &uri].concat(),
            (None, None) => return Err(INCOMPLETE),
        };
        let method = match (original, forwarded, head.header(URI).is_some()) {
            (Some(method), None, false) | (None, Some(method), true) => method,
            (Some(_), Some(_), _) => return Err(TWICE),
            _ => return Err(INCOMPLETE),
        };
        Self::new(&method, &url, head, recipient)
    }

    /// A request of this method and absolute URL, with the headers of `head`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(
        method: &str,
        url: &str,
        head: &impl Head,
        recipient: Recipient,
    ) -> Result<Self, Refusal> {
        // Methods differ by case (RFC 9110, section 9.1), but not to each server.
        if !is_token(method) || method.bytes().any(|it| it.is_ascii_lowercase()) {
            return Err(METHOD_ILLEGAL);
        }
        // What goes through such a tunnel is asked about by nobody.
        if head.header(H2C).is_some() {
            return Err(H2C_ILLEGAL);
        }
        let target = &url[Target::site_of(url).len()..];
        // A fragment is no part of a request, and servers differ in what they make of one.
        if !target.starts_with('/') || target.bytes().any(|it| it <= b' ' || it == b'#') {
            return Err(TARGET_ILLEGAL);
        }
        let url = [&*site(Target::site_of(url))?, target].concat();
        let upgrades = ["upgrade", "sec-websocket-key"].iter().any(|it| head.header(it).is_some());
        Ok(Self { method: method.to_owned(), url, upgrades, recipient })
    }
}

impl ProxiedRequest {
    /// Reads what a proxy says of the site. Method, path and query are the request's own.
    ///
    /// # Errors
    /// What the proxy has to change.
    pub fn read(head: &impl Head) -> Result<Self, Refusal> {
        let site = match (head.header(ORIGINAL_URL), head.header(HOST)) {
            (Some(_), Some(_)) => return Err(TWICE),
            (Some(url), None) => site(Target::site_of(&url))?,
            (None, _) => forwarded_site(head)?,
        };
        let target = Target::of_url(head.url()).ok_or(TARGET_ILLEGAL)?;
        let client_ip = head.header(CLIENT_IP).map(Cow::into_owned);
        if client_ip.as_ref().is_some_and(|text| text.parse::<IpAddr>().is_err()) {
            return Err(CLIENT_IP_ILLEGAL);
        }
        Ok(Self { url: [&*site, target.as_str()].concat(), client_ip })
    }
}

/// Whom an answer of `verify` is for, as the query says: `redirect=off` if the proxy shows no redirects.
///
/// # Errors
/// Another value.
pub fn recipient(url: &str) -> Result<Recipient, Refusal> {
    let query = Target::of_url(url).map_or("", |target| target.query());
    match BodyFormat::Form.texts(query, &["redirect".into()]).as_slice() {
        [] => Ok(Recipient::Proxy { shows_redirects: true }),
        [off] if off == "off" => Ok(Recipient::Proxy { shows_redirects: false }),
        _ => Err(Refusal::BadRequest("`redirect` can only be `off`.")),
    }
}

/// The status of a refusal for a proxy that knows no other refusals than 401 and 403.
pub fn status_without_redirects(status: u16) -> u16 {
    match status {
        401 | 403 | 500.. => status,
        _ => 403,
    }
}

fn forwarded_site(head: &impl Head) -> Result<String, Refusal> {
    let [proto, host] = [PROTO, HOST].map(|name| head.header(name).ok_or(INCOMPLETE));
    site(&[&*proto?, "://", &*host?].concat())
}

/// Scheme and host in their normal form, as a browser writes them in `Origin`.
fn site(text: &str) -> Result<String, Refusal> {
    let (scheme, host) = text.split_once("://").ok_or(SCHEME_ILLEGAL)?;
    // Traefik may tell of a handshake by `wss`.
    let (scheme, port) = match scheme {
        "https" | "wss" => ("https", ":443"),
        "http" | "ws" => ("http", ":80"),
        _ => return Err(SCHEME_ILLEGAL),
    };
    let site = format!("{scheme}://{}", host.strip_suffix(port).unwrap_or(host).to_lowercase());
    let is_legal = has_one_host(&site) && has_one_port(&site[scheme.len() + 3..]);
    if is_legal { Ok(site) } else { Err(HOST_ILLEGAL) }
}

/// Does at most one port follow the host? Colons of an IPv6 address stand in brackets (RFC 3986, section 3.2.2).
fn has_one_port(authority: &str) -> bool {
    let (host, after) = match authority.split_once(']') {
        Some((address, after)) => (address.strip_prefix('[').unwrap_or_default(), after),
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port = after.strip_prefix(':');
    let is_number = |port: &str| !port.is_empty() && port.bytes().all(|it| it.is_ascii_digit());
    !host.is_empty() && !host.contains('[') && port.map_or(after.is_empty(), is_number)
}

const TWICE: Refusal = Refusal::BadRequest(
    "The request is described twice. Have the proxy send either `X-Original-Method` and \
     `X-Original-URL`, or `X-Forwarded-Method`, `-Proto`, `-Host` and `-Uri`, and remove the others.",
);
const INCOMPLETE: Refusal = Refusal::BadRequest(
    "The request is not described. Have the proxy send `X-Original-Method` and `X-Original-URL`, or \
     `X-Forwarded-Method`, `-Proto`, `-Host` and `-Uri`.",
);
const METHOD_ILLEGAL: Refusal =
    Refusal::BadRequest("The described method is not one. Methods are in capitals.");
const H2C_ILLEGAL: Refusal =
    Refusal::BadRequest("A request does not pass that upgrades to HTTP/2 (`HTTP2-Settings`).");
const TARGET_ILLEGAL: Refusal = Refusal::BadRequest(
    "The described path must begin with a slash, and be as it was sent, without spaces or `#`.",
);
const SCHEME_ILLEGAL: Refusal =
    Refusal::BadRequest("The described scheme must be `https` or `http`.");
const HOST_ILLEGAL: Refusal = Refusal::BadRequest("The described host is not one.");
const CLIENT_IP_ILLEGAL: Refusal =
    Refusal::BadRequest("`X-Guard-Client-IP` must be one address, without a port.");

#[cfg(test)]
mod tests;
