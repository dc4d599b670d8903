//! `GET style.css`: how the pages look, in the colours of `PAGES`.

use auth::page_settings::{Accent, PageSettings};
use web_sys::Response;

use crate::app::App;
use crate::request::RequestHead;

/// The style sheet, in the guard's own colours.
const STYLE: &str = include_str!("style.css");
const TAG: u64 = fnv(START, STYLE.as_bytes());

/// What a hash begins with.
pub const START: u64 = 0xcbf2_9ce4_8422_2325;

/// A hash of a text (FNV-1a), for its `ETag`.
pub const fn fnv(start: u64, text: &[u8]) -> u64 {
    let mut hash = start;
    let mut at = 0;
    while at < text.len() {
        hash = (hash ^ text[at] as u64).wrapping_mul(0x100_0000_01b3);
        at += 1;
    }
    hash
}

/// `GET style.css`. Pages name it with its tag, so that a browser may keep it.
pub fn show(app: &App, head: &RequestHead) -> Response {
    let settings = &app.guard.settings().pages;
    super::asset(head, "text/css; charset=utf-8", &text(settings), tag(settings))
}

/// The style sheet.
pub fn text(settings: &PageSettings) -> String {
    format!("{STYLE}{}", colours(settings))
}

/// Changes with the style sheet.
pub fn tag(settings: &PageSettings) -> u64 {
    fnv(TAG, colours(settings).as_bytes())
}

/// The colours of the settings, in place of the style sheet's own.
fn colours(settings: &PageSettings) -> String {
    let light = settings.accent.map_or(String::new(), |accent| of("light", accent));
    let dark = settings.accent_dark.or(settings.accent.map(Accent::in_the_dark));
    let dark = dark.map_or(String::new(), |accent| of("dark", accent));
    match light.is_empty() && dark.is_empty() {
        true => String::new(),
        false => format!(":root{{{light}{dark}}}"),
    }
}

fn of(scheme: &str, Accent { colour, text, stands_out }: Accent) -> String {
    let edge = if stands_out { colour.to_string() } else { "var(--line)".into() };
    format!("--{scheme}-accent:{colour};--{scheme}-on-accent:{text};--{scheme}-edge:{edge};")
}
