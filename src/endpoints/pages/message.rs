//! A page that says one thing, with ways on.

use askama::Template;
use web_sys::Response;

use super::choice::Choice;
use super::page::Page;

/// What the page says.
#[derive(Template)]
#[template(path = "message.html")]
pub struct Message<'a> {
    /// What all pages have.
    pub page: &'a Page<'a>,
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
    pub fn respond(&self, status: u16, headers: &[(&str, &str)]) -> Response {
        self.page.respond(status, self, headers)
    }
}
