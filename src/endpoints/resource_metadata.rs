//! OAuth 2.0 Protected Resource Metadata: see [`auth::resource_metadata`].

use auth::resource_metadata::PREFLIGHT;
use web_sys::Response;

use crate::app::App;
use crate::request::RequestHead;
use crate::response;

/// `GET /.well-known/oauth-protected-resource`: the metadata of the site, or of a path (RFC 9728, section 3.2). Public,
/// so scripts of every origin may read them.
pub fn show(app: &App, head: &RequestHead) -> Response {
    let headers = [
        ("content-type", "application/json"),
        ("cache-control", "public, max-age=300"),
        ("x-content-type-options", "nosniff"),
        ("access-control-allow-origin", "*"),
    ];
    match app.guard.resource_metadata(head) {
        Some(metadata) => response::response(200, &metadata, &headers),
        None => response::response(204, "", &PREFLIGHT),
    }
}
