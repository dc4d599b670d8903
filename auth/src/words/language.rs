//! Which language a page is in (RFC 9110, section 12.5.4; RFC 4647, section 3.4).

use std::cmp::Reverse;

use serde_json::{Map, Value};

/// A language that the pages are offered in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Language {
    /// Its name, as in `lang` (RFC 5646).
    pub tag: String,
    /// Is it written from right to left?
    pub is_rtl: bool,
    /// The words of `PAGES` that stand in place of its own, by section.
    pub overrides: Map<String, Value>,
}

/// The language of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Which of those offered.
    pub index: usize,
    /// How times and numbers are written: the language itself, or a variant of it that the browser asks for.
    pub locale: String,
}

/// How many languages of a request are looked at.
const MAX_RANGES: usize = 32;

/// Chooses of the languages on offer by `Accept-Language`; the first if it names none of them.
pub fn choose(accept: &str, offered: &[Language]) -> Chosen {
    let mut ranges: Vec<(&str, u16)> =
        accept.split(',').take(MAX_RANGES).filter_map(range).collect();
    // Stable: of two that are liked alike, the first counts.
    ranges.sort_by_key(|(_, quality)| Reverse(*quality));
    let refused: Vec<&str> =
        ranges.iter().filter(|(_, quality)| *quality == 0).map(|it| it.0).collect();
    let is_refused = |tag: &str| refused.iter().any(|range| is_below(tag, range));
    let wanted = ranges.iter().filter(|(_, quality)| *quality > 0);
    let found = wanted.filter_map(|(range, _)| {
        let index = find(range, offered, &is_refused)?;
        Some((index, *range))
    });
    let (index, range) = found.into_iter().next().unwrap_or((0, "*"));
    let tag = offered.get(index).map_or("en", |language| language.tag.as_str());
    let locale = if is_below(range, tag) { range } else { tag };
    Chosen { index, locale: locale.to_owned() }
}

/// A range, and how much it is liked, in thousandths; `None` if it cannot be read.
fn range(text: &str) -> Option<(&str, u16)> {
    let (range, parameter) = text.split_once(';').unwrap_or((text, "q=1"));
    let (name, quality) = parameter.trim().split_once('=')?;
    let quality = thousandths(quality.trim())?;
    let is_quality = name.trim().eq_ignore_ascii_case("q");
    let range = range.trim();
    (is_quality && is_tag(range)).then_some((range, quality))
}

/// A quality (RFC 9110, section 12.4.2): from 0 to 1, with three digits at most.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_short = part.len() <= 3 && part.bytes().all(|byte| byte.is_ascii_digit());
    let part: u16 = format!("{part:0<3}").parse().ok().filter(|_| is_short)?;
    match (whole, part) {
        ("0", part) => Some(part),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

/// Is it of the form of a language's name, or `*`?
pub(crate) fn is_tag(text: &str) -> bool {
    let is_part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let is_primary =
        |part: &str| part.len() >= 2 && part.bytes().all(|byte| byte.is_ascii_alphabetic());
    text == "*" || text.split('-').all(is_part) && text.split('-').next().is_some_and(is_primary)
}

/// Is it this language, or a variant of it?
fn is_below(tag: &str, range: &str) -> bool {
    let Some((start, rest)) = tag.split_at_checked(range.len()) else { return range == "*" };
    range == "*" || start.eq_ignore_ascii_case(range) && (rest.is_empty() || rest.starts_with('-'))
}

/// The language itself, what it is a variant of, or else a variant of it.
fn find(range: &str, offered: &[Language], is_refused: &dyn Fn(&str) -> bool) -> Option<usize> {
    let position = |fits: &dyn Fn(&str) -> bool| {
        offered.iter().position(|it| fits(&it.tag) && (range != "*" || !is_refused(&it.tag)))
    };
    let mut wanted = range;
    loop {
        if let Some(index) = position(&|tag| tag.eq_ignore_ascii_case(wanted)) {
            return Some(index);
        }
        match wanted.rsplit_once('-') {
            Some((shorter, _)) => wanted = shorter,
            None => return position(&|tag| is_below(tag, wanted)),
        }
    }
}
