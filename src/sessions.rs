//! The caller's own sessions: shown, and ended.

use std::rc::Rc;

use auth::cookie;
use auth::decision::{Caller, Head};
use auth::event::Event;
use auth::form::Form;
use auth::refusal::Refusal;
use auth::route::Target;
use auth::session::{DataKind, Ending, Gone, LiveSession, Session, Sid, Subject, judge};
use auth::store::{Answer, Command, StoreError, Which};
use auth::token::Authentic;
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;
use web_sys::Response;

use crate::config::App;
use crate::events;
use crate::index;
use crate::lost_answer;
use crate::request::{self, RequestHead};
use crate::response;
use crate::store;

/// A session as its user sees it. Times are RFC 3339.
#[derive(Serialize)]
pub struct SessionView {
    sid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<bool>,
    created_at: String,
    last_seen_at: String,
    expires_at: String,
    device: auth::device::DeviceClass,
    #[serde(skip_serializing_if = "String::is_empty")]
    user_agent: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_data: Option<Box<RawValue>>,
}

impl SessionView {
    /// The session without its private data.
    pub fn public(session: &Session) -> Self {
        Self {
            sid: session.sid.to_string(),
            current: None,
            created_at: session.created.to_string(),
            last_seen_at: session.seen.to_string(),
            expires_at: session.deadline().to_string(),
            device: session.device,
            user_agent: session.user_agent.clone(),
            place: session.place.clone(),
            data: None,
            client_data: None,
        }
    }

    /// The session with its private data, for its own user and the admin API key.
    pub fn private(session: &Session) -> Self {
        let [data, client_data] = [DataKind::Data, DataKind::ClientData].map(|kind| {
            let data = session.data_of(kind).map(str::to_owned);
            data.and_then(|data| RawValue::from_string(data).ok())
        });
        Self { data, client_data, ..Self::public(session) }
    }
}

/// `GET session`: the caller's session with its private data.
pub async fn show(app: &App, head: &RequestHead) -> Response {
    match current(app, head).await {
        Ok((_, session)) => response::json(200, &SessionView::private(&session), &[]),
        Err(refusal) => response::refusal(&refusal),
    }
}

/// `GET sessions`: the caller's live sessions, oldest first.
pub async fn list(app: &App, head: &RequestHead) -> Response {
    match try_list(app, head).await {
        Ok(sessions) => response::json(200, &json!({ "sessions": sessions }), &[]),
        Err(refusal) => response::refusal(&refusal),
    }
}

async fn try_list(app: &App, head: &RequestHead) -> Result<Vec<SessionView>, Refusal> {
    let (caller, _) = current(app, head).await?;
    let command = Command::List { now: request::now() };
    match store::apply(&*app.store, caller.user(), &command).await {
        Ok(Answer::Listed(sessions)) => {
            // It may have ended in between; the list is then nobody's.
            if !sessions.iter().any(|it| it.sid == *caller.sid()) {
                look(app, &caller).await?;
            }
            let is_current = |it: &Session| Some(it.sid == *caller.sid());
            let view = |it| SessionView { current: is_current(it), ..SessionView::public(it) };
            Ok(sessions.iter().map(view).collect())
        }
        Ok(_) => Err(Refusal::StoreUnavailable(StoreError::other_answer())),
        Err(error) => Err(Refusal::StoreUnavailable(error)),
    }
}

/// `DELETE sessions/{sid}`: ends one of the caller's sessions.
pub async fn end_one(app: &App, head: &RequestHead) -> Response {
    match try_end_one(app, head).await {
        Ok(()) => response::response(204, "", &[response::NO_STORE]),
        Err(refusal) => response::refusal(&refusal),
    }
}

async fn try_end_one(app: &App, head: &RequestHead) -> Result<(), Refusal> {
    let (caller, _) = current(app, head).await?;
    let path = Target::of_url(head.url()).map_or("", |target| target.path());
    let sid = path.rsplit('/').next().unwrap_or_default().to_owned();
    let sid = Sid::try_from(sid).map_err(|_| Refusal::NotFound)?;
    app.guard.forget([&sid]);
    let command = Command::End { which: Which::One(sid), ending: revoked() };
    match end_sessions(app, caller.user(), &command).await?.is_empty() {
        true => Err(Refusal::NotFound),
        false => Ok(()),
    }
}

/// An end that somebody wished, now.
pub fn revoked() -> Ending {
    Ending::Revoked { at: request::now() }
}

/// `POST logout`: ends the caller's session, the others, or all of the user's. A session that is
/// gone already is no error: the caller is logged out either way.
pub async fn log_out(app: &App, head: &RequestHead) -> Response {
    let scope = match Scope::of(app, head) {
        Ok(scope) => scope,
        Err(refusal) => return response::refusal(&refusal),
    };
    match (scope, try_log_out(app, head, scope).await) {
        (Scope::Others, Ok(())) => response::response(204, "", &[response::NO_STORE]),
        (Scope::Others, Err(refusal)) => response::refusal(&refusal),
        (_, Ok(()) | Err(Refusal::TokenMissing | Refusal::Token(_))) => logged_out(app, head),
        (_, Err(refusal)) => response::refusal(&refusal),
    }
}

