//! What is wrong with a setting's value, and the members of those that are JSON.

use std::fmt;

use serde_json::{Map, Value};

use crate::strict_json;

/// Why a setting's value cannot be used. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidValue {
    /// Where in the value: `[0].jwks_uri`; empty for the whole of it.
    pub path: String,
    /// What was expected, and what was found.
    pub reason: String,
}

/// The most of a value that an error repeats, in characters.
const MAX_SHOWN: usize = 80;

impl InvalidValue {
    /// With this reason, about the whole value.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { path: String::new(), reason: reason.into() }
    }

    /// Something else was expected than this text, which is no secret.
    pub fn expected(what: &str, got: &str) -> Self {
        let mut shown: String = got.chars().take(MAX_SHOWN).collect();
        if shown.len() < got.len() {
            shown.push('…');
        }
        Self::new(format!("expected {what}, got {}", Value::from(shown)))
    }

    /// The same, of a member of an object.
    #[must_use]
    pub fn in_member(self, name: &str) -> Self {
        Self { path: format!(".{name}{}", self.path), ..self }
    }

    /// The same, of an item of a list.
    #[must_use]
    pub fn in_item(self, index: usize) -> Self {
        Self { path: format!("[{index}]{}", self.path), ..self }
    }
}

impl fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.trim_start_matches('.') {
            "" => f.write_str(&self.reason),
            path => write!(f, "{path}: {}", self.reason),
        }
    }
}

/// The items of a JSON list; `what` says what it is of.
///
/// # Errors
/// It is no list.
pub fn items(json: &str, what: &str) -> Result<Vec<Value>, InvalidValue> {
    match strict_json::value(json) {
        Ok(Value::Array(items)) => Ok(items),
        Ok(value) => Err(other(&format!("a list of {what}"), &value)),
        Err(error) => Err(InvalidValue::new(format!("expected a JSON list of {what}: {error}"))),
    }
}

/// Something else was expected than this value, which is no secret.
pub fn other(what: &str, got: &Value) -> InvalidValue {
    match got {
        Value::String(text) => InvalidValue::expected(what, text),
        Value::Object(_) => InvalidValue::new(format!("expected {what}, got an object")),
        Value::Array(_) => InvalidValue::new(format!("expected {what}, got a list")),
        other => InvalidValue::new(format!("expected {what}, got {other}")),
    }
}

/// A text that may also stand in JSON.
///
/// # Errors
/// It is something else.
pub fn text(value: Value) -> Result<String, InvalidValue> {
    match value {
        Value::String(text) => Ok(text),
        value => Err(other("a text", &value)),
    }
}

/// The members of an object.
///
/// # Errors
/// It is something else.
pub fn object(value: Value) -> Result<Map<String, Value>, InvalidValue> {
    match value {
        Value::Object(members) => Ok(members),
        value => Err(other("an object", &value)),
    }
}

/// Each item of a list, read alike.
///
/// # Errors
/// Those of `parse`, with the item's index.
pub fn each<T>(
    items: Vec<Value>,
    parse: fn(Value) -> Result<T, InvalidValue>,
) -> Result<Vec<T>, InvalidValue> {
    let mut all = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        all.push(parse(item).map_err(|error| error.in_item(index))?);
    }
    Ok(all)
}

/// The members of an object that are left to be read. By hand, because serde names no member in its
/// errors, and derived readers are large.
pub struct Members(Map<String, Value>);

impl Members {
    /// The members of an object.
    ///
    /// # Errors
    /// It is something else.
    pub fn of(value: Value) -> Result<Self, InvalidValue> {
        object(value).map(Self)
    }

    /// Takes out a member and reads it; `None` if it is absent.
    ///
    /// # Errors
    /// Those of `parse`, with the member's name.
    pub fn optional<T>(
        &mut self,
        name: &str,
        parse: fn(Value) -> Result<T, InvalidValue>,
    ) -> Result<Option<T>, InvalidValue> {
        let value = self.0.remove(name);
        value.map(parse).transpose().map_err(|error| error.in_member(name))
    }

    /// Takes out a member and reads it.
    ///
    /// # Errors
    /// It is absent, or those of `parse`, with the member's name.
    pub fn required<T>(
        &mut self,
        name: &str,
        parse: fn(Value) -> Result<T, InvalidValue>,
    ) -> Result<T, InvalidValue> {
        let value = self.optional(name, parse)?;
        value.ok_or_else(|| InvalidValue::new("is required").in_member(name))
    }

    /// Makes sure that none is left.
    ///
    /// # Errors
    /// One is; `known` are those that there may be.
    pub fn end(self, known: &str) -> Result<(), InvalidValue> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => {
                let reason = format!("unknown member; expected {known}");
                Err(InvalidValue::new(reason).in_member(name))
            }
        }
    }
}

/// `true` or `false`.
///
/// # Errors
/// It is something else.
pub fn flag(value: Value) -> Result<bool, InvalidValue> {
    value.as_bool().ok_or_else(|| other("true or false", &value))
}

/// A list of texts.
///
/// # Errors
/// It is something else, or one item is.
pub fn texts(value: Value) -> Result<Vec<String>, InvalidValue> {
    let Value::Array(items) = value else { return Err(other("a list of texts", &value)) };
    each(items, text)
}

/// A list of texts, or one text without a list.
///
/// # Errors
/// It is something else, or one item is.
pub fn text_or_texts(value: Value) -> Result<Vec<String>, InvalidValue> {
    match value {
        Value::String(one) => Ok(vec![one]),
        Value::Array(_) => texts(value),
        value => Err(other("a text or a list of texts", &value)),
    }
}
/// A list of nothing would say either that nobody may pass or that everybody may.
pub(crate) fn each_checked(
    value: Value,
    check: fn(&str) -> Result<(), InvalidValue>,
) -> Result<Vec<String>, InvalidValue> {
    let all = texts(value)?;
    if all.is_empty() {
        return Err(InvalidValue::new("is empty; leave it out"));
    }
    for (index, one) in all.iter().enumerate() {
        check(one).map_err(|error| error.in_item(index))?;
    }
    Ok(all)
}
