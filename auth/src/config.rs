//! The settings. All are read and validated before the first request.
//!
//! A new setting is a field of [`Settings`], a line in `read_each`, and its text in `config/reference.rs`.

mod checks;
mod issuer_secrets;
mod origin;
mod reader;
mod reference;
mod site;
mod store;
mod values;

use std::time::Duration;

use crate::access::Rules;
use crate::allowed_origins::AllowedOrigin;
use crate::client_address::AddressSource;
use crate::cookie::SessionCookie;
use crate::credential::TokenSources;
use crate::event::Webhook;
use crate::identity::{Encoding, Preset};
use crate::issuer::TrustedIssuer;
use crate::keys::KeySet;
use crate::limit::{LimitPolicy, SessionLimit};
use crate::page_settings::PageSettings;
use crate::rate::{LoginRates, Rate};
use crate::redis::ReadConsistency;
use crate::refusal_counts::Analytics;
use crate::request_log::{LogIdentity, LogNames, RequestLog};
use crate::resource_metadata::ResourceMetadata;
use crate::secret::Secret;
use crate::site_hosts::SiteHosts;
use crate::time::{Timestamp, parse_moment, parse_span};

pub use origin::{BOUND, ORIGIN, Origin};
pub use reader::SettingError;
pub use reference::{GROUPS, SETTINGS, Setting};
pub use store::{StoreFailure, StoreSettings};

use origin::origin;
use reader::Reader;
use site::{allowed_origins, site};
use store::{store, store_before, store_failure};
use values::{
    address_source, analytics, api_key, auth_path, clear_site_data, client_id, log_identity,
    login_url, mode, request_log, resource_metadata, timeout, webhook,
};

/// What happens to a request that is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// It ends at the guard.
    #[default]
    Enforce,
    /// It is forwarded without an identity, and the log says why it would have been refused.
    Monitor,
}

/// All settings, valid each by itself and together.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where requests go.
    pub origin: Origin,
    /// The prefix of the guard's own endpoints, without a slash at its end.
    pub auth_path: String,
    /// `iss`.
    pub issuer: String,
    /// `aud`.
    pub audience: String,
    /// `client_id`.
    pub client_id: String,
    /// The keys.
    pub keys: KeySet,
    /// Whose ID tokens are exchanged for a session, and whose access tokens are credentials.
    pub trusted_issuers: Vec<TrustedIssuer>,
    /// Which paths need a session, and which roles and scopes.
    pub routes: Rules,
    /// What OAuth clients are told of the site; `None`: nothing.
    pub resource_metadata: Option<ResourceMetadata>,
    /// Where the guard looks for tokens.
    pub token_sources: TokenSources,
    /// Applications on other origins, whose scripts may use the guard's endpoints. The origins of `site_hosts` are
    /// among them.
    pub allowed_origins: Vec<AllowedOrigin>,
    /// The session cookie.
    pub session_cookie: SessionCookie,
    /// The hosts that share it.
    pub site_hosts: SiteHosts,
    /// Where sessions are kept.
    pub store: StoreSettings,
    /// Where sessions come from, while users move.
    pub store_before: Option<StoreSettings>,
    /// Live sessions per user.
    pub session_limit: SessionLimit,
    /// What happens to a login beyond the limit.
    pub limit_policy: LimitPolicy,
    /// A session's absolute lifetime.
    pub session_ttl: Duration,
    /// The same for a user who does not ask to stay signed in, if that makes a difference.
    pub session_ttl_short: Option<Duration>,
    /// A session's sliding lifetime.
    pub idle_timeout: Option<Duration>,
    /// A token's lifetime.
    pub token_ttl: Duration,
    /// Are clients with a bearer token told when it expires?
    pub token_expiry_header: bool,
    /// No token that was issued before this moment is good.
    pub not_before: Option<Timestamp>,
    /// The names of the identity headers.
    pub identity_headers: Preset,
    /// How their values are encoded.
    pub identity_encoding: Encoding,
    /// Does the origin get the session's private data?
    pub forward_session_data: bool,
    /// Are `Origin` and `Referer` of the site's own pages rewritten to the origin's address?
    pub rewrite_origin: bool,
    /// Is the guard's own token forwarded to the origin?
    pub forward_credential: bool,
    /// Does a logout end every session?
    pub logout_all: bool,
    /// The value of `Clear-Site-Data` in the response to a logout.
    pub clear_site_data: Option<String>,
    /// The origin's endpoint that checks credentials.
    pub login_url: Option<String>,
    /// How the guard's pages look, and what they say.
    pub pages: PageSettings,
    /// Whose word counts about where a request comes from.
    pub address_source: AddressSource,
    /// Must tokens and logins come over `https`, except on loopback hosts?
    pub require_https: bool,
    /// How many login attempts are allowed.
    pub login_rates: LoginRates,
    /// How long the store may take.
    pub store_timeout: Duration,
    /// How long the origin may take to the first byte of its response, from the end of the request's body on, or
    /// from its last progress.
    pub origin_timeout: Duration,
    /// What happens when the store is unreachable.
    pub store_failure: StoreFailure,
    /// Are safe requests sent to the origin in parallel with the session check?
    pub overlap_safe_requests: bool,
    /// What happens to a request that is refused.
    pub mode: Mode,
    /// Which requests are logged.
    pub request_log: RequestLog,
    /// How the log names users and sessions.
    pub log_identity: LogIdentity,
    /// Is `Server-Timing` sent?
    pub server_timing: bool,
    /// The key of the admin API.
    pub admin_api_key: Option<Secret>,
    /// The key of `introspect` alone.
    pub introspection_key: Option<Secret>,
    /// The key by which a proxy is known that describes its client's requests.
    pub forward_auth_key: Option<Secret>,
    /// Where events are sent.
    pub webhook: Option<Webhook>,
    /// Where the log's data points are read, for the admin console.
    pub analytics: Option<Analytics>,
}

