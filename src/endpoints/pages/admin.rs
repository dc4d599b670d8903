//! The pages of the admin console.

mod end_many;
mod user;
mod users;

use std::rc::Rc;

use auth::admin::readable;
use auth::session::Subject;
use auth::words::{Admin, Devices, Plural, fill};

use super::page::Page;

pub use end_many::{end_many, end_many_form};
pub use user::{User, user};
pub use users::{UserList, users};

/// The longest name that a list shows, in characters.
const MAX_NAME: usize = 100;

/// The path of a user's page.
pub fn href(auth_path: &str, user: &Subject) -> String {
    format!("{auth_path}{}", auth::admin::user_page(user))
}

/// A name as a list shows it.
pub fn short(name: &str) -> String {
    match name.char_indices().nth(MAX_NAME) {
        Some((end, _)) => format!("{}…", readable(&name[..end])),
        None => readable(name),
    }
}

/// What the pages are written with.
struct Writer<'a> {
    page: &'a Page<'a>,
    words: Rc<Admin>,
    devices: Rc<Devices>,
}

impl<'a> Writer<'a> {
    fn new(page: &'a Page<'a>) -> Self {
        Self { page, words: page.words(), devices: page.words() }
    }

    /// A text that says how many.
    fn count(&self, texts: &Plural, number: u64) -> String {
        let format = &self.page.format;
        fill(format.plural(texts, number), &[("n", &format.number(number))])
    }

    /// A text that says how many users have how many sessions.
    fn counts(&self, text: &str, users: u64, sessions: u64) -> String {
        let users = self.count(&self.words.users, users);
        fill(text, &[("users", &users), ("sessions", &self.count(&self.words.sessions, sessions))])
    }
}
