//! Rust's half of the decision cache: does a cached decision hold now, and does it cover another path?
//! `decision_cache.js` has found it by the request's texts.

use std::rc::Rc;

use auth::decision::ForwardPlan;
use auth::store::CommandResult;
use wasm_bindgen::prelude::*;

use crate::app::App;
use crate::proxy::request_context::RequestContext;
use crate::proxy::token_context::TokenContext;
use crate::request::{RequestHead, timestamp};

#[wasm_bindgen(module = "/src/proxy/decision_cache.js")]
extern "C" {
    /// Names the cookie that may hold a token.
    #[wasm_bindgen(js_name = configureDecisionCache)]
    pub fn configure(cookie_name: &str);
}

#[wasm_bindgen(module = "/src/proxy/cached_decision.js")]
extern "C" {
    /// Names the headers whose values must be the same: a list of
    /// [`names_of`](crate::proxy::header_lines::names_of).
    #[wasm_bindgen(js_name = configureComparedHeaders)]
    pub fn configure_compared_headers(names: &JsValue);
}

#[wasm_bindgen(module = "/src/proxy/request_context.js")]
extern "C" {
    /// Another plan takes the place of the one that was made before the store's reply.
    #[wasm_bindgen(method, js_name = replacePlan)]
    pub fn replace_plan(this: &RequestContext, plan: CachedPlan);
}

/// The plan of a request that was forwarded. Times are in milliseconds since the Unix epoch.
#[wasm_bindgen]
pub struct CachedPlan {
    app: Rc<App>,
    plan: Rc<ForwardPlan>,
    token: Rc<TokenContext>,
}

impl CachedPlan {
    /// The plan of a request.
    pub fn new(app: Rc<App>, plan: Rc<ForwardPlan>, token: Rc<TokenContext>) -> Self {
        Self { app, plan, token }
    }

    /// Its parts.
    pub fn parts(&self) -> (Rc<App>, &ForwardPlan, Rc<TokenContext>) {
        (Rc::clone(&self.app), &self.plan, Rc::clone(&self.token))
    }
}

#[wasm_bindgen]
impl CachedPlan {
    /// Steps 1 to 3: are token and assertion still valid?
    pub fn holds(&self, now: f64) -> bool {
        self.plan.is_valid_at(timestamp(now))
    }

    /// Steps 1 to 3 for a request that differs in path and query only: is the same decided about it?
    pub fn extends(&self, context: &RequestContext, method: String, url: String, now: f64) -> bool {
        let head = RequestHead::new(context.clone(), method, url, None, None);
        self.app.guard.plan_applies_to(&self.plan, &head, timestamp(now)) && head.is_cacheable()
    }

    /// How many bytes it holds beside its token, at most.
    #[wasm_bindgen(getter)]
    pub fn bytes(&self) -> u32 {
        u32::try_from(size_of::<Self>() + self.plan.bytes()).unwrap_or(u32::MAX)
    }

    /// How many bytes its token holds, with the token's context, at most.
    #[wasm_bindgen(js_name = tokenBytes, getter)]
    pub fn token_bytes(&self) -> u32 {
        u32::try_from(self.plan.principal().token().bytes()).unwrap_or(u32::MAX)
    }

    /// May the origin request run in parallel with the session check?
    #[wasm_bindgen(getter)]
    pub fn overlaps(&self) -> bool {
        self.plan.overlaps_store()
    }

    /// Steps 4 and 5, if the store's reply is the last one: may a request be forwarded now?
    pub fn passes(&self, now: f64) -> bool {
        let Some(session) = self.token.last_session() else { return false };
        let answer = Ok(CommandResult::Found(Some(session)));
        let now = timestamp(now);
        let live = self.app.guard.judge(&self.plan, answer, now);
        let caller = self.plan.principal();
        live.is_ok_and(|live| caller.unrecorded_use(live.as_ref(), now).is_none())
    }
}
