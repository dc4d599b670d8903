//! The public keys, for services that verify the guard's tokens.

use web_sys::Response;

use crate::app::App;
use crate::response;

/// `GET /.well-known/jwks.json`: a JWK Set (RFC 7517, section 5). Verifiers may cache it for five minutes, so a new
/// key should be published that long before it signs.
pub fn show(app: &App) -> Response {
    let headers = [
        ("content-type", "application/jwk-set+json"),
        ("cache-control", "public, max-age=300"),
        ("access-control-allow-origin", "*"),
    ];
    response::response(200, &app.guard.tokens().keys().public().to_string(), &headers)
}
