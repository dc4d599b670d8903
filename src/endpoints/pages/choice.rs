//! A session of somebody, as a page tells it.

use auth::session::{Session, Sid};

use super::page::Page;

/// A live session that the user may end, or is told of.
pub struct Choice {
    /// Its id.
    pub sid: String,
    /// Its browser and system, or else the kind of device.
    pub device: String,
    /// Where it is, and when it was last used.
    pub details: String,
    /// Is its box checked?
    pub is_chosen: bool,
}

impl Choice {
    /// Each of these sessions; with a box that is checked if it was chosen before, or if there is no other.
    pub fn all(page: &Page<'_>, live: &[Session], chosen: &[Sid]) -> Vec<Self> {
        let is_chosen = |sid: &Sid| live.len() == 1 || chosen.contains(sid);
        let of = |session: &Session| Self {
            sid: session.sid.to_string(),
            device: page.device(session),
            details: details(page, session),
            is_chosen: is_chosen(&session.sid),
        };
        live.iter().map(of).collect()
    }
}

fn details(page: &Page<'_>, session: &Session) -> String {
    let seen = page.last_used(session);
    match page.place(session) {
        Some(place) => format!("{place} · {seen}"),
        None => seen,
    }
}
