//! The steps of a request, in their order, up to the store's question and from its answer on.

mod asserted;
mod browser;
mod caller;
mod login_url;
mod onward;
mod recent;
mod sent_headers;

use std::time::Duration;

pub use caller::Caller;
pub use onward::{Anonymous, Check, HeaderChanges};
pub use sent_headers::SentHeaders;

use browser::{asked_by_preflight, changes_state, is_navigation, is_same_origin};
use login_url::LoginUrl;
use onward::{Unless, Withheld};
use recent::Recent;

use crate::access::{Access, Rule};
use crate::assertion;
use crate::config::{Mode, Origin, Settings, StoreFailure, is_loopback};
use crate::cookie;
use crate::credential::{Ambiguous, Credential, Sent, Source};
use crate::issuer::{Issuer, Keyring};
use crate::jwt::TokenError;
use crate::redirect::LocalTarget;
use crate::refusal::Refusal;
use crate::route::{Endpoint, Route, Target};
use crate::session::{LiveSession, Session, Sid, judge};
use crate::store::{Answer, Command, StoreError};
use crate::time::Timestamp;
use crate::token::Tokens;

/// What the guard looks at in a request. Headers are asked for one by one, because reading all
/// of them costs more than the few that matter.
pub trait Head {
    /// The method, as sent.
    fn method(&self) -> &str;
    /// The absolute URL, as received.
    fn url(&self) -> &str;
    /// The value of a header, `None` if it was not sent.
    fn header(&self, name: &str) -> Option<String>;
    /// What is known of the body.
    fn body(&self) -> Body<'_> {
        Body::Unread
    }
}

/// What is known of a request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// Nobody has looked.
    Unread,
    /// All of it.
    Text(&'a str),
    /// It is larger than [`MAX_BODY`](crate::form::MAX_BODY), or no UTF-8.
    Unreadable,
}

/// Decides about requests by the settings.
#[derive(Debug)]
pub struct Guard {
    settings: Settings,
    tokens: Tokens,
    issuers: Vec<Issuer>,
    login_url: Option<LoginUrl>,
    recent: Option<Recent>,
    /// Whom assertions are for; `None`: whomever the request is for.
    audience: Option<String>,
}

/// What is to be done with a request.
#[derive(Debug)]
pub enum Decision {
    /// One of the guard's own endpoints answers.
    Own(Endpoint),
    /// The request ends here.
    Refuse(Refused),
    /// A token may be in the body: it is to be read, and the request decided about anew. The
    /// origin still gets it as it came.
    ReadBody,
    /// The request goes to the origin, and nobody is asked whose it is.
    Forward(Box<Anonymous>),
    /// The store is to be asked; its answer goes to [`Guard::judge`].
    Check(Box<Check>),
}

/// A refusal, and where a browser is sent instead of being shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub refusal: Refusal,
    /// The login page's URL, when a person is navigating and a login would help.
    pub login: Option<String>,
    /// The path of the rule that holds, if it came to that.
    pub route: Option<String>,
}

