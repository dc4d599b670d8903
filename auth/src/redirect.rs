//! Where a browser may be sent after a login: to a page of this same site, and nowhere else.

use percent_encoding::{AsciiSet, CONTROLS, PercentEncode, utf8_percent_encode};

use crate::http::Target;
use crate::site_hosts::SiteHosts;

/// What has a meaning inside a query.
const IN_QUERY: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'&').add(b'+').add(b'<').add(b'>');

/// The longest target that is kept whole, in bytes.
const MAX_BYTES: usize = 8 * 1024;

/// The most that it may take in the query of the login page, in bytes: Cloudflare takes URLs of 16 KB.
const MAX_IN_QUERY: usize = 15 * 1024;

/// A path of this site, with its query and fragment; where the site has several hosts, perhaps the whole URL of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalTarget(String);

impl LocalTarget {
    /// Accepts what every browser reads as a path of the same origin: one slash first, no second
    /// slash or backslash after it, and nothing that a URL parser strips or rewrites. Of what is
    /// too long the fragment goes first, then the query; what is left then is the site's first page.
    pub fn new(target: &str) -> Option<Self> {
        let path = &target[..target.find(['?', '#']).unwrap_or(target.len())];
        let local = path.starts_with('/') && !path.starts_with("//") && !path.contains('\\');
        if !local || !target.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let resource = target.split_once('#').map_or(target, |(resource, _)| resource);
        let fits = |it: &&str| {
            it.len() <= MAX_BYTES && encoded(it).map(str::len).sum::<usize>() <= MAX_IN_QUERY
        };
        let kept = [target, resource, path].into_iter().find(fits);
        Some(kept.map_or_else(Self::root, |kept| Self(kept.into())))
    }

    /// Accepts a path, and the URL of a page on one of the site's hosts. What follows the host must be a path here as
    /// well.
    pub fn on(hosts: &SiteHosts, target: &str) -> Option<Self> {
        let Some((origin, rest)) = hosts.split(target) else { return Self::new(target) };
        let slash = if rest.starts_with('/') { "" } else { "/" };
        let Self(local) = Self::new(&format!("{slash}{rest}"))?;
        Some(Self(format!("{origin}{local}")))
    }

    /// The page that a form of this site was on when it was sent, by its `Referer`; `site` is scheme
    /// and authority of the request.
    pub fn of_referer(referer: &str, site: &str) -> Option<Self> {
        (Target::site_of(referer) == site).then(|| Self::new(&referer[site.len()..]))?
    }

    /// The site's first page.
    pub fn root() -> Self {
        Self("/".into())
    }

    /// A target that this guard has written down itself, where nobody else can.
    pub(crate) fn of_sealed(target: String) -> Self {
        Self(target)
    }

    /// What is left without the last part: the fragment, then the query, then the path; `None` of a first page.
    pub(crate) fn shorter(&self) -> Option<Self> {
        let (site, local) = self.parts();
        let kept = match local.rfind('#').or_else(|| local.find('?')) {
            Some(cut) => &local[..cut],
            None => (local != "/").then_some("/")?,
        };
        Some(Self(format!("{site}{kept}")))
    }

    /// The path with query and fragment.
    pub fn local(&self) -> &str {
        self.parts().1
    }

    /// The same target, seen from another host: a path becomes the URL of a page at this origin.
    pub(crate) fn at(&self, origin: &str) -> Self {
        match self.0.starts_with('/') {
            true => Self(format!("{origin}{}", self.0)),
            false => self.clone(),
        }
    }

    /// Scheme and host, if they are named, and the rest.
    fn parts(&self) -> (&str, &str) {
        match self.0.starts_with('/') {
            true => ("", &self.0),
            false => self.0.split_at(Target::site_of(&self.0).len()),
        }
    }

    /// The target as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The target as the value of a query parameter.
    pub fn in_query(&self) -> String {
        encoded(&self.0).collect()
    }
}

fn encoded(target: &str) -> PercentEncode<'_> {
    utf8_percent_encode(target, IN_QUERY)
}

