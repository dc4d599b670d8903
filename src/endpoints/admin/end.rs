//! Ends other users' sessions.

use auth::admin::{self, Permission};
use auth::body_format::BodyFormat;
use auth::refusal::Refusal;
use auth::session::{Sid, Subject};
use auth::store::SessionSelector;
use auth::user_index::{Cursor, IndexEntry, IndexQuery, IndexedUser};
use serde::Serialize;

use super::{Admin, is_admin, list};
use crate::app::App;
use crate::request;
use crate::services::{end_sessions, user_index};

/// The maximum of users whose sessions one call ends, and of sessions that it ends one by one. Each takes two or
/// three subrequests, and the free plan allows 50 per request.
const END_AT_ONCE: u32 = 15;

/// What a call has done.
#[derive(Serialize)]
pub struct Ended {
    /// How many sessions it has ended.
    pub ended: usize,
    /// Is nothing left to end?
    pub done: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<Cursor>,
}

/// Ends one session. Returns how many it has ended: none, if it had ended already.
pub async fn one(app: &App, admin: &Admin, user: &Subject, sid: Sid) -> Result<Ended, Refusal> {
    if admin.credential.require(Permission::End { of_admin: true }).is_err() {
        let of_admin = is_admin(&list(app, user).await?);
        admin.credential.require(Permission::End { of_admin })?;
    }
    let ended = end(app, user, SessionSelector::One(sid)).await?;
    Ok(Ended { ended, done: true, cursor: None })
}

/// Ends all sessions of a user, including the caller's own.
pub async fn all_of_user(app: &App, admin: Admin, user: &Subject) -> Result<Ended, Refusal> {
    let (admin, mut left) = (Admin { own_session: None, ..admin }, END_AT_ONCE);
    let (ended, done) = end_all(app, &admin, user, &mut left).await?;
    Ok(Ended { ended, done, cursor: None })
}

async fn end(app: &App, user: &Subject, which: SessionSelector) -> Result<usize, Refusal> {
    Ok(end_sessions::revoke(app, user, which).await?.len())
}

/// Ends a user's sessions. Returns how many, and whether none remain. A caller who may end admins' sessions ends all
/// in one step. Others end them one by one, at most `left`, because a session that is created meanwhile may be an
/// admin's.
async fn end_all(
    app: &App,
    admin: &Admin,
    user: &Subject,
    left: &mut u32,
) -> Result<(usize, bool), Refusal> {
    if admin.credential.require(Permission::End { of_admin: true }).is_ok() {
        let which = match &admin.own_session {
            Some((own, sid)) if own == user => SessionSelector::Others(sid.clone()),
            _ => SessionSelector::All,
        };
        return Ok((end(app, user, which).await?, true));
    }
    let live = list(app, user).await?;
    admin.credential.require(Permission::End { of_admin: is_admin(&live) })?;
    let (mut ended, finished) = (0, live.len() <= *left as usize);
    for session in live.into_iter().take(*left as usize) {
        ended += end(app, user, SessionSelector::One(session.sid)).await?;
        *left -= 1;
    }
    Ok((ended, finished))
}

/// Ends the sessions of all users, within the limits of one call and of the caller's permissions.
pub async fn all_users(app: &App, admin: &Admin, query: &str) -> Result<Ended, Refusal> {
    refuse_misread_path(app, query).await?;
    let (_, mut cursor) = admin::page(query, END_AT_ONCE)?;
    let page = user_index::page(app, cursor.clone(), END_AT_ONCE).await?;
    let mut done = page.len() < END_AT_ONCE as usize;
    let (mut left, mut total, mut removed) = (END_AT_ONCE, 0, Vec::new());
    for IndexedUser { user, sids } in &page {
        match end_all(app, admin, user, &mut left).await {
            Ok((ended, finished)) => {
                total += ended;
                if !finished {
                    done = false;
                    break;
                }
                let sids = sids.iter().filter(|sid| !admin.is_own(sid));
                removed.extend(sids.map(|sid| IndexEntry::new(user, sid)));
            }
            // The caller may not end this admin's sessions.
            Err(Refusal::AccessDenied { .. }) => {}
            Err(refusal) => return Err(refusal),
        }
        cursor = Cursor::at(user);
    }
    if !removed.is_empty() {
        user_index::update(
            app,
            IndexQuery::Record { begun: None, ended: removed, now: request::now() },
        );
    }
    let cursor = (!done).then_some(cursor);
    Ok(Ended { ended: total, done, cursor })
}

/// A client's URL parser normalizes `users/../sessions`, the sessions of a user called `..`, to `sessions`, those of
/// all users. While such a user has sessions, the query must say `everybody=true`.
async fn refuse_misread_path(app: &App, query: &str) -> Result<(), Refusal> {
    let is_confirmed =
        BodyFormat::Form.texts(query, &["everybody".into()]).iter().any(|it| it == "true");
    let Ok(dots) = Subject::try_from("..".to_owned()) else { return Ok(()) };
    match is_confirmed || list(app, &dots).await?.is_empty() {
        true => Ok(()),
        false => Err(Refusal::BadRequest(
            "A user is called `..`, whose path URL parsers turn into this one. If you mean \
             everybody, add `?everybody=true`.",
        )),
    }
}
