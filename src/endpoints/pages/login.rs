//! The login page.

use askama::Template;
use auth::http::{Head, Target};
use auth::login::LoginRequest;
use auth::login_notice::LoginNotice;
use auth::redirect::LocalTarget;
use auth::refusal::Refusal;
use auth::session::{self, Session};
use auth::sign_in::{ReturnCount, SignInFailure, SignInRequest};
use auth::store::{Command, CommandResult};
use auth::words::{Devices, SignIn, SignedOut, fill};
use web_sys::Response;

use super::choice::Choice;
use super::login_error::login_error;
use super::page::Page;
use super::sign_in_failed::{self, Failed};
use crate::app::App;
use crate::endpoints::sign_in::{self, Named};
use crate::proxy::access_log;
use crate::request::{self, RequestHead};
use crate::services::{current_session, find_session};
use crate::{response, stores};

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    page: &'a Page<'a>,
    words: &'a SignIn,
    not_me_text: &'a str,
    redirect: &'a str,
    notice: Option<String>,
    /// By what the session was superseded.
    newcomer: Option<String>,
    /// Where other sessions are ended, if somebody else may have caused this.
    not_me: Option<String>,
    error: Option<String>,
    enabled: bool,
    /// The user name of the failed login.
    username: Option<&'a str>,
    /// Live sessions, from which the user chooses those to end.
    choices: &'a [Choice],
    /// Live sessions, of which one must end elsewhere.
    elsewhere: &'a [Choice],
    /// The sessions that the user has chosen before.
    chosen: Vec<String>,
    /// Is the box checked by which a user stays signed in? `None` if there is none.
    remember: Option<bool>,
    /// A button for each provider.
    providers: Vec<ProviderButton>,
}

/// A way to sign in at a provider.
struct ProviderButton {
    text: String,
    /// Where a form is sent.
    action: String,
    /// The same for a link, with the page to go to.
    link: String,
}

/// The variable content of the login page.
#[derive(Default)]
struct PageContent<'a> {
    /// Does a login here set the session cookie?
    sets_cookie: bool,
    notice: Option<String>,
    /// By what the session was superseded.
    newcomer: Option<String>,
    /// Where other sessions are ended, if somebody else may have caused this.
    not_me: Option<String>,
    error: Option<String>,
    username: Option<&'a str>,
    choices: Vec<Choice>,
    elsewhere: Vec<Choice>,
    chosen: Vec<String>,
    remember: bool,
}

/// `GET login`: the page, with the reason for the redirect to it; or straight to the provider, if there is one, and
/// nothing to choose nor to tell.
pub async fn show(app: &App, head: &RequestHead) -> Response {
    let query = Target::of_url(head.url()).map_or("", |target| target.query());
    let (redirect, reason) = auth::redirect::read_query(query, &app.guard.settings().site_hosts);
    let reason = reason.as_deref().unwrap_or_default();
    if let Some(provider) = only_way(app).filter(|_| may_go_straight(app, head, reason)) {
        return go_straight(app, head, provider, reason, query).await;
    }
    let page = Page::new(app, head);
    let notice = notice(app, head, reason).await;
    let sets_cookie = app.guard.sets_cookie(head);
    let newcomer = newcomer(app, head, notice).await;
    let content = PageContent {
        notice: notice.map(|notice| said(&page, notice)),
        newcomer: newcomer.map(|session| device_and_place(&page, &session)),
        not_me: notice.filter(|it| sets_cookie && it.may_be_foreign()).map(|_| not_me(&page)),
        sets_cookie,
        ..PageContent::default()
    };
    respond(app, &page, 200, redirect.as_ref(), content)
}

/// The provider at which everybody signs in, if there is no other way, nor whether to stay signed in to choose.
fn only_way(app: &App) -> Option<Named<'_>> {
    let settings = app.guard.settings();
    let has_choice = settings.login_url.is_some() || settings.session_ttl_short.is_some();
    let mut all = app.guard.sign_in_providers().filter(|_| !has_choice);
    all.next().filter(|_| all.next().is_none())
}

/// Does somebody open the page who need not be told why? Who has signed out, or was signed out, would be signed in
/// again without knowing.
fn may_go_straight(app: &App, head: &RequestHead, reason: &str) -> bool {
    let tells = ["logged_out", "session_superseded", "session_revoked", "user_blocked"];
    head.method() == "GET"
        && app.guard.sets_cookie(head)
        && app.guard.is_navigation(head)
        && !sign_in::is_prefetched_or_embedded(head)
        && !tells.contains(&reason)
}

/// Begins to sign in, unless that has led back here too often. Who has been signed in meanwhile, in another tab, goes on.
async fn go_straight(
    app: &App,
    head: &RequestHead,
    provider: Named<'_>,
    reason: &str,
    query: &str,
) -> Response {
    let wanted = SignInRequest::of_query(query, &app.guard.settings().site_hosts);
    let needs_another = reason == "insufficient_user_authentication";
    if !needs_another && current_session::find_live(app, head).await.is_some() {
        return response::redirect(303, wanted.redirect.as_str(), &[]);
    }
    if ReturnCount::of(&head.header("cookie").unwrap_or_default()).may_go_straight() {
        return sign_in::begin_at(app, head, provider, wanted).await;
    }
    let failed =
        Failed { provider: provider.1, redirect: &wanted.redirect, remember: wanted.remember };
    sign_in_failed::show(app, head, &failed, &SignInFailure::Loop.into(), &[])
}

