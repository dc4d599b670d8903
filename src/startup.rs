//! Initializes an isolate at its first request: reads the settings and bindings, and configures the hot path's
//! JavaScript.

use std::cell::Cell;
use std::rc::Rc;

use auth::config::{BOUND, ORIGIN, SettingError, Settings, StoreSettings};
use auth::decision::{COMPARED_HEADERS, Guard};
use auth::event::ReportedEnds;
use auth::rate::RateSubject;
use auth::refusal::Refusal;
use auth::request_log::RequestLog;
use auth::store_health::StoreHealth;
use auth::words::WordCache;
use wasm_bindgen::prelude::*;
use worker::{Env, EnvBinding, ObjectNamespace};

use crate::app::App;
use crate::platform::{Binding, RateLimit};
use crate::proxy::header_lines::names_of;
use crate::proxy::js_memo::JsMemo;
use crate::proxy::{
    access_log, client_address, close_with_session, cors, decision_cache, forward_auth, origin,
    url_rewrite,
};
use crate::request;
use crate::services::login_rate::LIMITERS;
use crate::stores::SessionStore;
use crate::stores::durable_object::ObjectStore;
use crate::stores::moving::MovingStore;
use crate::stores::redis::RedisStore;

/// The Durable Object binding's name.
const OBJECTS: &str = "USER_SESSIONS";

/// The Analytics Engine binding's name.
const ANALYTICS: &str = "ANALYTICS";

/// The isolate's [`App`], which its first request builds.
///
/// # Errors
/// [`Refusal::Misconfigured`], which says what to change.
pub fn load(env: &Env) -> Result<Rc<App>, Refusal> {
    App::get_or_build(|| build(env))
}

fn build(env: &Env) -> Result<App, Refusal> {
    let get = |name: &str| env.get_binding::<Binding>(name).ok();
    let read = |name: &str| match (name, get(name)?) {
        (ORIGIN, binding) if binding.is_worker() => Some(BOUND.to_owned()),
        (_, setting) => setting.text(),
    };
    let settings = Settings::read(read).and_then(|all| all.valid_at(request::now()));
    let settings = settings.map_err(misconfigured)?;
    let analytics = get(ANALYTICS).map(JsValue::from).unwrap_or_default();
    // First, because `configure` decides how the errors below are logged.
    configure(&settings, get(OBJECTS).is_some(), &analytics);
    let objects = get(OBJECTS).map(namespace).transpose()?;
    let (store, moving) = stores(&settings, objects.as_ref())?;
    Ok(App {
        store,
        moving,
        limiters: limiters(&settings, get)?,
        origin: get(ORIGIN).filter(Binding::is_worker).map(JsCast::unchecked_into),
        objects,
        reports: settings.request_log != RequestLog::Off
            || settings.server_timing
            || !analytics.is_undefined(),
        guard: Guard::new(settings),
        health: StoreHealth::default(),
        reported_ends: ReportedEnds::default(),
        removed_headers: JsMemo::default(),
        words: WordCache::default(),
        checked_auth_path: Cell::new(false),
    })
}

/// Passes settings to the hot path's JavaScript. The store passes its own when it is created.
fn configure(settings: &Settings, has_objects: bool, analytics: &JsValue) {
    access_log::configure(settings.request_log.name(), settings.server_timing, analytics);
    url_rewrite::configure(settings);
    decision_cache::configure(settings.session_cookie.name());
    decision_cache::configure_compared_headers(&names_of(&COMPARED_HEADERS.join("\n")));
    cors::configure(!settings.allowed_origins.is_empty());
    origin::configure(settings);
    forward_auth::configure(settings);
    client_address::configure(settings);
    close_with_session::configure(has_objects);
}

/// The store, which is the second of the pair as well while users move.
type Stores = (Rc<dyn SessionStore>, Option<Rc<MovingStore>>);

fn stores(settings: &Settings, objects: Option<&ObjectNamespace>) -> Result<Stores, Refusal> {
    let Some(before) = &settings.store_before else {
        return Ok((store(&settings.store, settings, objects)?, None));
    };
    // First, because the main store's checks are those that JavaScript sends.
    let before = store(before, settings, objects)?;
    let main = store(&settings.store, settings, objects)?;
    let main_first = matches!(settings.store, StoreSettings::DurableObject);
    let moving = Rc::new(MovingStore::new(main, before, main_first));
    Ok((Rc::<MovingStore>::clone(&moving), Some(moving)))
}

fn store(
    which: &StoreSettings,
    settings: &Settings,
    objects: Option<&ObjectNamespace>,
) -> Result<Rc<dyn SessionStore>, Refusal> {
    let timeout = settings.store_timeout;
    Ok(match which {
        StoreSettings::DurableObject => {
            let objects = objects.cloned().ok_or_else(|| {
                let cause = "the Durable Object binding is missing; see wrangler.toml";
                Refusal::Misconfigured(format!("{OBJECTS}: {cause}"))
            })?;
            Rc::new(ObjectStore::new(objects, timeout))
        }
        StoreSettings::Redis { url, token, keyspace, consistency } => {
            Rc::new(RedisStore::new(url, token, keyspace, *consistency, timeout))
        }
    })
}

/// The rate-limit bindings that are bound.
///
/// # Errors
/// [`Refusal::Misconfigured`] if a binding cannot count by the configured rate.
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
