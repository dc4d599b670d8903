//! The admin API: lists users and sessions, and creates, changes and ends sessions of any user.

mod block;
pub mod console;
mod end;
mod end_many;
mod rights;
mod transfer;

use auth::admin::{self, AdminCredential, AdminRequest, NewSession, Permission, SessionTerms};
use auth::body_format::BodyFormat;
use auth::decision::Principal;
use auth::http::{Head, Target};
use auth::login::ClientInfo;
use auth::refusal::{ClaimsSource, Refusal};
use auth::rights::is_admin as is_admins;
use auth::session::{Session, Sid, Subject, UserRecord};
use auth::setting_value::InvalidValue;
use auth::store::{Command, CommandResult, StoreError};
use auth::user_index::{Cursor, IndexEntry, IndexQuery, IndexedUser};
use block::BlockView;
use serde::Serialize;
use serde_json::value::RawValue;
use web_sys::{Request, Response};

use crate::app::App;
use crate::endpoints::pages;
use crate::request::{self, RequestHead};
use crate::response;
use crate::services::create_session::{self, CookiePolicy};
use crate::services::session_view::{self, SessionView};
use crate::services::{current_session, session_data, user_index};
use crate::stores::{self, StoreResult};

/// The default page size, in users.
const DEFAULT_PAGE_SIZE: u32 = 20;

/// The authenticated caller of the admin API.
struct Admin {
    credential: AdminCredential,
    /// The caller's own session; `None` with the API key.
    own_session: Option<(Subject, Sid)>,
}

impl Admin {
    /// Whoever has a token whose session is live.
    fn of(principal: &Principal) -> Self {
        let own_session = Some((principal.user().clone(), principal.sid().clone()));
        Self { credential: AdminCredential::Token(principal.admin_scopes()), own_session }
    }

    /// Whether this is the session of the caller's token. Bulk ends spare it, so that the call can be repeated.
    fn is_own(&self, sid: &Sid) -> bool {
        self.own_session.as_ref().is_some_and(|(_, own)| own == sid)
    }

    /// Whether this is the caller.
    fn is_oneself(&self, user: &Subject) -> bool {
        self.own_session.as_ref().is_some_and(|(own, _)| own == user)
    }

    /// May the caller block this user, or lift the block?
    fn require_block(&self, user: &Subject) -> Result<(), Refusal> {
        self.credential.require(Permission::Block { oneself: self.is_oneself(user) })
    }
}

#[derive(Serialize)]
struct Users<'a> {
    users: Vec<User<'a>>,
    /// The cursor of the next page, if there may be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<Cursor>,
}

#[derive(Serialize)]
struct User<'a> {
    sub: &'a str,
    sessions: usize,
    admin: bool,
}

#[derive(Serialize)]
struct Stats {
    users: u64,
    sessions: u64,
}

#[derive(Serialize)]
struct Sessions<'a> {
    sub: &'a str,
    admin: bool,
    /// What new sessions begin with.
    #[serde(skip_serializing_if = "Option::is_none")]
    rights: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<BlockView<'a>>,
    sessions: Vec<SessionView>,
}

/// Answers a request to a path below `admin/`.
pub async fn serve(app: &App, request: &Request, head: &RequestHead) -> Response {
    match parse(app, head) {
        Ok((admin_request, _)) if admin_request.is_of_console() => {
            console::serve(app, request, head, admin_request).await
        }
        Ok((admin_request, query)) => {
            let answer = answer(app, request, head, admin_request, query).await;
            answer.unwrap_or_else(|refusal| response::refusal(&refusal))
        }
        Err(refusal) => pages::refused::show(app, head, &refusal),
    }
}

/// What is asked for, and the query.
fn parse<'a>(app: &App, head: &'a RequestHead) -> Result<(AdminRequest, &'a str), Refusal> {
    let target = Target::of_url(head.url()).ok_or(Refusal::NotFound)?;
    let path = target.path().strip_prefix(&app.guard.settings().auth_path);
    let path = path.and_then(|path| path.strip_prefix("/admin/")).ok_or(Refusal::NotFound)?;
    Ok((AdminRequest::parse(head.method(), path)?, target.query()))
}

