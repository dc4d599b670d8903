//! Finds a session in the store, without using it.

use std::rc::Rc;

use auth::session::{Session, Sid, Subject, judge_token};
use auth::store::{Command, CommandResult, StoreError};
use auth::token::AuthenticToken;

use crate::app::App;
use crate::{request, stores};

/// What the store knows of a session. Its idle deadline stays: to look is not to use.
pub async fn find(app: &App, user: &Subject, sid: &Sid) -> Result<Option<Rc<Session>>, StoreError> {
    let (sid, now) = (sid.clone(), request::now());
    let command = Command::Check { sid, jti: None, idle_timeout: None, now };
    match stores::apply(&*app.store, user, &command).await? {
        CommandResult::Found(found) => Ok(found),
        _ => Err(StoreError::other_answer()),
    }
}

/// Those of several sessions that are over, unless all are, or the store could not be asked.
pub async fn ended_sessions(app: &App, sessions: &[AuthenticToken]) -> Vec<Sid> {
    let mut over = Vec::new();
    for it in sessions {
        let Ok(found) = find(app, it.sub(), it.sid()).await else { return Vec::new() };
        if judge_token(found, [it.name()], request::now()).is_err() {
            over.push(it.sid().clone());
        }
    }
    // The newest one's end is what the client is told.
    if over.len() == sessions.len() {
        over.remove(0);
    }
    over
}
