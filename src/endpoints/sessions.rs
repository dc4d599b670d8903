//! `GET sessions`, `POST sessions` and `DELETE sessions/{sid}`: the caller's live sessions.

use auth::decision::Principal;
use auth::form_proof::{Form, check_form_proof};
use auth::http::{Head, Target};
use auth::own_sessions::{EndOwnForm, OwnSessions};
use auth::redirect::LocalTarget;
use auth::refusal::Refusal;
use auth::session::{Session, Sid};
use auth::store::{Command, CommandResult, SessionSelector, StoreError};
use serde_json::json;
use web_sys::{Request, Response};

use crate::app::App;
use crate::endpoints::{FORM, pages};
use crate::request::{self, RequestHead};
use crate::services::session_view::SessionView;
use crate::services::{current_session, end_sessions};
use crate::{response, stores};

/// `GET sessions`: the caller's live sessions, oldest first; for a browser's page, also those that ended lately.
pub async fn list(app: &App, head: &RequestHead) -> Response {
    if wants_page(head) {
        return show_page(app, head).await;
    }
    match try_list(app, head).await {
        Ok(sessions) => response::json(200, &json!({ "sessions": sessions }), &[]),
        Err(refusal) => response::refusal(&refusal),
    }
}

/// Does a browser open it, or the script of a page that is open?
fn wants_page(head: &RequestHead) -> bool {
    head.header("accept").is_some_and(|accept| accept.contains("text/html"))
}

async fn show_page(app: &App, head: &RequestHead) -> Response {
    match try_list_all(app, head).await {
        Ok((principal, live, ended)) => pages::sessions::show(app, head, &principal, live, ended),
        Err(refusal) => pages::refused::respond_of_own_page(app, head, refusal),
    }
}

async fn try_list(app: &App, head: &RequestHead) -> Result<Vec<SessionView>, Refusal> {
    let (principal, _) = current_session::current(app, head).await?;
    let command = Command::List { now: request::now() };
    match stores::apply(&*app.store, principal.user(), &command).await {
        Ok(CommandResult::Listed(sessions)) => {
            require_own(app, head, &principal, &sessions).await?;
            let is_current = |it: &Session| it.sid == *principal.sid();
            let view = |it| SessionView::public(it).with_current(is_current(it));
            Ok(sessions.iter().map(view).collect())
        }
        Ok(_) => Err(Refusal::StoreUnavailable(StoreError::other_answer())),
        Err(error) => Err(Refusal::StoreUnavailable(error)),
    }
}

/// Who asks, the live sessions, and those that are over.
async fn try_list_all(
    app: &App,
    head: &RequestHead,
) -> Result<(Principal, Vec<Session>, Vec<Session>), Refusal> {
    let (principal, _) = current_session::current(app, head).await?;
    let command = Command::User { now: request::now() };
    match stores::apply(&*app.store, principal.user(), &command).await {
        Ok(CommandResult::User { live, ended, .. }) => {
            require_own(app, head, &principal, &live).await?;
            Ok((principal, live, ended))
        }
        Ok(_) => Err(Refusal::StoreUnavailable(StoreError::other_answer())),
        Err(error) => Err(Refusal::StoreUnavailable(error)),
    }
}

/// The caller's session may have ended since it was checked.
async fn require_own(
    app: &App,
    head: &RequestHead,
    principal: &Principal,
    live: &[Session],
) -> Result<(), Refusal> {
    if !live.iter().any(|it| it.sid == *principal.sid()) {
        current_session::check(app, principal, Some(head)).await?;
    }
    Ok(())
}

/// `DELETE sessions/{sid}`: ends one of the caller's sessions.
pub async fn end_one(app: &App, head: &RequestHead) -> Response {
    match try_end_one(app, head).await {
        Ok(()) => response::response(204, "", &[response::NO_STORE]),
        Err(refusal) => response::refusal(&refusal),
    }
}

async fn try_end_one(app: &App, head: &RequestHead) -> Result<(), Refusal> {
    let principal = current_or_newcomer(app, head).await?;
    let path = Target::of_url(head.url()).map_or("", |target| target.path());
    let sid = path.rsplit('/').next().unwrap_or_default().to_owned();
    let sid = Sid::try_from(sid).map_err(|_| Refusal::NotFound)?;
    app.guard.forget_recent([&sid]);
    let which = SessionSelector::One(sid);
    match end_sessions::revoke(app, principal.user(), which).await?.is_empty() {
        true => Err(Refusal::NotFound),
        false => Ok(()),
    }
}

/// Who calls, with a live session. A provider's session that waits for room may make it, as a login may.
async fn current_or_newcomer(app: &App, head: &RequestHead) -> Result<Principal, Refusal> {
    match current_session::current(app, head).await {
        Ok((principal, _)) => Ok(principal),
        Err(Refusal::AdmissionLimit(_)) if app.guard.lets_newcomers_end_sessions() => {
            app.guard.authenticate(head, request::now())
        }
        Err(refusal) => Err(refusal),
    }
}

/// `POST sessions`: ends sessions of the caller's by a form of the guard's pages, and leads back to a page.
pub async fn end_by_form(app: &App, request: &Request, head: &RequestHead) -> Response {
    match try_end_by_form(app, request, head).await {
        Ok(Some(page)) => response::redirect(303, &page, &[]),
        Ok(None) => super::logout::logged_out(app, head),
        Err(refusal) => pages::refused::respond_of_own_page(app, head, refusal),
    }
}

/// Returns the page to go to; `None` if the caller's own session has ended.
async fn try_end_by_form(
    app: &App,
    request: &Request,
    head: &RequestHead,
) -> Result<Option<String>, Refusal> {
    let body = request::form(request, head, FORM).await?;
    let form = EndOwnForm::parse(&body, &app.guard.settings().site_hosts)?;
    let principal = current_or_newcomer(app, head).await?;
    let (keys, proof) = (app.guard.tokens().keys(), form.proof.as_deref());
    check_form_proof(keys, Form::Sessions, principal.user(), principal.sid(), proof)?;
    if let Some(which) = &form.which {
        end(app, &principal, which).await?;
        if which.include_own(principal.sid()) {
            return Ok(None);
        }
    }
    let page = || format!("{}/sessions", app.guard.settings().auth_path);
    Ok(Some(form.redirect.as_ref().map(LocalTarget::as_str).map_or_else(page, str::to_owned)))
}

async fn end(app: &App, principal: &Principal, which: &OwnSessions) -> Result<(), Refusal> {
    if let OwnSessions::Named(sids) = which {
        app.guard.forget_recent(sids);
    }
    let selector = which.selector(principal.sid());
    if which.include_own(principal.sid()) {
        // Its provider's tokens go on coming.
        let token = app.guard.authentic_token(principal.token().text())?;
        return end_sessions::revoke_by_token(app, &token, selector).await;
    }
    end_sessions::revoke(app, principal.user(), selector).await.map(drop)
}
