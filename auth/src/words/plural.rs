//! A text that depends on a number.

use serde::Deserialize;

/// One text for each plural category that the language has (Unicode CLDR): English has `one` and `other`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plural {
    /// For none, in some languages.
    #[serde(default)]
    zero: Option<String>,
    /// For one.
    #[serde(default)]
    one: Option<String>,
    /// For two, in some languages.
    #[serde(default)]
    two: Option<String>,
    /// For a few, in some languages.
    #[serde(default)]
    few: Option<String>,
    /// For many, in some languages.
    #[serde(default)]
    many: Option<String>,
    /// For all other numbers.
    other: String,
}

/// The names of the categories.
pub const CATEGORIES: [&str; 6] = ["zero", "one", "two", "few", "many", "other"];

impl Plural {
    /// The text for this category, as `Intl.PluralRules` names it.
    pub fn of(&self, category: &str) -> &str {
        let text = match category {
            "zero" => &self.zero,
            "one" => &self.one,
            "two" => &self.two,
            "few" => &self.few,
            "many" => &self.many,
            _ => &None,
        };
        text.as_ref().unwrap_or(&self.other)
    }
}
