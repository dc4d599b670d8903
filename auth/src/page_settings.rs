//! `PAGES`: how the guard's pages look, what they say, and in which languages.

mod accent;
mod languages;
mod links;

use serde_json::Value;

use crate::http::{has_one_host, web_url};
use crate::setting_value::{InvalidValue, Members, text};
use crate::strict_json;
use crate::words::{BUILT_IN, Language};

pub use accent::{Accent, Colour};
pub use links::{Link, LinkText};

/// `PAGES`.
#[derive(Clone, Debug)]
pub struct PageSettings {
    /// The name of the site.
    pub title: Option<String>,
    /// Its picture.
    pub logo: Option<Logo>,
    /// The colour of buttons, if it is not the guard's own.
    pub accent: Option<Accent>,
    /// The same on a dark page.
    pub accent_dark: Option<Accent>,
    /// The links at the foot of each page.
    pub links: Vec<Link>,
    /// The languages on offer, the default first. Never empty.
    pub languages: Vec<Language>,
}

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo {
    /// Where it is.
    pub src: String,
    /// What a Content-Security-Policy allows it by.
    pub source: String,
}

const MEMBERS: &str = "`title`, `logo`, `accent`, `accent_dark`, `links`, `languages` and `words`";

/// The longest title, in bytes.
const MAX_TITLE: usize = 200;

impl Default for PageSettings {
    fn default() -> Self {
        Self {
            title: None,
            logo: None,
            accent: None,
            accent_dark: None,
            links: Vec::new(),
            languages: BUILT_IN.map(languages::plain).into(),
        }
    }
}

impl PageSettings {
    /// Reads the JSON object.
    ///
    /// # Errors
    /// What to change.
    pub fn parse(setting: &str) -> Result<Self, InvalidValue> {
        let what = "a JSON object like `{\"title\": \"Harbour\"}`";
        let not_json = |error| InvalidValue::new(format!("expected {what}: {error}"));
        let mut members = Members::of(strict_json::value(setting).map_err(not_json)?)?;
        let title = members.optional("title", title)?;
        let logo = members.optional("logo", logo)?;
        let accent = members.optional("accent", |value| Accent::parse(value, Accent::ON_LIGHT))?;
        let accent_dark =
            members.optional("accent_dark", |value| Accent::parse(value, Accent::ON_DARK))?;
        let links = members.optional("links", links::parse)?.unwrap_or_default();
        let listed = members.optional("languages", languages::tags)?;
        let words = members.optional("words", languages::words)?.unwrap_or_default();
        members.end(MEMBERS)?;
        let languages = languages::offered(listed, words)?;
        links::check_languages(&links, &languages)?;
        Ok(Self { title, logo, accent, accent_dark, links, languages })
    }
}

fn title(value: Value) -> Result<String, InvalidValue> {
    let title = text(value)?.trim().to_owned();
    match title.is_empty() || title.len() > MAX_TITLE || title.contains(char::is_control) {
        false => Ok(title),
        true => Err(InvalidValue::expected("a name of at most 200 bytes, in one line", &title)),
    }
}

fn logo(value: Value) -> Result<Logo, InvalidValue> {
    let src = text(value)?;
    let source = source_of(&src).ok_or_else(|| {
        InvalidValue::expected("a path of this site like `/logo.svg`, or an https URL", &src)
    })?;
    Ok(Logo { src, source })
}

/// `'self'`, or the origin of a URL.
fn source_of(src: &str) -> Option<String> {
    if is_path(src) {
        return Some("'self'".into());
    }
    let url = web_url(src).ok()?;
    let source = format!("{}://{}", url.scheme_str()?, url.authority()?);
    has_one_host(&source).then_some(source)
}

/// Is it a path of this site? A browser reads `//` and `/\` as another host.
fn is_path(text: &str) -> bool {
    let rest = text.strip_prefix('/');
    let is_other_host = |rest: &str| rest.starts_with(['/', '\\']);
    let is_plain = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_graphic());
    rest.is_some_and(|rest| !is_other_host(rest) && is_plain(rest))
}

#[cfg(test)]
mod tests;
