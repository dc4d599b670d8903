//! The page that says why somebody was not signed in at a provider, with ways on.

use auth::decision::Guard;
use auth::issuer::SignInSettings;
use auth::redirect::LocalTarget;
use auth::refusal::Refusal;
use auth::words::Refusals;
use web_sys::Response;

use super::choice::Choice;
use super::login_error::login_error;
use super::message::{EndForm, Link, Message};
use super::page::Page;
use crate::app::App;
use crate::proxy::access_log;
use crate::request::RequestHead;
use crate::response;

/// A sign-in that failed.
pub struct Failed<'a> {
    /// Where.
    pub provider: &'a SignInSettings,
    /// Where it was to lead.
    pub redirect: &'a LocalTarget,
    /// Whether the user wished to stay signed in.
    pub remember: bool,
}

/// The path that begins a sign-in anew.
pub fn path_of(
    guard: &Guard,
    provider: &SignInSettings,
    redirect: &LocalTarget,
    remember: bool,
) -> String {
    let (auth_path, name) = (&guard.settings().auth_path, &provider.name);
    let remember = if remember { "&remember=true" } else { "" };
    format!("{auth_path}/login/{name}?redirect={}{remember}", redirect.in_query())
}

/// The page, or problem details for a script; with these cookies. Logs the cause.
pub fn show(
    app: &App,
    head: &RequestHead,
    failed: &Failed<'_>,
    refusal: &Refusal,
    cookies: &[String],
) -> Response {
    let response = match app.guard.is_navigation(head) {
        true => page(app, head, failed, refusal),
        false => response::refusal(refusal),
    };
    for cookie in cookies {
        // Does not fail: the guard has made them.
        let _ = response.headers().append("set-cookie", cookie);
    }
    response
}

fn page(app: &App, head: &RequestHead, failed: &Failed<'_>, refusal: &Refusal) -> Response {
    response::log_cause(refusal);
    let page = Page::new(app, head).with_secret_address();
    let words = page.words::<Refusals>();
    let said = words.of(refusal.code());
    let message = Message {
        page: &page,
        title: said.map_or("", |said| &said.title),
        text: text(&page, refusal, said.map_or("", |said| &said.text)),
        code: Some(refusal.code()),
        form: form(&page, failed, refusal),
        links: links(&page, &app.guard, failed, refusal),
    };
    let headers = refusal.headers();
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let retry_after = headers.iter().filter(|(name, _)| *name == "retry-after");
    let page = message.respond(refusal.status(), &retry_after.copied().collect::<Vec<_>>());
    access_log::set_refusal_code(&page, refusal.code());
    page
}

/// What the login page says is more exact than what is said by the code alone.
fn text(page: &Page<'_>, refusal: &Refusal, by_code: &str) -> String {
    match refusal {
        Refusal::SessionLimit { may_end: true, .. } => by_code.to_owned(),
        refusal => login_error(page, refusal).unwrap_or_else(|| by_code.to_owned()),
    }
}

fn form<'a>(page: &Page<'_>, failed: &Failed<'a>, refusal: &Refusal) -> Option<EndForm<'a>> {
    let Refusal::SessionLimit { live, may_end: true } = refusal else { return None };
    Some(EndForm {
        action: format!("{}/login/{}", page.auth_path, failed.provider.name),
        choices: Choice::all(page, live, &[]),
        redirect: failed.redirect.as_str(),
        remember: failed.remember,
    })
}

fn links(page: &Page<'_>, guard: &Guard, failed: &Failed<'_>, refusal: &Refusal) -> Vec<Link> {
    let common = &page.common;
    let Failed { provider, redirect, remember } = *failed;
    let (again, other_account) = match refusal {
        Refusal::SignIn(failure) => (failure.way_on().again, failure.way_on().other_account),
        Refusal::SessionLimit { may_end: true, .. } => (false, true),
        Refusal::UserBlocked(_) | Refusal::ClaimsTooLarge { .. } => (false, true),
        _ => (true, false),
    };
    let path = path_of(guard, provider, redirect, remember);
    let mut links = Vec::new();
    if again {
        links.push(Link::new(&common.try_again, &path));
    }
    if other_account {
        links.push(Link::new(&common.other_account, format!("{path}&prompt=select_account")));
    }
    links.push(Link::new(&common.first_page, "/"));
    links
}
