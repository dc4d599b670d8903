//! What all pages have in common: language, words, looks and headers.

use std::rc::Rc;

use askama::Template;
use auth::http::Head;
use auth::page_settings::PageSettings;
use auth::refusal::Refusal;
use auth::session::Sid;
use auth::words::{self, Common, Language, Section, WordCache};
use web_sys::Response;

use super::format::Format;
use super::style;
use crate::app::App;
use crate::request::{self, RequestHead};
use crate::response::{self, NO_STORE};

/// A page that is being made for a request. Its template extends `layout.html`, has it as `page`, and fills in the
/// blocks `title` and `main`.
pub struct Page<'a> {
    /// `AUTH_PATH`.
    pub auth_path: &'a str,
    /// How it looks.
    pub settings: &'a PageSettings,
    /// The words that all pages share.
    pub common: Rc<Common>,
    /// How times and places are written.
    pub format: Format,
    /// The host of the site.
    pub host: String,
    language: &'a Language,
    cache: &'a WordCache,
    runs_script: bool,
    /// Says that a style in the page is the guard's, if there is one.
    style_nonce: Option<String>,
    referrer_policy: &'static str,
}

/// A link at the foot of the page.
pub struct FootLink<'a> {
    /// Its words.
    pub text: &'a str,
    /// Where it leads.
    pub href: &'a str,
}

impl<'a> Page<'a> {
    /// A page in the language that the browser asks for.
    pub fn new(app: &'a App, head: &RequestHead) -> Self {
        let settings = app.guard.settings();
        Self::of(&settings.pages, &settings.auth_path, &app.words, head)
    }

    /// The same, where there is no [`App`].
    pub fn of(
        settings: &'a PageSettings,
        auth_path: &'a str,
        cache: &'a WordCache,
        head: &RequestHead,
    ) -> Self {
        let accept = head.header("accept-language").unwrap_or_default();
        let chosen = words::choose(&accept, &settings.languages);
        let language = &settings.languages[chosen.index];
        let common: Rc<Common> = cache.section(language);
        let format = Format::new(chosen.locale, request::time_zone(head), common.clone());
        Self {
            auth_path,
            settings,
            common,
            format,
            host: request::host(head),
            language,
            cache,
            runs_script: false,
            style_nonce: None,
            // With `no-referrer`, browsers send forms with `Origin: null`.
            referrer_policy: "same-origin",
        }
    }

    /// It has the guard's script, which asks the guard again.
    #[must_use]
    pub fn with_script(self) -> Self {
        Self { runs_script: true, ..self }
    }

    /// Its style comes with it, because the style sheet cannot be asked for.
    #[must_use]
    pub fn with_own_style(self) -> Self {
        let nonce = request::random().map(|bytes| Sid::from_random(bytes).to_string());
        Self { style_nonce: nonce.ok(), ..self }
    }

    /// Its address may hold a code, which is not for the application's log (RFC 9700, section 4.2.4).
    #[must_use]
    pub fn with_secret_address(self) -> Self {
        Self { referrer_policy: "strict-origin", ..self }
    }

    /// The words of a section, in the page's language.
    pub fn words<T: Section>(&self) -> Rc<T> {
        self.cache.section(self.language)
    }

    /// The language, as in `lang`.
    pub fn lang(&self) -> &str {
        &self.language.tag
    }

    /// `ltr` or `rtl`.
    pub fn dir(&self) -> &'static str {
        if self.language.is_rtl { "rtl" } else { "ltr" }
    }

    /// Has it a header?
    pub fn has_header(&self) -> bool {
        self.settings.title.is_some() || self.settings.logo.is_some()
    }

    /// The links at its foot.
    pub fn foot_links(&self) -> Vec<FootLink<'a>> {
        let of = |link: &'a auth::page_settings::Link| FootLink {
            text: link.text.of(self.language),
            href: &link.href,
        };
        self.settings.links.iter().map(of).collect()
    }

    /// What stands before and after the code that is of use to whoever runs the site.
    pub fn tell_operator(&self) -> (&str, &str) {
        self.common.tell_operator.split_once("{code}").unwrap_or((&self.common.tell_operator, ""))
    }

    /// The address of the style sheet, which changes with its content.
    pub fn style_href(&self) -> String {
        format!("{}/style.css?{:x}", self.auth_path, style::tag(self.settings))
    }

    /// What names the style in the page (CSP Level 3, section 2.3.1), if there is one.
    pub fn style_nonce(&self) -> Option<&str> {
        self.style_nonce.as_deref()
    }

    /// The style in the page.
    pub fn style(&self) -> String {
        style::text(self.settings)
    }

    /// The response with this page.
    pub fn respond(
        &self,
        status: u16,
        template: &impl Template,
        headers: &[(&str, &str)],
    ) -> Response {
        let html = match template.render() {
            Ok(html) => html,
            Err(error) => return response::refusal(&Refusal::Failed(error.to_string())),
        };
        let policy = self.policy();
        let own = [
            ("content-type", "text/html; charset=utf-8"),
            ("content-language", self.lang()),
            ("vary", "Accept-Language"),
            ("content-security-policy", &policy),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", self.referrer_policy),
            NO_STORE,
        ];
        response::response(status, &html, &[&own[..], headers].concat())
    }

    /// What the page may load, and that nothing may frame it. There is no `form-action`, because browsers apply it to
    /// redirects too, and the application may redirect to another site after the login.
    fn policy(&self) -> String {
        let script = match self.runs_script {
            true => "; script-src 'self'; connect-src 'self'",
            false => "",
        };
        let logo = self.settings.logo.as_ref();
        let images = logo.map_or(String::new(), |logo| format!("; img-src {}", logo.source));
        let style = self.style_nonce.as_ref();
        let style = style.map_or("'self'".into(), |nonce| format!("'nonce-{nonce}'"));
        format!(
            "default-src 'none'; style-src {style}{images}{script}; base-uri 'none'; frame-ancestors 'none'"
        )
    }
}
