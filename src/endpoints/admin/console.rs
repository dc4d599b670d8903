//! The admin console: pages and forms over what the admin API does. Who may see and do what is judged as there.

use auth::admin::{
    AdminCredential, AdminRequest, CURSOR, EndManyForm, MOST_NAMED, Offers, Permission, UserAction,
};
use auth::body_format::BodyFormat;
use auth::form_proof::{Form, check_form_proof, form_proof, proof_in};
use auth::http::{Head, Target};
use auth::refusal::Refusal;
use auth::session::{Sid, Subject};
use auth::user_index::Cursor;
use web_sys::{Request, Response};

use super::{Admin, block, end, end_many, is_admin, live_sessions, user_record};
use crate::app::App;
use crate::endpoints::FORM;
use crate::endpoints::pages::{admin as pages, refused};
use crate::promise;
use crate::request::{self, RequestHead};
use crate::response;
use crate::services::{current_session, refusal_counts, user_index};

/// How many users a page lists. The store is asked about each, and the free plan allows 50 subrequests.
const USERS_ON_PAGE: u32 = 20;

/// Who looks at the console.
pub struct Caller {
    admin: Admin,
    /// Whose session it is.
    pub user: Subject,
    /// The session.
    pub sid: Sid,
    /// What the hidden field of each form has.
    pub proof: String,
}

impl Caller {
    /// What the caller may do by.
    pub fn credential(&self) -> AdminCredential {
        self.admin.credential
    }
}

/// `GET admin`: who is signed in.
pub async fn users(app: &App, head: &RequestHead) -> Response {
    shown(app, head, try_users(app, head).await)
}

/// Answers a request to another page, or a form of one.
pub async fn serve(
    app: &App,
    request: &Request,
    head: &RequestHead,
    admin_request: AdminRequest,
) -> Response {
    let answer = match admin_request {
        AdminRequest::UserPage(sub) => try_user(app, head, &sub).await,
        AdminRequest::UserForm(sub) => act(app, request, head, &sub).await,
        AdminRequest::EndManyPage => try_end_many_page(app, head).await,
        AdminRequest::EndManyForm => end_many(app, request, head).await,
        _ => Err(Refusal::NotFound),
    };
    shown(app, head, answer)
}

fn shown(app: &App, head: &RequestHead, answer: Result<Response, Refusal>) -> Response {
    answer.unwrap_or_else(|refusal| refused::respond_of_own_page(app, head, refusal))
}

/// Whoever calls, by a session: a form acts for one. The API key is for programs.
async fn caller(app: &App, head: &RequestHead) -> Result<Caller, Refusal> {
    let (principal, _) = current_session::current(app, head).await?;
    let (user, sid) = (principal.user().clone(), principal.sid().clone());
    let proof = form_proof(app.guard.tokens().keys(), Form::Admin, &user, &sid);
    let admin = Admin::of(&principal);
    admin.credential.require(Permission::See)?;
    Ok(Caller { admin, user, sid, proof })
}

/// The same for a form, with its body.
async fn caller_of_form(
    app: &App,
    request: &Request,
    head: &RequestHead,
) -> Result<(Caller, String), Refusal> {
    let body = request::form(request, head, FORM).await?;
    let caller = caller(app, head).await?;
    let (keys, proof) = (app.guard.tokens().keys(), proof_in(&body));
    check_form_proof(keys, Form::Admin, &caller.user, &caller.sid, proof.as_deref())?;
    Ok((caller, body))
}

