//! The settings: read by name, validated whole, before the first request.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use http::Uri;

use crate::keys::KeySet;
use crate::redis::ReadConsistency;
use crate::time::parse_span;

/// A setting, as the reference documents it.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name in `[vars]` or among the secrets.
    pub name: &'static str,
    /// What holds without it, as people read it.
    pub default: &'static str,
    /// Does it belong among the secrets?
    pub secret: bool,
    /// What it means.
    pub meaning: &'static str,
}

const fn setting(name: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting { name, default, secret: false, meaning }
}

const fn secret(name: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting { name, default, secret: true, meaning }
}

/// Every setting there is. The reference in the documentation is made from this table.
pub const SETTINGS: &[Setting] = &[
    setting(
        "ORIGIN_URL",
        "the zone's own origin",
        "Where requests go, as `https://host` without a path. Leave it empty when the Worker runs on a route of the origin's zone.",
    ),
    setting("AUTH_PATH", "/auth", "The prefix of the guard's own endpoints."),
    setting("ISSUER", "required", "The `iss` of the tokens the guard issues and accepts."),
    setting("AUDIENCE", "required", "The `aud` of the tokens the guard issues and accepts."),
    secret(
        "SIGNING_KEYS",
        "required",
        "A JWK Set of `oct` keys with `\"alg\": \"HS256\"`, at least 32 bytes each. The first signs, all verify, so keys rotate without logging anyone out.",
    ),
    setting(
        "COOKIE_NAME",
        "__Host-session",
        "The session cookie. It is always `HttpOnly`, `Secure`, `SameSite=Lax`, `Path=/`.",
    ),
    setting(
        "SESSION_STORE",
        "durable-object",
        "Where sessions are kept: `durable-object` or `redis`.",
    ),
    setting(
        "UPSTASH_REDIS_REST_URL",
        "required with `redis`",
        "The REST endpoint, as Upstash names it. `https`, or `http` to this machine.",
    ),
    secret(
        "UPSTASH_REDIS_REST_TOKEN",
        "required with `redis`",
        "Its token. It must be allowed to write.",
    ),
    setting("REDIS_KEYSPACE", "guard:", "The prefix of every key in Redis."),
    setting(
        "READ_CONSISTENCY",
        "strong",
        "`strong`: the primary answers the check. `nearest`: the nearest replica does, and its lag is the revocation window; not together with `SESSION_IDLE_TIMEOUT`.",
    ),
    setting(
        "SESSION_LIMIT",
        "1",
        "Live sessions per user; a login beyond it ends the oldest. `0`: no limit.",
    ),
    setting(
        "SESSION_TTL",
        "7 days",
        "The absolute lifetime of a session. Spans read like `15 minutes` or `7 days`.",
    ),
    setting(
        "SESSION_IDLE_TIMEOUT",
        "none",
        "A session unused for this long expires. It is extended at most once per tenth of it.",
    ),
    setting("TOKEN_TTL", "SESSION_TTL", "The lifetime of a token. No longer than `SESSION_TTL`."),
    setting("LOGOUT_ALL_SESSIONS", "false", "`true`: logging out ends every session of the user."),
    setting(
        "LOGIN_URL",
        "none",
        "The origin's endpoint that checks credentials. Without it, nobody can log in through the guard.",
    ),
    setting("STORE_TIMEOUT", "1 second", "How long the store may take to answer."),
    setting(
        "ORIGIN_TIMEOUT",
        "30 seconds",
        "How long the origin may take to the first byte of its answer.",
    ),
    setting(
        "STORE_FAILURE",
        "deny",
        "When the store cannot be asked: `deny` answers 503; `allow-recent: 60 seconds` honours a session that this isolate saw live that recently.",
    ),
];

/// Settings of the contract that this version knows in one form only.
const ONE_FORM_ONLY: &[(&str, Option<&str>)] = &[
    ("TRUSTED_ISSUERS", None),
    ("TOKEN_SOURCES", Some("bearer, cookie")),
    ("SESSION_LIMIT_POLICY", Some("evict-oldest")),
    ("ROUTES", None),
    ("IDENTITY_HEADERS", Some("x-auth-request")),
    ("OVERLAP_SAFE_REQUESTS", Some("false")),
    ("MODE", Some("enforce")),
    ("EVENTS_WEBHOOK_URL", None),
    ("EVENTS_WEBHOOK_SECRET", None),
    ("LOGIN_RATE", Some("off")),
    ("ADMIN_API_KEY", None),
];

