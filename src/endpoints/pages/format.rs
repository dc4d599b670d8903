//! Times, places and numbers in the language of a page, by the platform's `Intl`.

use std::rc::Rc;
use std::time::Duration;

use auth::time::Timestamp;
use auth::words::{Common, Plural};
use js_sys::{JSON, JsString, Object, Reflect};
use wasm_bindgen::prelude::*;

use crate::request;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Intl)]
    type DateTimeFormat;
    #[wasm_bindgen(constructor, js_namespace = Intl, catch)]
    fn new(locale: &str, options: &JsValue) -> Result<DateTimeFormat, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn format(this: &DateTimeFormat, millis: f64) -> Result<JsString, JsValue>;

    #[wasm_bindgen(js_namespace = Intl)]
    type RelativeTimeFormat;
    #[wasm_bindgen(constructor, js_namespace = Intl, catch)]
    fn new(locale: &str, options: &JsValue) -> Result<RelativeTimeFormat, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn format(this: &RelativeTimeFormat, value: f64, unit: &str) -> Result<JsString, JsValue>;

    #[wasm_bindgen(js_namespace = Intl)]
    type DisplayNames;
    #[wasm_bindgen(constructor, js_namespace = Intl, catch)]
    fn new(locale: &str, options: &JsValue) -> Result<DisplayNames, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn of(this: &DisplayNames, code: &str) -> Result<JsString, JsValue>;

    #[wasm_bindgen(js_namespace = Intl)]
    type NumberFormat;
    #[wasm_bindgen(constructor, js_namespace = Intl, catch)]
    fn new(locale: &str) -> Result<NumberFormat, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn format(this: &NumberFormat, number: f64) -> Result<JsString, JsValue>;

    #[wasm_bindgen(js_namespace = Intl)]
    type PluralRules;
    #[wasm_bindgen(constructor, js_namespace = Intl, catch)]
    fn new(locale: &str) -> Result<PluralRules, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn select(this: &PluralRules, number: f64) -> Result<JsString, JsValue>;
}

/// How a moment is written: `November 26, 2026 at 12:05 PM UTC`.
const MOMENT: &str = r#"{"day":"numeric","month":"long","year":"numeric","hour":"numeric","minute":"2-digit","timeZoneName":"short"}"#;

/// From the largest to the smallest, in seconds.
const UNITS: [(u64, &str); 5] =
    [(365 * 86400, "year"), (30 * 86400, "month"), (86400, "day"), (3600, "hour"), (60, "minute")];

/// Writes times, places and numbers. What the platform cannot write is written as in a log.
pub struct Format {
    locale: String,
    time_zone: String,
    common: Rc<Common>,
}

impl Format {
    /// As this locale has it, in this time zone.
    pub fn new(locale: String, time_zone: String, common: Rc<Common>) -> Self {
        Self { locale, time_zone, common }
    }

    /// A moment, to the minute, with its time zone.
    pub fn moment(&self, at: Timestamp) -> String {
        self.try_moment(at, &self.time_zone)
            .or_else(|_| self.try_moment(at, "UTC"))
            .map_or_else(|_| at.to_string(), Into::into)
    }

    fn try_moment(&self, at: Timestamp, time_zone: &str) -> Result<JsString, JsValue> {
        let options = JSON::parse(MOMENT)?;
        Reflect::set(&options, &"timeZone".into(), &time_zone.into())?;
        DateTimeFormat::new(&self.locale, &options)?.format(at.millis() as f64)
    }

    /// How long ago a moment was: `5 minutes ago`, or `just now`.
    pub fn ago(&self, at: Timestamp) -> String {
        let passed = request::now().since(at).as_secs();
        match UNITS.iter().find(|(seconds, _)| passed >= *seconds) {
            None => self.common.just_now.clone(),
            Some((seconds, unit)) => self.relative(-((passed / seconds) as i64), unit),
        }
    }

    /// When a span will be over: `in 5 minutes`. Rounded up, so that nobody comes too early.
    pub fn within(&self, span: Duration) -> String {
        let seconds = (span.as_millis() as u64).div_ceil(1000).max(1);
        // An hour, but 90 minutes: in the largest unit in which nobody waits much longer than needed.
        let fits = UNITS.iter().find(|(length, _)| {
            let units = seconds.div_ceil(*length);
            units > 2 || (units * length - seconds) * 10 <= seconds
        });
        let (length, unit) = fits.copied().unwrap_or((1, "second"));
        self.relative(seconds.div_ceil(length) as i64, unit)
    }

    fn relative(&self, value: i64, unit: &str) -> String {
        let options = Object::new();
        let format = RelativeTimeFormat::new(&self.locale, &options);
        let text = format.and_then(|format| format.format(value as f64, unit));
        text.map_or_else(|_| format!("{value} {unit}"), Into::into)
    }

    /// A place as sessions have it, with the country's name: `Berlin, Germany` for `Berlin, DE`.
    pub fn place(&self, place: &str) -> String {
        match place.rsplit_once(", ") {
            Some((city, country)) => format!("{city}, {}", self.country(country)),
            None => self.country(place),
        }
    }

    /// The name of a country by its code of two letters, or else the text itself.
    pub fn country(&self, code: &str) -> String {
        let is_code = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        let name = match is_code {
            true => self.try_country(code).ok(),
            false => None,
        };
        name.map_or_else(|| code.to_owned(), Into::into)
    }

    fn try_country(&self, code: &str) -> Result<JsString, JsValue> {
        DisplayNames::new(&self.locale, &JSON::parse(r#"{"type":"region"}"#)?)?.of(code)
    }

    /// A number, with separators.
    pub fn number(&self, number: u64) -> String {
        let format = NumberFormat::new(&self.locale);
        let text = format.and_then(|format| format.format(number as f64));
        text.map_or_else(|_| number.to_string(), Into::into)
    }

    /// The text for this number. The caller fills the number in.
    pub fn plural<'a>(&self, texts: &'a Plural, number: u64) -> &'a str {
        let rules = PluralRules::new(&self.locale);
        let category = rules.and_then(|rules| rules.select(number as f64));
        texts.of(&category.map_or_else(|_| String::new(), String::from))
    }
}