/// Why the user was signed out. If the browser still has the ended session's token, the store knows more than the
/// query's `reason`. There is no notice if the session is live, unless another login is needed all the same.
async fn notice(app: &App, head: &RequestHead, reason: &str) -> Option<LoginNotice> {
    let of_reason = LoginNotice::of_reason(reason);
    // Neither is about a session that is over.
    if matches!(of_reason, Some(LoginNotice::LoggedOut | LoginNotice::AnotherLogin)) {
        return of_reason;
    }
    let now = request::now();
    let Some(principal) = app.guard.principal_of(head, now) else { return of_reason };
    let Ok(found) = find_session::find(app, principal.user(), principal.sid()).await else {
        return of_reason;
    };
    match session::judge_token(found, principal.token_names(), now) {
        Ok(_) => None,
        Err(invalid) => LoginNotice::of_gone(&invalid).or(of_reason),
    }
}

/// The session that took the place of the one that the browser still has a token of, if it is live.
async fn newcomer(app: &App, head: &RequestHead, notice: Option<LoginNotice>) -> Option<Session> {
    let Some(LoginNotice::Superseded(Some((at, _)))) = notice else { return None };
    let now = request::now();
    let principal = app.guard.principal_of(head, now)?;
    let listed = stores::apply(&*app.store, principal.user(), &Command::List { now }).await;
    let Ok(CommandResult::Listed(live)) = listed else { return None };
    live.into_iter().find(|session| session.created == at)
}

fn device_and_place(page: &Page<'_>, session: &Session) -> String {
    let device = page.device(session);
    page.place(session).map_or_else(|| device.clone(), |place| format!("{device} · {place}"))
}

/// Where somebody who was signed out by another ends the other sessions. The token of a session that has ended cannot,
/// so a login comes first.
fn not_me(page: &Page<'_>) -> String {
    let path = page.auth_path;
    format!("{path}/login?redirect={path}/sessions?not_me=true")
}

fn said(page: &Page<'_>, notice: LoginNotice) -> String {
    let (words, devices) = (page.words::<SignedOut>(), page.words::<Devices>());
    let text = notice.text(&words);
    let Some(at) = notice.at() else { return text.to_owned() };
    let with = notice.by().map_or("", |by| devices.with(by));
    let (ago, at) = (page.format.ago(at), page.format.moment(at));
    fill(text, &[("ago", &ago), ("at", &at), ("with", with)])
}

/// The login page after a refused login, with what was entered but for the password.
pub fn again(app: &App, head: &RequestHead, login: &LoginRequest, refusal: &Refusal) -> Response {
    let page = Page::new(app, head);
    let (choices, elsewhere) = match refusal {
        Refusal::SessionLimit { live, may_end: true } => {
            (Choice::all(&page, live, &login.end), Vec::new())
        }
        Refusal::SessionLimit { live, .. } => (Vec::new(), Choice::all(&page, live, &[])),
        _ => (Vec::new(), Vec::new()),
    };
    let chosen = if choices.is_empty() {
        login.end.iter().map(ToString::to_string).collect()
    } else {
        Vec::new()
    };
    let content = PageContent {
        error: login_error(&page, refusal),
        username: login.username(),
        choices,
        elsewhere,
        chosen,
        sets_cookie: true,
        remember: login.remember,
        ..PageContent::default()
    };
    let response = respond(app, &page, refusal.status(), login.redirect.as_ref(), content);
    access_log::set_refusal_code(&response, refusal.code());
    for (name, value) in refusal.headers().iter().filter(|(name, _)| *name == "retry-after") {
        // Does not fail: a number is a valid header value.
        let _ = response.headers().set(name, value);
    }
    response
}

/// The ways to sign in at a provider.
fn providers(app: &App, words: &SignIn, redirect: &LocalTarget) -> Vec<ProviderButton> {
    let guard = &app.guard;
    let button = |(_, provider): Named<'_>| {
        let link = sign_in_failed::path_of(guard, provider, redirect, false);
        let action = link.split('?').next().unwrap_or_default().to_owned();
        ProviderButton {
            text: fill(&words.with_provider, &[("provider", &provider.title)]),
            action,
            link,
        }
    };
    guard.sign_in_providers().map(button).collect()
}

fn respond(
    app: &App,
    page: &Page<'_>,
    status: u16,
    redirect: Option<&LocalTarget>,
    content: PageContent<'_>,
) -> Response {
    let settings = app.guard.settings();
    let (words, signed_out) = (page.words::<SignIn>(), page.words::<SignedOut>());
    let sets_cookie = content.sets_cookie;
    let template = LoginPage {
        page,
        words: &words,
        redirect: redirect.map_or("/", LocalTarget::as_str),
        notice: content.notice,
        newcomer: content.newcomer,
        not_me: content.not_me,
        not_me_text: &signed_out.not_me,
        error: content.error,
        enabled: settings.login_url.is_some() && sets_cookie,
        username: content.username,
        choices: &content.choices,
        elsewhere: &content.elsewhere,
        chosen: content.chosen,
        remember: settings.session_ttl_short.map(|_| content.remember),
        providers: match sets_cookie {
            true => providers(app, &words, redirect.unwrap_or(&LocalTarget::root())),
            false => Vec::new(),
        },
    };
    page.respond(status, &template, &[])
}
