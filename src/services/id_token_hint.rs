//! The ID tokens of sessions that began at a provider, kept as hints for a logout there (OpenID Connect RP-Initiated
//! Logout 1.0, section 2). They are in entries of their own, so that no session check carries them.

use auth::secret::Secret;
use auth::session::{Session, Sid, Subject};
use auth::store::EntryName;

use crate::app::App;

fn name(user: &Subject, sid: &Sid) -> EntryName {
    EntryName::new("ID token hint", &[user.as_str(), sid.as_str()])
}

/// Keeps it as long as the session may live. If that fails, a logout at the provider asks the user first.
pub async fn keep(app: &App, user: &Subject, session: &Session, id_token: &Secret) {
    let _ =
        app.store.put_entry(&name(user, &session.sid), id_token.expose(), session.expires).await;
}

/// The ID token of a session, if it is known.
pub async fn find(app: &App, user: &Subject, sid: &Sid) -> Option<String> {
    app.store.get_entry(&name(user, sid)).await.ok().flatten()
}
