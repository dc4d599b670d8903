//! The settings: read by name, validated whole, before the first request.

mod reference;
mod values;

use std::fmt;
use std::time::Duration;

use crate::access::Rules;
use crate::allowed_origins::AllowedOrigin;
use crate::credential::TokenSources;
use crate::event::{Webhook, WebhookSecret};
use crate::http::{Target, web_url};
use crate::identity::{Encoding, Preset};
use crate::issuer::TrustedIssuer;
use crate::keys::KeySet;
use crate::limit::{LimitPolicy, SessionLimit};
use crate::rate::{LoginRates, Rate};
use crate::redis::ReadConsistency;
use crate::request_log::{LogIdentity, LogNames, RequestLog};
use crate::route::KEY_SET;
use crate::time::parse_span;

pub use crate::secret::Secret;
pub use reference::{GROUPS, SETTINGS, Setting};
use values::{
    api_key, auth_path, clear_site_data, consistency, cookie_name, flag, log_identity, login_url,
    mode, origin_url, request_log, rest_token, rest_url, store_failure, timeout,
};

/// Where sessions are kept.
#[derive(Clone, Debug)]
pub enum StoreSettings {
    /// In one Durable Object per user.
    DurableObject,
    /// In Redis.
    Redis {
        /// The REST endpoint, without a slash at its end.
        url: String,
        /// Its token.
        token: Secret,
        /// The prefix of every key.
        keyspace: String,
        /// Which copy answers a check.
        consistency: ReadConsistency,
    },
}

/// What happens when the store cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFailure {
    /// Nobody passes.
    Deny,
    /// Who was seen live within this span passes.
    AllowRecent(Duration),
}

/// What becomes of a request that is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// It ends at the guard.
    #[default]
    Enforce,
    /// It goes on without an identity, and the log says why it would not have.
    Monitor,
}

/// Where requests go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// To the zone's own origin.
    Zone,
    /// To this scheme and host.
    Url(String),
    /// To the Worker that is bound as [`ORIGIN`], whatever the request's host.
    Worker,
}

/// The name of the service binding.
pub const ORIGIN: &str = "ORIGIN";

/// What stands for a binding where settings are read, as text.
pub const BOUND: &str = "(bound)";

/// Every setting, valid by itself and with the others.
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
    /// The keys.
    pub keys: KeySet,
    /// Whose ID tokens are exchanged for a session.
    pub trusted_issuers: Vec<TrustedIssuer>,
    /// Which paths need a session, and whom they are for.
    pub routes: Rules,
    /// Where tokens may be.
    pub token_sources: TokenSources,
    /// Applications on other origins, whose scripts may use the guard's endpoints.
    pub allowed_origins: Vec<AllowedOrigin>,
    /// The session cookie's name.
    pub cookie_name: String,
    /// Where sessions are kept.
    pub store: StoreSettings,
    /// Live sessions per user.
    pub session_limit: SessionLimit,
    /// What happens to a login beyond the limit.
    pub limit_policy: LimitPolicy,
    /// A session's absolute lifetime.
    pub session_ttl: Duration,
    /// A session's sliding lifetime.
    pub idle_timeout: Option<Duration>,
    /// A token's lifetime.
    pub token_ttl: Duration,
    /// What the headers are called that tell the origin who is asking.
    pub identity_headers: Preset,
    /// How their values are written.
    pub identity_encoding: Encoding,
    /// Does the origin get the session's private data?
    pub forward_session_data: bool,
    /// Do requests of the site's own pages seem to come from the origin's?
    pub rewrite_origin: bool,
    /// Does the origin get the guard's own token, wherever it was sent?
    pub forward_credential: bool,
    /// Does a logout end every session?
    pub logout_all: bool,
    /// What a logout has the browser forget: the value of `Clear-Site-Data`.
    pub clear_site_data: Option<String>,
    /// The origin's endpoint that checks credentials.
    pub login_url: Option<String>,
    /// Must tokens and logins come over `https`, but for those from this machine?
    pub require_https: bool,
    /// How many attempts to log in pass.
    pub login_rates: LoginRates,
    /// How long the store may take.
    pub store_timeout: Duration,
    /// How long the origin may take to its first byte, once it has the request's body or while that does not
    /// move.
    pub origin_timeout: Duration,
    /// What happens when the store cannot be asked.
    pub store_failure: StoreFailure,
    /// Is the origin asked at the same time as the store, where that is safe?
    pub overlap_safe_requests: bool,
    /// What becomes of a request that is refused.
    pub mode: Mode,
    /// Which requests are logged.
    pub request_log: RequestLog,
    /// How the log names users and sessions.
    pub log_identity: LogIdentity,
    /// Is the client told what took how long?
    pub server_timing: bool,
    /// Lets a backend ask about sessions and end them.
    pub admin_api_key: Option<Secret>,
    /// Lets a service ask about tokens, and nothing else.
    pub introspection_key: Option<Secret>,
    /// Where events are sent.
    pub webhook: Option<Webhook>,
}

