//! The ID tokens of sessions that began at a provider, kept as hints for a logout there (OpenID Connect RP-Initiated
//! Logout 1.0, section 2). They are in entries of their own, so that no session check carries them, and sealed, because
//! they are tokens.

use auth::secret::Secret;
use auth::session::{Session, Sid, Subject};
use auth::sign_in::MAX_ID_TOKEN_HINT;
use auth::store::EntryName;

use crate::app::App;
use crate::request;

fn name(user: &Subject, sid: &Sid) -> EntryName {
    EntryName::new("ID token hint", &[user.as_str(), sid.as_str()])
}

/// What a sealed ID token is bound to: that of another session does not open.
fn context(name: &EntryName) -> String {
    format!("ID token hint {}", name.as_str())
}

/// Keeps it as long as the session may live, unless it is too long to be of use. Without it, a logout at the provider
/// asks the user first.
pub async fn keep(app: &App, user: &Subject, session: &Session, id_token: &Secret) {
    let name = name(user, &session.sid);
    let Ok(nonce) = request::random() else { return };
    let id_token = id_token.expose();
    let keys = app.guard.tokens().keys();
    if id_token.len() <= MAX_ID_TOKEN_HINT
        && let Some(sealed) = keys.seal(id_token, &context(&name), nonce)
    {
        let _ = app.store.put_entry(&name, &sealed, session.expires).await;
    }
}

/// Takes the ID token of a session out of the store, if it is known: a session logs out once.
pub async fn take(app: &App, user: &Subject, sid: &Sid) -> Option<String> {
    let name = name(user, sid);
    let sealed = app.store.get_entry(&name).await.ok().flatten()?;
    // If that fails, it stays until the session would have expired.
    let _ = app.store.delete_entry_if_equal(&name, &sealed).await;
    app.guard.tokens().keys().open(&sealed, &context(&name))
}
