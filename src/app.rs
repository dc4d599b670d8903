//! The state that an isolate shares between its requests: the guard, the stores and bindings, and small caches.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use auth::decision::Guard;
use auth::event::ReportedEnds;
use auth::rate::RateSubject;
use auth::refusal::Refusal;
use auth::store_health::StoreHealth;
use auth::words::WordCache;
use worker::{Fetcher, ObjectNamespace};

use crate::platform::RateLimit;
use crate::proxy::js_memo::JsMemo;
use crate::stores::SessionStore;
use crate::stores::moving::MovingStore;

/// The state that an isolate shares between its requests.
pub struct App {
    /// The settings and all decisions that follow from them.
    pub guard: Guard,
    /// The session store.
    pub store: Rc<dyn SessionStore>,
    /// The same, while users move from another store.
    pub moving: Option<Rc<MovingStore>>,
    /// Cloudflare's rate-limit bindings, which count login attempts in place of the store.
    pub limiters: Vec<(RateSubject, RateLimit)>,
    /// The service binding to the origin, if there is one.
    pub origin: Option<Fetcher>,
    /// The Durable Objects. Push needs them with either store.
    pub objects: Option<ObjectNamespace>,
    /// The result of the store's last health check, cached briefly.
    pub health: StoreHealth,
    /// The sessions whose end this isolate has reported.
    pub reported_ends: ReportedEnds,
    /// Whether requests are reported at all: in the log, in `Server-Timing` or to Analytics Engine.
    pub reports: bool,
    /// The names of the headers that were removed from the last request, cached.
    pub removed_headers: JsMemo,
    /// The words of the pages that this isolate has shown.
    pub words: WordCache,
    /// Whether this isolate has checked what the origin serves below `AUTH_PATH`.
    pub checked_auth_path: Cell<bool>,
}

thread_local! {
    static APP: OnceCell<Result<Rc<App>, Refusal>> = const { OnceCell::new() };
}

impl App {
    /// The isolate's `App`, which its first request builds.
    ///
    /// # Errors
    /// The error of `build`, which every later request gets, too.
    pub fn get_or_build(
        build: impl FnOnce() -> Result<Self, Refusal>,
    ) -> Result<Rc<Self>, Refusal> {
        APP.with(|app| app.get_or_init(|| build().map(Rc::new)).clone())
    }

    /// The isolate's `App`, if it is built.
    pub fn loaded() -> Option<Rc<Self>> {
        APP.with(|app| app.get()?.as_ref().ok().cloned())
    }

    /// The rate-limit binding that counts by this subject, if there is one.
    pub fn limiter(&self, by: RateSubject) -> Option<&RateLimit> {
        self.limiters.iter().find(|(its, _)| *its == by).map(|(_, limiter)| limiter)
    }
}
