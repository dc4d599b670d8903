//! How a text becomes a header's value: `IDENTITY_ENCODING`.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::setting_value::InvalidValue;

/// What would end or forge a header, or make the encoding ambiguous.
const UNSAFE: &AsciiSet = &CONTROLS.add(b'%');
const UNSAFE_IN_LIST: &AsciiSet = &UNSAFE.add(b',');

/// How letters beyond ASCII are written. Control characters, `%`, spaces at either end and, in a list,
/// `,` are percent-encoded (RFC 3986, section 2.1) in either way, so whoever decodes that gets the text
/// back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Percent-encoded, so that values are printable ASCII.
    #[default]
    Percent,
    /// As they are, in UTF-8.
    Utf8,
}

impl Encoding {
    /// Reads the setting.
    ///
    /// # Errors
    /// What it can be.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        match text {
            "percent" => Ok(Self::Percent),
            "utf8" => Ok(Self::Utf8),
            _ => Err(InvalidValue::expected("`percent` or `utf8`", text)),
        }
    }

    /// A text as a header's value.
    pub fn value(self, text: &str) -> String {
        self.encode(text, UNSAFE)
    }

    /// A text as one item of a list, which has no `,` in it.
    pub fn item(self, text: &str) -> String {
        self.encode(text, UNSAFE_IN_LIST)
    }

    fn encode(self, text: &str, unsafe_bytes: &'static AsciiSet) -> String {
        let inner = text.trim_matches(' ');
        let leading = text.len() - text.trim_start_matches(' ').len();
        let trailing = text.len() - leading - inner.len();
        let encoded = match self {
            Self::Percent => utf8_percent_encode(inner, unsafe_bytes).to_string(),
            Self::Utf8 => beyond_ascii(inner, unsafe_bytes),
        };
        ["%20".repeat(leading), encoded, "%20".repeat(trailing)].concat()
    }
}

/// The last of it is encoded where its last byte is a space or a line's end to a server that reads
/// headers as Latin-1 and trims them: it would be lost, and with it the character.
fn beyond_ascii(text: &str, unsafe_bytes: &'static AsciiSet) -> String {
    const TRIMMED: [u8; 2] = [0x85, 0xa0];
    let end = text.char_indices().last().map_or(0, |(start, _)| start);
    let ends_badly = text.bytes().last().is_some_and(|byte| TRIMMED.contains(&byte));
    let mut encoded = String::with_capacity(text.len());
    for (start, char) in text.char_indices() {
        let part = &text[start..start + char.len_utf8()];
        match char.is_ascii() || char.is_control() || ends_badly && start == end {
            true => encoded.extend(utf8_percent_encode(part, unsafe_bytes)),
            false => encoded.push(char),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("Ada", "Ada", "Ada")]
    #[case("100%, or more", "100%25, or more", "100%25, or more")]
    #[case("Зоя", "%D0%97%D0%BE%D1%8F", "Зоя")]
    #[case(" é ⚓ ", "%20%C3%A9 %E2%9A%93%20", "%20é ⚓%20")]
    #[case("a\r\nx-b: c\u{7f}\0", "a%0D%0Ax-b: c%7F%00", "a%0D%0Ax-b: c%7F%00")]
    #[case("a\u{85}b\u{9f}", "a%C2%85b%C2%9F", "a%C2%85b%C2%9F")]
    #[case("х.х", "%D1%85.%D1%85", "х.%D1%85")]
    #[case("à", "%C3%A0", "%C3%A0")]
    #[case("", "", "")]
    #[case("   ", "%20%20%20", "%20%20%20")]
    fn a_text_becomes_a_value(#[case] text: &str, #[case] percent: &str, #[case] utf8: &str) {
        assert_eq!(Encoding::Percent.value(text), percent);
        assert_eq!(Encoding::Utf8.value(text), utf8);
    }

    proptest! {
        #[test]
        fn any_text_fits_into_a_header_and_can_be_read_back(text in ".*") {
            for encoding in [Encoding::Percent, Encoding::Utf8] {
                let encoded = encoding.item(&text);
                prop_assert!(!encoded.contains(|c: char| c.is_control() || c == ','));
                let bytes = encoded.as_bytes();
                let is_trimmed = |byte: Option<&u8>| byte.is_some_and(|it| b" \t\x85\xa0".contains(it));
                prop_assert!(!is_trimmed(bytes.first()) && !is_trimmed(bytes.last()));
                prop_assert!(encoding == Encoding::Utf8 || encoded.is_ascii());
                let read = percent_encoding::percent_decode_str(&encoded).decode_utf8().unwrap();
                prop_assert_eq!(read, text.as_str());
            }
        }
    }
}
