//! Where a request comes from: the client's address, and the scheme by which the client came.
//!
//! At Cloudflare, only Cloudflare can set `CF-Connecting-IP`, and the URL has the client's scheme. A `workerd` of one's
//! own takes what anybody sends. It knows who has connected to it, and only proxies that the settings name may say
//! for whom they did.

use std::net::{IpAddr, SocketAddr};

use ipnet::{IpNet, Ipv4Net};

use crate::http::is_token;
use crate::setting_value::InvalidValue;

/// The header in which Cloudflare says who its client is.
pub const CLOUDFLARE: &str = "cf-connecting-ip";

/// The header in which most proxies do.
pub const DEFAULT_HEADER: &str = "x-forwarded-for";

/// The header in which a proxy says how its client came.
const PROTO: &str = "x-forwarded-proto";

/// Whose word counts about where a request comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AddressSource {
    /// Cloudflare's.
    #[default]
    Cloudflare,
    /// Nobody's: the client is whoever has connected.
    Connection,
    /// That of these proxies.
    Proxies(TrustedProxies),
}

/// Proxies that may say for whom they connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
    /// The header in which they do, in lower case.
    header: String,
}

/// Who has sent a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    /// The client's address; `None` if nobody says.
    pub address: Option<IpAddr>,
    /// Did the client come over `https`? `None`: as the request did.
    pub is_https: Option<bool>,
    /// Are the `CF-` headers Cloudflare's own, although the request did not come from there directly?
    pub keeps_cloudflare: bool,
}

impl AddressSource {
    /// The same for a guard that does not run at Cloudflare, where nobody but the client would set
    /// `CF-Connecting-IP`.
    #[must_use]
    pub fn outside_cloudflare(self) -> Self {
        match self {
            Self::Cloudflare => Self::Connection,
            other => other,
        }
    }

    /// Where a request comes from that `peer`, an address with a port, has sent over its connection; `None` if the
    /// request says itself, because it comes from Cloudflare.
    pub fn sender(
        &self,
        peer: Option<&str>,
        header: impl Fn(&str) -> Option<String>,
    ) -> Option<Sender> {
        let peer = peer.and_then(address);
        match self {
            Self::Cloudflare => None,
            Self::Connection => Some(Sender { address: peer, ..Sender::default() }),
            Self::Proxies(proxies) => Some(proxies.sender(peer, header)),
        }
    }
}

impl TrustedProxies {
    /// Reads `TRUSTED_PROXIES` and the name in `CLIENT_IP_HEADER`.
    ///
    /// # Errors
    /// What is no network.
    pub fn parse(text: &str) -> Result<Vec<IpNet>, InvalidValue> {
        text.split(',').map(str::trim).map(network).collect()
    }

    /// These networks' proxies, which say it in this header.
    pub fn new(networks: Vec<IpNet>, header: Option<String>) -> Self {
        Self { networks, header: header.unwrap_or(DEFAULT_HEADER.into()) }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }

    fn sender(&self, peer: Option<IpAddr>, header: impl Fn(&str) -> Option<String>) -> Sender {
        match peer.filter(|peer| self.trusts(*peer)) {
            None => Sender { address: peer, ..Sender::default() },
            Some(proxy) => Sender {
                address: Some(self.client_of(proxy, header(&self.header).as_deref())),
                is_https: header(PROTO).as_deref().and_then(is_https),
                keeps_cloudflare: self.header == CLOUDFLARE,
            },
        }
    }

    /// Each proxy adds the address that has connected to it at the end. So the list is read from there, as long as
    /// those who added are trusted: what stands before may be the client's invention.
    fn client_of(&self, proxy: IpAddr, list: Option<&str>) -> IpAddr {
        let mut nearest = proxy;
        for entry in list.unwrap_or_default().rsplit(',') {
            let Some(before) = address(entry.trim()) else { break };
            nearest = before;
            if !self.trusts(nearest) {
                break;
            }
        }
        nearest
    }
}

/// Reads the name of a header, in lower case.
///
/// # Errors
/// What is no name.
pub fn header_name(text: &str) -> Result<String, InvalidValue> {
    match is_token(text) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(InvalidValue::expected("a header's name, like `X-Forwarded-For`", text)),
    }
}

fn network(text: &str) -> Result<IpNet, InvalidValue> {
    let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let network = network.map(canonical);
    let what = "`none`, or a list of addresses and networks, like `127.0.0.1, 10.0.0.0/8`";
    match network {
        Ok(network) if network.prefix_len() == 0 => Err(InvalidValue::new(format!(
            "{text} would let anybody choose the address; name your proxies"
        ))),
        Ok(network) => Ok(network),
        Err(_) => Err(InvalidValue::expected(what, text)),
    }
}

/// A network of IPv4 addresses that is written as IPv6 is the IPv4 one, as its addresses are.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(mapped) = network else { return network };
    let bits = mapped.prefix_len().checked_sub(96);
    let network_of = |(bits, address)| Ipv4Net::new(address, bits).ok();
    bits.zip(mapped.addr().to_ipv4_mapped()).and_then(network_of).map_or(network, IpNet::V4)
}

/// An address, perhaps with a port. An IPv4 one that is written as IPv6 is the IPv4 one.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let with_port = || text.parse::<SocketAddr>().ok().map(|it| it.ip());
    bare.parse::<IpAddr>().ok().or_else(with_port).map(|it| it.to_canonical())
}

/// Each proxy on the way may have added how it was reached. One `http` among them is one too many.
fn is_https(list: &str) -> Option<bool> {
    let schemes: Option<Vec<bool>> = list.split(',').map(|it| scheme(it.trim())).collect();
    schemes.map(|all| all.into_iter().all(|it| it))
}

fn scheme(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "https" | "wss" => Some(true),
        "http" | "ws" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
