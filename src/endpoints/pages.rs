//! The guard's own pages, which work without JavaScript and carry none, and the script for the pages of
//! others.

use askama::Template;
use auth::http::{Head, Target};
use auth::login::LoginRequest;
use auth::login_notice;
use auth::redirect::LocalTarget;
use auth::refusal::Refusal;
use auth::session::{self, Session};
use auth::time::ago;
use web_sys::Response;

use crate::app::App;
use crate::proxy::access_log;
use crate::request::{self, RequestHead};
use crate::response::{self, NO_STORE};
use crate::services::find_session;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    auth_path: &'a str,
    redirect: &'a str,
    notice: Option<String>,
    error: Option<String>,
    enabled: bool,
    /// What was entered before.
    username: Option<&'a str>,
    /// Live sessions, of which some are to be ended.
    choices: Vec<Choice>,
}

struct Choice {
    sid: String,
    text: String,
}

impl Choice {
    fn of(session: &Session) -> Self {
        let device = session.device.to_string();
        let (first, rest) = device.split_at(1);
        let place = session.place.as_ref().map_or(String::new(), |place| format!(" in {place}"));
        let seen = ago(request::now().since(session.seen));
        let text = format!("{}{rest}{place}, last used {seen}", first.to_ascii_uppercase());
        Self { sid: session.sid.to_string(), text }
    }
}

/// What every page is served with: nothing is loaded but the style sheet, nobody frames it. Browsers
/// hold `form-action` against redirects, too, and the application may lead to another site after the
/// login. Without a referrer, they send the form with `Origin: null`.
const HEADERS: [(&str, &str); 5] = [
    ("content-type", "text/html; charset=utf-8"),
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    NO_STORE,
];

/// `GET login`: the page, with the reason why its visitor was sent there.
pub async fn login(app: &App, head: &RequestHead) -> Response {
    let query = Target::of_url(head.url()).map_or("", |target| target.query());
    let (redirect, reason) = auth::redirect::read_query(query);
    let reason = reason.as_deref().unwrap_or_default();
    let content = PageContent { notice: notice(app, head, reason).await, ..PageContent::default() };
    page(app, 200, redirect.as_ref(), content)
}

/// Why the visitor is here. The browser may still have the token of the session that is over, and the
/// store knows more of it than the query says. Nobody whose session is live was signed out.
async fn notice(app: &App, head: &RequestHead, reason: &str) -> Option<String> {
    let notice_of_reason = || login_notice::of_reason(reason).map(str::to_owned);
    if reason == "logged_out" {
        return notice_of_reason();
    }
    let now = request::now();
    let Some(principal) = app.guard.principal_of(head, now) else { return notice_of_reason() };
    let Ok(found) = find_session::find(app, principal.user(), principal.sid()).await else {
        return notice_of_reason();
    };
    match session::judge_token(found, principal.token_names(), now) {
        Ok(_) => None,
        Err(gone) => login_notice::of_gone(&gone, now).or_else(notice_of_reason),
    }
}

/// The page again, after a login that was not accepted.
pub fn login_again(app: &App, attempt: &LoginRequest, refusal: &Refusal) -> Response {
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
    let content =
        PageContent { notice: None, error: Some(error), username: attempt.username(), choices };
    let page = page(app, refusal.status(), attempt.redirect.as_ref(), content);
    access_log::set_refusal_code(&page, refusal.code());
    for (name, value) in refusal.headers().iter().filter(|(name, _)| *name == "retry-after") {
        // A number is a header.
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

/// `GET client.js`: what makes an event of the page out of `GET events`.
pub fn client(head: &RequestHead) -> Response {
    let tag = format!("\"{CLIENT_TAG:x}\"");
    let headers = [
        ("content-type", "text/javascript; charset=utf-8"),
        ("cache-control", "public, max-age=3600"),
        ("etag", &tag),
        ("x-content-type-options", "nosniff"),
    ];
    match head.header("if-none-match").is_some_and(|known| known.contains(&tag)) {
        true => response::response(304, "", &headers),
        false => response::response(200, CLIENT, &headers),
    }
}

const CLIENT: &str = include_str!("pages/client.js");
const CLIENT_TAG: u64 = fnv(CLIENT.as_bytes());

/// Tells one version of a text from another (FNV-1a).
const fn fnv(text: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut at = 0;
    while at < text.len() {
        hash = (hash ^ text[at] as u64).wrapping_mul(0x100_0000_01b3);
        at += 1;
    }
    hash
}

/// What differs from one page to the next.
#[derive(Default)]
struct PageContent<'a> {
    notice: Option<String>,
    error: Option<String>,
    username: Option<&'a str>,
    choices: Vec<Choice>,
}

fn page(
    app: &App,
    status: u16,
    redirect: Option<&LocalTarget>,
    content: PageContent<'_>,
) -> Response {
    let settings = app.guard.settings();
    let PageContent { notice, error, username, choices } = content;
    let page = LoginPage {
        auth_path: &settings.auth_path,
        redirect: redirect.map_or("/", LocalTarget::as_str),
        notice,
        error,
        enabled: settings.login_url.is_some() && settings.token_sources.cookie,
        username,
        choices,
    };
    match page.render() {
        Ok(html) => response::response(status, &html, &HEADERS),
        Err(error) => response::refusal(&Refusal::Failed(error.to_string())),
    }
}
