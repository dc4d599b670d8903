//! The path and query of a request.

/// The path and query of a request, exactly as they came in and as they are forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    text: &'a str,
    path_len: usize,
    start: usize,
}

impl<'a> Target<'a> {
    /// Takes the target out of an absolute URL; `None` if it has none.
    pub fn of_url(url: &'a str) -> Option<Self> {
        let start = Self::site_of(url).len();
        let text = &url[start..];
        let text = text.bytes().position(|byte| byte == b'#').map_or(text, |end| &text[..end]);
        let path_len = text.bytes().position(|byte| byte == b'?').unwrap_or(text.len());
        text.starts_with('/').then_some(Self { text, path_len, start })
    }

    /// Where in the URL it begins, in bytes.
    pub fn start(&self) -> usize {
        self.start
    }

    /// What stands before the target in an absolute URL: scheme and authority.
    pub fn site_of(url: &str) -> &str {
        // By bytes, because every request comes past here, and searches for texts have a price.
        let scheme = url.bytes().position(|byte| byte == b':').unwrap_or(url.len());
        if !url[scheme..].starts_with("://") {
            return url;
        }
        let rest = &url[scheme + 3..];
        let authority = rest.bytes().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
        authority.map_or(url, |len| &url[..scheme + 3 + len])
    }

    /// Path and query.
    pub fn as_str(&self) -> &'a str {
        self.text
    }

    /// The path alone.
    pub fn path(&self) -> &'a str {
        &self.text[..self.path_len]
    }

    /// The query, without its question mark; empty if there is none.
    pub fn query(&self) -> &'a str {
        self.text.get(self.path_len + 1..).unwrap_or_default()
    }

    /// Would a URL parser on the way change what this means? Such a target is refused, because
    /// the origin would see another one than the guard decided about.
    pub fn would_be_rewritten(&self) -> bool {
        let rewritten = |byte: u8| byte == b'\\' || byte <= 0x20 || byte >= 0x7f;
        let lost = char::REPLACEMENT_CHARACTER;
        self.path().bytes().any(rewritten)
            || self.path().split('/').any(is_dot_segment)
            || !self.query().is_ascii() && self.query().contains(lost)
    }
}

/// `.` and `..`, also percent-encoded (URL Standard, "single-dot" and "double-dot" segments).
fn is_dot_segment(segment: &str) -> bool {
    if !segment.starts_with(['.', '%']) || segment.len() > 6 {
        return false;
    }
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("https://a.example/", "/", "")]
    #[case("https://a.example/b/c?d=e&f", "/b/c", "d=e&f")]
    #[case("https://a.example/b?c?d", "/b", "c?d")]
    #[case("https://u:p@a.example:8080//b//", "//b//", "")]
    #[case("https://a.example/b%2Fc%2e?%20", "/b%2Fc%2e", "%20")]
    #[case("https://a.example/b#c?d", "/b", "")]
    #[case("https://a.example/https://b/", "/https://b/", "")]
    fn the_target_is_taken_as_it_came(#[case] url: &str, #[case] path: &str, #[case] query: &str) {
        let target = Target::of_url(url).unwrap();
        assert_eq!((target.path(), target.query()), (path, query));
    }

    #[rstest]
    #[case("https://a.example")]
    #[case("https://a.example?b")]
    #[case("/b")]
    #[case("")]
    fn what_has_no_path_has_no_target(#[case] url: &str) {
        assert_eq!(Target::of_url(url), None);
    }

    #[rstest]
    #[case("/a/../b")]
    #[case("/a/.")]
    #[case("/a/%2e%2E/b")]
    #[case("/a/.%2e")]
    #[case("/%2E/")]
    #[case("/a\\b")]
    #[case("/a b")]
    #[case("/a\tb")]
    #[case("/é")]
    fn a_path_that_would_be_rewritten_is_noticed(#[case] path: &str) {
        let url = format!("https://a.example{path}");
        assert!(Target::of_url(&url).unwrap().would_be_rewritten());
    }

    #[rstest]
    #[case("/a/..b/...")]
    #[case("/a//b/;c/%2f%5c/%00")]
    #[case("/a?b=../..\\ ")]
    fn other_paths_pass_as_they_are(#[case] path: &str) {
        let url = format!("https://a.example{path}");
        assert!(!Target::of_url(&url).unwrap().would_be_rewritten());
    }
}
