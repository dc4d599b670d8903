//! The words of the guard's pages: a file for each language, and what `words` of `PAGES` puts in their place.
//!
//! Each page has a section of its own in `words/{en,de,es,fr}.json`, and a struct here that reads it ([`Section`]). A
//! section is parsed when a page first needs it, never at startup.

mod admin;
mod common;
mod devices;
mod errors;
mod language;
mod large_section;
mod overrides;
mod plural;
mod refusals;
mod sessions;
mod sign_in;
mod signed_out;

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

pub use admin::Admin;
pub use common::Common;
pub use devices::Devices;
pub use errors::Errors;
pub(crate) use language::is_tag;
pub use language::{Chosen, Language, choose};
pub(crate) use overrides::check as check_overrides;
pub use plural::Plural;
pub use refusals::{RefusalWords, Refusals};
pub use sessions::Sessions;
pub use sign_in::SignIn;
pub use signed_out::SignedOut;

/// The languages that the guard speaks by itself, each with its words.
const FILES: [(&str, &str); 4] = [
    ("en", include_str!("words/en.json")),
    ("de", include_str!("words/de.json")),
    ("es", include_str!("words/es.json")),
    ("fr", include_str!("words/fr.json")),
];

/// The names of [`FILES`], which are offered unless `PAGES` says otherwise.
pub const BUILT_IN: [&str; FILES.len()] = {
    let mut names = [""; FILES.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = FILES[at].0;
        at += 1;
    }
    names
};

/// The words of one page or subject, as the object of this name in each file has them.
pub trait Section: DeserializeOwned + Default + 'static {
    /// The name of the object.
    const NAME: &'static str;
}

/// The sections that were read, in each language.
#[derive(Default)]
pub struct WordCache(RefCell<Vec<Read>>);

/// Words that were read.
struct Read {
    language: String,
    section: &'static str,
    words: Rc<dyn Any>,
}

impl WordCache {
    /// The words of a section in this language.
    pub fn section<T: Section>(&self, language: &Language) -> Rc<T> {
        let mut all = self.0.borrow_mut();
        let known = all.iter().find(|it| it.section == T::NAME && it.language == language.tag);
        if let Some(words) = known.and_then(|it| Rc::clone(&it.words).downcast().ok()) {
            return words;
        }
        let words: Rc<T> = Rc::new(read(language));
        let kept = Rc::<T>::clone(&words);
        all.push(Read { language: language.tag.clone(), section: T::NAME, words: kept });
        words
    }
}

/// Never fails: a test reads each file, and what `PAGES` says has been checked.
fn read<T: Section>(language: &Language) -> T {
    let text = section_text(&language.tag, T::NAME).unwrap_or_default();
    let Some(over) = language.overrides.get(T::NAME) else {
        return serde_json::from_str(text).unwrap_or_default();
    };
    let mut words: Value = serde_json::from_str(text).unwrap_or_default();
    json_patch::merge(&mut words, over);
    serde_json::from_str(&words.to_string()).unwrap_or_default()
}

/// A section's JSON in the file of this language, of the language that it is a variant of, or else in English.
fn section_text(tag: &str, section: &str) -> Option<&'static str> {
    sections(built_in(tag).unwrap_or(FILES[0].1)).remove(section)
}

/// The words of a built-in language: `de` for `de-AT`.
fn built_in(tag: &str) -> Option<&'static str> {
    let primary = tag.split('-').next().unwrap_or_default();
    FILES.iter().find(|(name, _)| name.eq_ignore_ascii_case(primary)).map(|(_, words)| *words)
}

fn sections(file: &'static str) -> BTreeMap<&'static str, &'static str> {
    let all: BTreeMap<&'static str, &'static RawValue> =
        serde_json::from_str(file).unwrap_or_default();
    all.into_iter().map(|(name, words)| (name, words.get())).collect()
}

/// A text with its placeholders filled in: `{device}` by the value of `device`. What is filled in is not looked into.
pub fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        let value = values.iter().find(|(its, _)| *its == name);
        filled.push_str(value.map_or("", |(_, value)| value));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// The placeholders of a text, by name.
fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name)
}

#[cfg(test)]
mod tests;
