//! A session of somebody, as a page tells it.

use auth::session::{Session, Sid};
use auth::words::{Devices, fill};

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
        let devices = page.words::<Devices>();
        let is_chosen = |sid: &Sid| live.len() == 1 || chosen.contains(sid);
        let of = |session: &Session| Self {
            sid: session.sid.to_string(),
            device: devices.name(&session.user_agent, session.device),
            details: details(page, session),
            is_chosen: is_chosen(&session.sid),
        };
        live.iter().map(of).collect()
    }
}

fn details(page: &Page<'_>, session: &Session) -> String {
    let seen = fill(&page.common.last_used, &[("when", &page.format.ago(session.seen))]);
    match &session.place {
        Some(place) => format!("{} · {seen}", page.format.place(place)),
        None => seen,
    }
}