async fn try_users(app: &App, head: &RequestHead) -> Result<Response, Refusal> {
    let caller = caller(app, head).await?;
    let query = Target::of_url(head.url()).map_or("", |target| target.query());
    let field = |name: &str| BodyFormat::Form.texts(query, &[name.to_owned()]).pop();
    let search = field("q").unwrap_or_default().trim().to_owned();
    let after = field("cursor").as_deref().map_or(Some(Cursor::default()), Cursor::parse);
    let after = after.ok_or(CURSOR)?;
    let is_first = after == Cursor::default();
    let listed = async {
        let found = user_index::search(app, &search, after, USERS_ON_PAGE).await?;
        let live = live_sessions(app, &found).await?;
        let last = found.last().filter(|_| found.len() == USERS_ON_PAGE as usize);
        let next = last.map(|last| Cursor::at(&last.user));
        let users = found.into_iter().zip(live).filter(|(_, live)| !live.is_empty());
        let mut users: Vec<_> = users.map(|(it, live)| (it.user, live)).collect();
        // The index is in the order of base64url, which nobody would recognize.
        users.sort_by(|(one, _), (other, _)| one.as_str().cmp(other.as_str()));
        Ok::<_, Refusal>((users, next))
    };
    let (listed, refusals) = promise::both(listed, refusal_counts::last_refusals(app)).await;
    let (users, next) = listed?;
    let exact = Subject::try_from(search.clone()).ok();
    let exact = exact.filter(|it| is_first && users.iter().all(|(user, _)| user != it));
    let exact = match exact {
        Some(user) => {
            let (record, live, _) = user_record(app, &user).await?;
            Some((user, record, live))
        }
        None => None,
    };
    let counts = user_index::count(app).await?;
    let offers = Offers::on_many(caller.admin.credential);
    let list = pages::UserList { search, users, next, is_first, exact, counts, refusals, offers };
    Ok(pages::users(app, head, &caller, &list))
}

async fn try_user(app: &App, head: &RequestHead, sub: &Subject) -> Result<Response, Refusal> {
    let caller = caller(app, head).await?;
    let (record, live, ended) = user_record(app, sub).await?;
    let is_oneself = caller.admin.is_oneself(sub);
    let offers = Offers::on_user(caller.admin.credential, is_admin(&live), is_oneself);
    let user = pages::User { sub, record, live, ended, offers, is_oneself };
    Ok(pages::user(app, head, &caller, user))
}

/// Does what a form of a user's page asks for, and leads back to the page, which says what was done.
async fn act(
    app: &App,
    request: &Request,
    head: &RequestHead,
    sub: &Subject,
) -> Result<Response, Refusal> {
    let (Caller { admin, .. }, body) = caller_of_form(app, request, head).await?;
    let done = match UserAction::parse(&body, request::now())? {
        UserAction::End(sid) => format!("ended={}", end::one(app, &admin, sub, sid).await?.ended),
        UserAction::EndAll => {
            let end::Ended { ended, done, .. } = end::all_of_user(app, admin, sub).await?;
            format!("ended={ended}{}", if done { "" } else { "&more" })
        }
        UserAction::Block(block) => {
            block::begin(app, &admin, sub, &block).await?;
            "blocked".into()
        }
        UserAction::Unblock => {
            block::lift(app, &admin, sub).await?;
            "unblocked".into()
        }
    };
    let page = pages::href(&app.guard.settings().auth_path, sub);
    Ok(response::redirect(303, &format!("{page}?{done}"), &[]))
}

async fn try_end_many_page(app: &App, head: &RequestHead) -> Result<Response, Refusal> {
    let caller = caller(app, head).await?;
    caller.admin.credential.require(Permission::End { of_admin: false })?;
    Ok(pages::end_many_form(app, head, &caller, &[], false))
}

/// Counts what the criteria mean, and with the button of the page that says it, ends that. A call does a part of it; its
/// page goes on with the next.
async fn end_many(app: &App, request: &Request, head: &RequestHead) -> Result<Response, Refusal> {
    let (caller, body) = caller_of_form(app, request, head).await?;
    caller.admin.credential.require(Permission::End { of_admin: false })?;
    let mut form = match EndManyForm::parse(&body, request::now()) {
        Ok(form) => form,
        Err(Refusal::BadBody(_)) => {
            let typed = EndManyForm::criteria_of(&body);
            return Ok(pages::end_many_form(app, head, &caller, &typed, true));
        }
        Err(refusal) => return Err(refusal),
    };
    let outcome = end_many::run(app, &caller.admin, &form.asked).await?;
    let users = outcome.users.len();
    for (sum, more) in form.found.iter_mut().zip([outcome.sessions, users, outcome.spared]) {
        *sum = sum.saturating_add(more as u64);
    }
    let names = outcome.users.iter().map(|(user, _)| pages::short(user.as_str()));
    form.among.extend(names.take(MOST_NAMED.saturating_sub(form.among.len())));
    Ok(pages::end_many(app, head, &caller, &form, outcome.cursor.as_ref()))
}
