//! The page of `GET sessions`: where a user is signed in, and what ended lately.

use std::rc::Rc;

use askama::Template;
use auth::decision::Principal;
use auth::form_proof::{Form, form_proof};
use auth::http::{Head, Target};
use auth::session::{Session, SessionEnd};
use auth::words::{Devices, Sessions, fill};
use web_sys::Response;

use super::page::Page;
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
    words: Rc<Sessions>,
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

/// A session that is over.
struct Ended {
    sid: String,
    device: String,
    place: Option<String>,
    why: String,
}

/// What both are written with.
struct Writer<'a> {
    page: &'a Page<'a>,
    words: Rc<Sessions>,
    devices: Rc<Devices>,
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
    let writer = Writer { page: &page, words: page.words(), devices: page.words() };
    let template = SessionsPage {
        page: &page,
        words: Rc::clone(&writer.words),
        proof: form_proof(app.guard.tokens().keys(), Form::Sessions, caller.user(), caller.sid()),
        not_me: query.split('&').any(|it| it == NOT_ME),
        live: own
            .iter()
            .chain(&others)
            .map(|it| writer.live(it, it.sid == *caller.sid()))
            .collect(),
        ended: latest(ended).iter().map(|it| writer.ended(it)).collect(),
    };
    page.respond(200, &template, &[])
}

/// Those that are over since the shortest time, first. Not sorted, because the code of the standard sort is large.
fn latest(mut ended: Vec<Session>) -> Vec<Session> {
    let mut latest = Vec::new();
    while latest.len() < MOST_ENDED
        && let Some(next) = (0..ended.len()).max_by_key(|at| ended[*at].over_at())
    {
        latest.push(ended.remove(next));
    }
    latest
}

impl Writer<'_> {
    fn live(&self, session: &Session, is_here: bool) -> Live {
        let Page { format, common, .. } = self.page;
        let used = match is_here {
            true => self.words.in_use.clone(),
            false => fill(&common.last_used, &[("when", &format.ago(session.seen))]),
        };
        Live {
            sid: session.sid.to_string(),
            device: self.devices.name(&session.user_agent, session.device),
            is_here,
            used: self.place(session).map_or(used.clone(), |place| format!("{place} · {used}")),
            signed_in: fill(&self.words.signed_in, &[("at", &format.moment(session.created))]),
        }
    }

    fn ended(&self, session: &Session) -> Ended {
        let format = &self.page.format;
        let (text, by) = match &session.ended {
            Some(SessionEnd::Superseded { by, .. }) => (&self.words.superseded, Some(*by)),
            Some(SessionEnd::Revoked { .. }) => (&self.words.revoked, None),
            Some(SessionEnd::Reused { .. }) => (&self.words.reused, None),
            None => (&self.words.expired, None),
        };
        let (at, with) = (session.over_at(), by.map_or("", |by| self.devices.with(by)));
        let values = [("ago", &*format.ago(at)), ("at", &format.moment(at)), ("with", with)];
        Ended {
            sid: session.sid.to_string(),
            device: self.devices.name(&session.user_agent, session.device),
            place: self.place(session),
            why: fill(text, &values),
        }
    }

    fn place(&self, session: &Session) -> Option<String> {
        session.place.as_ref().map(|place| self.page.format.place(place))
    }
}
