//! A request for the origin: who may ask for its path, and what goes on.

use std::cell::Cell;

use super::browser::asked_by_preflight;
use super::forward_plan::OnInvalidSession;
use super::header_filter::ConditionalHeaders;
use super::{AnonymousPlan, Decision, ForwardPlan, ForwardTarget, Guard, Principal};
use crate::access::{Access, PathVariants, RuleMatches};
use crate::config::{Mode, Settings};
use crate::http::{Head, Target};
use crate::refusal::Refusal;
use crate::route::{MAX_PATH, Route};
use crate::time::Timestamp;
use crate::token::{ProviderToken, Verified};

/// What is asked for, and the rules that hold.
struct GuardedRequest<'a, H> {
    head: &'a H,
    target: Target<'a>,
    readings: PathVariants,
    rules: RuleMatches<'a>,
    now: Timestamp,
}

impl Guard {
    /// A request for the origin.
    pub(super) fn plan(&self, head: &impl Head, target: Target<'_>, now: Timestamp) -> Decision {
        let asked = self.asked(head, target, now);
        if let Err(refusal) = self.refuse_target(&asked) {
            return self.refuse(&asked, refusal);
        }
        let access = asked.rules.access();
        if self.sends_secrets_over_http(head, &asked.rules) {
            return self.refuse(&asked, Refusal::HttpsRequired);
        }
        if access == Access::Public {
            return self.forward(&asked);
        }
        if self.needs_body(head) {
            return Decision::ReadBody;
        }
        if let Some(issuer) = self.keys_wanted(head, now) {
            return Decision::FetchKeys(issuer);
        }
        // 2. Credential; 3. token. The session, step 4, is the store's to answer.
        match self.authenticate(head, now) {
            Ok(caller) => match self.plan_session_check(&asked, caller) {
                Ok(check) => Decision::CheckSession(Box::new(check)),
                Err(refusal) => self.refuse(&asked, refusal),
            },
            // Only tokens of two sessions can be contested. Bad signatures are not verified twice.
            Err(refusal @ Refusal::BadRequest(_)) => match self.contested(head, now) {
                contested if !contested.is_empty() => Decision::ConflictingTokens(contested),
                _ => self.unauthenticated(&asked, refusal),
            },
            Err(refusal) => self.unauthenticated(&asked, refusal),
        }
    }

    /// What becomes of a request that nobody is known to make.
    fn unauthenticated(&self, asked: &GuardedRequest<'_, impl Head>, refusal: Refusal) -> Decision {
        let goes_on = asked.rules.access() == Access::Optional
            || refusal == Refusal::TokenMissing && self.lets_preflight(asked);
        if goes_on { self.forward(asked) } else { self.refuse(asked, refusal) }
    }

    /// Is a request to be asked about, and does it go on, as another one was that differs from it in
    /// path and query only? A token in the query makes it another one.
    pub fn plan_applies_to(&self, check: &ForwardPlan, head: &impl Head, now: Timestamp) -> bool {
        let Ok((Route::Protected, target)) = self.classify(head) else { return false };
        let asked = self.asked(head, target, now);
        asked.rules.access() != Access::Public
            && self.settings.token_sources.query.is_empty()
            && self.refuse_target(&asked).is_ok()
            && self
                .plan_session_check(&asked, check.principal.clone())
                .is_ok_and(|other| other.is_equivalent(check))
    }

    /// The plan of the same request for the caller's token with other rights.
    ///
    /// # Errors
    /// As for any plan.
    pub fn plan_with_rights(
        &self,
        plan: &ForwardPlan,
        token: Verified,
        head: &impl Head,
    ) -> Result<ForwardPlan, Refusal> {
        let (_, target) = self.classify(head)?;
        let asked = self.asked(head, target, plan.principal.now);
        self.plan_session_check(&asked, plan.principal.clone().with_token(token))
    }