/// Answers a call of the admin API.
async fn answer(
    app: &App,
    request: &Request,
    head: &RequestHead,
    admin_request: AdminRequest,
    query: &str,
) -> Result<Response, Refusal> {
    let admin = authenticate(app, head).await?;
    admin.credential.require(admin_request.permission())?;
    let ended = |ended: end::Ended| response::json(200, &ended, &[]);
    match admin_request {
        AdminRequest::Users => users(app, query).await,
        AdminRequest::Stats => {
            let (users, sessions) = user_index::count(app).await?;
            Ok(response::json(200, &Stats { users, sessions }, &[]))
        }
        AdminRequest::List(sub) => {
            let (record, live, _) = user_record(app, &sub).await?;
            Ok(show_user(&sub, &record, &live))
        }
        AdminRequest::Begin(sub) => create(app, request, head, sub).await,
        AdminRequest::Change(sub, sid) => {
            rights::patch_session(app, request, head, &sub, sid).await
        }
        AdminRequest::ChangeUser(sub) => rights::patch_user(app, request, head, &sub).await,
        AdminRequest::ShowBlock(sub) => block::show(app, &sub).await,
        AdminRequest::Block(sub) => block::put(app, request, head, &admin, &sub).await,
        AdminRequest::Unblock(sub) => block::delete(app, &admin, &sub).await,
        AdminRequest::EndAll(sub) => end::all_of_user(app, admin, &sub).await.map(ended),
        AdminRequest::End(sub, sid) => end::one(app, &admin, &sub, sid).await.map(ended),
        AdminRequest::EndMany => end_many::end_many(app, request, head, &admin).await,
        AdminRequest::Move => transfer::move_users(app, request, query).await,
        AdminRequest::Export => transfer::export(app, query).await,
        AdminRequest::Import => transfer::import(app, request).await,
        AdminRequest::EndEverybodys => end::all_users(app, &admin, query).await.map(ended),
        AdminRequest::UserPage(_)
        | AdminRequest::UserForm(_)
        | AdminRequest::EndManyPage
        | AdminRequest::EndManyForm => Err(Refusal::NotFound),
    }
}

/// Authenticates by the API key, or else by a token and its live session (steps 2 to 4).
async fn authenticate(app: &App, head: &RequestHead) -> Result<Admin, Refusal> {
    if let (Some(key), Some(authorization)) =
        (&app.guard.settings().admin_api_key, head.header("authorization"))
        && admin::bears_key(&authorization, key)
    {
        return Ok(Admin { credential: AdminCredential::Key, own_session: None });
    }
    let (principal, _) = current_session::current(app, head).await?;
    Ok(Admin::of(&principal))
}

/// One page of the users with live sessions. Removes stale entries from the index.
async fn users(app: &App, query: &str) -> Result<Response, Refusal> {
    let (limit, after) = admin::page(query, DEFAULT_PAGE_SIZE)?;
    let page = user_index::page(app, after, limit).await?;
    let live = live_sessions(app, &page).await?;
    let users = page.iter().zip(&live).filter(|(_, live)| !live.is_empty());
    let users = users.map(|(it, live)| User {
        sub: it.user.as_str(),
        sessions: live.len(),
        admin: is_admin(live),
    });
    let last = page.last().filter(|_| page.len() == limit as usize);
    let cursor = last.map(|last| Cursor::at(&last.user));
    Ok(response::json(200, &Users { users: users.collect(), cursor }, &[]))
}

