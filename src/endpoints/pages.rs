//! The guard's own pages, which have no JavaScript, and the script for the site's pages.

pub mod logged_out;
mod message;
pub mod sign_in_failed;

use askama::Template;
use auth::http::{Head, Target};
use auth::login::LoginRequest;
use auth::login_notice;
use auth::redirect::LocalTarget;
use auth::refusal::Refusal;
use auth::session;
use auth::sign_in::{ReturnCount, SignInFailure, SignInRequest};
use web_sys::Response;

use crate::app::App;
use crate::endpoints::sign_in::{self, Named};
use crate::proxy::access_log;
use crate::request::{self, RequestHead};
use crate::response;
use crate::services::{current_session, find_session};

use message::{Choice, HEADERS};
use sign_in_failed::Failed;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    auth_path: &'a str,
    redirect: &'a str,
    notice: Option<String>,
    error: Option<String>,
    enabled: bool,
    /// The user name of the failed login.
    username: Option<&'a str>,
    /// Live sessions, from which the user chooses those to end.
    choices: Vec<Choice>,
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

/// `GET login`: the page, with the reason for the redirect to it; or straight to the provider, if there is one, and
/// nothing to choose nor to tell.
pub async fn login(app: &App, head: &RequestHead) -> Response {
    let query = Target::of_url(head.url()).map_or("", |target| target.query());
    let (redirect, reason) = auth::redirect::read_query(query, &app.guard.settings().site_hosts);
    let reason = reason.as_deref().unwrap_or_default();
    if let Some(provider) = only_way(app).filter(|_| may_go_straight(app, head, reason)) {
        return go_straight(app, head, provider, reason, query).await;
    }
    let (notice, sets_cookie) = (notice(app, head, reason).await, app.guard.sets_cookie(head));
    let content = PageContent { notice, sets_cookie, ..PageContent::default() };
    page(app, 200, redirect.as_ref(), content)
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
    if !needs_another && current_session::is_live(app, head).await {
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
async fn notice(app: &App, head: &RequestHead, reason: &str) -> Option<String> {
    let notice_of_reason = || login_notice::of_reason(reason).map(str::to_owned);
    // Neither is about a session that is over.
    if matches!(reason, "logged_out" | "insufficient_user_authentication") {
        return notice_of_reason();
    }
    let now = request::now();
    let Some(principal) = app.guard.principal_of(head, now) else { return notice_of_reason() };
    let Ok(found) = find_session::find(app, principal.user(), principal.sid()).await else {
        return notice_of_reason();
    };
    match session::judge_token(found, principal.token_names(), now) {
        Ok(_) => None,
        Err(invalid) => login_notice::of_gone(&invalid, now).or_else(notice_of_reason),
    }
}

/// The login page after a refused login.
pub fn login_again(app: &App, login: &LoginRequest, refusal: &Refusal) -> Response {
    let error = match refusal {
        Refusal::SessionLimit(Some(_)) => {
            "You are signed in elsewhere. Choose what to sign out of, and sign in again.".into()
        }
        refusal => format!("{}. {}", refusal.problem().title, refusal.detail()),
    };
    let choices = match refusal {
        Refusal::SessionLimit(Some(live)) => live.iter().map(Choice::of).collect(),
        _ => Vec::new(),
    };
    let content = PageContent {
        error: Some(error),
        username: login.username(),
        choices,
        sets_cookie: true,
        remember: login.remember,
        ..PageContent::default()
    };
    let page = page(app, refusal.status(), login.redirect.as_ref(), content);
    access_log::set_refusal_code(&page, refusal.code());
    for (name, value) in refusal.headers().iter().filter(|(name, _)| *name == "retry-after") {
        // Does not fail: a number is a valid header value.
        let _ = page.headers().set(name, value);
    }
    page
}

/// `GET style.css`.
pub fn style_sheet() -> Response {
    let headers = [
        ("content-type", "text/css; charset=utf-8"),
        ("cache-control", "public, max-age=3600"),
        ("x-content-type-options", "nosniff"),
    ];
    response::response(200, include_str!("pages/style.css"), &headers)
}

/// `GET client.js`: the script that turns messages of `GET events` into an event of the page.
pub fn client(head: &RequestHead) -> Response {
    java_script(head, CLIENT, CLIENT_TAG)
}

/// `GET pages.js`: the script that keeps a page of the guard's own up to date.
pub fn script(head: &RequestHead) -> Response {
    java_script(head, SCRIPT, SCRIPT_TAG)
}

fn java_script(head: &RequestHead, text: &str, tag: u64) -> Response {
    let tag = format!("\"{tag:x}\"");
    let headers = [
        ("content-type", "text/javascript; charset=utf-8"),
        ("cache-control", "public, max-age=3600"),
        ("etag", &tag),
        ("x-content-type-options", "nosniff"),
    ];
    match head.header("if-none-match").is_some_and(|known| known.contains(&tag)) {
        true => response::response(304, "", &headers),
        false => response::response(200, text, &headers),
    }
}

const CLIENT: &str = include_str!("pages/client.js");
const CLIENT_TAG: u64 = fnv(CLIENT.as_bytes());
const SCRIPT: &str = include_str!("pages/pages.js");
const SCRIPT_TAG: u64 = fnv(SCRIPT.as_bytes());

/// A hash of a text (FNV-1a), for its `ETag`.
const fn fnv(text: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut at = 0;
    while at < text.len() {
        hash = (hash ^ text[at] as u64).wrapping_mul(0x100_0000_01b3);
        at += 1;
    }
    hash
}

/// The variable content of the login page.
#[derive(Default)]
struct PageContent<'a> {
    /// Does a login here set the session cookie?
    sets_cookie: bool,
    notice: Option<String>,
    error: Option<String>,
    username: Option<&'a str>,
    choices: Vec<Choice>,
    remember: bool,
}

/// The ways to sign in at a provider.
fn providers(app: &App, redirect: &LocalTarget) -> Vec<ProviderButton> {
    let guard = &app.guard;
    let button = |(_, provider): Named<'_>| {
        let link = sign_in_failed::path_of(guard, provider, redirect, false);
        let action = link.split('?').next().unwrap_or_default().to_owned();
        ProviderButton { text: format!("Sign in with {}", provider.title), action, link }
    };
    guard.sign_in_providers().map(button).collect()
}

fn page(
    app: &App,
    status: u16,
    redirect: Option<&LocalTarget>,
    content: PageContent<'_>,
) -> Response {
    let settings = app.guard.settings();
    let PageContent { notice, error, username, choices, sets_cookie, remember } = content;
    let page = LoginPage {
        auth_path: &settings.auth_path,
        redirect: redirect.map_or("/", LocalTarget::as_str),
        notice,
        error,
        enabled: settings.login_url.is_some() && sets_cookie,
        username,
        choices,
        remember: settings.session_ttl_short.map(|_| remember),
        providers: match sets_cookie {
            true => providers(app, redirect.unwrap_or(&LocalTarget::root())),
            false => Vec::new(),
        },
    };
    match page.render() {
        Ok(html) => response::response(status, &html, &HEADERS),
        Err(error) => response::refusal(&Refusal::Failed(error.to_string())),
    }
}