    fn asked<'a, H: Head>(
        &'a self,
        head: &'a H,
        target: Target<'a>,
        now: Timestamp,
    ) -> GuardedRequest<'a, H> {
        // What is too long is refused unread.
        let path = if is_too_long(target) { "/" } else { target.path() };
        let readings = PathVariants::of(path);
        let rules = self.settings.routes.find(head.method(), path, &readings);
        GuardedRequest { head, target, readings, rules, now }
    }

    /// A preflight carries no credential, whoever is about to ask (Fetch, "CORS protocol and
    /// credentials").
    fn lets_preflight(&self, asked: &GuardedRequest<'_, impl Head>) -> bool {
        let GuardedRequest { head, target, readings, .. } = asked;
        let routes = &self.settings.routes;
        let passes = |method: String| routes.lets_preflight(&method, target.path(), readings);
        asked_by_preflight(*head).is_some_and(passes)
    }

    /// Paths that nobody may ask the origin for.
    fn refuse_target(&self, asked: &GuardedRequest<'_, impl Head>) -> Result<(), Refusal> {
        let GuardedRequest { target, readings, .. } = asked;
        if is_too_long(*target) {
            return Err(Refusal::UriTooLong);
        }
        if target.would_be_rewritten() {
            let detail =
                "Write the path without dot segments, backslashes, spaces or control characters.";
            return Err(Refusal::BadRequest(detail));
        }
        if *readings == PathVariants::TooMany {
            let detail =
                "The path can be read in too many ways. Write it with less percent-encoding.";
            return Err(Refusal::BadRequest(detail));
        }
        match self.login_url.as_ref().is_some_and(|it| it.is_at(target.path(), readings)) {
            true => Err(Refusal::NotFound),
            false => Ok(()),
        }
    }

    fn plan_session_check(
        &self,
        asked: &GuardedRequest<'_, impl Head>,
        caller: Principal,
    ) -> Result<ForwardPlan, Refusal> {
        let GuardedRequest { head, target, rules, now, .. } = asked;
        let denied = rules.admits(caller.token.public_claims()).err();
        let unless_live = match (self.settings.mode, rules.access()) {
            (_, Access::Optional) => OnInvalidSession::Forward,
            (Mode::Monitor, _) => OnInvalidSession::Note,
            (Mode::Enforce, _) => OnInvalidSession::Refuse,
        };
        let step_up = rules.step_up();
        let is_ahead = unless_live == OnInvalidSession::Refuse
            && denied.is_none()
            && step_up.is_none()
            && self.overlaps(*head);
        // Rights may have changed again, and the origin must not be told of those that were.
        let is_ahead = is_ahead && caller.token.rights().is_none();
        let assertion = self.assertion(*head, &caller, *now)?;
        let (target, route) = (self.forwarded(*head, *target), rules.route());
        let passing = self.passing(*head, rules.access());
        let goes_on_without = unless_live == OnInvalidSession::Forward
            && self.settings.mode == Mode::Enforce
            && caller.token.provider().is_some_and(ProviderToken::is_forwarded);
        Ok(ForwardPlan {
            removal_without_session: goes_on_without.then(|| self.remove_all_credentials(*head)),
            renews_from: Cell::new(self.renews_from(&caller)),
            principal: caller,
            target,
            route,
            denied,
            step_up,
            on_invalid_session: unless_live,
            overlaps_store: is_ahead,
            conditional_headers: passing,
            assertion,
        })
    }

    /// May the origin see this request before the session is known to be live?
    fn overlaps(&self, head: &impl Head) -> bool {
        let Settings { overlap_safe_requests, forward_session_data, .. } = self.settings;
        overlap_safe_requests
            && !forward_session_data
            && matches!(head.method(), "GET" | "HEAD")
            && head.header("upgrade").is_none()
    }

    /// The end of a request, unless nothing is enforced.
    fn refuse(&self, asked: &GuardedRequest<'_, impl Head>, refusal: Refusal) -> Decision {
        match self.settings.mode {
            Mode::Enforce => {
                Decision::Refuse(self.refused(refusal, asked.head, Some(&asked.rules.route())))
            }
            Mode::Monitor => {
                let anonymous = self.plan_without_identity(asked);
                let would_refuse = Some(refusal.code());
                Decision::Forward(Box::new(AnonymousPlan { would_refuse, ..anonymous }))
            }
        }
    }

    fn forward(&self, asked: &GuardedRequest<'_, impl Head>) -> Decision {
        Decision::Forward(Box::new(self.plan_without_identity(asked)))
    }

    /// Without an identity. What would be the guard's own credential stays here all the same.
    fn plan_without_identity(&self, asked: &GuardedRequest<'_, impl Head>) -> AnonymousPlan {
        let GuardedRequest { head, target, rules, .. } = asked;
        let sent = self.presented(*head);
        let is_checked = rules.access() != Access::Public && self.settings.mode == Mode::Enforce;
        let goes_on = |text: &str| !is_checked && self.goes_on(text);
        let withheld = self.remove_credentials(*head, &self.credentials(&sent, *head), goes_on);
        let (target, route) = (self.forwarded(*head, *target), rules.route());
        let passing = self.passing(*head, rules.access());
        let forward_credential = self.settings.forward_credential;
        let is_kept_back = || {
            let mut is_kept_back = true;
            sent.each(|it| is_kept_back &= !forward_credential && !it.token.is_some_and(goes_on));
            is_kept_back
        };
        let is_bare = rules.access() == Access::Public && !rules.is_login() && is_kept_back();
        AnonymousPlan { target, route, withheld, would_refuse: None, passing, is_bare }
    }

    /// Applications override the method of a POST. Elsewhere, and where a rule depends on methods,
    /// the origin must not see another than was decided about.
    fn passing(&self, head: &impl Head, access: Access) -> ConditionalHeaders {
        let is_post = head.method() == "POST" && access == Access::Session;
        let overrides = is_post && !self.settings.routes.depend_on_methods();
        ConditionalHeaders { overrides, upgrade: head.method() == "GET" }
    }

    fn forwarded(&self, head: &impl Head, target: Target<'_>) -> ForwardTarget {
        let start = target.start();
        let text = match self.settings.forward_credential {
            true => target.as_str().into(),
            false => self.settings.token_sources.without_tokens(target.as_str()),
        };
        // A fragment, too, stays behind.
        let is_whole = start + text.len() == head.url().len();
        ForwardTarget { start, instead: (!is_whole).then(|| text.into_owned()) }
    }
}

fn is_too_long(target: Target<'_>) -> bool {
    target.path().len() > MAX_PATH
}
