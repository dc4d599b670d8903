//! The page of `GET sessions`: where a user is signed in, and what ended lately.

use std::rc::Rc;

use askama::Template;
use auth::decision::Principal;
use auth::form_proof::{Form, form_proof};
use auth::http::{Head, Target};
use auth::session::Session;
use auth::words::{Sessions, fill};
use web_sys::Response;

use super::page::Page;
use super::session_text::{Ended, Reasons};
use crate::app::App;
use crate::request::RequestHead;

/// How many sessions that are over are shown.
const MOST_ENDED: usize = 10;

/// The query by which a page for somebody leads here who was signed out by a login that was not theirs.
const NOT_ME: &str = "not_me=true";

#[derive(Template)]
#[template(path = "sessions.html")]
struct SessionsPage<'a> {
    page: &'a Page<'a>,
    words: &'a Sessions,
    /// That the guard made the form, for this session.
    proof: String,
    /// Was a login not the user's, by which they were signed out elsewhere?
    not_me: bool,
    live: Vec<Live>,
    ended: Vec<Ended>,
}

/// A session that is live.
struct Live {
    sid: String,
    device: String,
    /// Does it look at the page?
    is_here: bool,
    /// Where it is, and when it was last used.
    used: String,
    signed_in: String,
}

/// The page for this caller: the session that looks at it first, then the newest; and what is over, the latest first.
pub fn show(
    app: &App,
    head: &RequestHead,
    caller: &Principal,
    mut live: Vec<Session>,
    ended: Vec<Session>,
) -> Response {
    let page = Page::new(app, head).with_script();
    live.reverse();
    let (own, others): (Vec<Session>, _) = live.into_iter().partition(|it| it.sid == *caller.sid());
    let query = Target::of_url(head.url()).map_or("", |target| target.query());
    let words: Rc<Sessions> = page.words();
    let reasons = Reasons {
        superseded: &words.superseded,
        revoked: &words.revoked,
        reused: &words.reused,
        expired: &words.expired,
    };
    let template = SessionsPage {
        page: &page,
        words: &words,
        proof: form_proof(app.guard.tokens().keys(), Form::Sessions, caller.user(), caller.sid()),
        not_me: query.split('&').any(|it| it == NOT_ME),
        live: own
            .iter()
            .chain(&others)
            .map(|it| Live::of(&page, &words, it, it.sid == *caller.sid()))
            .collect(),
        ended: Ended::latest(&page, ended, MOST_ENDED, &reasons),
    };
    page.respond(200, &template, &[])
}

impl Live {
    fn of(page: &Page<'_>, words: &Sessions, session: &Session, is_here: bool) -> Self {
        let used = if is_here { words.in_use.clone() } else { page.last_used(session) };
        let began = page.format.moment(session.created);
        Self {
            sid: session.sid.to_string(),
            device: page.device(session),
            is_here,
            used: page.place(session).map_or(used.clone(), |place| format!("{place} · {used}")),
            signed_in: fill(&words.signed_in, &[("at", &began)]),
        }
    }
}
