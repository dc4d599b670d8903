//! How pages tell of a session.

use std::cmp::Reverse;

use auth::session::{Session, SessionEnd};
use auth::words::{Devices, fill};

use super::page::Page;

impl Page<'_> {
    /// A session's browser and system, or else the kind of device.
    pub fn device(&self, session: &Session) -> String {
        self.words::<Devices>().name(&session.user_agent, session.device)
    }

    /// Where a session is, if that is known.
    pub fn place(&self, session: &Session) -> Option<String> {
        session.place.as_deref().map(|place| self.format.place(place))
    }

    /// When a session was last used.
    pub fn last_used(&self, session: &Session) -> String {
        fill(&self.common.last_used, &[("when", &self.format.ago(session.seen))])
    }
}

/// A session that is over.
pub struct Ended {
    /// Its id.
    pub sid: String,
    /// Its browser and system, or else the kind of device.
    pub device: String,
    /// Where it was.
    pub place: Option<String>,
    /// Why and when it ended.
    pub why: String,
}

/// Why a session is over, in the words of a page, with `{ago}` and `{at}`.
pub struct Reasons<'a> {
    /// A newer login took its place; also has `{with}`.
    pub superseded: &'a str,
    /// It was ended.
    pub revoked: &'a str,
    /// It was ended, because an old token of it was used.
    pub reused: &'a str,
    /// A deadline has passed.
    pub expired: &'a str,
}

impl Ended {
    /// The latest of these sessions, at most so many, the last one first.
    pub fn latest(
        page: &Page<'_>,
        mut ended: Vec<Session>,
        most: usize,
        reasons: &Reasons<'_>,
    ) -> Vec<Self> {
        ended.sort_by_key(|it| Reverse(it.over_at()));
        ended.iter().take(most).map(|it| Self::of(page, it, reasons)).collect()
    }

    fn of(page: &Page<'_>, session: &Session, reasons: &Reasons<'_>) -> Self {
        let (text, by) = match &session.ended {
            Some(SessionEnd::Superseded { by, .. }) => (reasons.superseded, Some(*by)),
            Some(SessionEnd::Revoked { .. }) => (reasons.revoked, None),
            Some(SessionEnd::Reused { .. }) => (reasons.reused, None),
            None => (reasons.expired, None),
        };
        let (devices, at) = (page.words::<Devices>(), session.over_at());
        let with = by.map_or("", |by| devices.with(by));
        let values =
            [("ago", &*page.format.ago(at)), ("at", &page.format.moment(at)), ("with", with)];
        Self {
            sid: session.sid.to_string(),
            device: page.device(session),
            place: page.place(session),
            why: fill(text, &values),
        }
    }
}