/// A text that must not be seen.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(_)")
    }
}

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

/// Every setting, valid by itself and with the others.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Scheme and host of the origin; `None`: the zone's own.
    pub origin: Option<String>,
    /// The prefix of the guard's own endpoints, without a slash at its end.
    pub auth_path: String,
    /// `iss`.
    pub issuer: String,
    /// `aud`.
    pub audience: String,
    /// The keys.
    pub keys: KeySet,
    /// The session cookie's name.
    pub cookie_name: String,
    /// Where sessions are kept.
    pub store: StoreSettings,
    /// Live sessions per user; `None`: no limit.
    pub session_limit: Option<NonZeroU32>,
    /// A session's absolute lifetime.
    pub session_ttl: Duration,
    /// A session's sliding lifetime.
    pub idle_timeout: Option<Duration>,
    /// A token's lifetime.
    pub token_ttl: Duration,
    /// Does a logout end every session?
    pub logout_all: bool,
    /// The origin's endpoint that checks credentials.
    pub login_url: Option<String>,
    /// How long the store may take.
    pub store_timeout: Duration,
    /// How long the origin may take to its first byte.
    pub origin_timeout: Duration,
    /// What happens when the store cannot be asked.
    pub store_failure: StoreFailure,
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

    /// `None` only after an error was noted.
    fn read_each<F: Fn(&str) -> Option<String>>(reader: &mut Reader<F>) -> Option<Self> {
        refuse_unsupported(reader);
        let origin = reader.parsed("ORIGIN_URL", origin);
        let auth_path = reader.parsed("AUTH_PATH", auth_path).unwrap_or("/auth".into());
        let issuer = reader.required("ISSUER");
        let audience = reader.required("AUDIENCE");
        let cookie_name =
            reader.parsed("COOKIE_NAME", cookie_name).unwrap_or("__Host-session".into());
        let store = store(reader);
        let session_limit = reader.parsed("SESSION_LIMIT", limit).unwrap_or(NonZeroU32::new(1));
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
        let login_url = reader.parsed("LOGIN_URL", login_url);
        let store_timeout = reader.span("STORE_TIMEOUT", Duration::from_secs(1));
        let origin_timeout = reader.span("ORIGIN_TIMEOUT", Duration::from_secs(30));
        let store_failure =
            reader.parsed("STORE_FAILURE", store_failure).unwrap_or(StoreFailure::Deny);
        reader.required("SIGNING_KEYS");
        let keys = reader.parsed("SIGNING_KEYS", KeySet::parse);
        Some(Self {
            origin,
            auth_path,
            issuer,
            audience,
            keys: keys?,
            cookie_name,
            store: store?,
            session_limit,
            session_ttl,
            idle_timeout,
            token_ttl,
            logout_all,
            login_url,
            store_timeout,
            origin_timeout,
            store_failure,
        })
    }
}

/// A setting that is named but has no effect would be a promise not kept.
fn refuse_unsupported<F: Fn(&str) -> Option<String>>(reader: &mut Reader<F>) {
    for (name, form) in ONE_FORM_ONLY {
        let Some(text) = reader.text(name) else { continue };
        match form {
            Some(form) if text == *form => {}
            Some(form) => {
                reader.wrong(name, format!("can only be `{form}` in this version; remove it"));
            }
            None => reader.wrong(name, "is not supported by this version; remove it"),
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
            let token = Secret(reader.required("UPSTASH_REDIS_REST_TOKEN"));
            let keyspace = reader.text("REDIS_KEYSPACE").unwrap_or("guard:".into());
            let consistency = reader.parsed("READ_CONSISTENCY", consistency);
            let consistency = consistency.unwrap_or(ReadConsistency::Strong);
            Some(StoreSettings::Redis { url: url?, token, keyspace, consistency })
        }
        _ => {
            reader.wrong("SESSION_STORE", "must be `durable-object` or `redis`");
            None
        }
    }
}