/// How long a provider's session is kept that is not used, if `SESSION_IDLE_TIMEOUT` does not say. It begins anew then.
const PROVIDER_IDLE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl Settings {
    /// How long a provider's session may be unused.
    pub fn provider_idle_timeout(&self) -> Duration {
        self.idle_timeout.unwrap_or(PROVIDER_IDLE)
    }

    /// Does the nearest replica answer checks?
    pub fn reads_replicas(&self) -> bool {
        matches!(self.store, StoreSettings::Redis { consistency: ReadConsistency::Nearest, .. })
    }

    /// Reads all settings; `get` gives the text of one by its name.
    ///
    /// # Errors
    /// All errors, not only the first.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<SettingError>> {
        let mut reader = Reader { get: &get, errors: Vec::new() };
        let settings = Self::read_each(&mut reader);
        match settings {
            Some(settings) if reader.errors.is_empty() => Ok(settings),
            _ => Err(reader.errors),
        }
    }

    /// The same, if nothing in them is wrong at this moment.
    ///
    /// # Errors
    /// A moment since when tokens are good that lies ahead: until then, nobody could log in.
    pub fn valid_at(self, now: Timestamp) -> Result<Self, Vec<SettingError>> {
        let mut reader = Reader { get: &|_| None, errors: Vec::new() };
        checks::moments_ahead(&mut reader, self.not_before, &self.trusted_issuers, now);
        if reader.errors.is_empty() { Ok(self) } else { Err(reader.errors) }
    }

    /// How the log names users and sessions.
    pub fn log_names(&self) -> LogNames {
        match self.log_identity {
            LogIdentity::Hashed => LogNames::Hashed(self.keys.log_key()),
            LogIdentity::Plain => LogNames::Plain,
        }
    }

    /// `None` only if an error was collected.
    fn read_each(reader: &mut Reader<'_>) -> Option<Self> {
        let origin = origin(reader);
        let auth_path = reader.parsed("AUTH_PATH", auth_path).unwrap_or("/_auth".into());
        let issuer = reader.required("ISSUER");
        let audience = reader.required("AUDIENCE");
        let trusted = |json: &str| TrustedIssuer::parse_list(json, &issuer);
        let mut trusted_issuers =
            reader.parsed_with("TRUSTED_ISSUERS", &trusted).unwrap_or_default();
        issuer_secrets::read_secrets(reader, &mut trusted_issuers);
        let routes = reader.parsed("ROUTES", Rules::parse).unwrap_or_default();
        let resource_metadata = resource_metadata(reader, &trusted_issuers);
        let login_url = reader.parsed("LOGIN_URL", login_url);
        let token_sources = reader.parsed("TOKEN_SOURCES", TokenSources::parse).unwrap_or_default();
        let (session_cookie, site_hosts) = site(reader, &token_sources);
        let store = store(reader);
        let store_before = store_before(reader, store.as_ref());
        let session_ttl = reader.span("SESSION_TTL", Duration::from_secs(7 * 24 * 60 * 60));
        let session_ttl_short = reader.parsed("SESSION_TTL_SHORT", parse_span);
        let token_ttl = reader.span("TOKEN_TTL", session_ttl);
        let idle_timeout = reader.parsed("SESSION_IDLE_TIMEOUT", parse_span);
        let rewrite_origin = reader.flag("REWRITE_ORIGIN", false);
        let admin_api_key = reader.parsed("ADMIN_API_KEY", api_key);
        let introspection_key = reader.parsed("INTROSPECTION_KEY", api_key);
        let forward_auth_key = reader.parsed("FORWARD_AUTH_KEY", api_key);
        let default_site_data = Some("\"storage\"".into());
        let others = [
            ("SESSION_TTL_SHORT", session_ttl_short),
            ("TOKEN_TTL", Some(token_ttl)),
            ("SESSION_IDLE_TIMEOUT", idle_timeout),
        ];
        checks::lifetimes(reader, session_ttl, others);
        checks::reads_of_replicas(reader, store.as_ref(), idle_timeout);
        checks::rewritten_origin(reader, rewrite_origin, &origin);
        checks::users_of_issuers(reader, &trusted_issuers, login_url.as_deref(), &routes);
        checks::rules_that_never_hold(reader, &routes, &auth_path, login_url.as_deref());
        checks::resources(reader, &routes, resource_metadata.as_ref());
        checks::keys_of_services(
            reader,
            admin_api_key.as_ref(),
            [("INTROSPECTION_KEY", &introspection_key), ("FORWARD_AUTH_KEY", &forward_auth_key)],
        );
        reader.required("SIGNING_KEYS");
        let keys = reader.parsed("SIGNING_KEYS", KeySet::parse);
        checks::sign_in(reader, &trusted_issuers, &auth_path, keys.as_ref());
        Some(Self {
            origin,
            auth_path,
            issuer,
            client_id: reader.parsed("CLIENT_ID", client_id).unwrap_or_else(|| audience.clone()),
            audience,
            trusted_issuers,
            routes,
            resource_metadata,
            allowed_origins: allowed_origins(reader, &site_hosts),
            token_sources,
            session_cookie,
            site_hosts,
            session_limit: reader.parsed("SESSION_LIMIT", SessionLimit::parse).unwrap_or_default(),
            limit_policy: reader
                .parsed("SESSION_LIMIT_POLICY", LimitPolicy::parse)
                .unwrap_or_default(),
            session_ttl,
            session_ttl_short,
            idle_timeout,
            token_ttl,
            token_expiry_header: reader.flag("TOKEN_EXPIRY_HEADER", false),
            not_before: reader.parsed("NOT_BEFORE", parse_moment),
            identity_headers: reader.parsed("IDENTITY_HEADERS", Preset::parse).unwrap_or_default(),
            identity_encoding: reader
                .parsed("IDENTITY_ENCODING", Encoding::parse)
                .unwrap_or_default(),
            forward_session_data: reader.flag("FORWARD_SESSION_DATA", false),
            rewrite_origin,
            forward_credential: reader.flag("FORWARD_CREDENTIAL", false),
            logout_all: reader.flag("LOGOUT_ALL_SESSIONS", false),
            clear_site_data: reader
                .parsed("CLEAR_SITE_DATA", clear_site_data)
                .unwrap_or(default_site_data),
            login_url,
            pages: reader.parsed("PAGES", PageSettings::parse).unwrap_or_default(),
            address_source: address_source(reader),
            require_https: reader.flag("REQUIRE_HTTPS", true),
            login_rates: LoginRates {
                per_user: reader.parsed("LOGIN_RATE", Rate::parse).unwrap_or(Some(Rate::PER_USER)),
                per_address: reader
                    .parsed("LOGIN_RATE_PER_ADDRESS", Rate::parse)
                    .unwrap_or(Some(Rate::PER_ADDRESS)),
            },
            store_timeout: reader
                .parsed("STORE_TIMEOUT", timeout)
                .unwrap_or(Duration::from_secs(1)),
            origin_timeout: reader
                .parsed("ORIGIN_TIMEOUT", timeout)
                .unwrap_or(Duration::from_secs(30)),
            store_failure: reader
                .parsed("STORE_FAILURE", store_failure)
                .unwrap_or(StoreFailure::Deny),
            overlap_safe_requests: reader.flag("OVERLAP_SAFE_REQUESTS", false),
            mode: reader.parsed("MODE", mode).unwrap_or_default(),
            request_log: reader.parsed("REQUEST_LOG", request_log).unwrap_or_default(),
            log_identity: reader.parsed("LOG_IDENTITY", log_identity).unwrap_or_default(),
            server_timing: reader.flag("SERVER_TIMING", false),
            admin_api_key,
            introspection_key,
            forward_auth_key,
            webhook: webhook(reader),
            analytics: analytics(reader),
            // Last, so that all other errors are collected before.
            store: store?,
            store_before,
            keys: keys?,
        })
    }
}

#[cfg(test)]
mod tests;
