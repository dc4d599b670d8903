//! What a browser tells of a request, and by which page it was made.

use super::Head;

/// Could this request change something? A WebSocket upgrade is a GET, but opens a channel that
/// no preflight protects.
pub fn changes_state(head: &impl Head) -> bool {
    !matches!(head.method(), "GET" | "HEAD" | "OPTIONS") || head.header("upgrade").is_some()
}

/// Does the browser say that this site's own page, or the user, makes this request?
pub fn is_same_origin(head: &impl Head) -> bool {
    match head.header("sec-fetch-site") {
        Some(site) => matches!(site.as_str(), "same-origin" | "none"),
        None => head.header("origin").is_some_and(|origin| is_origin_of(&origin, head.url())),
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
