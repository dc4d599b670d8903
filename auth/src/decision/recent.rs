//! A short memory for outages of the store: `STORE_FAILURE = allow-recent`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use crate::session::{LiveSession, Sid};
use crate::time::Timestamp;

/// Sessions that this isolate saw live a short while ago, for when the store cannot be asked.
#[derive(Debug)]
pub struct Recent {
    window: Duration,
    /// Until when each may pass: the window's end, or its own deadline if that is sooner.
    until: RefCell<HashMap<Sid, Timestamp>>,
}

impl Recent {
    /// Beyond this many, all are forgotten: a store that fails then denies some it could allow.
    const MOST: usize = 10_000;

    /// Remembers each for as long as this.
    pub fn new(window: Duration) -> Self {
        Self { window, until: RefCell::default() }
    }

    /// May this session pass on what was seen of it?
    pub fn holds(&self, sid: &Sid, now: Timestamp) -> bool {
        self.until.borrow().get(sid).is_some_and(|until| now < *until)
    }

    /// Remembers that a session was live at a moment, or forgets it when it was not.
    pub fn note(&self, sid: &Sid, live: Option<&LiveSession>, now: Timestamp) {
        let Some(live) = live else { return self.forget(sid) };
        let mut all = self.until.borrow_mut();
        if all.len() >= Self::MOST {
            all.clear();
        }
        all.insert(sid.clone(), now.plus(self.window).min(live.deadline()));
    }

    /// Forgets that a session was seen live.
    pub fn forget(&self, sid: &Sid) {
        self.until.borrow_mut().remove(sid);
    }
}
