//! Parameters of the query (RFC 6750, section 2.3).

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::{CredentialRemoval, Finding};
use crate::body_format::BodyFormat;
use crate::http::{Head, Target};

/// The values of the parameters of these names, in their order.
pub fn find<'h>(head: &'h dyn Head, names: &[String]) -> Finding<'h> {
    let target = if names.is_empty() { None } else { Target::of_url(head.url()) };
    let Some(target) = target else { return Finding::NotPresent };
    Finding::of_values(BodyFormat::Form.texts(target.query(), names))
}

/// The page's address, with its token, comes along with whatever the page asks for. The target itself is
/// shortened where it is forwarded.
pub fn withhold(head: &dyn Head, names: &[String], removal: &mut CredentialRemoval) {
    if names.is_empty() {
        return;
    }
    if let Some(page) = head.header("referer") {
        removal.set.push(("Referer", without(&page, names).into_owned()));
    }
}

/// A URL, or part of one, without these parameters. Every other character stays as it is.
pub fn without<'a>(url: &'a str, names: &[String]) -> Cow<'a, str> {
    if names.is_empty() {
        return url.into();
    }
    let (front, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
    let Some((path, query)) = front.split_once('?') else {
        return url.into();
    };
    if !query.split('&').any(|pair| is_one_of(pair, names)) {
        return url.into();
    }
    let rest: Vec<&str> = query.split('&').filter(|pair| !is_one_of(pair, names)).collect();
    let mark = if rest.is_empty() { "" } else { "?" };
    format!("{path}{mark}{}{fragment}", rest.join("&")).into()
}

/// Names are compared as `application/x-www-form-urlencoded` reads them, as every origin would.
fn is_one_of(pair: &str, names: &[String]) -> bool {
    let name = pair.split('=').next().unwrap_or_default().replace('+', " ");
    let name = percent_decode_str(&name).decode_utf8_lossy();
    names.iter().any(|token| *token == name)
}
