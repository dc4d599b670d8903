//! A session check that was sent, and what its reply means.

use std::rc::Rc;

use auth::decision::{ForwardPlan, HeaderFilter};
use auth::refusal::Refusal;
use auth::session::InvalidSession;
use auth::store::Command;
use auth::time::Timestamp;
use wasm_bindgen::prelude::*;

use crate::app::App;
use crate::endpoints::pages::refused;
use crate::proxy::decision_cache::CachedPlan;
use crate::proxy::forward;
use crate::proxy::renewal;
use crate::proxy::request_context::RequestContext;
use crate::proxy::token_context::TokenContext;
use crate::proxy::verdict::{self, Verdict};
use crate::request::{self, RequestHead, timestamp};
use crate::response;
use crate::services::{admission, current_session, end_sessions, session_events};
use crate::stores::{StoreReply, StoreResult};

/// A request whose session is being checked.
#[wasm_bindgen]
pub struct PendingCheck {
    app: Rc<App>,
    plan: Rc<ForwardPlan>,
    token: Rc<TokenContext>,
    /// Can the plan be cached?
    is_cacheable: bool,
    /// The command that was sent, if it was no plain check.
    admission: Option<Rc<Command>>,
}

#[wasm_bindgen]
impl PendingCheck {
    /// The check of a request that has a cached plan. It was sent at `asked`, in milliseconds since the Unix epoch, when
    /// the plan did hold.
    #[wasm_bindgen(js_name = ofCached)]
    pub fn of_cached(cached: &CachedPlan, asked: f64) -> Self {
        let (app, plan, token) = cached.parts();
        let plan = Rc::new(plan.asked_at(timestamp(asked)));
        Self { app, plan, token, is_cacheable: true, admission: None }
    }

    /// The plan for the decision cache; `undefined` if it cannot be cached.
    #[wasm_bindgen(js_name = planToCache)]
    pub fn plan_to_cache(&self) -> Option<CachedPlan> {
        let Self { app, plan, token, is_cacheable, .. } = self;
        is_cacheable.then(|| CachedPlan::new(Rc::clone(app), Rc::clone(plan), Rc::clone(token)))
    }

    /// Steps 4 and 5: what the store's reply means. `names` are [`RequestContext::header_names`]. `body` and `names` are
    /// left out where they are the last ones of the token. `now` is in milliseconds since the Unix epoch.
    pub fn judge(
        self,
        context: RequestContext,
        status: i32,
        body: Option<String>,
        names: Option<String>,
        now: f64,
    ) -> Verdict {
        let sent = self.token.header_filter(&self.app, &context, names);
        let read = |reply: &StoreReply| self.app.store.read(&self.command(), reply);
        match self.token.answer(&self.app, status, body, read) {
            Some(answer) if self.needs_admission(&answer, timestamp(now)) => {
                verdict::later(async move {
                    let head = RequestHead::of(context.clone());
                    let caller = self.plan.principal();
                    let answer = admission::check_or_admit(&self.app, caller, Some(&head)).await;
                    self.verdict(&context, answer, sent, request::now())
                })
            }
            Some(answer) => {
                self.report_admission(&answer);
                self.verdict(&context, answer, sent, timestamp(now))
            }
            None => verdict::later(async move {
                let (user, command) = (self.plan.principal().user(), self.command());
                let mut answer = self.app.store.apply_on_primary(user, &command).await;
                if self.needs_admission(&answer, request::now()) {
                    let head = RequestHead::of(context.clone());
                    let caller = self.plan.principal();
                    answer = admission::check_or_admit(&self.app, caller, Some(&head)).await;
                } else {
                    self.report_admission(&answer);
                }
                self.verdict(&context, answer, sent, request::now())
            }),
        }
    }
}

impl PendingCheck {
    /// The check of a request.
    pub fn new(
        app: Rc<App>,
        plan: Rc<ForwardPlan>,
        token: Rc<TokenContext>,
        is_cacheable: bool,
    ) -> Self {
        Self { app, plan, token, is_cacheable, admission: None }
    }

    /// The same, whose check begins an unknown session: `admission` was sent.
    pub fn admitting(self, admission: Option<Rc<Command>>) -> Self {
        Self { admission, ..self }
    }

