//! The links at the foot of each page.

use std::collections::BTreeMap;

use serde_json::Value;

use super::is_path;
use crate::http::web_url;
use crate::setting_value::{InvalidValue, Members, each, object, other, text};
use crate::words::Language;

/// A link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its words.
    pub text: LinkText,
    /// Where it leads.
    pub href: String,
}

/// The words of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkText {
    /// In each language.
    All(String),
    /// By the language.
    ByLanguage(BTreeMap<String, String>),
}

/// How many links there may be.
const MOST: usize = 10;

/// Reads the list.
pub(super) fn parse(value: Value) -> Result<Vec<Link>, InvalidValue> {
    let Value::Array(items) = value else { return Err(other("a list of links", &value)) };
    match items.len() <= MOST {
        true => each(items, link),
        false => Err(InvalidValue::new(format!("expected {MOST} links at most"))),
    }
}

fn link(value: Value) -> Result<Link, InvalidValue> {
    let mut members = Members::of(value)?;
    let text = members.required("text", link_text)?;
    let href = members.required("href", href)?;
    members.end("`text` and `href`")?;
    Ok(Link { text, href })
}

fn href(value: Value) -> Result<String, InvalidValue> {
    let href = text(value)?;
    let is_mail = |rest: &str| rest.contains('@') && rest.bytes().all(|it| it.is_ascii_graphic());
    let leads = is_path(&href)
        || href.strip_prefix("mailto:").is_some_and(is_mail)
        || web_url(href.split('#').next().unwrap_or_default()).is_ok();
    let what = "a path of this site like `/privacy`, an https URL, or `mailto:` and an address";
    if leads { Ok(href) } else { Err(InvalidValue::expected(what, &href)) }
}

fn link_text(value: Value) -> Result<LinkText, InvalidValue> {
    let Value::Object(_) = value else { return words(value).map(LinkText::All) };
    let mut all = BTreeMap::new();
    for (language, value) in object(value)? {
        let text = words(value).map_err(|error| error.in_member(&language))?;
        all.insert(language, text);
    }
    Ok(LinkText::ByLanguage(all))
}

fn words(value: Value) -> Result<String, InvalidValue> {
    let words = text(value)?.trim().to_owned();
    if words.is_empty() { Err(InvalidValue::new("is empty")) } else { Ok(words) }
}

/// Checks that texts by language are there for each language, and for no other.
pub(super) fn check_languages(links: &[Link], languages: &[Language]) -> Result<(), InvalidValue> {
    for (index, link) in links.iter().enumerate() {
        let LinkText::ByLanguage(texts) = &link.text else { continue };
        let lacks = languages.iter().find(|language| !texts.contains_key(&language.tag));
        let is_offered = |tag: &str| languages.iter().any(|language| language.tag == tag);
        let more = texts.keys().find(|tag| !is_offered(tag));
        let error = match (lacks, more) {
            (None, None) => continue,
            (Some(language), _) => InvalidValue::new(format!("lacks `{}`", language.tag)),
            (None, Some(tag)) => InvalidValue::new("no page is in this language").in_member(tag),
        };
        return Err(error.in_member("text").in_item(index).in_member("links"));
    }
    Ok(())
}

impl LinkText {
    /// The words in this language.
    pub fn of(&self, language: &Language) -> &str {
        match self {
            Self::All(text) => text,
            Self::ByLanguage(texts) => texts.get(&language.tag).map_or("", String::as_str),
        }
    }
}
