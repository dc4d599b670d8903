//! A request that was let through, and what holds for those that say the same: `precedent.js` knows them
//! by their texts, and here it is decided whether they may pass now.

use std::rc::Rc;

use auth::decision::ForwardPlan;
use auth::store::CommandResult;
use wasm_bindgen::prelude::*;

use crate::app::App;
use crate::proxy::handler::PendingCheck;
use crate::proxy::request_context::RequestContext;
use crate::proxy::token_context::TokenContext;
use crate::request::{RequestHead, moment};

#[wasm_bindgen(module = "/src/proxy/decision_cache.js")]
extern "C" {
    /// Says what the cookie is called that may hold a token.
    #[wasm_bindgen(js_name = setUp)]
    pub fn set_up(cookie_name: &str);
}

/// What was decided about it. Moments are in milliseconds since the Unix epoch.
#[wasm_bindgen]
pub struct CachedPlan {
    app: Rc<App>,
    check: Rc<ForwardPlan>,
    kept: Rc<TokenContext>,
}

impl CachedPlan {
    /// What was decided.
    pub fn new(app: Rc<App>, check: Rc<ForwardPlan>, kept: Rc<TokenContext>) -> Self {
        Self { app, check, kept }
    }
}

#[wasm_bindgen]
impl CachedPlan {
    /// Steps 1 to 3: is the store to be asked the same at this moment?
    pub fn holds(&self, now: f64) -> bool {
        self.check.is_valid_at(moment(now))
    }

    /// Does the same hold at this moment for a request that differs from it in path and query only?
    pub fn extends(&self, passage: &RequestContext, method: String, url: String, now: f64) -> bool {
        let head = RequestHead::new(passage.clone(), method, url, None, None);
        self.app.guard.plan_applies_to(&self.check, &head, moment(now)) && !head.says_more()
    }

    /// How many bytes it holds, at most, beside its token.
    #[wasm_bindgen(getter)]
    pub fn bytes(&self) -> u32 {
        u32::try_from(size_of::<Self>() + self.check.bytes()).unwrap_or(u32::MAX)
    }

    /// How many bytes its token holds, at most, with what is kept beside it.
    #[wasm_bindgen(js_name = tokenBytes, getter)]
    pub fn token_bytes(&self) -> u32 {
        u32::try_from(self.check.principal().token().bytes()).unwrap_or(u32::MAX)
    }

    /// May the origin be asked at the same time?
    #[wasm_bindgen(js_name = isAhead, getter)]
    pub fn is_ahead(&self) -> bool {
        self.check.overlaps_store()
    }

    /// Steps 4 and 5: may it pass at this moment, if the store's reply was that of the last time?
    pub fn passes(&self, now: f64) -> bool {
        let Some(session) = self.kept.found() else { return false };
        let answer = Ok(CommandResult::Found(Some(session)));
        let live = self.app.guard.judge(&self.check, answer, moment(now));
        live.is_ok_and(|live| !self.check.principal().has_unreported_use(live.as_ref()))
    }

    /// The same for any other reply, and for what must not pass. It was asked at `asked`, when it
    /// did hold.
    pub fn pending(&self, asked: f64) -> PendingCheck {
        let check = self.check.asked_at(moment(asked));
        PendingCheck::again(Rc::clone(&self.app), check, Rc::clone(&self.kept))
    }
}
