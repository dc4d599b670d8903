//! The steps of a request, in their order, up to the store's question and from its answer on.

mod admission;
mod authenticate;
mod authorize;
mod browser;
mod cache_key;
mod cors;
mod credentials;
mod forward_auth;
mod forward_plan;
mod header_filter;
mod https;
mod judge;
mod lifetimes;
mod login_url;
mod origin_login;
mod plan;
mod principal;
mod provider_keys;
mod recent_sessions;
mod refusal_response;
mod renewal;
mod resource_challenge;
mod rights;
mod sign_assertion;
mod sign_in;

use std::rc::Rc;
use std::time::Duration;

pub use browser::shows_page;
pub use cache_key::COMPARED_HEADERS;
pub use forward_plan::{AnonymousPlan, ForwardPlan, ForwardTarget, HeaderChanges};
pub use header_filter::HeaderFilter;
pub use principal::Principal;
pub use refusal_response::{RefusalPage, RefusalResponse};
pub use renewal::Renewal;

use header_filter::HeaderFilterCache;
use login_url::LoginUrlPath;
use recent_sessions::RecentSessions;

use crate::assertion;
use crate::config::{Origin, Settings, StoreFailure};
use crate::http::{Head, Recipient, Target, has_one_host, host, is_loopback};
use crate::issuer::{Issuer, TrustedIssuer};
use crate::jwt::LEEWAY;
use crate::refusal::Refusal;
use crate::resource_metadata::ProtectedResources;
use crate::route::{Endpoint, MAX_PATH, Route};
use crate::session::Session;
use crate::time::Timestamp;
use crate::token::{AuthenticToken, Tokens};

/// Decides about requests by the settings.
#[derive(Debug)]
pub struct Guard {
    settings: Settings,
    tokens: Tokens,
    issuers: Vec<Rc<Issuer>>,
    login_url: Option<LoginUrlPath>,
    recent: Option<RecentSessions>,
    seen_headers: HeaderFilterCache,
    /// Whom assertions are for; `None`: whomever the request is for.
    audience: Option<String>,
    resources: ProtectedResources,
}

/// What is to be done with a request.
#[derive(Debug)]
pub enum Decision {
    /// One of the guard's own endpoints answers.
    Own(Endpoint),
    /// The request ends here.
    Refuse(RefusalResponse),
    /// A token may be in the body: it is to be read, and the request decided about anew. The
    /// origin still gets it as it came.
    ReadBody,
    /// A token names a key of this issuer that is not known: its keys are to be fetched, and the request decided about
    /// anew.
    FetchKeys(Rc<Issuer>),
    /// Tokens of several sessions came along: the store is to be asked which of these are over, and the
    /// request decided about anew with [`Head::over`].
    ConflictingTokens(Vec<AuthenticToken>),
    /// The request goes to the origin, and nobody is asked whose it is.
    Forward(Box<AnonymousPlan>),
    /// The store is to be asked; its answer goes to [`Guard::judge`].
    CheckSession(Box<ForwardPlan>),
}