/// The live sessions of each of these users. Removes stale entries from the index.
async fn live_sessions(app: &App, page: &[IndexedUser]) -> Result<Vec<Vec<Session>>, Refusal> {
    let command = Command::List { now: request::now() };
    let users = page.iter().map(|it| &it.user);
    let live = stores::apply_to_each(&*app.store, users, &command).await;
    let live: Vec<Vec<Session>> = live.into_iter().map(listed).collect::<Result<_, _>>()?;
    let stale: Vec<IndexEntry> =
        page.iter().zip(&live).flat_map(|(it, live)| stale(it, live)).collect();
    if !stale.is_empty() {
        let now = request::now();
        user_index::update(app, IndexQuery::Record { begun: None, ended: stale, now });
    }
    Ok(live)
}

/// A user's index entries without a live session.
fn stale(indexed: &IndexedUser, live: &[Session]) -> Vec<IndexEntry> {
    let sids = indexed.sids.iter().filter(|sid| live.iter().all(|session| session.sid != **sid));
    sids.map(|sid| IndexEntry::new(&indexed.user, sid)).collect()
}

fn is_admin(live: &[Session]) -> bool {
    live.iter().any(is_admins)
}

/// What the store keeps of a user, the live sessions, and those that are over.
async fn user_record(
    app: &App,
    user: &Subject,
) -> Result<(UserRecord, Vec<Session>, Vec<Session>), Refusal> {
    let command = Command::User { now: request::now() };
    match stores::apply(&*app.store, user, &command).await.map_err(Refusal::StoreUnavailable)? {
        CommandResult::User { record, live, ended } => Ok((record, live, ended)),
        _ => Err(Refusal::StoreUnavailable(StoreError::other_answer())),
    }
}

fn show_user(user: &Subject, record: &UserRecord, live: &[Session]) -> Response {
    let block = record.block.as_ref().filter(|block| block.holds(request::now()));
    let body = Sessions {
        sub: user.as_str(),
        admin: is_admin(live),
        rights: session_view::raw(record.rights.as_deref()),
        block: block.map(BlockView::of),
        sessions: live.iter().map(|it| SessionView::public(it).with_rights(it)).collect(),
    };
    response::json(200, &body, &[])
}

fn bad_body(error: &InvalidValue) -> Refusal {
    Refusal::BadBody(format!("{error}."))
}

async fn list(app: &App, user: &Subject) -> Result<Vec<Session>, Refusal> {
    listed(stores::apply(&*app.store, user, &Command::List { now: request::now() }).await)
}

fn listed(outcome: StoreResult) -> Result<Vec<Session>, Refusal> {
    match outcome.map_err(Refusal::StoreUnavailable)? {
        CommandResult::Listed(live) => Ok(live),
        _ => Err(Refusal::StoreUnavailable(StoreError::other_answer())),
    }
}

/// Creates a session for a user whom a backend has authenticated. The response is that of a login, without a cookie:
/// the backend sets its own.
async fn create(
    app: &App,
    request: &Request,
    head: &RequestHead,
    sub: Subject,
) -> Result<Response, Refusal> {
    let settings = app.guard.settings();
    let body = session_data::read_body(request).await?;
    if !body.is_empty()
        && BodyFormat::of(head.header("content-type").as_deref()) != Some(BodyFormat::Json)
    {
        return Err(Refusal::BadRequest("Send the session as `application/json`."));
    }
    let (longest, issuers) = (settings.session_ttl, &settings.trusted_issuers[..]);
    let new =
        NewSession::parse(sub, &body, SessionTerms { longest, issuers, now: request::now() })?;
    let lifetimes = app.guard.lifetimes(&new.approval, true);
    // The request's client is the backend, not the user's device.
    let client = ClientInfo { user_agent: new.user_agent, ..ClientInfo::default() };
    let created =
        create_session::create(app, &new.approval, client, lifetimes, CookiePolicy::Optional, &[])
            .await;
    let created = created.map_err(|refusal| match refusal {
        Refusal::ClaimsTooLarge { cause, .. } => {
            Refusal::ClaimsTooLarge { by: ClaimsSource::Backend, cause }
        }
        refusal => refusal,
    })?;
    Ok(created.json(201, None, &[]))
}
