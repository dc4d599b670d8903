//! Who is signed in.

use std::rc::Rc;

use askama::Template;
use auth::admin::{Offers, in_url};
use auth::refusal_counts::RefusalCount;
use auth::rights::is_admin;
use auth::session::{Session, Subject, UserRecord};
use auth::user_index::Cursor;
use auth::words::Admin;
use web_sys::Response;

use super::{Page, Writer, href, short};
use crate::app::App;
use crate::endpoints::admin::console::Caller;
use crate::request::{self, RequestHead};
use crate::services::refusal_counts::LastRefusals;

/// What the page shows.
pub struct UserList {
    /// How the users' names begin.
    pub search: String,
    /// The users with live sessions.
    pub users: Vec<(Subject, Vec<Session>)>,
    /// Where the next page begins, if there may be one.
    pub next: Option<Cursor>,
    /// Is it the first page?
    pub is_first: bool,
    /// The user of exactly the name that is searched for, if that is none of these.
    pub exact: Option<(Subject, UserRecord, Vec<Session>)>,
    /// How many users and sessions there are.
    pub counts: (u64, u64),
    /// What was refused.
    pub refusals: LastRefusals,
    /// What the caller may do.
    pub offers: Offers,
}

#[derive(Template)]
#[template(path = "admin/users.html")]
struct UsersPage<'a> {
    page: &'a Page<'a>,
    words: &'a Admin,
    counted: String,
    search: &'a str,
    rows: Vec<Row>,
    /// Why there are no rows.
    none: Option<&'a str>,
    next: Option<String>,
    is_first: bool,
    first: String,
    refused: Refused,
    may_end: bool,
}

struct Row {
    id: String,
    href: String,
    name: String,
    marks: Vec<String>,
    sessions: String,
    newest: Option<String>,
}

enum Refused {
    Table(Vec<CodeRow>),
    Text(String),
    /// Texts, and what follows each, as code.
    NotSetUp(Vec<(String, &'static str)>),
}

struct CodeRow {
    code: String,
    requests: String,
    last: String,
}

/// The page.
pub fn users(app: &App, head: &RequestHead, caller: &Caller, list: &UserList) -> Response {
    let page = Page::new(app, head).with_script();
    let writer = Writer::new(&page);
    let words = Rc::clone(&writer.words);
    let mut rows: Vec<Row> = Vec::new();
    if let Some((user, record, live)) = &list.exact {
        rows.push(writer.row(caller, user, Some(record), live));
    }
    let is_empty = list.users.is_empty();
    rows.extend(list.users.iter().map(|(user, live)| writer.row(caller, user, None, live)));
    let none = match (is_empty, list.next.is_some(), list.search.is_empty()) {
        (false, ..) => None,
        (true, true, _) => Some(words.none_here.as_str()),
        (true, false, true) => Some(words.nobody.as_str()),
        (true, false, false) => Some(words.none_found.as_str()),
    };
    let first = match list.search.is_empty() {
        true => format!("{}/admin", page.auth_path),
        false => format!("{}/admin?q={}", page.auth_path, in_url(&list.search)),
    };
    let next = list.next.as_ref().map(|next| {
        let separator = if list.search.is_empty() { '?' } else { '&' };
        format!("{first}{separator}cursor={}", next.as_str())
    });
    let template = UsersPage {
        page: &page,
        words: &words,
        counted: writer.counts(&words.counted, list.counts.0, list.counts.1),
        search: &list.search,
        rows,
        none,
        next,
        is_first: list.is_first,
        first,
        refused: writer.refused(&list.refusals),
        may_end: list.offers.end,
    };
    page.respond(200, &template, &[])
}

impl Writer<'_> {
    fn row(
        &self,
        caller: &Caller,
        user: &Subject,
        record: Option<&UserRecord>,
        live: &[Session],
    ) -> Row {
        let newest = live.iter().max_by_key(|session| session.seen);
        let newest = newest.map(|session| {
            let place = self.page.place(session);
            let device = self.page.device(session);
            let parts = [Some(device), place, Some(self.page.last_used(session))];
            parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
        });
        let sessions = match live.len() {
            0 => self.words.not_signed_in.clone(),
            count => self.count(&self.words.sessions, count as u64),
        };
        let is_blocked = record.and_then(|record| record.block.as_ref());
        let is_blocked = is_blocked.is_some_and(|block| block.holds(request::now()));
        let marks = [
            (live.iter().any(is_admin), &self.words.admin),
            (caller.user == *user, &self.words.you),
            (is_blocked, &self.words.blocked),
        ];
        let marks = marks.into_iter().filter(|(holds, _)| *holds).map(|(_, text)| text.clone());
        Row {
            id: format!("u-{}", Cursor::at(user).as_str()),
            href: href(self.page.auth_path, user),
            name: short(user.as_str()),
            marks: marks.collect(),
            sessions,
            newest,
        }
    }

    fn refused(&self, refusals: &LastRefusals) -> Refused {
        let (words, format) = (&self.words, &self.page.format);
        match refusals {
            LastRefusals::Unknown => Refused::Text(words.refused_unknown.clone()),
            LastRefusals::Counts(counts) if counts.is_empty() => {
                Refused::Text(words.refused_none.clone())
            }
            LastRefusals::Counts(counts) => {
                let row = |it: &RefusalCount| CodeRow {
                    code: it.code.clone(),
                    requests: format.number(it.requests),
                    last: it.last.map_or(String::new(), |at| format.ago(at)),
                };
                Refused::Table(counts.iter().map(row).collect())
            }
            LastRefusals::NotSetUp => Refused::NotSetUp(parts(&words.refused_not_set_up)),
        }
    }
}

/// A text whose placeholders are shown as code.
fn parts(text: &str) -> Vec<(String, &'static str)> {
    const CODES: [(&str, &str); 3] = [
        ("{account}", "ANALYTICS_ACCOUNT_ID"),
        ("{token}", "ANALYTICS_API_TOKEN"),
        ("{command}", "session-guard tail"),
    ];
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((at, (placeholder, code))) =
        CODES.iter().filter_map(|it| Some((rest.find(it.0)?, *it))).min_by_key(|(at, _)| *at)
    {
        parts.push((rest[..at].to_owned(), code));
        rest = &rest[at + placeholder.len()..];
    }
    parts.push((rest.to_owned(), ""));
    parts
}
