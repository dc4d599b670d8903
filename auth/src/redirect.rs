//! Where a browser may be sent after a login: to a path of this same site, and nowhere else.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What has a meaning inside a query.
const IN_QUERY: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'&').add(b'+').add(b'<').add(b'>');

/// A path of this site, with its query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalTarget(String);

impl LocalTarget {
    /// Accepts what every browser reads as a path of the same origin: one slash first, no second
    /// slash or backslash after it, and nothing that a URL parser strips or rewrites.
    pub fn new(target: &str) -> Option<Self> {
        let plain = |byte: u8| (0x21..=0x7e).contains(&byte) && byte != b'\\';
        let local = target.starts_with('/') && !target.starts_with("//");
        (local && target.len() <= 2048 && target.bytes().all(plain)).then(|| Self(target.into()))
    }

    /// The site's first page.
    pub fn root() -> Self {
        Self("/".into())
    }

    /// The target as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The target as the value of a query parameter.
    pub fn in_query(&self) -> String {
        utf8_percent_encode(&self.0, IN_QUERY).to_string()
    }
}

/// What the query of the login page says: where to go afterwards, and why the visitor is there.
/// A target that is not local is left out.
pub fn read_query(query: &str) -> (Option<LocalTarget>, Option<String>) {
    let find = |name: &str| {
        form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, v)| v)
    };
    let redirect = find("redirect").and_then(|target| LocalTarget::new(&target));
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
    fn everything_else_is_refused(#[case] target: &str) {
        assert_eq!(LocalTarget::new(target), None);
    }

    #[test]
    fn a_target_survives_being_a_query_value() {
        let target = LocalTarget::new("/a?b=c&d=%2F+e").unwrap();
        let query = format!("redirect={}", target.in_query());
        let read: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        assert_eq!(read, [("redirect".into(), "/a?b=c&d=%2F+e".into())]);
    }
}
