//! The page that says why somebody was not signed in at a provider, with ways on.

use auth::decision::Guard;
use auth::issuer::SignInSettings;
use auth::redirect::LocalTarget;
use auth::refusal::Refusal;
use web_sys::Response;

use super::message::{Choice, EndForm, Link, Message};
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
        true => page(app, failed, refusal),
        false => response::refusal(refusal),
    };
    for cookie in cookies {
        // Does not fail: the guard has made them.
        let _ = response.headers().append("set-cookie", cookie);
    }
    response
}

fn page(app: &App, failed: &Failed<'_>, refusal: &Refusal) -> Response {
    response::log_cause(refusal);
    let message = Message {
        auth_path: &app.guard.settings().auth_path,
        title: title(refusal),
        text: text(refusal),
        code: Some(refusal.code()),
        form: form(&app.guard, failed, refusal),
        links: links(&app.guard, failed, refusal),
    };
    let headers = refusal.headers();
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let retry_after = headers.iter().filter(|(name, _)| *name == "retry-after");
    let page = message.page(refusal.status(), &retry_after.copied().collect::<Vec<_>>());
    access_log::set_refusal_code(&page, refusal.code());
    page
}

fn title(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::SessionLimit(Some(_)) => "You are signed in elsewhere",
        refusal => refusal.problem().title,
    }
}

fn text(refusal: &Refusal) -> String {
    match refusal {
        Refusal::SessionLimit(Some(_)) => "Choose what to sign out of, and sign in again.".into(),
        refusal => refusal.detail(),
    }
}

fn form<'a>(guard: &Guard, failed: &Failed<'a>, refusal: &Refusal) -> Option<EndForm<'a>> {
    let Refusal::SessionLimit(Some(live)) = refusal else { return None };
    Some(EndForm {
        action: format!("{}/login/{}", guard.settings().auth_path, failed.provider.name),
        choices: live.iter().map(Choice::of).collect(),
        redirect: failed.redirect.as_str(),
        remember: failed.remember,
    })
}

fn links(guard: &Guard, failed: &Failed<'_>, refusal: &Refusal) -> Vec<Link> {
    let Failed { provider, redirect, remember } = *failed;
    let (again, other_account) = match refusal {
        Refusal::SignIn(failure) => (failure.way_on().again, failure.way_on().other_account),
        Refusal::SessionLimit(Some(_)) => (false, true),
        Refusal::UserBlocked(_) | Refusal::ClaimsTooLarge { .. } => (false, true),
        _ => (true, false),
    };
    let path = path_of(guard, provider, redirect, remember);
    let mut links = Vec::new();
    if again {
        links.push(Link::new("Try again", &path));
    }
    if other_account {
        links.push(Link::new("Use another account", format!("{path}&prompt=select_account")));
    }
    links.push(Link::new("Go to the first page", "/"));
    links
}
