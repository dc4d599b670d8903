//! What some servers take for ASCII when they decode or normalise a path: overlong UTF-8, which
//! RFC 3629 forbids (section 3), and characters that Unicode calls compatible.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Percent-decoded text, as the most lenient server reads it.
pub fn decoded(text: &str) -> String {
    let bytes: Cow<'_, [u8]> = percent_decode_str(text).into();
    let shortened = shortened(&bytes);
    let mut read = String::with_capacity(shortened.len());
    for character in String::from_utf8_lossy(&shortened).chars() {
        match ascii_of(character) {
            "" => read.push(character),
            ascii => read.push_str(ascii),
        }
    }
    read
}

/// Is there something that not every server reads as the same?
pub fn are_in(path: &str) -> bool {
    path.contains('%') && percent_decode_str(path).decode_utf8_lossy() != decoded(path)
}

/// Bytes with what is overlong in its proper form, where that is ASCII.
fn shortened(bytes: &[u8]) -> Vec<u8> {
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

/// The ASCII that a character is taken for, as far as it matters in a path; empty if for none.
fn ascii_of(character: char) -> &'static str {
    const ASCII: &str = "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";
    match character {
        '\u{ff01}'..='\u{ff5e}' => {
            let at = character as usize - 0xff01;
            let ascii = &ASCII[at..=at];
            let matters = |c: char| c.is_ascii_alphanumeric() || "./\\;%-_".contains(c);
            if ascii.contains(matters) { ascii } else { "" }
        }
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

    #[rstest]
    #[case::overlong("%c0%ae%C0%AE/%c1%a1", "../a")]
    #[case::longer("%e0%80%ae%e0%81%a1", ".a")]
    #[case::longest("%f0%80%80%af", "/")]
    #[case::full_width("%ef%bc%8e%ef%bc%8f%ef%bd%81%ef%bc%a1%ef%bc%90", "./aA0")]
    #[case::dot_leaders("%e2%80%a5x", "..x")]
    #[case::slashes("%e2%88%95%e2%81%84", "//")]
    #[case::cut_off("%c0", "\u{fffd}")]
    fn lookalikes_are_read_as_ascii(#[case] text: &str, #[case] read: &str) {
        assert_eq!(decoded(text), read);
        assert!(read == "\u{fffd}" || are_in(text));
    }

    #[rstest]
    #[case("/a%20b/%C3%A9")]
    #[case("/caf%e9")]
    #[case("/%ef%bc%88draft%ef%bc%89")]
    #[case("/%E6%97%A5%E6%9C%AC")]
    #[case("/plain")]
    fn other_text_has_none(#[case] text: &str) {
        assert!(!are_in(text));
    }
}