/// What is wrong with one setting. Never holds a secret's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingError {
    /// Which.
    pub name: &'static str,
    /// What to change.
    pub reason: String,
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.reason)
    }
}

/// Reads settings one by one and collects what is wrong with them.
struct Reader<F> {
    get: F,
    errors: Vec<SettingError>,
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    /// The text of a setting; an empty one counts as not set.
    fn text(&self, name: &str) -> Option<String> {
        (self.get)(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn wrong(&mut self, name: &'static str, reason: impl Into<String>) {
        self.errors.push(SettingError { name, reason: reason.into() });
    }

    /// A setting read by `parse`; `None` if it is not set or wrong.
    fn parsed<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match parse(&self.text(name)?) {
            Ok(value) => Some(value),
            Err(reason) => {
                self.wrong(name, reason);
                None
            }
        }
    }

    fn required(&mut self, name: &'static str) -> String {
        self.text(name).unwrap_or_else(|| {
            self.wrong(name, "is required");
            String::new()
        })
    }

    fn span(&mut self, name: &'static str, default: Duration) -> Duration {
        self.parsed(name, parse_span).unwrap_or(default)
    }
}

impl Settings {
    /// Reads all settings; `get` gives the text of one by its name.
    ///
    /// # Errors
    /// Everything that is wrong, not only the first.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<SettingError>> {
        let mut reader = Reader { get, errors: Vec::new() };
        let settings = Self::read_each(&mut reader);
        match settings {
            Some(settings) if reader.errors.is_empty() => Ok(settings),
            _ => Err(reader.errors),
        }
    }

    /// How the log names users and sessions, by the key that signs.
    pub fn log_names(&self) -> LogNames {
        match self.log_identity {
            LogIdentity::Hashed => LogNames::Hashed(self.keys.log_key()),
            LogIdentity::Plain => LogNames::Plain,
        }
    }