impl Guard {
    /// A guard with these settings.
    pub fn new(settings: Settings) -> Self {
        let Settings { issuer, audience, client_id, keys, .. } = &settings;
        let tokens = Tokens::new(issuer.clone(), audience.clone(), keys.clone());
        let tokens = tokens
            .with_client_id(client_id.clone())
            .with_log_names(settings.log_names())
            .with_not_before(settings.not_before)
            .with_identity_headers(settings.identity_headers, settings.identity_encoding);
        let recent = match settings.store_failure {
            StoreFailure::Deny => None,
            StoreFailure::AllowRecent(window) => Some(RecentSessions::new(window)),
        };
        let login_url = settings.login_url.as_deref().and_then(LoginUrlPath::new);
        let issuers = settings.trusted_issuers.iter().map(|trusted| {
            let not_before = trusted.not_before.max(settings.not_before);
            let trusted = TrustedIssuer { not_before, ..trusted.clone() };
            Rc::new(Issuer::new(trusted))
        });
        let issuers: Vec<Rc<Issuer>> = issuers.collect();
        let tokens = tokens.with_providers(issuers.iter());
        let audience = match &settings.origin {
            Origin::Url(url) => Some(assertion::audience(url)),
            Origin::Zone | Origin::Worker => None,
        };
        let seen_headers = HeaderFilterCache::default();
        let Settings { resource_metadata, routes, token_sources, .. } = &settings;
        let resources = ProtectedResources::new(resource_metadata.as_ref(), routes, token_sources);
        Self { issuers, settings, tokens, login_url, recent, audience, resources, seen_headers }
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
    pub fn issuer(&self, name: &str) -> Option<&Rc<Issuer>> {
        self.issuers.iter().find(|issuer| issuer.trusted.issuer == name)
    }

    /// Which headers go on, by their names and what is said of the connection, as
    /// [`HeaderFilter::read`] has it.
    pub fn header_filter(&self, lines: &str) -> Rc<HeaderFilter> {
        self.seen_headers.read(lines)
    }

    /// Takes a request as far as can be without asking anybody.
    pub fn decide(&self, head: &impl Head, now: Timestamp) -> Decision {
        match self.classify(head) {
            Err(refusal) => self.refuse_at_once(head, refusal),
            // A proxy has described the request. Nothing of the guard's own is the origin's.
            Ok((route, target))
                if head.recipient() != Recipient::Client
                    && (route != Route::Protected
                        || self.asks_for_metadata(head, target.path())) =>
            {
                self.refuse_at_once(head, forward_auth::OWN_PATH)
            }
            Ok((Route::Own(endpoint), _)) if self.needs_https(endpoint, head) => {
                Decision::Refuse(self.refuse_plain_http(head))
            }
            // Everybody may read them, whatever is said of other endpoints.
            Ok((_, target)) if self.asks_for_metadata(head, target.path()) => {
                Decision::Own(Endpoint::ResourceMetadata)
            }
            // Whatever the proxy's own request looks like, nothing in it is an answer but the described one's.
            Ok((Route::Own(Endpoint::Verify), _)) => Decision::Own(Endpoint::Verify),
            Ok((Route::Own(_) | Route::WrongMethod(_), _)) if self.is_preflight(head) => {
                Decision::Own(Endpoint::Preflight)
            }
            // A login's body is the login's to read.
            Ok((Route::Own(endpoint), _))
                if endpoint != Endpoint::Login && self.needs_body(head) =>
            {
                Decision::ReadBody
            }
            Ok((Route::Own(endpoint), _)) => self.own(endpoint, head, now),
            Ok((Route::Unknown, _)) => self.refuse_at_once(head, Refusal::NotFound),
            Ok((Route::WrongMethod(allow), _)) => {
                self.refuse_at_once(head, Refusal::MethodNotAllowed(allow))
            }
            // What a proxy passes on to the guard is for the guard, or the two would pass it on for ever.
            Ok((Route::Protected, _)) if self.comes_from_proxy(head) => {
                self.refuse_at_once(head, Refusal::NotFound)
            }
            Ok((Route::Protected, target)) => self.plan(head, target, now),
        }
    }

    /// A request to one of the guard's own endpoints.
    fn own(&self, endpoint: Endpoint, head: &impl Head, now: Timestamp) -> Decision {
        if !endpoint.has_caller() && endpoint != Endpoint::Login {
            return Decision::Own(endpoint);
        }
        if let Some(issuer) = self.keys_wanted(head, now) {
            return Decision::FetchKeys(issuer);
        }
        match endpoint == Endpoint::Login {
            true => Decision::Own(endpoint),
            false => match self.contested(head, now) {
                contested if contested.is_empty() => Decision::Own(endpoint),
                contested => Decision::ConflictingTokens(contested),
            },
        }
    }

    /// Step 1: normalises and classifies.
    fn classify<'a>(&self, head: &'a impl Head) -> Result<(Route, Target<'a>), Refusal> {
        let Some(target) = Target::of_url(head.url()) else {
            return Err(Refusal::BadRequest("The URL has no path."));
        };
        if !has_one_host(&head.url()[..target.start()]) {
            return Err(Refusal::BadRequest("Send one `Host`, and no more in it."));
        }
        if matches!(head.method(), "TRACE" | "TRACK" | "CONNECT") {
            return Err(Refusal::MethodNotAllowed(METHODS));
        }
        self.refuse_development_keys(head.url())?;
        let (method, path) = (head.method(), target.path());
        let metadata = self.resources.route(method, path);
        let route = metadata.unwrap_or_else(|| Route::of(method, path, &self.settings.auth_path));
        // Whether the origin is asked for one is the mode's to say.
        if route != Route::Protected && target.path().len() > MAX_PATH {
            return Err(Refusal::UriTooLong);
        }
        Ok((route, target))
    }

    /// The refusal of what no login would help.
    fn refuse_at_once(&self, head: &impl Head, refusal: Refusal) -> Decision {
        let (recipient, page) = (head.recipient(), self.page(head, &refusal));
        let refused = RefusalResponse::from(refusal);
        Decision::Refuse(RefusalResponse { recipient, page, ..refused })
    }

    /// How long the token and cookie of a session may last from `now`.
    pub fn token_lifetime(&self, session: &Session, now: Timestamp) -> Duration {
        self.settings.token_ttl.min(session.expires.since(now))
    }

    /// For how long a token is taken after it was issued, by clocks that may be apart.
    pub fn token_acceptance_window(&self) -> Duration {
        self.settings.token_ttl + Duration::from_secs(LEEWAY)
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

/// What goes on to an origin. `TRACE` would show a client what the guard adds to its request.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

#[cfg(test)]
mod tests;
