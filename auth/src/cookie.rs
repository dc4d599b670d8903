//! The session cookie (RFC 6265): found, taken out, set and cleared.

use std::time::Duration;

/// The values of every cookie of this name in a `Cookie` header.
pub fn values<'a>(header: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    pairs(header, name).filter_map(move |pair| value(pair, name))
}

/// The pairs of a header. The runtime joins several `Cookie` lines by a comma, so a comma beside a
/// cookie of the name parts pairs too; any other may be part of a value.
fn pairs<'a>(header: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    header.split(';').flat_map(move |pair| {
        let mut pieces: Vec<&str> = Vec::new();
        let (mut start, mut at, mut named) = (0, 0, false);
        for segment in pair.split(',') {
            // No name has a comma in it, so no segment need be looked at twice.
            let begins = value(segment, name).is_some();
            if at > 0 && (named || begins) {
                pieces.push(&pair[start..at - 1]);
                start = at;
            }
            named = begins;
            at += segment.len() + 1;
        }
        pieces.push(&pair[start..]);
        pieces
    })
}

/// The `Cookie` header without the cookies of this name; `None` if nothing is left.
pub fn without(header: &str, name: &str) -> Option<String> {
    let others: Vec<&str> =
        pairs(header, name).filter(|pair| value(pair, name).is_none()).map(str::trim).collect();
    let rest = others.join("; ");
    (!rest.is_empty()).then_some(rest)
}

/// Browsers silently drop a cookie that is larger, name and attributes included, in bytes.
const MAX_BYTES: usize = 4096;

/// A `Set-Cookie` that hands the token to the browser, for as long as its session can last;
/// `None` if no browser would keep it.
pub fn set(name: &str, token: &str, lifetime: Duration) -> Option<String> {
    let cookie = format!("{name}={token}; {ATTRIBUTES}; Max-Age={}", lifetime.as_secs());
    (cookie.len() <= MAX_BYTES).then_some(cookie)
}

/// A `Set-Cookie` that takes the token from the browser.
pub fn clear(name: &str) -> String {
    format!("{name}=; {ATTRIBUTES}; Max-Age=0")
}

/// Lax, not Strict, so that a link from elsewhere does not land on the login page.
const ATTRIBUTES: &str = "Path=/; HttpOnly; Secure; SameSite=Lax";

fn value<'a>(pair: &'a str, name: &str) -> Option<&'a str> {
    let (key, value) = pair.split_once('=')?;
    (key.trim() == name).then(|| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("__Host-session=abc", &["abc"])]
    #[case("a=1; __Host-session=abc; b=2", &["abc"])]
    #[case("a=1;__Host-session=abc;b=2", &["abc"])]
    #[case("__Host-session=x; __Host-session=y", &["x", "y"])]
    #[case("__Host-session=", &[""])]
    #[case("a=__Host-session=abc", &[])]
    #[case("__host-session=abc; x__Host-session=abc", &[])]
    #[case("a=1, __Host-session=abc", &["abc"])]
    #[case("__Host-session=abc, __Host-session=x; a=1", &["abc", "x"])]
    #[case("__Host-session=abc, a=1; b=2", &["abc"])]
    #[case("a={1,2}, b; __Host-session=abc", &["abc"])]
    #[case("", &[])]
    fn cookies_are_found_by_their_exact_name(#[case] header: &str, #[case] expected: &[&str]) {
        assert_eq!(values(header, "__Host-session").collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_header_takes_no_longer_than_its_length_says() {
        // Time that grows with the square of it would be hours.
        let header = format!("{}__Host-session=abc", ",".repeat(16 * 1024 * 1024));
        assert_eq!(values(&header, "__Host-session").collect::<Vec<_>>(), ["abc"]);
    }

    #[rstest]
    #[case("s=1", None)]
    #[case("a=1; s=1; b=2", Some("a=1; b=2"))]
    #[case("a=1;  b=2", Some("a=1; b=2"))]
    #[case("s=1; s=2; flag", Some("flag"))]
    #[case("a=1,2, s=1; b=2", Some("a=1,2; b=2"))]
    fn the_other_cookies_stay(#[case] header: &str, #[case] rest: Option<&str>) {
        assert_eq!(without(header, "s").as_deref(), rest);
    }
}
