//! A refusal as a response: for a person a redirect or a page, for others problem details.

use askama::Template;
use auth::decision::{RefusalPage, RefusalResponse, shows_page};
use auth::form_proof::{Form, form_proof};
use auth::http::Head;
use auth::page_settings::PageSettings;
use auth::refusal::{Refusal, Topic};
use auth::words::{Errors, WordCache, fill};
use web_sys::Response;

use super::choice::Choice;
use super::message::Link;
use super::page::Page;
use super::sign_in_failed::path_of;
use crate::app::App;
use crate::proxy::access_log;
use crate::request::{self, RequestHead};
use crate::response;

#[derive(Template)]
#[template(path = "refused.html")]
struct Refused<'a> {
    page: &'a Page<'a>,
    title: &'a str,
    text: String,
    /// What whoever runs the site finds the request by.
    reference: String,
    /// Live sessions that leave no room.
    choices: Vec<Choice>,
    /// The form that ends some of them.
    form: Option<MakeRoom<'a>>,
    links: Vec<Link>,
}

/// A form that ends sessions, and goes on.
struct MakeRoom<'a> {
    proof: String,
    redirect: &'a str,
    button: &'a str,
}

/// The response of a refusal: for a navigation a redirect to the login page or to https, or a page; otherwise problem
/// details.
pub fn respond(app: &App, head: &RequestHead, refused: &RefusalResponse) -> Response {
    let Some(said) = &refused.page else { return response::refused(refused, head.method()) };
    let page = page_for(app, head, &refused.refusal);
    let words = page.words::<Errors>();
    let form = make_room(app, head, &refused.refusal, said, &words);
    let template = Refused {
        text: text(&page, &words, &refused.refusal, form.is_some()),
        title: &words.of(said.topic).title,
        reference: reference(head, &refused.refusal),
        choices: choices(&page, &refused.refusal),
        form,
        links: links(app, head, &page, said),
        page: &page,
    };
    send(&page, &template, &refused.refusal, &refused.headers())
}

/// A refusal of one of the guard's own pages: as for any path, but with the challenge of the guard's own endpoints.
pub fn respond_of_own_page(app: &App, head: &RequestHead, refusal: Refusal) -> Response {
    let refused = RefusalResponse { resource: None, ..app.guard.refused(refusal, head, None) };
    respond(app, head, &refused)
}

/// The same for a refusal that leads nowhere else.
pub fn show(app: &App, head: &RequestHead, refusal: &Refusal) -> Response {
    let page = app.guard.page(head, refusal);
    respond(app, head, &RefusalResponse { page, ..RefusalResponse::from(refusal.clone()) })
}

/// The same where there are no settings to go by: in the guard's own looks, which come with the page.
pub fn show_without_app(head: &RequestHead, refusal: &Refusal) -> Response {
    if !shows_page(head) {
        return response::refusal(refusal);
    }
    let (settings, cache) = (PageSettings::default(), WordCache::default());
    let page = Page::of(&settings, "", &cache, head).with_own_style();
    let said = page.words::<Errors>();
    let said = said.of(Topic::Failed);
    let template = Refused {
        page: &page,
        title: &said.title,
        text: said.text.clone(),
        reference: reference(head, refusal),
        choices: Vec::new(),
        form: None,
        links: vec![first_page(&page)],
    };
    send(&page, &template, refusal, &refusal.headers())
}

/// The page of a refusal. Over plain http, the style sheet would be refused, too.
fn page_for<'a>(app: &'a App, head: &RequestHead, refusal: &Refusal) -> Page<'a> {
    let page = Page::new(app, head);
    match refusal {
        Refusal::HttpsRequired => page.with_own_style(),
        _ => page,
    }
}

fn send(
    page: &Page<'_>,
    template: &Refused<'_>,
    refusal: &Refusal,
    headers: &[(&str, String)],
) -> Response {
    response::log_cause(refusal);
    // Each page has this one already.
    let headers = headers.iter().filter(|(name, _)| *name != "cache-control");
    let headers: Vec<_> = headers.map(|(name, value)| (*name, value.as_str())).collect();
    let response = page.respond(refusal.status(), template, &headers);
    access_log::set_refusal_code(&response, refusal.code());
    response
}

fn text(page: &Page<'_>, words: &Errors, refusal: &Refusal, may_make_room: bool) -> String {
    match refusal {
        Refusal::UserBlocked(block) => match block.until {
            Some(until) => fill(&words.blocked_until, &[("at", &page.format.moment(until))]),
            None => words.of(Topic::Blocked).text.clone(),
        },
        Refusal::AdmissionLimit(_) if !may_make_room => words.sign_out_first.clone(),
        refusal => words.of(refusal.topic()).text.clone(),
    }
}

/// The code, the moment and, on Cloudflare, the request's name there: what the log has, too.
fn reference(head: &RequestHead, refusal: &Refusal) -> String {
    let ray = head.header("cf-ray").unwrap_or_default();
    let is_ray = ray.len() <= 40 && ray.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-');
    let ray = if is_ray { &*ray } else { "" };
    format!("{} {} {ray}", refusal.code(), request::now()).trim_end().to_owned()
}

fn choices(page: &Page<'_>, refusal: &Refusal) -> Vec<Choice> {
    match refusal {
        Refusal::AdmissionLimit(live) => Choice::all(page, live, &[]),
        _ => Vec::new(),
    }
}

/// The form by which a provider's session that waits for room makes it, if it may.
fn make_room<'a>(
    app: &App,
    head: &RequestHead,
    refusal: &Refusal,
    said: &'a RefusalPage,
    words: &'a Errors,
) -> Option<MakeRoom<'a>> {
    let waits = matches!(refusal, Refusal::AdmissionLimit(_));
    if !waits || !app.guard.lets_newcomers_end_sessions() {
        return None;
    }
    let caller = app.guard.principal_of(head, request::now())?;
    let keys = app.guard.tokens().keys();
    let proof = form_proof(keys, Form::Sessions, caller.user(), caller.sid());
    Some(MakeRoom { proof, redirect: said.back.as_str(), button: &words.go_on })
}

fn links(app: &App, head: &RequestHead, page: &Page<'_>, said: &RefusalPage) -> Vec<Link> {
    let mut links = Vec::new();
    if said.topic.is_passing() {
        links.push(Link::new(&page.common.try_again, said.back.as_str()));
    }
    if said.topic.is_of_the_user() && app.guard.sets_cookie(head) {
        links.push(Link::new(&page.common.other_account, other_account(app, said)));
    }
    if said.back.as_str() != "/" || links.is_empty() {
        links.push(first_page(page));
    }
    links
}

/// Where another user signs in, and comes back from. A provider that is the only way is asked for the account.
fn other_account(app: &App, said: &RefusalPage) -> String {
    let (guard, back) = (&app.guard, &said.back);
    let mut providers = guard.sign_in_providers();
    match (&guard.settings().login_url, providers.next(), providers.next()) {
        (None, Some((_, only)), None) => {
            format!("{}&prompt=select_account", path_of(guard, only, back, false))
        }
        _ => format!("{}/login?redirect={}", guard.settings().auth_path, back.in_query()),
    }
}

fn first_page(page: &Page<'_>) -> Link {
    Link::new(&page.common.first_page, "/")
}
