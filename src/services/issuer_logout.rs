//! A logout at a provider, whether a logout token tells of it or a frame: it ends what the provider's session began here,
//! and keeps out what has not been seen of it yet.

use auth::id_token::{IssuerSession, MAX_AGE};
use auth::issuer::Issuer;
use auth::refusal::Refusal;
use auth::session::Subject;
use auth::store::{EntryName, SessionSelector, StoreError};
use auth::time::Timestamp;

use crate::app::App;
use crate::request;
use crate::services::end_sessions;

/// The user of the issuer's session, if a login or a request here came from it.
///
/// # Errors
/// The store does not say.
pub async fn user_of_session(
    app: &App,
    issuer: &str,
    sid: &str,
) -> Result<Option<Subject>, Refusal> {
    let user = app.store.get_entry(&IssuerSession::user_note(issuer, sid)).await;
    // An entry that cannot be read does not mean that nobody has logged in.
    let unreadable = |why: &str| Refusal::StoreUnavailable(StoreError::Unreadable(why.into()));
    let user = user.map_err(Refusal::StoreUnavailable)?;
    user.map(Subject::try_from).transpose().map_err(unreadable)
}

/// Records a logout for as long as a login may miss it: for logins by ID token, which are short, or for access tokens,
/// whose session may be seen for the first time much later. It is to be called before [`end`]: see
/// `federated_login::end_if_logged_out`.
///
/// # Errors
/// The store is full, or does not answer.
pub async fn record(
    app: &App,
    issuer: &Issuer,
    name: &EntryName,
    at: Timestamp,
) -> Result<(), Refusal> {
    let now = request::now();
    let until = now.plus(MAX_AGE).max(issuer.trusted.last_first_sight(now).unwrap_or(now));
    let recorded = app.store.put_entry(name, &at.millis().to_string(), until).await;
    recorded.map_err(Refusal::StoreUnavailable)
}

/// Ends the user's sessions that the issuer's session began; without `sid`, all that the issuer began.
///
/// # Errors
/// The store does not answer.
pub async fn end(
    app: &App,
    issuer: &Issuer,
    user: &Subject,
    sid: Option<&str>,
) -> Result<(), Refusal> {
    let trusted = &issuer.trusted;
    let sid = sid.filter(|_| trusted.names_sessions_at_logout());
    let unseen = sid.and_then(|sid| trusted.unseen_session(user, sid, request::now()));
    let (issuer, sid) = (trusted.issuer.clone(), sid.map(str::to_owned));
    let which = SessionSelector::IssuerSession { issuer, sid };
    end_sessions::revoke_or_deny(app, user, which, unseen).await.map(drop)
}
