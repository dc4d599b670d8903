//! `POST admin/sessions/end`: ends sessions by what they have in common, or says which it would end.

use auth::admin::{EndMany, Permission};
use auth::body_format::BodyFormat;
use auth::http::Head;
use auth::refusal::Refusal;
use auth::session::Subject;
use auth::store::{SessionCriteria, SessionSelector};
use auth::user_index::Cursor;
use serde_json::{Value, json};
use web_sys::{Request, Response};

use super::{Admin, is_admin, list};
use crate::app::App;
use crate::request::{self, RequestHead};
use crate::response;
use crate::services::{end_sessions, session_data, user_index};

/// How many subrequests a call may take: the free plan allows 50.
const SUBREQUESTS: usize = 50;

/// How many one user takes at most: the list, the end, the index and the listeners. The webhook comes on top, one for
/// each session.
const PER_USER: usize = 4;

/// What a call has done for some users, or would do.
#[derive(Default)]
pub struct Outcome {
    /// How many sessions have ended, or would.
    pub sessions: usize,
    /// Whose these are, with their `sid`s.
    pub users: Vec<(Subject, Vec<String>)>,
    /// How many users were left alone, because the caller may not end the sessions of admins.
    pub spared: usize,
    /// Where the next call goes on; `None` if nobody is left.
    pub cursor: Option<Cursor>,
}

/// Answers the call, for some users.
pub async fn end_many(
    app: &App,
    request: &Request,
    head: &RequestHead,
    admin: &Admin,
) -> Result<Response, Refusal> {
    // A form could be sent by another site.
    if BodyFormat::of(head.header("content-type").as_deref()) != Some(BodyFormat::Json) {
        return Err(Refusal::BadRequest("Send what is to end as `application/json`."));
    }
    let body = session_data::read_body(request).await?;
    let asked = EndMany::parse(&body, request::now())?;
    let outcome = run(app, admin, &asked).await?;
    Ok(answer(&asked, &outcome))
}

/// Ends what is meant of the sessions of some users, or only says it, as far as one call goes.
pub async fn run(app: &App, admin: &Admin, asked: &EndMany) -> Result<Outcome, Refusal> {
    admin.credential.require(match asked.dry_run {
        true => Permission::See,
        false => Permission::End { of_admin: false },
    })?;
    let users = match asked.next_users() {
        Some(users) => users,
        None => {
            let page = user_index::page(app, asked.cursor.clone(), asked.limit).await?;
            page.into_iter().map(|indexed| indexed.user).collect()
        }
    };
    let (mut outcome, mut looked_at, mut spent) = (Outcome::default(), 0, PER_USER);
    for user in &users {
        if spent + PER_USER > SUBREQUESTS {
            break;
        }
        match end_of_user(app, admin, asked, user).await {
            Ok(sids) => {
                let is_cheap = asked.dry_run || sids.is_empty();
                let hooks = app.guard.settings().webhook.as_ref().map_or(0, |_| sids.len());
                spent += if is_cheap { 2 } else { PER_USER + hooks };
                outcome.sessions += sids.len();
                if !sids.is_empty() {
                    outcome.users.push((user.clone(), sids));
                }
            }
            // The caller may not end this admin's sessions.
            Err(Refusal::AccessDenied { .. }) => {
                outcome.spared += 1;
                spent += 1;
            }
            Err(refusal) => return Err(refusal),
        }
        looked_at += 1;
    }
    let done = looked_at == users.len() && users.len() < asked.limit as usize;
    outcome.cursor = users[..looked_at].last().filter(|_| !done).map(Cursor::at);
    Ok(outcome)
}

/// The answer, with the cursor of the next page, if there may be one.
fn answer(asked: &EndMany, outcome: &Outcome) -> Response {
    let Outcome { sessions, users, spared, cursor } = outcome;
    let done = cursor.is_none();
    let mut body = match asked.dry_run {
        true => {
            let told =
                users.iter().map(|(user, sids)| json!({ "sub": user.as_str(), "sids": sids }));
            let told: Vec<Value> = told.collect();
            json!({ "would_end": sessions, "users": told, "spared": spared, "done": done })
        }
        false => json!({ "ended": sessions, "spared": spared, "done": done }),
    };
    if let (Value::Object(members), Some(cursor)) = (&mut body, cursor) {
        members.insert("cursor".into(), cursor.as_str().into());
    }
    response::json(200, &body, &[])
}

/// Ends what is meant of one user's sessions in one step, in which the store judges each anew. A session that begins
/// meanwhile may be an admin's, so without the right to end these, only those end that were there before.
async fn end_of_user(
    app: &App,
    admin: &Admin,
    asked: &EndMany,
    user: &Subject,
) -> Result<Vec<String>, Refusal> {
    let own = admin.own_session.as_ref().filter(|(sub, _)| sub == user).map(|(_, sid)| sid.clone());
    let may_end_admins = admin.credential.require(Permission::End { of_admin: true }).is_ok();
    let which = match (&asked.criteria, own) {
        (None, None) if may_end_admins && !asked.dry_run => SessionSelector::All,
        (None, Some(own)) if may_end_admins && !asked.dry_run => SessionSelector::Others(own),
        (criteria, own) => {
            let except = own.map(String::from);
            let mut criteria = SessionCriteria { except, ..criteria.clone().unwrap_or_default() };
            if !may_end_admins || asked.dry_run {
                let live = list(app, user).await?;
                admin.credential.require(Permission::End { of_admin: is_admin(&live) })?;
                let meant = live.iter().filter(|session| criteria.include(session));
                criteria.sids = meant.map(|session| session.sid.to_string()).collect();
                if asked.dry_run || criteria.sids.is_empty() {
                    return Ok(criteria.sids);
                }
            }
            SessionSelector::Matching(Box::new(criteria))
        }
    };
    let ended = end_sessions::revoke(app, user, which).await?;
    Ok(ended.into_iter().map(|session| session.sid.into()).collect())
}
