//! `GET frontchannel-logout`: OpenID Connect Front-Channel Logout 1.0. The provider's page opens it in a frame, where
//! browsers send no cookie of this site; the session is found by the provider's name for it, which only the two know.

use auth::http::{Head, Target};
use auth::id_token::IssuerSession;
use auth::refusal::Refusal;
use auth::sign_in::FrontchannelLogout;
use web_sys::Response;

use crate::app::App;
use crate::request::{self, RequestHead};
use crate::response::{self, NO_STORE};
use crate::services::issuer_logout;

const QUERY: Refusal = Refusal::BadRequest("Send one `iss` and one `sid` in the query.");

const ISS: Refusal = Refusal::BadRequest("`iss` names no provider that logs out this way.");

/// `GET frontchannel-logout`: ends the sessions that a login of the provider's session began.
pub async fn log_out(app: &App, head: &RequestHead) -> Response {
    match try_log_out(app, head).await {
        Ok(()) => response::response(200, PAGE, &HEADERS),
        Err(refusal) => response::refusal(&refusal),
    }
}

const PAGE: &str = "<!doctype html><title>Signed out</title>";

/// Those of a page that may be in a frame of any site.
const HEADERS: [(&str, &str); 4] = [
    ("content-type", "text/html; charset=utf-8"),
    ("content-security-policy", "default-src 'none'; base-uri 'none'"),
    ("x-content-type-options", "nosniff"),
    NO_STORE,
];

async fn try_log_out(app: &App, head: &RequestHead) -> Result<(), Refusal> {
    let query = Target::of_url(head.url()).map_or("", |target| target.query());
    let mut may = app.guard.sign_in_providers().filter(|(_, it)| it.frontchannel_logout);
    let first = may.next().ok_or(Refusal::NotFound)?;
    let FrontchannelLogout { iss, sid } = FrontchannelLogout::read(query).ok_or(QUERY)?;
    let mut may = std::iter::once(first).chain(may).map(|(issuer, _)| issuer);
    let issuer = may.find(|issuer| issuer.trusted.issuer == iss).ok_or(ISS)?;
    // Who does not know a session writes nothing.
    let Some(user) = issuer_logout::user_of_session(app, &iss, &sid).await? else { return Ok(()) };
    let name = IssuerSession::sid_end_note(&iss, &sid);
    let recorded = issuer_logout::record(app, issuer, &name, request::now()).await;
    issuer_logout::end(app, issuer, &user, Some(&sid)).await?;
    recorded
}
