//! The session cookie (RFC 6265): taken strictly, taken out leniently, set and cleared.

mod session_cookie;

pub(crate) use session_cookie::ATTRIBUTES;
pub use session_cookie::{SessionCookie, SetCookies};

use percent_encoding::percent_decode_str;

/// The values of every cookie of this name in a `Cookie` header. Pairs are parted by semicolons,
/// and spaces and tabs alone are trimmed (RFC 6265, sections 4.2.1 and 5.2): whatever else a
/// lenient parser skips could come from a cookie of another name, which promises nothing.
pub fn values<'a>(header: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    header.split(';').filter_map(move |pair| {
        let (key, value) = pair.split_once('=')?;
        (key.trim_matches(BLANKS) == name).then(|| value.trim_matches(BLANKS))
    })
}

/// What is left of a `Cookie` header without the cookies of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemainingCookies {
    /// All of it: there was none.
    Whole,
    /// These.
    Others(String),
    /// None.
    Nothing,
}

impl RemainingCookies {
    /// The same without the cookies of another name; `header` is the whole of them.
    #[must_use]
    pub fn without(self, header: &str, name: &str, ours: impl Fn(&str) -> bool) -> Self {
        match self {
            Self::Whole => without(header, name, ours),
            Self::Nothing => Self::Nothing,
            Self::Others(others) => match without(&others, name, ours) {
                Self::Whole => Self::Others(others),
                rest => rest,
            },
        }
    }
}

/// Takes out what any origin may read as a cookie of this name. The others stay as they are, and so does
/// a cookie of exactly this name whose value is not `ours`: an application may have one.
pub fn without(header: &str, name: &str, ours: impl Fn(&str) -> bool) -> RemainingCookies {
    let (mut rest, mut is_whole) = (Vec::new(), true);
    for pair in header.split(';') {
        if values(pair, name).any(|value| is_plain(value) && !ours(value)) {
            rest.push(pair.trim_matches(BLANKS));
            continue;
        }
        for piece in pieces(pair, name) {
            match is_read_as(piece, name) {
                true => is_whole = false,
                false => rest.push(piece.trim_matches(BLANKS)),
            }
        }
    }
    rest.retain(|piece| !piece.is_empty());
    match (is_whole, rest.is_empty()) {
        (true, _) => RemainingCookies::Whole,
        (false, false) => RemainingCookies::Others(rest.join("; ")),
        (false, true) => RemainingCookies::Nothing,
    }
}

/// Do all parsers read the same here (RFC 6265, `cookie-octet`)?
fn is_plain(value: &str) -> bool {
    let is_octet = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b'\\');
    !value.is_empty() && value.bytes().all(is_octet)
}

const BLANKS: [char; 2] = [' ', '\t'];

/// Cuts a pair where a comma parts a cookie of the name from another: the runtime joins several
/// `Cookie` lines by a comma, and RFC 2109 parts cookies by it. Any other is part of a value.
fn pieces<'a>(pair: &'a str, name: &str) -> Vec<&'a str> {
    let mut pieces = Vec::new();
    let (mut start, mut at, mut named) = (0, 0, false);
    for segment in pair.split(',') {
        let begins = is_read_as(segment, name);
        if at > 0 && (begins || named && segment.contains('=')) {
            pieces.push(&pair[start..at - 1]);
            start = at;
            named = false;
        }
        named |= begins;
        at += segment.len() + 1;
    }
    pieces.push(&pair[start..]);
    pieces
}

/// May an origin read a cookie of this name in here? Some part cookies by white space, some trim
/// what is no ASCII, or take quotation marks off.
fn is_read_as(piece: &str, name: &str) -> bool {
    let words = piece.split(|c: char| !c.is_ascii_graphic()).filter(|word| !word.is_empty());
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        let word = word.trim_start_matches(['=', '"']);
        let (key, is_key) = match word.split_once('=') {
            Some((key, _)) => (key, true),
            None => (word, words.peek().is_some_and(|next| next.starts_with('='))),
        };
        if is_key && is_spelling(key.trim_end_matches('"'), name) {
            return true;
        }
    }
    false
}

