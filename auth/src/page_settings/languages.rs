//! The languages on offer, and the words that stand in place of the guard's own.

use serde_json::{Map, Value};

use crate::setting_value::{InvalidValue, object, other, texts};
use crate::words::{BUILT_IN, Language, check_overrides, is_tag};

/// Languages that are written from right to left.
const RTL: [&str; 10] = ["ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"];

/// A language with its own words alone.
pub(super) fn plain(tag: &str) -> Language {
    let primary = tag.split('-').next().unwrap_or_default();
    let is_rtl = RTL.iter().any(|rtl| rtl.eq_ignore_ascii_case(primary));
    Language { tag: tag.to_owned(), is_rtl, overrides: Map::new() }
}

/// The names of languages.
pub(super) fn tags(value: Value) -> Result<Vec<String>, InvalidValue> {
    let all = texts(value)?;
    if all.is_empty() {
        return Err(InvalidValue::new("is empty; leave it out"));
    }
    for (index, one) in all.iter().enumerate() {
        let checked = match all[..index].contains(one) {
            true => Err(InvalidValue::new(format!("`{one}` is listed twice"))),
            false => tag(one),
        };
        checked.map_err(|error| error.in_item(index))?;
    }
    Ok(all)
}

fn tag(text: &str) -> Result<(), InvalidValue> {
    match is_tag(text) && text != "*" {
        true => Ok(()),
        false => Err(InvalidValue::expected("a language like `de` or `pt-BR`", text)),
    }
}

/// The words that stand in place of a language's own, by the language.
pub(super) fn words(value: Value) -> Result<Vec<Language>, InvalidValue> {
    let mut all = Vec::new();
    for (name, value) in object(value)? {
        let language = tag(&name).and_then(|()| language(&name, value));
        all.push(language.map_err(|error| error.in_member(&name))?);
    }
    Ok(all)
}

fn language(name: &str, value: Value) -> Result<Language, InvalidValue> {
    let mut overrides = object(value)?;
    let plain = plain(name);
    let is_rtl = match overrides.remove("direction") {
        None => plain.is_rtl,
        Some(Value::String(text)) if text == "ltr" => false,
        Some(Value::String(text)) if text == "rtl" => true,
        Some(value) => return Err(other("`ltr` or `rtl`", &value).in_member("direction")),
    };
    check_overrides(&overrides)?;
    Ok(Language { is_rtl, overrides, ..plain })
}

/// The languages that are listed, or else those that the guard has by itself and those that have words.
pub(super) fn offered(
    listed: Option<Vec<String>>,
    words: Vec<Language>,
) -> Result<Vec<Language>, InvalidValue> {
    let listed = listed.unwrap_or_else(|| {
        let more = words.iter().map(|language| language.tag.as_str());
        let more = more.filter(|tag| !BUILT_IN.contains(tag));
        BUILT_IN.into_iter().chain(more).map(str::to_owned).collect()
    });
    if let Some(unused) = words.iter().find(|language| !listed.contains(&language.tag)) {
        let error = InvalidValue::new("is not one of `languages`, so no page is in it");
        return Err(error.in_member(&unused.tag).in_member("words"));
    }
    let mut all = Vec::with_capacity(listed.len());
    for (index, tag) in listed.iter().enumerate() {
        let found = words.iter().find(|language| language.tag == *tag).cloned();
        let has_words = BUILT_IN.contains(&tag.split('-').next().unwrap_or_default());
        all.push(found.or_else(|| has_words.then(|| plain(tag))).ok_or_else(|| {
            let reason = format!("the guard has no words in `{tag}`; add them as `words.{tag}`");
            InvalidValue::new(reason).in_item(index).in_member("languages")
        })?);
    }
    Ok(all)
}