    /// `None` only after an error was noted.
    fn read_each<F: Fn(&str) -> Option<String>>(reader: &mut Reader<F>) -> Option<Self> {
        let origin = origin(reader);
        let auth_path = reader.parsed("AUTH_PATH", auth_path).unwrap_or("/_auth".into());
        let issuer = reader.required("ISSUER");
        let audience = reader.required("AUDIENCE");
        let trusted = |json: &str| TrustedIssuer::parse_list(json, &issuer);
        let trusted_issuers = reader.parsed("TRUSTED_ISSUERS", trusted).unwrap_or_default();
        let routes = reader.parsed("ROUTES", Rules::parse).unwrap_or_default();
        let token_sources = reader.parsed("TOKEN_SOURCES", TokenSources::parse).unwrap_or_default();
        let allowed_origins =
            reader.parsed("ALLOWED_ORIGINS", AllowedOrigin::parse_list).unwrap_or_default();
        let cookie_name =
            reader.parsed("COOKIE_NAME", cookie_name).unwrap_or("__Host-session".into());
        let store = store(reader);
        let session_limit = reader.parsed("SESSION_LIMIT", SessionLimit::parse).unwrap_or_default();
        let limit_policy =
            reader.parsed("SESSION_LIMIT_POLICY", LimitPolicy::parse).unwrap_or_default();
        let session_ttl = reader.span("SESSION_TTL", Duration::from_secs(7 * 24 * 60 * 60));
        let idle_timeout = reader.parsed("SESSION_IDLE_TIMEOUT", parse_span);
        let token_ttl = reader.span("TOKEN_TTL", session_ttl);
        if token_ttl > session_ttl {
            reader.wrong("TOKEN_TTL", "must not be longer than SESSION_TTL");
        }
        if idle_timeout.is_some_and(|idle| idle > session_ttl) {
            reader.wrong("SESSION_IDLE_TIMEOUT", "must not be longer than SESSION_TTL");
        }
        let nearest = matches!(
            store,
            Some(StoreSettings::Redis { consistency: ReadConsistency::Nearest, .. })
        );
        if nearest && idle_timeout.is_some() {
            let reason = "must be `strong` when SESSION_IDLE_TIMEOUT is set, because extending a \
                          session is a write";
            reader.wrong("READ_CONSISTENCY", reason);
        }
        let logout_all = reader.parsed("LOGOUT_ALL_SESSIONS", flag).unwrap_or(false);
        let clear_site_data =
            reader.parsed("CLEAR_SITE_DATA", clear_site_data).unwrap_or(Some("\"storage\"".into()));
        let identity_headers = reader.parsed("IDENTITY_HEADERS", Preset::parse).unwrap_or_default();
        let identity_encoding =
            reader.parsed("IDENTITY_ENCODING", Encoding::parse).unwrap_or_default();
        let forward_session_data = reader.parsed("FORWARD_SESSION_DATA", flag).unwrap_or(false);
        let rewrite_origin = reader.parsed("REWRITE_ORIGIN", flag).unwrap_or(false);
        if rewrite_origin && !matches!(origin, Origin::Url(_)) {
            reader.wrong(
                "REWRITE_ORIGIN",
                "needs ORIGIN_URL; without it the origin hears the site's own host",
            );
        }
        let forward_credential = reader.parsed("FORWARD_CREDENTIAL", flag).unwrap_or(false);
        let login_url = reader.parsed("LOGIN_URL", login_url);
        let has_own_login = login_url.is_some() || routes.let_anybody_log_in();
        if has_own_login && trusted_issuers.iter().any(|it| it.subject_prefix.is_none()) {
            let reason = "needs a `subject_prefix` for each issuer beside LOGIN_URL or a rule of \
                          ROUTES with `\"login\": true`, so that no user of theirs is taken for \
                          one of yours; if they are the same, an empty one";
            reader.wrong("TRUSTED_ISSUERS", reason);
        }
        never_asked(reader, &routes, &auth_path, login_url.as_deref());
        let require_https = reader.parsed("REQUIRE_HTTPS", flag).unwrap_or(true);
        let mut rate = |name, default| reader.parsed(name, Rate::parse).unwrap_or(Some(default));
        let login_rates = LoginRates {
            per_user: rate("LOGIN_RATE", Rate::PER_USER),
            per_address: rate("LOGIN_RATE_PER_ADDRESS", Rate::PER_ADDRESS),
        };
        let store_timeout =
            reader.parsed("STORE_TIMEOUT", timeout).unwrap_or(Duration::from_secs(1));
        let origin_timeout =
            reader.parsed("ORIGIN_TIMEOUT", timeout).unwrap_or(Duration::from_secs(30));
        let store_failure =
            reader.parsed("STORE_FAILURE", store_failure).unwrap_or(StoreFailure::Deny);
        let overlap_safe_requests = reader.parsed("OVERLAP_SAFE_REQUESTS", flag).unwrap_or(false);
        let mode = reader.parsed("MODE", mode).unwrap_or_default();
        let request_log = reader.parsed("REQUEST_LOG", request_log).unwrap_or_default();
        let log_identity = reader.parsed("LOG_IDENTITY", log_identity).unwrap_or_default();
        let server_timing = reader.parsed("SERVER_TIMING", flag).unwrap_or(false);
        let admin_api_key = reader.parsed("ADMIN_API_KEY", api_key).map(|text| Secret::new(&text));
        let introspection_key =
            reader.parsed("INTROSPECTION_KEY", api_key).map(|text| Secret::new(&text));
        if introspection_key.is_some() && introspection_key == admin_api_key {
            let reason = "must not be ADMIN_API_KEY: whoever may ask about tokens could begin and \
                          end sessions";
            reader.wrong("INTROSPECTION_KEY", reason);
        }
        let webhook = webhook(reader);
        reader.required("SIGNING_KEYS");
        let keys = reader.parsed("SIGNING_KEYS", KeySet::parse);
        Some(Self {
            origin,
            auth_path,
            issuer,
            audience,
            keys: keys?,
            trusted_issuers,
            routes,
            token_sources,
            allowed_origins,
            cookie_name,
            store: store?,
            session_limit,
            limit_policy,
            session_ttl,
            idle_timeout,
            token_ttl,
            identity_headers,
            identity_encoding,
            forward_session_data,
            rewrite_origin,
            forward_credential,
            logout_all,
            clear_site_data,
            login_url,
            require_https,
            login_rates,
            store_timeout,
            origin_timeout,
            store_failure,
            overlap_safe_requests,
            mode,
            request_log,
            log_identity,
            server_timing,
            admin_api_key,
            introspection_key,
            webhook,
        })
    }
}

