//! The guard's own pages, their style sheet and script, and the script for the site's pages.

pub mod admin;
mod choice;
mod format;
pub mod logged_out;
pub mod login;
mod login_error;
mod message;
pub mod page;
pub mod refused;
mod session_text;
pub mod sessions;
pub mod sign_in_failed;
pub mod style;

use auth::http::Head;
use web_sys::Response;

use crate::request::RequestHead;
use crate::response;

/// `GET client.js`: the script that turns messages of `GET events` into an event of the page.
pub fn client(head: &RequestHead) -> Response {
    asset(head, JAVA_SCRIPT, CLIENT, CLIENT_TAG)
}

/// `GET pages.js`: the script that keeps a page of the guard's own up to date.
pub fn script(head: &RequestHead) -> Response {
    asset(head, JAVA_SCRIPT, SCRIPT, SCRIPT_TAG)
}

/// A text that all browsers get, with its tag: a browser that has it already is told so.
fn asset(head: &RequestHead, content_type: &str, text: &str, tag: u64) -> Response {
    let tag = format!("\"{tag:x}\"");
    let headers = [
        ("content-type", content_type),
        ("cache-control", "public, max-age=3600"),
        ("etag", &tag),
        ("x-content-type-options", "nosniff"),
    ];
    match head.header("if-none-match").is_some_and(|known| known.contains(&tag)) {
        true => response::response(304, "", &headers),
        false => response::response(200, text, &headers),
    }
}

const JAVA_SCRIPT: &str = "text/javascript; charset=utf-8";
const CLIENT: &str = include_str!("pages/client.js");
const CLIENT_TAG: u64 = style::fnv(style::START, CLIENT.as_bytes());
const SCRIPT: &str = include_str!("pages/pages.js");
const SCRIPT_TAG: u64 = style::fnv(style::START, SCRIPT.as_bytes());
