//! The session cookie, and the hosts that share it.

use super::Reader;
use super::values::cookie_name;
use crate::allowed_origins::AllowedOrigin;
use crate::cookie::SessionCookie;
use crate::credential::TokenSources;
use crate::setting_value::InvalidValue;
use crate::site_hosts::{SiteHosts, cookie_domain};

/// `COOKIE_NAME`, `COOKIE_DOMAIN` and `SITE_HOSTS`.
pub fn site(reader: &mut Reader<'_>, sources: &TokenSources) -> (SessionCookie, SiteHosts) {
    let domain = reader.parsed("COOKIE_DOMAIN", cookie_domain);
    let name = reader.parsed("COOKIE_NAME", cookie_name);
    let hosts = reader.parsed("SITE_HOSTS", SiteHosts::parse).unwrap_or_default();
    let is_set = |name: &str| reader.text(name).is_some();
    let error = match (is_set("COOKIE_DOMAIN"), is_set("SITE_HOSTS")) {
        (true, false) => Some(("SITE_HOSTS", "is required with COOKIE_DOMAIN")),
        (false, true) => Some(("COOKIE_DOMAIN", "is required with SITE_HOSTS")),
        (true, true) if !sources.cookie => {
            Some(("COOKIE_DOMAIN", "needs `cookie` in TOKEN_SOURCES"))
        }
        _ => None,
    };
    if let Some((name, reason)) = error {
        reader.wrong(name, InvalidValue::new(reason));
    }
    if let Some(domain) = &domain {
        of_domain(reader, domain, name.as_deref(), &hosts);
    }
    let default = if domain.is_some() { "__Secure-session" } else { "__Host-session" };
    (SessionCookie::new(name.unwrap_or(default.into()), domain), hosts)
}

fn of_domain(reader: &mut Reader<'_>, domain: &str, name: Option<&str>, hosts: &SiteHosts) {
    let is_of_one_host =
        |name: &str| name.get(..7).is_some_and(|it| it.eq_ignore_ascii_case("__Host-"));
    if name.is_some_and(is_of_one_host) {
        let reason = "must not begin with `__Host-` beside COOKIE_DOMAIN, because browsers keep \
                      such a cookie for one host alone; `__Secure-session` is the default then";
        reader.wrong("COOKIE_NAME", InvalidValue::new(reason));
    }
    if let Some(index) = hosts.outside(domain) {
        let reason = format!("must be {domain} or a host below it, or it gets no cookie");
        reader.wrong("SITE_HOSTS", InvalidValue::new(reason).in_item(index));
    }
}

/// `ALLOWED_ORIGINS`, and those of the site's own hosts, whose scripts may do as much as its pages.
pub fn allowed_origins(reader: &mut Reader<'_>, hosts: &SiteHosts) -> Vec<AllowedOrigin> {
    let mut all = reader.parsed("ALLOWED_ORIGINS", AllowedOrigin::parse_list).unwrap_or_default();
    let is_of_site = |it: &AllowedOrigin| hosts.origins().any(|origin| origin == it.origin);
    if let Some(index) = all.iter().position(is_of_site) {
        let reason = "is one of SITE_HOSTS, whose scripts may do all that by themselves";
        reader.wrong("ALLOWED_ORIGINS", InvalidValue::new(reason).in_item(index));
    }
    let own = hosts.origins();
    all.extend(own.map(|it| AllowedOrigin { origin: it.to_owned(), credentials: true }));
    all
}
