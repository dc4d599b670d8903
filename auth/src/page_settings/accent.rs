//! The colour of buttons, and what is readable on it (WCAG 2.2, sections 1.4.3 and 1.4.11).

use std::fmt;

use serde_json::Value;

use crate::setting_value::{InvalidValue, text};

/// A colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour([u8; 3]);

/// The colour of buttons, and what goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accent {
    /// The colour itself.
    pub colour: Colour,
    /// The colour of text on it: black or white, whichever contrasts more. One of the two always does by 4.5:1.
    pub text: Colour,
    /// Can it be told from the page, so that buttons need no other border?
    pub stands_out: bool,
}

const BLACK: Colour = Colour([0; 3]);
const WHITE: Colour = Colour([255; 3]);

/// How much what people must find has to contrast with what is around it.
const LEAST: f64 = 3.0;

impl Accent {
    /// What light pages are on: `--sheet` of the style sheet.
    pub const ON_LIGHT: Colour = WHITE;

    /// What dark pages are on.
    pub const ON_DARK: Colour = Colour([0x1f, 0x22, 0x29]);

    /// Reads the colour of buttons on this one.
    ///
    /// # Errors
    /// It is no colour.
    pub fn parse(value: Value, on: Colour) -> Result<Self, InvalidValue> {
        let text = text(value)?;
        let expected = || InvalidValue::expected("a colour like `#1f5fbf`", &text);
        let colour = Colour::parse(&text).ok_or_else(expected)?;
        Ok(Self::on(colour, on))
    }

    /// The same colour on a dark page.
    #[must_use]
    pub fn in_the_dark(self) -> Self {
        Self::on(self.colour, Self::ON_DARK)
    }

    fn on(colour: Colour, on: Colour) -> Self {
        let is_light = colour.contrast(BLACK) >= colour.contrast(WHITE);
        let text = if is_light { BLACK } else { WHITE };
        Self { colour, text, stands_out: colour.contrast(on) >= LEAST }
    }
}

impl Colour {
    /// Reads `#1f5fbf` or `#15b`.
    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        let digits = match digits.len() {
            3 => digits.chars().flat_map(|digit| [digit, digit]).collect(),
            6 => digits.to_owned(),
            _ => return None,
        };
        let mut bytes = [0; 3];
        base16ct::mixed::decode(digits, &mut bytes).ok().map(<[u8]>::len)?;
        Some(Self(bytes))
    }

    /// The ratio of two colours' brightness, from 1 to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance() + 0.05, other.luminance() + 0.05);
        one.max(two) / one.min(two)
    }

    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|byte| match f64::from(byte) / 255.0 {
            dark if dark <= 0.04045 => dark / 12.92,
            light => ((light + 0.055) / 1.055).powf(2.4),
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

/// As CSS has it.
impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("#1f5fbf", WHITE, true)]
    #[case("#FD0", BLACK, false)]
    #[case("#ffffff", BLACK, false)]
    #[case("#000", WHITE, true)]
    // The grey on which black and white contrast alike.
    #[case("#757575", WHITE, true)]
    #[case("#767676", BLACK, true)]
    fn text_on_the_accent_is_readable(
        #[case] colour: &str,
        #[case] text: Colour,
        #[case] stands_out: bool,
    ) {
        let accent = Accent::parse(colour.into(), Accent::ON_LIGHT).unwrap();
        assert_eq!((accent.text, accent.stands_out), (text, stands_out));
    }

    #[test]
    fn black_or_white_is_readable_on_every_colour() {
        for red in (0..=255).step_by(5) {
            for green in (0..=255).step_by(5) {
                for blue in (0..=255).step_by(15) {
                    let accent = Accent::on(Colour([red, green, blue]), WHITE);
                    assert!(accent.colour.contrast(accent.text) >= 4.5, "{}", accent.colour);
                }
            }
        }
    }

    #[test]
    fn contrast_is_as_wcag_has_it() {
        assert!((BLACK.contrast(WHITE) - 21.0).abs() < 1e-9);
        assert!((Colour([0x77; 3]).contrast(WHITE) - 4.478).abs() < 1e-3);
    }

    #[rstest]
    #[case("red")]
    #[case("#12")]
    #[case("#12345g")]
    #[case("#12345678")]
    #[case("#ääb")]
    #[case("1f5fbf")]
    fn what_is_no_colour_is_refused(#[case] text: &str) {
        assert!(Accent::parse(text.into(), WHITE).is_err());
    }
}
