//! What some servers take for ASCII when they decode or normalise a path: overlong UTF-8, which
//! RFC 3629 forbids (section 3), and characters that Unicode calls compatible, or another case.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Is there, in percent-encoding, something that not every server reads as the same?
pub fn are_in(path: &str) -> bool {
    let bytes: Cow<'_, [u8]> = percent_decode_str(path).into();
    let is_one = |character: char| !ascii_of(character).is_empty() && !is_a_mark(character);
    shortened(&bytes) != *bytes || String::from_utf8_lossy(&bytes).chars().any(is_one)
}

/// Marks of other scripts, which stand in the names of things.
fn is_a_mark(character: char) -> bool {
    matches!(character, '\u{ff03}' | '\u{ff1f}')
}

/// Text with what is taken for ASCII.
pub fn folded(text: &str) -> String {
    let mut read = String::with_capacity(text.len());
    for character in text.chars() {
        match ascii_of(character) {
            "" => read.push(character),
            ascii => read.push_str(ascii),
        }
    }
    read
}

/// Bytes with what is overlong in its proper form, where that is ASCII.
pub fn shortened(bytes: &[u8]) -> Vec<u8> {
    let mut shortened = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, ..] = rest {
        let (byte, len) = match rest {
            [0xe0, high @ 0x80..=0x81, low @ 0x80..=0xbf, ..] => ((high & 1) << 6 | low & 0x3f, 3),
            [0xf0, 0x80, high @ 0x80..=0x81, low @ 0x80..=0xbf, ..] => {
                ((high & 1) << 6 | low & 0x3f, 4)
            }
            [high @ 0xc0..=0xc1, low @ 0x80..=0xbf, ..] => ((high & 1) << 6 | low & 0x3f, 2),
            _ => (*first, 1),
        };
        shortened.push(byte);
        rest = &rest[len..];
    }
    shortened
}

/// Text without regard to case, as far as the alphabets go that are written in paths.
pub fn lower(text: &str) -> Cow<'_, str> {
    match text.bytes().any(|byte| byte.is_ascii_uppercase() || byte >= 0x80) {
        true => text.chars().map(lower_of).collect::<String>().into(),
        false => text.into(),
    }
}

/// The standard library's table weighs more than all that is here.
fn lower_of(character: char) -> char {
    let by = |distance: u32| char::from_u32(character as u32 + distance).unwrap_or(character);
    match character {
        'A'..='Z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{de}' => by(0x20),
        '\u{391}'..='\u{3a9}' | '\u{410}'..='\u{42f}' => by(0x20),
        '\u{400}'..='\u{40f}' => by(0x50),
        '\u{531}'..='\u{556}' => by(0x30),
        '\u{139}'..='\u{148}' | '\u{179}'..='\u{17e}' if character as u32 % 2 == 1 => by(1),
        '\u{100}'..='\u{137}' | '\u{14a}'..='\u{177}' if (character as u32).is_multiple_of(2) => {
            by(1)
        }
        other => other,
    }
}

const ASCII: &str = "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";
const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const DIGITS: &str = "0123456789";

/// The ASCII that a character is taken for, as far as it matters in a path; empty if for none.
fn ascii_of(character: char) -> &'static str {
    let nth = |of: &'static str, first: u32| {
        let at = (character as u32 - first) as usize % of.len();
        &of[at..=at]
    };
    match character {
        '\u{0}'..='\u{7f}' => "",
        '\u{ff01}'..='\u{ff5e}' => {
            let ascii = nth(ASCII, 0xff01);
            let matters = |c: char| c.is_ascii_alphanumeric() || "./\\;%-_?#".contains(c);
            if ascii.contains(matters) { ascii } else { "" }
        }
        // Letters in circles and squares, and those of mathematics.
        '\u{24b6}'..='\u{24e9}' => nth(LETTERS, 0x24b6),
        '\u{1f130}'..='\u{1f149}' => nth(LETTERS, 0x1f130),
        '\u{1d400}'..='\u{1d6a3}' => nth(LETTERS, 0x1d400),
        '\u{1d7ce}'..='\u{1d7ff}' => nth(DIGITS, 0x1d7ce),
        // The Kelvin sign, the long s, and i with and without a dot.
        '\u{212a}' => "k",
        '\u{17f}' => "s",
        '\u{130}' | '\u{131}' => "i",
        '\u{2024}' | '\u{fe52}' => ".",
        '\u{2025}' => "..",
        '\u{2026}' => "...",
        '\u{2044}' | '\u{2215}' | '\u{29f8}' => "/",
        '\u{2216}' | '\u{29f5}' | '\u{29f9}' | '\u{fe68}' => "\\",
        '\u{37e}' | '\u{fe54}' => ";",
        '\u{fe6a}' => "%",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn read(text: &str) -> String {
        let bytes: Cow<'_, [u8]> = percent_decode_str(text).into();
        folded(&String::from_utf8_lossy(&shortened(&bytes)))
    }

    #[rstest]
    #[case::overlong("%c0%ae%C0%AE/%c1%a1", "../a")]
    #[case::longer("%e0%80%ae%e0%81%a1", ".a")]
    #[case::longest("%f0%80%80%af", "/")]
    #[case::full_width("%ef%bc%8e%ef%bc%8f%ef%bd%81%ef%bc%a1%ef%bc%90", "./aA0")]
    #[case::dot_leaders("%e2%80%a5x", "..x")]
    #[case::slashes("%e2%88%95%e2%81%84", "//")]
    #[case::of_mathematics("%f0%9d%90%9a%f0%9d%9a%a3%f0%9d%9f%8e%f0%9d%9f%bf", "az09")]
    #[case::circled("%e2%92%b6%e2%93%a9", "Az")]
    #[case::of_another_case("%e2%84%aa%c5%bf%c4%b1", "ksi")]
    fn lookalikes_are_read_as_ascii(#[case] text: &str, #[case] ascii: &str) {
        assert_eq!(read(text), ascii);
        assert!(are_in(text));
    }

    #[test]
    fn case_is_folded_as_unicode_has_it() {
        let letters = ('\0'..'\u{590}').filter(|it| {
            let mut lower = it.to_lowercase();
            // Some have forms of their own, and Coptic, Vietnamese and the old scripts are left out.
            let alphabets = [
                '\0'..='\u{12f}',
                '\u{132}'..='\u{177}',
                '\u{391}'..='\u{3a9}',
                '\u{400}'..='\u{42f}',
            ];
            lower.next() != Some(*it)
                && lower.next().is_none()
                && alphabets.iter().any(|some| some.contains(it))
        });
        for letter in letters {
            assert_eq!(lower(&letter.to_string()), letter.to_lowercase().to_string());
        }
        for same in ["\u{d7}", "\u{e9}", "\u{6f22}", "a-1"] {
            assert_eq!(lower(same), same);
        }
    }

    #[rstest]
    #[case("/a%20b/%C3%A9")]
    #[case("/caf%e9")]
    #[case("/%c0")]
    #[case("/%ef%bc%88draft%ef%bc%89")]
    #[case("/%E3%81%AA%E3%81%9C%EF%BC%9F")]
    #[case("/%E6%97%A5%E6%9C%AC")]
    #[case("/plain")]
    fn other_text_has_none(#[case] text: &str) {
        assert!(!are_in(text));
    }
}