/// An absolute http or https URL with a host.
fn absolute(text: &str) -> Result<Uri, String> {
    let uri: Uri = text.parse().map_err(|_| "is no URL")?;
    let scheme = uri.scheme_str().unwrap_or_default();
    if !matches!(scheme, "http" | "https") || uri.host().unwrap_or_default().is_empty() {
        return Err("must be an absolute URL, like `https://app.example.com`".into());
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err("must not carry a user or a password".into());
    }
    Ok(uri)
}

fn origin(text: &str) -> Result<String, String> {
    let uri = absolute(text)?;
    if uri.path() != "/" || uri.query().is_some() {
        return Err("must not have a path or a query; requests keep their own".into());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn login_url(text: &str) -> Result<String, String> {
    absolute(text).map(|_| text.to_owned())
}

fn rest_url(text: &str) -> Result<String, String> {
    let uri = absolute(text)?;
    let host = uri.host().unwrap_or_default();
    if uri.scheme_str() == Some("http") && !is_loopback(host) && host.contains('.') {
        return Err("must be `https`, or the token would travel in clear".into());
    }
    if uri.query().is_some() {
        return Err("must not have a query".into());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// Does this host name mean the machine itself?
pub fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

fn auth_path(text: &str) -> Result<String, String> {
    let path = text.trim_end_matches('/');
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
    let fine = |segment: &str| {
        !segment.is_empty() && segment.chars().all(legal) && !matches!(segment, "." | "..")
    };
    match path.strip_prefix('/') {
        Some(rest) if rest.split('/').all(fine) => Ok(path.to_owned()),
        _ => Err("must be a path like `/auth`, of letters, digits, `-`, `_`, `.` and `~`".into()),
    }
}

/// A token of RFC 9110, section 5.6.2, as RFC 6265 wants a cookie's name to be.
fn cookie_name(text: &str) -> Result<String, String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if text.chars().all(legal) {
        Ok(text.to_owned())
    } else {
        Err("must be a cookie name like `__Host-session`".into())
    }
}

fn limit(text: &str) -> Result<Option<NonZeroU32>, String> {
    let number: u32 = text.parse().map_err(|_| "must be a whole number; `0` is no limit")?;
    Ok(NonZeroU32::new(number))
}

fn flag(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "must be `true` or `false`".into())
}

fn consistency(text: &str) -> Result<ReadConsistency, String> {
    match text {
        "strong" => Ok(ReadConsistency::Strong),
        "nearest" => Ok(ReadConsistency::Nearest),
        _ => Err("must be `strong` or `nearest`".into()),
    }
}

fn store_failure(text: &str) -> Result<StoreFailure, String> {
    if text == "deny" {
        return Ok(StoreFailure::Deny);
    }
    let span = text.strip_prefix("allow-recent:");
    let span = span.ok_or("must be `deny`, or `allow-recent: 60 seconds`")?;
    parse_span(span.trim()).map(StoreFailure::AllowRecent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::collections::HashMap;

    const KEYS: &str = r#"{"keys":[{"kty":"oct","alg":"HS256","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}"#;

    fn read(changes: &[(&str, &str)]) -> Result<Settings, Vec<SettingError>> {
        let mut all: HashMap<&str, &str> =
            [("ISSUER", "https://guard"), ("AUDIENCE", "app"), ("SIGNING_KEYS", KEYS)].into();
        all.extend(changes.iter().copied());
        Settings::read(|name| all.get(name).map(|text| (*text).to_owned()))
    }

    #[test]
    fn the_defaults_are_those_of_the_reference() {
        let settings = read(&[]).unwrap();
        let default = |name: &str| SETTINGS.iter().find(|s| s.name == name).unwrap().default;
        let written: Vec<(&str, &str)> = SETTINGS
            .iter()
            .filter(|s| !s.default.contains("required") && !s.default.contains(' '))
            .filter(|s| !matches!(s.default, "none" | "SESSION_TTL"))
            .map(|s| (s.name, s.default))
            .chain([("SESSION_TTL", default("SESSION_TTL"))])
            .chain([("STORE_TIMEOUT", default("STORE_TIMEOUT"))])
            .chain([("ORIGIN_TIMEOUT", default("ORIGIN_TIMEOUT"))])
            .collect();
        assert!(written.len() > 10, "{written:?}");
        let explicit = read(&written).unwrap();
        assert_eq!(format!("{settings:?}"), format!("{explicit:?}"));
        assert_eq!(settings.token_ttl, settings.session_ttl);
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let errors = Settings::read(|_| None).unwrap_err();
        let names: Vec<_> = errors.iter().map(|error| error.name).collect();
        assert_eq!(names, ["ISSUER", "AUDIENCE", "SIGNING_KEYS"]);
    }

    #[rstest]
    #[case("ORIGIN_URL", "app.example.com")]
    #[case("ORIGIN_URL", "ftp://app.example.com")]
    #[case("ORIGIN_URL", "https://app.example.com/path")]
    #[case("ORIGIN_URL", "https://user:pw@app.example.com")]
    #[case("ORIGIN_URL", "https://")]
    #[case("AUTH_PATH", "auth")]
    #[case("AUTH_PATH", "/")]
    #[case("AUTH_PATH", "/a//b")]
    #[case("AUTH_PATH", "/a/../b")]
    #[case("AUTH_PATH", "/a b")]
    #[case("SIGNING_KEYS", "{}")]
    #[case("COOKIE_NAME", "a b")]
    #[case("COOKIE_NAME", "a;b")]
    #[case("SESSION_STORE", "memory")]
    #[case("SESSION_LIMIT", "-1")]
    #[case("SESSION_LIMIT", "many")]
    #[case("SESSION_TTL", "7")]
    #[case("SESSION_TTL", "0 days")]
    #[case("SESSION_IDLE_TIMEOUT", "8 days")]
    #[case("TOKEN_TTL", "8 days")]
    #[case("LOGOUT_ALL_SESSIONS", "yes")]
    #[case("LOGIN_URL", "/login")]
    #[case("STORE_TIMEOUT", "fast")]
    #[case("ORIGIN_TIMEOUT", "1")]
    #[case("STORE_FAILURE", "allow")]
    #[case("STORE_FAILURE", "allow-recent: soon")]
    #[case("ROUTES", "[]")]
    #[case("MODE", "monitor")]
    #[case("SESSION_LIMIT_POLICY", "ask")]
    fn a_bad_value_is_refused_by_name(#[case] name: &str, #[case] value: &str) {
        let errors = read(&[(name, value)]).unwrap_err();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!(errors[0].name, name);
        assert!(!errors[0].reason.is_empty());
    }

    const REDIS: [(&str, &str); 3] = [
        ("SESSION_STORE", "redis"),
        ("UPSTASH_REDIS_REST_URL", "https://db.upstash.io/"),
        ("UPSTASH_REDIS_REST_TOKEN", "hush"),
    ];

    #[rstest]
    #[case(&[("UPSTASH_REDIS_REST_URL", "")], "UPSTASH_REDIS_REST_URL")]
    #[case(&[("UPSTASH_REDIS_REST_TOKEN", "")], "UPSTASH_REDIS_REST_TOKEN")]
    #[case(&[("UPSTASH_REDIS_REST_URL", "http://db.upstash.io")], "UPSTASH_REDIS_REST_URL")]
    #[case(&[("READ_CONSISTENCY", "eventual")], "READ_CONSISTENCY")]
    #[case(&[("READ_CONSISTENCY", "nearest"), ("SESSION_IDLE_TIMEOUT", "1 hour")], "READ_CONSISTENCY")]
    fn redis_wants_its_own_settings(#[case] changes: &[(&str, &str)], #[case] name: &str) {
        let errors = read(&[&REDIS[..], changes].concat()).unwrap_err();
        assert_eq!(errors.iter().map(|e| e.name).collect::<Vec<_>>(), [name]);
    }

    #[test]
    fn values_are_read() {
        let settings = read(&[
            ("ORIGIN_URL", "http://localhost:8788/"),
            ("AUTH_PATH", "/_guard/"),
            ("SESSION_LIMIT", "0"),
            ("STORE_FAILURE", "allow-recent: 60 seconds"),
        ])
        .unwrap();
        assert_eq!(settings.origin.as_deref(), Some("http://localhost:8788"));
        assert_eq!(settings.auth_path, "/_guard");
        assert_eq!(settings.session_limit, None);
        assert_eq!(settings.store_failure, StoreFailure::AllowRecent(Duration::from_secs(60)));
    }

    #[test]
    fn secrets_do_not_reach_debug_output() {
        let settings = read(&REDIS).unwrap();
        let debug = format!("{settings:?}");
        assert!(debug.contains("db.upstash.io") && !debug.contains("hush"), "{debug}");
    }
}