/// What a logout ends.
#[derive(Clone, Copy)]
enum Scope {
    /// The caller's session.
    Local,
    /// The user's other sessions.
    Others,
    /// All of the user's.
    Global,
}

impl Scope {
    /// What the query says, or else the settings.
    fn of(app: &App, head: &RequestHead) -> Result<Self, Refusal> {
        let query = Target::of_url(head.url()).map_or("", |target| target.query());
        match Form::Page.texts(query, &["scope".into()]).first().map(String::as_str) {
            Some("local") => Ok(Self::Local),
            Some("others") => Ok(Self::Others),
            Some("global") => Ok(Self::Global),
            Some(_) => Err(Refusal::BadRequest("`scope` must be `local`, `others` or `global`.")),
            None if app.guard.settings().logout_all => Ok(Self::Global),
            None => Ok(Self::Local),
        }
    }
}

/// The header by which a client says `false`: its question is not to count as a use of the session.
const TOUCH: &str = "x-guard-touch";

/// Steps 2 to 4 for an endpoint of the guard's own.
pub async fn current(app: &App, head: &RequestHead) -> Result<(Caller, Session), Refusal> {
    let caller = app.guard.authenticate(head, request::now())?;
    let caller = match head.header(TOUCH).as_deref() {
        None | Some("true") => caller,
        Some("false") => caller.unused(),
        Some(_) => return Err(Refusal::BadRequest("`X-Guard-Touch` must be `true` or `false`.")),
    };
    let session = look(app, &caller).await?;
    Ok((caller, session))
}

/// Step 4 for whoever a token was issued to. An old token ends its session.
pub async fn look(app: &App, caller: &Caller) -> Result<Session, Refusal> {
    let answer = store::apply(&*app.store, caller.user(), &caller.command()).await;
    settle(app, caller, answer.map_err(Refusal::StoreUnavailable)?).await
}

/// The one judgement of a caller's session for all endpoints, whatever the store was asked.
pub async fn settle(app: &App, caller: &Caller, answer: Answer) -> Result<Session, Refusal> {
    match app.guard.live(caller, answer, request::now()) {
        Ok(live) => {
            note_use(app, caller, Some(&live));
            Ok(live.into_inner())
        }
        Err(refusal) => {
            events::notice(app, caller.user(), caller.sid(), &refusal);
            if refusal == Refusal::Session(Gone::Outdated) {
                end_reused(app, caller).await?;
            }
            Err(refusal)
        }
    }
}

/// Has the store learn that a token is used, if the answer came from a replica, which does not: once
/// after each refresh. Nobody waits for it.
pub fn note_use(app: &App, caller: &Caller, live: Option<&LiveSession>) {
    if caller.is_news(live) {
        let (store, user, command) =
            (Rc::clone(&app.store), caller.user().clone(), caller.clone().unused().command());
        events::later(async move { drop(store.apply_anew(&user, &command).await) });
    }
}

/// Those of several sessions that are over, unless all are, or the store could not be asked.
pub async fn over(app: &App, sessions: &[Authentic]) -> Vec<Sid> {
    let mut over = Vec::new();
    for it in sessions {
        let Ok(found) = find(app, it.sub(), it.sid()).await else { return Vec::new() };
        if judge(found, [it.name()], request::now()).is_err() {
            over.push(it.sid().clone());
        }
    }
    // The newest one's end is what the client is told.
    if over.len() == sessions.len() {
        over.remove(0);
    }
    over
}

/// What the store knows of a session. Its idle deadline stays: to look is not to use.
pub async fn find(app: &App, user: &Subject, sid: &Sid) -> Result<Option<Rc<Session>>, StoreError> {
    let (sid, now) = (sid.clone(), request::now());
    let command = Command::Check { sid, jti: None, idle_timeout: None, now };
    match store::apply(&*app.store, user, &command).await? {
        Answer::Found(found) => Ok(found),
        _ => Err(StoreError::other_answer()),
    }
}

/// Ends a session of which an old token was used.
///
/// # Errors
/// [`Refusal::StoreUnavailable`]: it is not known to be ended.
pub async fn end_reused(app: &App, caller: &Caller) -> Result<(), Refusal> {
    let which = Which::One(caller.sid().clone());
    let command = Command::End { which, ending: Ending::Reused { at: request::now() } };
    end_sessions(app, caller.user(), &command).await.map(drop)
}

/// Ends some of a user's sessions because somebody who holds a token of this one wishes so.
pub async fn end_held(app: &App, held: &Authentic, which: Which) -> Result<(), Refusal> {
    // An outage must not keep alive what somebody wished to end.
    app.guard.forget([held.sid()]);
    let command = Command::End { which, ending: revoked() };
    end_sessions(app, held.sub(), &command).await.map(drop)
}

