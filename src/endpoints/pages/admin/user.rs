//! A user: sessions, rights, block.

use std::cmp::Reverse;
use std::rc::Rc;

use askama::Template;
use auth::admin::Offers;
use auth::body_format::BodyFormat;
use auth::http::{Head, Target};
use auth::rights::is_admin;
use auth::session::{Block, Session, Subject, UserRecord};
use auth::words::{Admin, fill};
use web_sys::Response;

use super::{Page, Writer, href, readable, short};
use crate::app::App;
use crate::endpoints::admin::console::Caller;
use crate::endpoints::pages::session_text::{Ended, Reasons};
use crate::request::{self, RequestHead};

/// How many live sessions a page shows.
const ON_PAGE: usize = 8;

/// How many sessions that are over are shown.
const MOST_ENDED: usize = 5;

/// What the page shows.
pub struct User<'a> {
    /// Who it is.
    pub sub: &'a Subject,
    /// What is stored of the user.
    pub record: UserRecord,
    /// The live sessions.
    pub live: Vec<Session>,
    /// Those that are over.
    pub ended: Vec<Session>,
    /// What the caller may do.
    pub offers: Offers,
    /// Is it the caller?
    pub is_oneself: bool,
}

#[derive(Template)]
#[template(path = "admin/user.html")]
struct UserPage<'a> {
    page: &'a Page<'a>,
    words: &'a Admin,
    proof: &'a str,
    href: String,
    sub: String,
    name: String,
    marks: Vec<&'a str>,
    /// What a form has done.
    done: Vec<String>,
    offers: Offers,
    /// Why the sessions cannot be ended.
    why_not: Option<&'a str>,
    live: Vec<Live>,
    first: Option<String>,
    next: Option<String>,
    end_all_means: String,
    rights: Option<&'a str>,
    block: Vec<String>,
    ended: Vec<Ended>,
}

struct Live {
    sid: String,
    device: String,
    marks: Vec<String>,
    place: Option<String>,
    used: String,
    details: Vec<String>,
    user_agent: String,
    rights: Option<String>,
}

/// The page. The newest sessions come first.
pub fn user(app: &App, head: &RequestHead, caller: &Caller, user: User<'_>) -> Response {
    let page = Page::new(app, head).with_script();
    let writer = Writer::new(&page);
    let words = Rc::clone(&writer.words);
    let User { sub, record, mut live, ended, offers, is_oneself } = user;
    live.sort_by_key(|it| (Reverse(it.created), it.sid.to_string()));
    let block = record.block.as_ref().filter(|block| block.holds(request::now()));
    let is_admin = live.iter().any(is_admin);
    let marks =
        [(is_admin, &words.admin), (is_oneself, &words.you), (block.is_some(), &words.blocked)];
    let query = Target::of_url(head.url()).map_or("", |target| target.query());
    let number = |name: &str| {
        let text = BodyFormat::Form.texts(query, &[name.to_owned()]).pop();
        text.and_then(|text| text.parse::<u64>().ok())
    };
    let skipped = usize::try_from(number("from").unwrap_or(0)).unwrap_or(0).min(live.len());
    let path = href(page.auth_path, sub);
    let shown = &live[skipped..];
    let reasons = Reasons {
        superseded: &words.superseded,
        revoked: &words.revoked,
        reused: &words.reused,
        expired: &words.expired,
    };
    let template = UserPage {
        page: &page,
        words: &words,
        proof: &caller.proof,
        sub: readable(sub.as_str()),
        name: short(sub.as_str()),
        marks: marks.iter().filter(|(holds, _)| *holds).map(|(_, text)| text.as_str()).collect(),
        done: writer.done(query, number("ended")),
        offers,
        why_not: match (offers.end, live.is_empty()) {
            (true, _) | (_, true) => None,
            (false, false) if Offers::on_many(caller.credential()).end => Some(&words.is_admin),
            (false, false) => Some(&words.only_look),
        },
        live: shown.iter().take(ON_PAGE).map(|it| writer.live(caller, it)).collect(),
        first: (skipped > 0).then(|| path.clone()),
        next: (shown.len() > ON_PAGE).then(|| format!("{path}?from={}", skipped + ON_PAGE)),
        end_all_means: writer.count(&words.end_all_means, live.len() as u64),
        rights: record.rights.as_deref(),
        block: block.map_or(Vec::new(), |block| writer.block(block)),
        ended: Ended::latest(&page, ended, MOST_ENDED, &reasons),
        href: path,
    };
    page.respond(200, &template, &[])
}

impl Writer<'_> {
    fn live(&self, caller: &Caller, session: &Session) -> Live {
        let (words, format) = (&self.words, &self.page.format);
        let is_own = session.sid == caller.sid;
        let marks = [(is_own, &words.this_session), (is_admin(session), &words.admin)];
        let issuer = session.issuer.as_ref();
        let details = [
            Some(fill(&words.signed_in, &[("at", &format.moment(session.created))])),
            Some(fill(&words.expires, &[("at", &format.moment(session.deadline()))])),
            issuer.map(|issuer| fill(&words.signed_in_by, &[("issuer", issuer)])),
        ];
        Live {
            sid: session.sid.to_string(),
            device: self.page.device(session),
            marks: marks.iter().filter(|it| it.0).map(|(_, text)| (*text).clone()).collect(),
            place: self.page.place(session),
            used: self.page.last_used(session),
            details: details.into_iter().flatten().collect(),
            user_agent: readable(&session.user_agent),
            rights: session.rights.clone(),
        }
    }

    fn block(&self, block: &Block) -> Vec<String> {
        let (words, format) = (&self.words, &self.page.format);
        let since = [("ago", &*format.ago(block.at)), ("at", &format.moment(block.at))];
        let until = match block.until {
            Some(until) => fill(&words.blocked_until, &[("at", &format.moment(until))]),
            None => words.blocked_forever.clone(),
        };
        let why = block.reason.as_ref();
        let why = why.map(|reason| fill(&words.blocked_why, &[("reason", &readable(reason))]));
        [Some(fill(&words.blocked_since, &since)), Some(until), why].into_iter().flatten().collect()
    }

    /// What the form has done that led here. A link can say it, too, but nothing else.
    fn done(&self, query: &str, ended: Option<u64>) -> Vec<String> {
        let words = &self.words;
        let has = |name: &str| query.split('&').any(|it| it == name);
        let ended = ended.map(|ended| match ended {
            0 => words.done_nothing.clone(),
            ended => self.count(&words.done_ended, ended),
        });
        let others = [
            ("more", &words.done_partly),
            ("blocked", &words.done_blocked),
            ("unblocked", &words.done_unblocked),
        ];
        let others = others.into_iter().filter(|(name, _)| has(name));
        ended.into_iter().chain(others.map(|(_, text)| text.clone())).collect()
    }
}
