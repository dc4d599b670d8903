//! Reads settings one by one, and collects what is wrong with them.

use std::fmt;
use std::time::Duration;

use crate::setting_value::InvalidValue;
use crate::time::parse_span;

/// What is wrong with one setting. Never holds a secret's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingError {
    /// Which.
    pub name: &'static str,
    /// Where in its value: `[0].jwks_uri`; empty for the whole of it.
    pub path: String,
    /// What to change.
    pub reason: String,
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}: {}", self.name, self.path, self.reason)
    }
}

pub struct Reader<'a> {
    pub get: &'a dyn Fn(&str) -> Option<String>,
    pub errors: Vec<SettingError>,
}

impl Reader<'_> {
    /// The text of a setting; an empty one counts as not set.
    pub fn text(&self, name: &str) -> Option<String> {
        (self.get)(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    pub fn wrong(&mut self, name: &'static str, error: InvalidValue) {
        let InvalidValue { path, reason } = error;
        self.errors.push(SettingError { name, path, reason });
    }

    /// A setting read by `parse`; `None` if it is not set or wrong. By a pointer, so that this is compiled once for
    /// each type, and not for each setting.
    pub fn parsed<T>(
        &mut self,
        name: &'static str,
        parse: fn(&str) -> Result<T, InvalidValue>,
    ) -> Option<T> {
        self.parsed_with(name, &parse)
    }

    /// [`Reader::parsed`] by a closure.
    pub fn parsed_with<T>(
        &mut self,
        name: &'static str,
        parse: &dyn Fn(&str) -> Result<T, InvalidValue>,
    ) -> Option<T> {
        match parse(&self.text(name)?) {
            Ok(value) => Some(value),
            Err(error) => {
                self.wrong(name, error);
                None
            }
        }
    }

    pub fn required(&mut self, name: &'static str) -> String {
        self.text(name).unwrap_or_else(|| {
            self.wrong(name, InvalidValue::new("is required"));
            String::new()
        })
    }

    pub fn span(&mut self, name: &'static str, default: Duration) -> Duration {
        self.parsed(name, parse_span).unwrap_or(default)
    }

    /// A setting that is `true` or `false`.
    pub fn flag(&mut self, name: &'static str, default: bool) -> bool {
        let parse = |text: &str| {
            text.parse().map_err(|_| InvalidValue::expected("`true` or `false`", text))
        };
        self.parsed(name, parse).unwrap_or(default)
    }
}
