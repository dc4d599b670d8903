//! What one isolate keeps for all of its requests: the guard, the stores and bindings, and small caches.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use auth::decision::Guard;
use auth::event::ReportedEnds;
use auth::rate::RateSubject;
use auth::refusal::Refusal;
use auth::store_health::StoreHealth;
use worker::{Fetcher, ObjectNamespace};

use crate::platform::RateLimit;
use crate::proxy::last_value::LastValue;
use crate::stores::SessionStore;

/// What one isolate keeps for all of its requests.
pub struct App {
    /// Decides, by the settings.
    pub guard: Guard,
    /// Keeps the sessions.
    pub store: Rc<dyn SessionStore>,
    /// Count attempts to log in, in place of the store.
    pub limiters: Vec<(RateSubject, RateLimit)>,
    /// The Worker that is the origin, if one is bound.
    pub origin: Option<Fetcher>,
    /// The Durable Objects, which push needs with either store.
    pub objects: Option<ObjectNamespace>,
    /// The store's health, for a moment.
    pub health: StoreHealth,
    /// The sessions whose expiry was reported.
    pub reported_ends: ReportedEnds,
    /// Are requests reported at all: in the log, in `Server-Timing` or to Analytics Engine?
    pub reports: bool,
    /// The names of the headers that were removed from the last request.
    pub removed_headers: LastValue,
    /// Was the origin asked what it has below `AUTH_PATH`?
    pub checked_auth_path: Cell<bool>,
}

thread_local! {
    static APP: OnceCell<Result<Rc<App>, Refusal>> = const { OnceCell::new() };
}

impl App {
    /// The isolate's `App`, which its first request builds.
    ///
    /// # Errors
    /// Those of `build`, for every request.
    pub fn get_or_build(
        build: impl FnOnce() -> Result<Self, Refusal>,
    ) -> Result<Rc<Self>, Refusal> {
        APP.with(|app| app.get_or_init(|| build().map(Rc::new)).clone())
    }

    /// The isolate's `App`, if it is built.
    pub fn loaded() -> Option<Rc<Self>> {
        APP.with(|app| app.get()?.as_ref().ok().cloned())
    }

    /// The binding that counts these attempts, if there is one.
    pub fn limiter(&self, by: RateSubject) -> Option<&RateLimit> {
        self.limiters.iter().find(|(its, _)| *its == by).map(|(_, limiter)| limiter)
    }
}