impl Guard {
    /// A guard with these settings.
    pub fn new(settings: Settings) -> Self {
        let Settings { issuer, audience, keys, log_identity, identity_headers, .. } = &settings;
        let tokens = Tokens::new(issuer.clone(), audience.clone(), keys.clone());
        let tokens = tokens.logged(*log_identity).told(*identity_headers);
        let recent = match settings.store_failure {
            StoreFailure::Deny => None,
            StoreFailure::AllowRecent(window) => Some(Recent::new(window)),
        };
        let login_url = settings.login_url.as_deref();
        let login_url = login_url.and_then(|url| LoginUrl::new(url, &settings.origin));
        let issuers = settings.trusted_issuers.iter().cloned();
        let issuers = issuers.map(|trusted| Issuer { trusted, keyring: Keyring::default() });
        let audience = match &settings.origin {
            Origin::Url(url) => Some(assertion::audience(url)),
            Origin::Zone | Origin::Worker => None,
        };
        Self { issuers: issuers.collect(), settings, tokens, login_url, recent, audience }
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The tokens it issues and accepts.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// The trusted issuer of this name.
    pub fn issuer(&self, name: &str) -> Option<&Issuer> {
        self.issuers.iter().find(|issuer| issuer.trusted.issuer == name)
    }

    /// Takes a request as far as can be without asking anybody.
    pub fn decide(&self, head: &impl Head, now: Timestamp) -> Decision {
        // 1. Normalise and classify.
        let Some(target) = Target::of_url(head.url()) else {
            return Decision::refuse(Refusal::BadRequest("The URL has no path."));
        };
        if !has_one_host(head.url()) {
            return Decision::refuse(Refusal::BadRequest("Send one `Host`, and no more in it."));
        }
        if matches!(head.method(), "TRACE" | "TRACK" | "CONNECT") {
            return Decision::refuse(Refusal::MethodNotAllowed(METHODS));
        }
        if let Err(refusal) = self.refuse_development_keys(head.url()) {
            return Decision::refuse(refusal);
        }
        match Route::of(head.method(), target.path(), &self.settings.auth_path) {
            // A login's body is the login's to read.
            Route::Own(Endpoint::Login) => Decision::Own(Endpoint::Login),
            Route::Own(_) if self.awaits_body(head) => Decision::ReadBody,
            Route::Own(endpoint) => Decision::Own(endpoint),
            Route::Unknown => Decision::refuse(Refusal::NotFound),
            Route::WrongMethod(allow) => Decision::refuse(Refusal::MethodNotAllowed(allow)),
            Route::Protected => self.guarded(head, target, now),
        }
    }

    /// A request for the origin.
    fn guarded(&self, head: &impl Head, target: Target<'_>, now: Timestamp) -> Decision {
        let rule = self.settings.routes.find(head.method(), target.path()).rule;
        if let Err(refusal) = self.refuse_target(head, target) {
            return self.end(head, target, rule, refusal, now);
        }
        if rule.access == Access::Public {
            return Decision::Forward(Box::new(self.anonymous(head, target, rule, now)));
        }
        if self.awaits_body(head) {
            return Decision::ReadBody;
        }
        // 2. Credential; 3. token. The session, step 4, is the store's to answer.
        match self.authenticate(head, now) {
            Ok(caller) => match self.check(head, target, rule, caller, now) {
                Ok(check) => Decision::Check(Box::new(check)),
                Err(refusal) => self.end(head, target, rule, refusal, now),
            },
            Err(_) if rule.access == Access::Optional => {
                Decision::Forward(Box::new(self.anonymous(head, target, rule, now)))
            }
            Err(Refusal::TokenMissing) if self.lets_preflight(head, target) => {
                Decision::Forward(Box::new(self.anonymous(head, target, rule, now)))
            }
            Err(refusal) => self.end(head, target, rule, refusal, now),
        }
    }

    /// A preflight carries no credential, whoever is about to ask (Fetch, "CORS protocol and
    /// credentials").
    fn lets_preflight(&self, head: &impl Head, target: Target<'_>) -> bool {
        let asked = asked_by_preflight(head);
        asked.is_some_and(|method| self.settings.routes.lets_preflight(&method, target.path()))
    }

    /// Paths that nobody may ask the origin for.
    fn refuse_target(&self, head: &impl Head, target: Target<'_>) -> Result<(), Refusal> {
        if target.would_be_rewritten() {
            let detail =
                "Write the path without dot segments, backslashes, spaces or control characters.";
            return Err(Refusal::BadRequest(detail));
        }
        match self.login_url.as_ref().is_some_and(|login| login.is_at(head.url(), target)) {
            true => Err(Refusal::NotFound),
            false => Ok(()),
        }
    }

    fn check(
        &self,
        head: &impl Head,
        target: Target<'_>,
        rule: &Rule,
        caller: Caller,
        now: Timestamp,
    ) -> Result<Check, Refusal> {
        let denied = rule.admits(caller.token.public()).err();
        let unless_live = match (self.settings.mode, rule.access) {
            (_, Access::Optional) => Unless::Forward,
            (Mode::Monitor, _) => Unless::Note,
            (Mode::Enforce, _) => Unless::Refuse,
        };
        let is_ahead = unless_live == Unless::Refuse && denied.is_none() && self.overlaps(head);
        let assertion = self.assertion(head, &caller, now)?;
        let (target, route) = (self.without_tokens(target), rule.path().to_owned());
        let keeps_overrides = self.keeps_overrides(head, rule.access);
        Ok(Check {
            caller,
            target,
            route,
            denied,
            unless_live,
            is_ahead,
            keeps_overrides,
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
    fn end(
        &self,
        head: &impl Head,
        target: Target<'_>,
        rule: &Rule,
        refusal: Refusal,
        now: Timestamp,
    ) -> Decision {
        match self.settings.mode {
            Mode::Enforce => Decision::Refuse(self.refused(refusal, head, Some(rule.path()))),
            Mode::Monitor => {
                let anonymous = self.anonymous(head, target, rule, now);
                let would_refuse = Some(refusal.code());
                Decision::Forward(Box::new(Anonymous { would_refuse, ..anonymous }))
            }
        }
    }

    /// Forwards without an identity. What would be the guard's own credential stays here all the same.
    fn anonymous(
        &self,
        head: &impl Head,
        target: Target<'_>,
        rule: &Rule,
        now: Timestamp,
    ) -> Anonymous {
        let sent = Sent::of(head, &self.settings.token_sources);
        // Another bearer token may be the origin's own.
        let ours = |token: &str| {
            let verdict = self.tokens.verify(token, now);
            matches!(verdict, Ok(_) | Err(TokenError::Expired | TokenError::NotYet))
        };
        let source = if sent.bearer().is_some_and(ours) { Source::Bearer } else { Source::Named };
        let withheld = self.withhold(head, &sent, source);
        let (target, route) = (self.without_tokens(target), rule.path().to_owned());
        let keeps_overrides = self.keeps_overrides(head, rule.access);
        Anonymous { target, route, withheld, would_refuse: None, keeps_overrides }
    }

    /// Applications override the method of a POST. Elsewhere, and where a rule depends on methods,
    /// the origin must not see another than was decided about.
    fn keeps_overrides(&self, head: &impl Head, access: Access) -> bool {
        let is_post = head.method() == "POST" && access == Access::Session;
        is_post && !self.settings.routes.depend_on_methods()
    }

    fn without_tokens(&self, target: Target<'_>) -> String {
        if self.settings.forward_credential {
            return target.as_str().to_owned();
        }
        self.settings.token_sources.without_tokens(target.as_str()).into_owned()
    }

    /// Steps 2 and 3: finds the credential and verifies its token.
    ///
    /// # Errors
    /// Why the request may not ask the store.
    pub fn authenticate(&self, head: &impl Head, now: Timestamp) -> Result<Caller, Refusal> {
        let sent = Sent::of(head, &self.settings.token_sources);
        let Credential { source, token } = match sent.credential(&self.settings.cookie_name) {
            Ok(Some(credential)) => credential,
            Ok(None) => return Err(Refusal::TokenMissing),
            Err(Ambiguous) => {
                return Err(Refusal::BadRequest("Send one token; two that differ were sent."));
            }
        };
        if source == Source::Cookie && changes_state(head) && !is_same_origin(head) {
            return Err(Refusal::CrossSite);
        }
        let caller = self.bearer_of(token, now)?;
        Ok(Caller { source, withheld: self.withhold(head, &sent, source), ..caller })
    }

    /// Whose token a request carries, wherever it comes from: for what the origin wishes, not the
    /// client.
    pub fn caller_of(&self, head: &impl Head, now: Timestamp) -> Option<Caller> {
        let sent = Sent::of(head, &self.settings.token_sources);
        let found = sent.credential(&self.settings.cookie_name).ok()??;
        self.bearer_of(found.token, now).ok()
    }

    /// Step 3: whoever a token was issued to.
    ///
    /// # Errors
    /// Why the token is no good.
    pub fn bearer_of(&self, token: &str, now: Timestamp) -> Result<Caller, Refusal> {
        let token = self.tokens.verify(token, now).map_err(Refusal::Token)?;
        let command = Command::Check {
            sid: token.sid().clone(),
            idle_timeout: self.settings.idle_timeout,
            now,
        };
        let (source, withheld) = (Source::Bearer, Withheld::default());
        Ok(Caller { token, command, source, withheld })
    }

    fn withhold(&self, head: &impl Head, sent: &Sent, source: Source) -> Withheld {
        let Settings { cookie_name, token_sources, forward_credential, .. } = &self.settings;
        let mut withheld = Withheld::default();
        if *forward_credential {
            return withheld;
        }
        withheld.remove.extend_from_slice(&token_sources.headers);
        if source == Source::Bearer {
            withheld.remove.push("authorization".into());
        }
        if let Some(all) = &sent.cookies
            && cookie::values(all, cookie_name).next().is_some()
        {
            match cookie::without(all, cookie_name) {
                Some(others) => withheld.set.push(("Cookie", others)),
                None => withheld.remove.push("cookie".into()),
            }
        }
        // The page's address, with its token, comes along with whatever the page asks for.
        if !token_sources.query.is_empty()
            && let Some(page) = head.header("referer")
        {
            withheld.set.push(("Referer", token_sources.without_tokens(&page).into_owned()));
        }
        withheld
    }

    /// Is there a body where a token may be, that nobody has read yet?
    fn awaits_body(&self, head: &impl Head) -> bool {
        head.body() == Body::Unread && self.settings.token_sources.body_of(head).is_some()
    }

    /// Steps 4 and 5: decides by the store's answer, and whom the path is for. The session is `None`
    /// if it could not be asked, and was seen live recently enough.
    ///
    /// # Errors
    /// Why the request ends here. A store that could not be asked is never taken for one that
    /// answered.
    pub fn judge(
        &self,
        check: &Check,
        answer: Result<Answer, StoreError>,
        now: Timestamp,
    ) -> Result<Option<LiveSession>, Refusal> {
        match answer {
            // 5. Access.
            Ok(answer) => match (self.live(&check.caller, answer, now)?, &check.denied) {
                (_, Some(denied)) => Err(denied.clone()),
                (live, None) => Ok(Some(live)),
            },
            Err(error) => match &self.recent {
                Some(recent) if recent.holds(check.caller.sid(), now) => {
                    check.denied.clone().map_or(Ok(None), Err)
                }
                _ => Err(Refusal::StoreUnavailable(error)),
            },
        }
    }

    /// The live session that the store found.
    ///
    /// # Errors
    /// Why there is none.
    pub fn live(
        &self,
        caller: &Caller,
        answer: Answer,
        now: Timestamp,
    ) -> Result<LiveSession, Refusal> {
        let Answer::Found(found) = answer else {
            return Err(Refusal::StoreUnavailable(StoreError::other_answer()));
        };
        let verdict = judge(found.map(|session| *session), caller.token.name(), now)
            .map_err(Refusal::Session);
        if let Some(recent) = &self.recent {
            recent.note(caller.sid(), verdict.as_ref().ok(), now);
        }
        verdict
    }

    /// Forgets that sessions were seen live, because they were ended, or are to be: an outage must
    /// not keep alive what somebody wished to end.
    pub fn forget<'a>(&self, sids: impl IntoIterator<Item = &'a Sid>) {
        for sid in sids {
            if let Some(recent) = &self.recent {
                recent.forget(sid);
            }
        }
    }

    /// How long the token and cookie of a session may last from `now`.
    pub fn token_lifetime(&self, session: &Session, now: Timestamp) -> Duration {
        self.settings.token_ttl.min(session.expires.since(now))
    }

    /// May this login or logout come from where it says it does? A form of another site could
    /// log its visitor in as somebody else, or out. Programs do not say, and are nobody's dupe.
    ///
    /// # Errors
    /// [`Refusal::CrossSite`].
    pub fn refuse_other_origins(&self, head: &impl Head) -> Result<(), Refusal> {
        let told = head.header("sec-fetch-site").is_some() || head.header("origin").is_some();
        if told && !is_same_origin(head) { Err(Refusal::CrossSite) } else { Ok(()) }
    }

    /// How a refusal is told: a person who is navigating is sent to the login page, if a login
    /// would help. `route` is the path of the rule that holds.
    pub fn refused(&self, refusal: Refusal, head: &impl Head, route: Option<&str>) -> Refused {
        let sent = refusal.asks_for_login() && head.method() == "GET" && is_navigation(head);
        let login = sent.then(|| self.login_page(head, &refusal));
        Refused { refusal, login, route: route.map(str::to_owned) }
    }

    /// The login page's URL, with the way back and the reason.
    fn login_page(&self, head: &impl Head, refusal: &Refusal) -> String {
        let back = self.settings.token_sources.without_tokens(head.url());
        let back = Target::of_url(&back).and_then(|target| LocalTarget::new(target.as_str()));
        let back = back.unwrap_or(LocalTarget::root());
        let page = format!("{}/login?redirect={}", self.settings.auth_path, back.in_query());
        match refusal {
            Refusal::TokenMissing => page,
            _ => format!("{page}&reason={}", refusal.code()),
        }
    }

    /// Keys made for development must not guard a site that others can reach.
    fn refuse_development_keys(&self, url: &str) -> Result<(), Refusal> {
        if !self.tokens.keys().is_for_development() || is_loopback(host(url)) {
            return Ok(());
        }
        let cause = "SIGNING_KEYS holds a key made for development, which serves only this \
                     machine; make one for production and set it as a secret";
        Err(Refusal::Misconfigured(cause.into()))
    }
}

impl Decision {
    fn refuse(refusal: Refusal) -> Self {
        Self::Refuse(Refused { refusal, login: None, route: None })
    }
}

/// What goes on to an origin. `TRACE` would show a client what the guard adds to its request.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// Is the authority of an absolute URL a host and perhaps a port? The runtime makes it of whatever
/// stands in `Host` lines.
fn has_one_host(url: &str) -> bool {
    let authority = Target::site_of(url).split_once("://").map_or("", |(_, authority)| authority);
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    !authority.is_empty() && authority.bytes().all(legal)
}

/// The host of an absolute URL, without its port.
fn host(url: &str) -> &str {
    let authority = url.split("://").nth(1).and_then(|rest| rest.split('/').next());
    let authority = authority.unwrap_or_default();
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests;
