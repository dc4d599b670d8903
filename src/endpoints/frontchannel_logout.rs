//! `GET frontchannel-logout`: OpenID Connect Front-Channel Logout 1.0. The provider's page opens it in a frame, where
//! browsers send no cookie of this site; the session is found by the provider's name for it, which only the two know.

use auth::http::{Head, Target};
use auth::id_token::{IssuerSession, MAX_AGE};
use auth::refusal::Refusal;
use auth::session::Subject;
use auth::sign_in::FrontchannelLogout;
use auth::store::{SessionSelector, StoreError};
use web_sys::Response;

use crate::app::App;
use crate::request::{self, RequestHead};
use crate::response::{self, NO_STORE};
use crate::services::end_sessions;

const QUERY: Refusal = Refusal::BadRequest("Send one `iss` and one `sid` in the query.");

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
    if !std::iter::once(first).chain(may).any(|(issuer, _)| issuer.trusted.issuer == iss) {
        return Err(Refusal::BadRequest("`iss` names no provider that logs out this way."));
    }
    let user = app.store.get_entry(&IssuerSession::user_note(&iss, &sid)).await;
    // Who does not know a session writes nothing.
    let Some(user) = user.map_err(Refusal::StoreUnavailable)? else { return Ok(()) };
    let unreadable = |why: &str| Refusal::StoreUnavailable(StoreError::Unreadable(why.into()));
    let user = Subject::try_from(user).map_err(unreadable)?;
    // First, because a login may be under way: see `federated_login::end_if_logged_out`.
    let (note, now) = (IssuerSession::sid_end_note(&iss, &sid), request::now());
    let recorded = app.store.put_entry(&note, &now.millis().to_string(), now.plus(MAX_AGE)).await;
    let which = SessionSelector::IssuerSession { issuer: iss, sid: Some(sid) };
    end_sessions::revoke(app, &user, which).await?;
    recorded.map_err(Refusal::StoreUnavailable)
}
