//! The page after a logout. It never leads to a provider by itself, where the user may still be signed in.

use auth::http::{Head, Target};
use auth::words::SignedOut;
use web_sys::Response;

use super::message::{Link, Message};
use super::page::Page;
use crate::app::App;
use crate::request::RequestHead;
use crate::services::provider_logout::ONLY_HERE;

/// `GET logged-out`.
pub fn show(app: &App, head: &RequestHead) -> Response {
    let page = Page::new(app, head).with_secret_address();
    let words = page.words::<SignedOut>();
    let query = Target::of_url(head.url()).map_or("", |target| target.query());
    let text = if query == ONLY_HERE { &words.only_here } else { &words.logged_out };
    let again = Link::new(&page.common.sign_in_again, format!("{}/login", page.auth_path));
    let message = Message {
        page: &page,
        title: &words.title,
        text: text.clone(),
        code: None,
        form: None,
        links: vec![again],
    };
    message.respond(200, &[])
}