/// Rules for paths that do not reach the origin, whatever they say.
fn never_asked<F: Fn(&str) -> Option<String>>(
    reader: &mut Reader<F>,
    routes: &Rules,
    auth_path: &str,
    login_url: Option<&str>,
) {
    let login =
        login_url.and_then(Target::of_url).map(|target| target.path().trim_end_matches('/'));
    let own = [auth_path.to_owned(), format!("{auth_path}/*"), KEY_SET.to_owned()];
    let closed = login.into_iter().flat_map(|path| [path.to_owned(), format!("{path}/*")]);
    let own = own.into_iter().map(|path| (path, "the guard answers there by itself"));
    let closed = closed.map(|path| (path, "LOGIN_URL is there, which is closed to clients"));
    for (pattern, why) in own.chain(closed) {
        if let Some(index) = routes.within(&pattern) {
            let number = index + 1;
            reader.wrong("ROUTES", format!("rule {number}: it can never hold, because {why}"));
        }
    }
}

fn origin<F: Fn(&str) -> Option<String>>(reader: &mut Reader<F>) -> Origin {
    let url = reader.parsed("ORIGIN_URL", origin_url);
    match reader.text(ORIGIN).as_deref() {
        None => url.map_or(Origin::Zone, Origin::Url),
        Some(BOUND) => {
            if url.is_some() {
                let reason = "must be empty beside the service binding ORIGIN: requests go either \
                              there or to a URL";
                reader.wrong("ORIGIN_URL", reason);
            }
            Origin::Worker
        }
        Some(_) => {
            reader.wrong(ORIGIN, "is the name of a service binding; a URL goes into ORIGIN_URL");
            Origin::Zone
        }
    }
}

fn store<F: Fn(&str) -> Option<String>>(reader: &mut Reader<F>) -> Option<StoreSettings> {
    let kind = reader.text("SESSION_STORE").unwrap_or("durable-object".into());
    match kind.as_str() {
        "durable-object" => Some(StoreSettings::DurableObject),
        "redis" => {
            reader.required("UPSTASH_REDIS_REST_URL");
            let url = reader.parsed("UPSTASH_REDIS_REST_URL", rest_url);
            reader.required("UPSTASH_REDIS_REST_TOKEN");
            let token = reader
                .parsed("UPSTASH_REDIS_REST_TOKEN", rest_token)
                .map(|text| Secret::new(&text));
            let keyspace = reader.text("REDIS_KEYSPACE").unwrap_or("guard:".into());
            let consistency = reader.parsed("READ_CONSISTENCY", consistency);
            let consistency = consistency.unwrap_or(ReadConsistency::Strong);
            Some(StoreSettings::Redis { url: url?, token: token?, keyspace, consistency })
        }
        _ => {
            reader.wrong("SESSION_STORE", "must be `durable-object` or `redis`");
            None
        }
    }
}

/// A secret without a URL is no error, so that removing the URL is enough to stop the events.
fn webhook<F: Fn(&str) -> Option<String>>(reader: &mut Reader<F>) -> Option<Webhook> {
    let secret = reader.parsed("EVENTS_WEBHOOK_SECRET", WebhookSecret::parse);
    let url = reader.parsed("EVENTS_WEBHOOK_URL", |text| web_url(text).map(|_| text.to_owned()))?;
    reader.required("EVENTS_WEBHOOK_SECRET");
    Some(Webhook { url, secret: secret? })
}

#[cfg(test)]
mod tests;
