//! A page that says one thing, with ways on; and what all pages have in common.

use askama::Template;
use auth::refusal::Refusal;
use auth::session::Session;
use auth::time::ago;
use web_sys::Response;

use crate::request;
use crate::response::{self, NO_STORE};

/// A live session that the user may end.
pub struct Choice {
    /// Its id.
    pub sid: String,
    /// What the user knows it by.
    pub text: String,
}

impl Choice {
    /// As its device, place and last use tell.
    pub fn of(session: &Session) -> Self {
        let device = session.device.to_string();
        let (first, rest) = device.split_at(1);
        let place = session.place.as_ref().map_or(String::new(), |place| format!(" in {place}"));
        let seen = ago(request::now().since(session.seen));
        let text = format!("{}{rest}{place}, last used {seen}", first.to_ascii_uppercase());
        Self { sid: session.sid.to_string(), text }
    }
}

/// The headers of every page. It loads only the style sheet, and cannot be framed. There is no `form-action`,
/// because browsers apply it to redirects too, and the application may redirect to another site after the login. The
/// referrer policy is `same-origin`, because with `no-referrer` browsers send the form with `Origin: null`.
pub const HEADERS: [(&str, &str); 5] = [
    ("content-type", "text/html; charset=utf-8"),
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    NO_STORE,
];

/// What the page says.
#[derive(Template)]
#[template(path = "message.html")]
pub struct Message<'a> {
    /// `AUTH_PATH`.
    pub auth_path: &'a str,
    /// What happened, in a few words.
    pub title: &'a str,
    /// What it means, and what to do.
    pub text: String,
    /// The code of a failure, for whoever is asked for help.
    pub code: Option<&'a str>,
    /// Which sessions to end, if that is the way on.
    pub form: Option<EndForm<'a>>,
    /// The ways on, the best one first.
    pub links: Vec<Link>,
}

/// A form to choose sessions that end.
pub struct EndForm<'a> {
    /// Where it is sent.
    pub action: String,
    /// The user's live sessions.
    pub choices: Vec<Choice>,
    /// Where to go afterwards.
    pub redirect: &'a str,
    /// Whether the user wishes to stay signed in.
    pub remember: bool,
}

/// A way on.
pub struct Link {
    /// Its words.
    pub text: String,
    /// Where it leads.
    pub href: String,
}

impl Link {
    /// A way on.
    pub fn new(text: impl Into<String>, href: impl Into<String>) -> Self {
        Self { text: text.into(), href: href.into() }
    }
}

impl Message<'_> {
    /// The page, with further headers.
    pub fn page(&self, status: u16, headers: &[(&str, &str)]) -> Response {
        match self.render() {
            Ok(html) => {
                // The address of such a page may hold a code, which is not for the application's log (RFC 9700, section
                // 4.2.4).
                let own = HEADERS.map(|(name, value)| match name {
                    "referrer-policy" => (name, "strict-origin"),
                    _ => (name, value),
                });
                response::response(status, &html, &[&own[..], headers].concat())
            }
            Err(error) => response::refusal(&Refusal::Failed(error.to_string())),
        }
    }
}