/// Tells what was ended, and what began with that: to this isolate, the index, and whoever listens.
pub fn tell_ended(app: &App, user: &Subject, begun: Option<&Session>, ended: &[Session]) {
    app.guard.forget(ended.iter().map(|session| &session.sid));
    index::note(app, user, begun, ended);
    events::emit(app, user, &ended.iter().flat_map(Event::ended).collect::<Vec<_>>());
    for session in ended {
        app.noticed.once(&session.sid, || ());
    }
}

/// Tells of sessions that were found ended: whoever ended them may not have heard that they did. Once
/// an isolate, because a client may go on ending what is over.
pub fn tell_once<'a>(app: &App, user: &Subject, ended: impl IntoIterator<Item = &'a Session>) {
    let new = ended.into_iter().filter(|session| !app.noticed.knows(&session.sid));
    let new: Vec<Session> = new.cloned().collect();
    if !new.is_empty() {
        tell_ended(app, user, None, &new);
    }
}

async fn try_log_out(app: &App, head: &RequestHead, scope: Scope) -> Result<(), Refusal> {
    // Another site's form carries no cookie, but would have the browser drop its own.
    app.guard.refuse_other_origins(head)?;
    if let Scope::Others = scope {
        // Whoever is logged out already may not log the others out.
        let caller = app.guard.authenticate(head, request::now())?;
        return match look(app, &caller).await {
            Ok(_) => {
                let which = Which::Others(caller.sid().clone());
                let command = Command::End { which, ending: revoked() };
                end_sessions(app, caller.user(), &command).await.map(drop)
            }
            Err(refusal) => {
                tell_again(app, caller.user(), &refusal).await;
                Err(refusal)
            }
        };
    }
    for held in app.guard.held(head, request::now())? {
        log_out_of(app, &held, matches!(scope, Scope::Global)).await?;
    }
    Ok(())
}

/// An end that is found already may be that of this very logout, whose answer was lost.
async fn tell_again(app: &App, user: &Subject, refusal: &Refusal) {
    if let Refusal::Session(Gone::Ended(ending)) = refusal {
        lost_answer::tell_again(app, user, ending).await;
    }
}

/// Ends a session; with `everywhere` all of its user's, if it is still live: a token whose session is
/// over ends nobody else's.
pub async fn log_out_of(app: &App, held: &Authentic, everywhere: bool) -> Result<(), Refusal> {
    let one = Which::One(held.sid().clone());
    if !everywhere {
        return end_held(app, held, one).await;
    }
    let found = find(app, held.sub(), held.sid()).await.map_err(Refusal::StoreUnavailable)?;
    match judge(found, [held.name()], request::now()) {
        Ok(_) => end_held(app, held, Which::All).await,
        Err(Gone::Outdated) => end_held(app, held, one).await,
        Err(gone) => {
            let refusal = Refusal::Session(gone);
            events::notice(app, held.sub(), held.sid(), &refusal);
            tell_again(app, held.sub(), &refusal).await;
            Ok(())
        }
    }
}

/// Sends a command that may end sessions, and says which it has ended, also to whoever listens.
///
/// # Errors
/// [`Refusal::SessionLimit`] for a login that finds no room, among others.
pub async fn end_sessions(
    app: &App,
    user: &Subject,
    command: &Command,
) -> Result<Vec<Session>, Refusal> {
    let begun = match command {
        Command::Open { session, .. } => Some(&**session),
        _ => None,
    };
    match store::apply(&*app.store, user, command).await {
        Ok(Answer::Ended(ended)) => {
            tell_ended(app, user, begun, &ended);
            Ok(ended)
        }
        Ok(Answer::Ends { now, before }) => {
            tell_ended(app, user, None, &now);
            tell_once(app, user, &before);
            Ok(now)
        }
        Ok(Answer::Full(live)) => Err(Refusal::SessionLimit(Some(live))),
        Ok(_) => Err(Refusal::StoreUnavailable(StoreError::other_answer())),
        Err(error) => {
            lost_answer::follow_up(user, command, &error);
            Err(Refusal::StoreUnavailable(error))
        }
    }
}

/// Takes the cookie and what the site keeps in the browser. Other cookies of the site are not
/// the guard's to take. A form is sent on to the login page.
fn logged_out(app: &App, head: &RequestHead) -> Response {
    let settings = app.guard.settings();
    let clear = cookie::clear(&settings.cookie_name);
    let mut headers = vec![("set-cookie", clear.as_str())];
    headers.extend(settings.clear_site_data.as_deref().map(|kinds| ("clear-site-data", kinds)));
    if app.guard.is_navigation(head) {
        let page = format!("{}/login?reason=logged_out", settings.auth_path);
        return response::redirect(303, &page, &headers);
    }
    headers.push(response::NO_STORE);
    response::response(204, "", &headers)
}
