//! What a browser tells of a request, and by which page it was made.

use crate::http::{Head, is_token};

/// Could this request change something? A WebSocket upgrade is a GET, but opens a channel that
/// no preflight protects.
pub fn changes_state(head: &impl Head) -> bool {
    !matches!(head.method(), "GET" | "HEAD" | "OPTIONS") || head.header("upgrade").is_some()
}

/// Does the browser say that this site's own page, or the user, makes this request? `same-origin`
/// decides alone. An `Origin` that is not this site's refuses whatever else is said, because
/// `none` also comes from what only acts for the user, like an extension.
pub fn is_same_origin(head: &impl Head) -> bool {
    let site = head.header("sec-fetch-site");
    if site.as_deref() == Some("same-origin") {
        return true;
    }
    match (site.as_deref(), head.header("origin")) {
        (None | Some("none"), Some(origin)) => is_origin_of(&origin, head.url()),
        (site, None) => site == Some("none"),
        (Some(_), Some(_)) => false,
    }
}

fn is_origin_of(origin: &str, url: &str) -> bool {
    url.strip_prefix(origin).is_some_and(|rest| rest.starts_with('/')) && origin.contains("://")
}

/// Is a person opening a page, rather than a script asking for something?
pub fn is_navigation(head: &impl Head) -> bool {
    match head.header("sec-fetch-mode") {
        Some(mode) => mode == "navigate",
        None => head.header("accept").is_some_and(|accept| accept.contains("text/html")),
    }
}

/// Does a person look at what comes back, in a window of its own? A browser that does not say is taken to.
pub fn shows_page(head: &impl Head) -> bool {
    let has_window = head.header("sec-fetch-dest").is_none_or(|it| it == "document");
    matches!(head.method(), "GET" | "HEAD" | "POST") && is_navigation(head) && has_window
}

/// The method that a CORS preflight asks about (Fetch, "CORS-preflight fetch"); `None` if this is
/// none. A browser's has no body, nor any header that speaks of one, and upgrades nothing. So what
/// does is something else.
pub fn asked_by_preflight(head: &impl Head) -> Option<String> {
    if head.method() != "OPTIONS" || head.header("origin").is_none_or(|it| it.is_empty()) {
        return None;
    }
    // A length of 0 comes with a body of nothing.
    let has_body = head.header("content-length").map_or_else(|| head.has_body(), |it| it != "0")
        || BODY.iter().any(|name| head.header(name).is_some());
    let asked = head.header("access-control-request-method")?;
    (!has_body && head.header("upgrade").is_none() && is_token(&asked)).then(|| asked.into_owned())
}

/// What only a request with a body, or one that announces it, has.
const BODY: [&str; 3] = ["transfer-encoding", "trailer", "expect"];
