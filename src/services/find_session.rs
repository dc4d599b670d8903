//! Finds a session in the store without extending its idle timeout.

use std::rc::Rc;

use auth::session::{Session, Sid, Subject, judge_token};
use auth::store::{Command, CommandResult, StoreError};
use auth::token::AuthenticToken;

use crate::app::App;
use crate::{request, stores};

/// The store's record of a session; `None` if there is none. The idle deadline does not change.
pub async fn find(app: &App, user: &Subject, sid: &Sid) -> Result<Option<Rc<Session>>, StoreError> {
    let (sid, now) = (sid.clone(), request::now());
    let command = Command::Check { sid, jti: None, idle_timeout: None, is_use: false, now };
    match stores::apply(&*app.store, user, &command).await? {
        CommandResult::Found(found) => Ok(found),
        _ => Err(StoreError::other_answer()),
    }
}

/// The ended sessions among these, without the newest if all have ended. Empty if the store is unreachable.
pub async fn ended_sessions(app: &App, sessions: &[AuthenticToken]) -> Vec<Sid> {
    let mut over = Vec::new();
    for it in sessions {
        let Ok(found) = find(app, it.sub(), it.sid()).await else { return Vec::new() };
        // A provider's session that is not known may begin yet.
        let may_begin = found.is_none() && it.provider().is_some();
        if !may_begin && judge_token(found, [it.name()], request::now()).is_err() {
            over.push(it.sid().clone());
        }
    }
    // The newest session's end becomes the client's refusal.
    if over.len() == sessions.len() {
        over.remove(0);
    }
    over
}