    /// The command that was sent.
    fn command(&self) -> Rc<Command> {
        self.admission.clone().unwrap_or_else(|| Rc::new(self.plan.principal().command()))
    }

    /// Has a plain check not found a provider's session, which may begin now?
    fn needs_admission(&self, answer: &StoreResult, now: Timestamp) -> bool {
        self.admission.is_none() && self.plan.principal().needs_admission(answer, now)
    }

    fn report_admission(&self, answer: &StoreResult) {
        if let Some(command) = &self.admission {
            admission::report(&self.app, self.plan.principal(), command, answer);
        }
    }

    fn verdict(
        mut self,
        context: &RequestContext,
        answer: StoreResult,
        sent: Rc<HeaderFilter>,
        now: Timestamp,
    ) -> Verdict {
        let asked = Rc::clone(&self.token);
        if let Err(refusal) = self.apply_rights(context, &answer) {
            return self.refuse(context, refusal, sent);
        }
        let Self { app, plan, token, .. } = &self;
        let caller = plan.principal();
        match app.guard.judge(plan, answer, now) {
            // 6.
            Ok(live) => {
                asked.is_known.set(live.is_some());
                current_session::record_use(app, caller, live.as_ref(), now);
                if let Some(live) = &live {
                    renewal::begin_if_due(app, context, plan, live, now);
                }
                if app.guard.settings().token_expiry_header && caller.bears_token() {
                    context.set_token_expires_at(caller.token().expires().millis() as f64);
                }
                let verdict = forward::with_identity(app, plan, token, live.as_ref(), &sent);
                token.count_bytes(app, caller);
                verdict
            }
            Err(refusal) => {
                token.count_bytes(app, caller);
                self.refuse(context, refusal, sent)
            }
        }
    }

    /// Makes the plan anew if the session has other rights than it was made with.
    #[inline(never)]
    fn apply_rights(
        &mut self,
        context: &RequestContext,
        answer: &StoreResult,
    ) -> Result<(), Refusal> {
        let Self { app, plan, token, .. } = &*self;
        let Some(with_rights) = app.guard.token_with_rights(plan.principal(), answer)? else {
            return Ok(());
        };
        let head = RequestHead::of(context.clone());
        let plan = Rc::new(app.guard.plan_with_rights(plan, with_rights, &head)?);
        let shared = TokenContext::of(app, plan.principal());
        shared.adopt_reply(token);
        let (app, plan_to_cache) = (Rc::clone(app), Rc::clone(&plan));
        context.replace_plan(CachedPlan::new(app, plan_to_cache, Rc::clone(&shared)));
        (self.plan, self.token) = (plan, shared);
        Ok(())
    }

    fn refuse(self, context: &RequestContext, refusal: Refusal, sent: Rc<HeaderFilter>) -> Verdict {
        let caller = self.plan.principal();
        session_events::publish_expiry(&self.app, caller.user(), caller.sid(), &refusal);
        if refusal != Refusal::Session(InvalidSession::Outdated) {
            return self.end(context, &refusal, &sent);
        }
        // An old token was used, so its session ends before the request goes on.
        let context = context.clone();
        verdict::later(async move {
            match end_sessions::end_after_reuse(&self.app, self.plan.principal()).await {
                Ok(()) => self.end(&context, &refusal, &sent),
                Err(failure) => {
                    let fields = (!self.plan.forwards_without_identity())
                        .then(|| self.plan.log_fields(Some(&refusal)));
                    let head = RequestHead::of(context);
                    let response = refused::show(&self.app, &head, &failure);
                    verdict::respond(&response, fields.as_deref())
                }
            }
        })
    }

    /// Refuses a request, unless it is forwarded without an identity.
    fn end(&self, context: &RequestContext, refusal: &Refusal, sent: &HeaderFilter) -> Verdict {
        let Self { app, plan, .. } = self;
        if plan.forwards_without_identity() {
            response::log_cause(refusal);
            return forward::without_session(app, plan, refusal, sent);
        }
        let head = RequestHead::of(context.clone());
        let refused = app.guard.refused(refusal.clone(), &head, Some(plan.route()));
        let response = refused::respond(app, &head, &refused);
        verdict::respond(&response, Some(&plan.log_fields(Some(refusal))))
    }
}
