//! The settings and bindings, read once per isolate.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use auth::config::{BOUND, ORIGIN, SettingError, Settings, StoreSettings};
use auth::decision::{COMPARED_HEADERS, Guard};
use auth::event::ReportedEnds;
use auth::rate::RateSubject;
use auth::refusal::Refusal;
use auth::request_log::RequestLog;
use auth::store_health::StoreHealth;
use wasm_bindgen::prelude::*;
use worker::{Env, EnvBinding, Fetcher, ObjectNamespace};

use crate::platform::{Binding, RateLimit};
use crate::proxy::access_log;
use crate::proxy::cors;
use crate::proxy::decision_cache;
use crate::proxy::header_lines::names_of;
use crate::proxy::last_value::LastValue;
use crate::proxy::origin;
use crate::proxy::url_rewrite;
use crate::services::login_rate::LIMITERS;
use crate::stores::SessionStore;
use crate::stores::durable_object::ObjectStore;
use crate::stores::redis::RedisStore;

/// The Durable Object binding's name.
const OBJECTS: &str = "USER_SESSIONS";

/// The name of the Analytics Engine's binding.
const ANALYTICS: &str = "ANALYTICS";

/// What one isolate needs for every request.
pub struct App {
    /// Decides.
    pub guard: Guard,
    /// Is asked.
    pub store: Rc<dyn SessionStore>,
    /// Count attempts to log in, in place of the store.
    limiters: Vec<(RateSubject, RateLimit)>,
    /// The Worker that is the origin, if one is bound.
    pub origin: Option<Fetcher>,
    /// The Durable Objects, which push needs with either store.
    pub objects: Option<ObjectNamespace>,
    /// Remembers for a moment whether the store answers.
    pub health: StoreHealth,
    /// Remembers whose expiry was told.
    pub noticed: ReportedEnds,
    /// Is anything said of requests at all?
    pub reports: bool,
    /// The names of the headers that the last request lost.
    pub removed_headers: LastValue,
    /// Was the origin asked what it has below `AUTH_PATH`?
    pub looked: Cell<bool>,
}

thread_local! {
    static APP: OnceCell<Result<Rc<App>, Refusal>> = const { OnceCell::new() };
}

impl App {
    /// The isolate's one `App`, built from `env` by its first request.
    pub fn load(env: &Env) -> Result<Rc<Self>, Refusal> {
        APP.with(|app| app.get_or_init(|| Self::build(env).map(Rc::new)).clone())
    }

    /// The isolate's `App`, if a request has built one.
    pub fn loaded() -> Option<Rc<Self>> {
        APP.with(|app| app.get()?.as_ref().ok().cloned())
    }

    fn build(env: &Env) -> Result<Self, Refusal> {
        let get = |name: &str| env.get_binding::<Binding>(name).ok();
        let read = |name: &str| match (name, get(name)?) {
            (ORIGIN, binding) if binding.is_worker() => Some(BOUND.to_owned()),
            (_, setting) => setting.text(),
        };
        let settings = Settings::read(read).map_err(misconfigured)?;
        let analytics = get(ANALYTICS).map(JsValue::from).unwrap_or_default();
        access_log::configure(settings.request_log.name(), settings.server_timing, &analytics);
        let reports = settings.request_log != RequestLog::Off
            || settings.server_timing
            || !analytics.is_undefined();
        url_rewrite::configure(&settings);
        decision_cache::configure(&settings.cookie_name);
        decision_cache::configure_compared_headers(&names_of(&COMPARED_HEADERS.join("\n")));
        cors::configure(!settings.allowed_origins.is_empty());
        let objects = get(OBJECTS).map(namespace).transpose()?;
        origin::configure(&settings);
        origin::configure_watching(objects.is_some());
        let timeout = settings.store_timeout;
        let store: Rc<dyn SessionStore> = match &settings.store {
            StoreSettings::DurableObject => {
                let objects = objects.clone().ok_or_else(|| {
                    let cause = "the Durable Object binding is missing; see wrangler.toml";
                    Refusal::Misconfigured(format!("{OBJECTS}: {cause}"))
                })?;
                Rc::new(ObjectStore::new(objects, timeout))
            }
            StoreSettings::Redis { url, token, keyspace, consistency } => {
                Rc::new(RedisStore::new(url, token, keyspace, *consistency, timeout))
            }
        };
        let limiters = limiters(&settings, get)?;
        let origin = get(ORIGIN).filter(Binding::is_worker).map(JsCast::unchecked_into);
        let (guard, health) = (Guard::new(settings), StoreHealth::default());
        let (noticed, removed_headers, looked) =
            (ReportedEnds::default(), LastValue::default(), Cell::new(false));
        Ok(Self {
            guard,
            store,
            limiters,
            origin,
            objects,
            health,
            noticed,
            reports,
            removed_headers,
            looked,
        })
    }

    /// The binding that counts these attempts, if one does.
    pub fn limiter(&self, by: RateSubject) -> Option<&RateLimit> {
        self.limiters.iter().find(|(its, _)| *its == by).map(|(_, limiter)| limiter)
    }
}

/// The rate-limit bindings that are there, if they can count by the rates that are set.
fn limiters(
    settings: &Settings,
    get: impl Fn(&str) -> Option<Binding>,
) -> Result<Vec<(RateSubject, RateLimit)>, Refusal> {
    let mut limiters = Vec::new();
    for (by, setting, name) in LIMITERS {
        let Some(limiter) = get(name) else { continue };
        if settings.login_rates.by(by).is_some_and(|rate| !rate.fits_binding()) {
            return Err(Refusal::Misconfigured(format!(
                "{setting}: its span must be `10 seconds` or `minute`, the period of the binding {name}"
            )));
        }
        limiters.push((by, limiter.unchecked_into()));
    }
    Ok(limiters)
}

fn namespace(binding: Binding) -> Result<ObjectNamespace, Refusal> {
    let cause = "is not bound to a Durable Object namespace; see wrangler.toml";
    let misbound = |_| Refusal::Misconfigured(format!("{OBJECTS}: {cause}"));
    ObjectNamespace::get(binding.into()).map_err(misbound)
}

fn misconfigured(errors: Vec<SettingError>) -> Refusal {
    let reasons: Vec<String> = errors.iter().map(ToString::to_string).collect();
    Refusal::Misconfigured(reasons.join("; "))
}