/// What the query of the login page says: where to go afterwards, and why the visitor is there.
/// A target that is not of the site is left out.
pub fn read_query(query: &str, hosts: &SiteHosts) -> (Option<LocalTarget>, Option<String>) {
    let find = |name: &str| {
        form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, v)| v)
    };
    let redirect = find("redirect").and_then(|target| LocalTarget::on(hosts, &target));
    (redirect, find("reason").map(std::borrow::Cow::into_owned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("/")]
    #[case("/a/b?c=d&e=%2F#f")]
    #[case("/a//b")]
    #[case(r"/a?b=c\d")]
    #[case(r"/a#\d")]
    #[case("/?//evil.example")]
    fn paths_of_this_site_are_accepted(#[case] target: &str) {
        assert_eq!(LocalTarget::new(target).unwrap().as_str(), target);
    }

    #[rstest]
    #[case("")]
    #[case("a")]
    #[case("//evil.example")]
    #[case("/\\evil.example")]
    #[case("\\\\evil.example")]
    #[case("https://evil.example/")]
    #[case("javascript:alert(1)")]
    #[case("/\t/evil.example")]
    #[case("/\n/evil.example")]
    #[case(" //evil.example")]
    #[case("/a b")]
    #[case("/é")]
    #[case("/a?é")]
    #[case("/a#\u{7f}")]
    #[case(r"/a\b?c")]
    #[case("?//evil.example")]
    #[case("#/a")]
    fn everything_else_is_refused(#[case] target: &str) {
        assert_eq!(LocalTarget::new(target), None);
    }

    #[rstest]
    #[case::whole("/a?", "b", 8189, "", "/a?", 8189)]
    #[case::whole_with_a_fragment("/a#", "b", 8189, "", "/a#", 8189)]
    #[case::without_its_query("/a?", "b", 8190, "", "/a", 0)]
    #[case::without_its_fragment("/a?b#", "c", 9000, "", "/a?b", 0)]
    #[case::fragment_after_a_long_query("/a?", "b", 9000, "#c", "/a", 0)]
    #[case::escapes_that_fit("/a?", "%E4", 2700, "", "/a?", 2700)]
    #[case::what_a_query_escapes("/a?", "&", 6000, "", "/a", 0)]
    #[case::path_only("/", "a", 9000, "", "/", 0)]
    fn of_what_is_too_long_at_least_the_path_stays(
        #[case] start: &str,
        #[case] piece: &str,
        #[case] count: usize,
        #[case] end: &str,
        #[case] kept_start: &str,
        #[case] kept_count: usize,
    ) {
        let target = LocalTarget::new(&format!("{start}{}{end}", piece.repeat(count))).unwrap();
        let kept = format!("{kept_start}{}", piece.repeat(kept_count));
        assert!(
            target.as_str() == kept,
            "{}… of {} bytes",
            &target.0[..target.0.len().min(20)],
            target.0.len()
        );
        assert!(target.in_query().len() < 16_000, "{}", target.in_query().len());
    }

    #[rstest]
    #[case::page("https://app.example/form?a=b", Some("/form?a=b"))]
    #[case::first_page("https://app.example/", Some("/"))]
    #[case::another_site("https://evil.example/form", None)]
    #[case::suffix("https://app.example.evil.example/form", None)]
    #[case::user("https://app.example@evil.example/form", None)]
    #[case::scheme("http://app.example/form", None)]
    #[case::port("https://app.example:8443/form", None)]
    #[case::two_slashes("https://app.example//evil.example", None)]
    #[case::site_alone("https://app.example", None)]
    #[case::nothing("", None)]
    fn a_referer_names_a_page_of_this_site_or_none(
        #[case] referer: &str,
        #[case] page: Option<&str>,
    ) {
        let target = LocalTarget::of_referer(referer, "https://app.example");
        assert_eq!(target.as_ref().map(LocalTarget::as_str), page);
    }

    #[test]
    fn a_target_survives_being_a_query_value() {
        let target = LocalTarget::new("/a?b=c&d=%2F+e").unwrap();
        let query = format!("redirect={}", target.in_query());
        let read: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        assert_eq!(read, [("redirect".into(), "/a?b=c&d=%2F+e".into())]);
    }
}
