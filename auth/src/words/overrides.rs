//! Checks `words` of `PAGES` against the English words: the same members, and no other placeholders.

use serde_json::{Map, Value};

use super::plural::CATEGORIES;
use super::{FILES, placeholders};
use crate::setting_value::{InvalidValue, other};

/// Checks the words that stand in place of a language's own.
///
/// # Errors
/// A member that no page has, or that is no text, or has a placeholder that is never filled in.
pub(crate) fn check(words: &Map<String, Value>) -> Result<(), InvalidValue> {
    let english = serde_json::from_str(FILES[0].1).unwrap_or_default();
    check_object(&english, words)
}

fn check_object(
    english: &Map<String, Value>,
    words: &Map<String, Value>,
) -> Result<(), InvalidValue> {
    for (name, value) in words {
        let known = english.get(name).or_else(|| other_category(english, name));
        let known = known.ok_or_else(|| unknown(english));
        known.and_then(|known| check_value(known, value)).map_err(|error| error.in_member(name))?;
    }
    Ok(())
}

fn unknown(english: &Map<String, Value>) -> InvalidValue {
    let known: Vec<String> = english.keys().map(|name| format!("`{name}`")).collect();
    InvalidValue::new(format!("unknown member; expected one of {}", known.join(", ")))
}

/// Other languages have more plural categories than English.
fn other_category<'a>(english: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let is_plural = english.keys().all(|name| CATEGORIES.contains(&name.as_str()));
    english.get("other").filter(|_| is_plural && CATEGORIES.contains(&name))
}

fn check_value(known: &Value, value: &Value) -> Result<(), InvalidValue> {
    match (known, value) {
        (Value::Object(known), Value::Object(words)) => check_object(known, words),
        (Value::Object(_), value) => Err(other("an object", value)),
        (Value::String(known), Value::String(text)) => check_text(known, text),
        (_, value) => Err(other("a text", value)),
    }
}

fn check_text(known: &str, text: &str) -> Result<(), InvalidValue> {
    if text.trim().is_empty() {
        return Err(InvalidValue::new("is empty; leave it out"));
    }
    let has = |name: &str| placeholders(known).any(|it| it == name);
    match placeholders(text).find(|name| !has(name)) {
        None => Ok(()),
        Some(name) => {
            let all: Vec<String> =
                placeholders(known).map(|name| format!("`{{{name}}}`")).collect();
            let expected = if all.is_empty() { "none".into() } else { all.join(", ") };
            let what = format!("`{{{name}}}` stands for nothing here; expected {expected}");
            Err(InvalidValue::new(what))
        }
    }
}
