//! The page after a logout. It never leads to a provider by itself, where the user may still be signed in.

use auth::http::{Head, Target};
use web_sys::Response;

use super::message::{Link, Message};
use crate::app::App;
use crate::request::RequestHead;
use crate::services::provider_logout::ONLY_HERE;

/// `GET logged-out`.
pub fn show(app: &App, head: &RequestHead) -> Response {
    let auth_path = &app.guard.settings().auth_path;
    let query = Target::of_url(head.url()).map_or("", |target| target.query());
    let text = match query == ONLY_HERE {
        true => {
            "You have signed out here. You may still be signed in at the service where you signed in."
        }
        false => "You have signed out.",
    };
    let message = Message {
        auth_path,
        title: "Signed out",
        text: text.into(),
        code: None,
        form: None,
        links: vec![Link::new("Sign in again", format!("{auth_path}/login"))],
    };
    message.page(200, &[])
}