/// May this be read as the name? A browser lets nobody set a cookie of a name with a prefix but
/// the site itself (RFC 6265bis, section 4.1.3), so others are set under what PHP, Rack or ASP.NET
/// take for that name.
fn is_spelling(key: &str, name: &str) -> bool {
    let is_prefixed = |prefix: &str| {
        name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let folds = |key: &str| {
        let bytes = percent_decode_str(key).filter(u8::is_ascii_graphic);
        bytes.map(folded).eq(name.bytes().map(folded))
    };
    let array = key.split('[').next().unwrap_or_default();
    key == name
        || ["__Host-", "__Secure-", "__Http-"].into_iter().any(is_prefixed)
            && (folds(key) || folds(array))
}

fn folded(byte: u8) -> u8 {
    match byte {
        b'.' | b'[' | b'+' => b'_',
        byte => byte.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("__Host-session=abc", &["abc"])]
    #[case("a=1; __Host-session=abc; b=2", &["abc"])]
    #[case("a=1;__Host-session=abc;b=2", &["abc"])]
    #[case("a=1;\t__Host-session = abc\t;b=2", &["abc"])]
    #[case("__Host-session=x; __Host-session=y", &["x", "y"])]
    #[case("__Host-session=", &[""])]
    #[case("__Host-session=a=b", &["a=b"])]
    #[case("__Host-session", &[])]
    #[case("a=__Host-session=abc", &[])]
    #[case("=__Host-session=abc", &[])]
    #[case("__host-session=abc; x__Host-session=abc; __Host-sessio=abc", &[])]
    #[case("a={1,2}, b; __Host-session=abc", &["abc"])]
    #[case("", &[])]
    fn cookies_are_found_by_their_exact_name(#[case] header: &str, #[case] expected: &[&str]) {
        assert_eq!(values(header, "__Host-session").collect::<Vec<_>>(), expected);
    }

    /// Headers in which some parser finds a cookie `__Host-session=abc`, though no browser has kept
    /// one of that name; and what else is in them.
    #[rstest]
    #[case::comma("theme=dark,__Host-session=abc", "theme=dark")]
    #[case::comma_and_space("theme=dark, __Host-session=abc; b=2", "theme=dark; b=2")]
    #[case::before_a_comma("a=1,__Host-session=abc,b=2", "a=1; b=2")]
    #[case::no_break_space("\u{a0}__Host-session=abc", "")]
    #[case::en_quad("a=1; \u{2000}__Host-session=abc", "a=1")]
    #[case::ideographic_space("\u{3000}__Host-session=abc", "")]
    #[case::byte_order_mark("\u{feff}__Host-session=abc", "")]
    #[case::next_line("\u{85}__Host-session\u{85}=abc", "")]
    #[case::what_is_no_utf_8("\u{fffd}__Host-session=abc", "")]
    #[case::vertical_tab("\u{b}__Host-session\u{c}=abc", "")]
    #[case::separator("\u{1f}__Host-session\u{1c}=abc; b=2", "b=2")]
    #[case::white_space_parts("a=1 __Host-session=abc; b=2", "b=2")]
    #[case::quoted_name("\"__Host-session\"=abc", "")]
    #[case::no_name("=__Host-session=abc; b=2", "b=2")]
    #[case::small("__host-session=abc", "")]
    #[case::capital("__HOST-SESSION=abc; b=2", "b=2")]
    #[case::percent("__%48ost-session=abc", "")]
    #[case::percent_and_blank("%20__Host-session=abc", "")]
    #[case::dots("..Host-session=abc", "")]
    #[case::bracket("_[Host-session=abc", "")]
    #[case::array("__Host-session[a]=abc; b=2", "b=2")]
    #[case::rfc_2109("$Version=1,__Host-session=abc; $Path=/", "$Version=1; $Path=/")]
    fn what_only_a_lenient_parser_reads_is_not_taken_but_taken_out(
        #[case] header: &str,
        #[case] rest: &str,
    ) {
        assert_eq!(values(header, "__Host-session").count(), 0);
        let expected = if rest.is_empty() {
            RemainingCookies::Nothing
        } else {
            RemainingCookies::Others(rest.into())
        };
        assert_eq!(without(header, "__Host-session", |_| true), expected);
    }

    #[test]
    fn a_header_takes_no_longer_than_its_length_says() {
        // Time that grows with the square of it would be hours.
        for part in [",", "=", " ", "a,", "\"", ";", "__Host-session ", "__Host-session,"] {
            let header = format!("{}; __Host-session=abc", part.repeat(128 * 1024));
            assert_eq!(values(&header, "__Host-session").collect::<Vec<_>>(), ["abc"]);
            assert_ne!(without(&header, "__Host-session", |_| true), RemainingCookies::Whole);
        }
    }

    #[rstest]
    #[case("s=1", RemainingCookies::Nothing)]
    #[case("a=1; s=1; b=2", RemainingCookies::Others("a=1; b=2".into()))]
    #[case("s=1; s=2; flag", RemainingCookies::Others("flag".into()))]
    #[case("s = 1;b=\"2, 3\"", RemainingCookies::Others("b=\"2, 3\"".into()))]
    #[case("a=1,2, s=1; b=2", RemainingCookies::Others("a=1,2; b=2".into()))]
    #[case("s=1, a=1; b=\u{a0}2\u{a0}", RemainingCookies::Others("a=1; b=\u{a0}2\u{a0}".into()))]
    #[case("s=1,2; b=2", RemainingCookies::Others("b=2".into()))]
    #[case("a=1;  b=2", RemainingCookies::Whole)]
    #[case("S=1; s.=2; %73=3; as=4; sa=5; s", RemainingCookies::Whole)]
    #[case("a=s; b=in s, or s; c=s=1; d=é s", RemainingCookies::Whole)]
    fn the_other_cookies_stay(#[case] header: &str, #[case] rest: RemainingCookies) {
        assert_eq!(without(header, "s", |_| true), rest);
    }

    #[rstest]
    #[case("s=theirs", RemainingCookies::Whole)]
    #[case("s=ours; s=theirs; b=2", RemainingCookies::Others("s=theirs; b=2".into()))]
    #[case("s=", RemainingCookies::Nothing)]
    #[case("s=ours, a=1; b=2", RemainingCookies::Others("a=1; b=2".into()))]
    #[case("s=theirs,ours", RemainingCookies::Nothing)]
    #[case("s=\"ours\"; s=o urs", RemainingCookies::Nothing)]
    #[case("\u{a0}s=theirs; a=1,s=theirs", RemainingCookies::Others("a=1".into()))]
    fn an_applications_cookie_of_the_name_stays(
        #[case] header: &str,
        #[case] rest: RemainingCookies,
    ) {
        assert_eq!(without(header, "s", |value| value == "ours"), rest);
    }
}
