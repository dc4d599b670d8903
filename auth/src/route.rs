//! Where a request goes: to one of the guard's own endpoints, or on to the origin.

/// The longest path that is looked at, in bytes.
pub const MAX_PATH: usize = 8 * 1024;

/// One of the guard's own endpoints, below `AUTH_PATH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// The login page.
    LoginPage,
    /// A login.
    Login,
    /// The beginning of a sign-in at an identity provider, by a link: see [`provider_name`].
    SignIn,
    /// The same, by a form.
    SignInByForm,
    /// Its end: the provider sends the browser back.
    SignInCallback,
    /// The end of a session.
    Logout,
    /// The page after a logout, also at the provider.
    LoggedOut,
    /// A new token for the same session.
    Refresh,
    /// A logout at a trusted issuer.
    BackchannelLogout,
    /// The same, in a frame of the issuer's page.
    FrontchannelLogout,
    /// What a token is worth, for other services.
    Introspect,
    /// The end of a token's session, by other services.
    Revoke,
    /// The sessions of others: see [`AdminRequest`](crate::admin::AdminRequest).
    Admin,
    /// The first page of the admin console.
    Console,
    /// The caller's own session.
    Session,
    /// A change to its private data.
    SessionData,
    /// The caller's sessions.
    Sessions,
    /// The end of some of them, by a form.
    EndOwnSessions,
    /// The end of one of them.
    EndSession,
    /// The end of the caller's session, the moment it comes.
    Events,
    /// The browser's half of that.
    ClientScript,
    /// The script of the guard's own pages.
    PagesScript,
    /// May a request pass that a proxy describes? See [`crate::forward_auth`].
    Verify,
    /// Is the store reachable?
    Health,
    /// The pages' style sheet.
    StyleSheet,
    /// The public keys, for whoever verifies the guard's tokens.
    KeySet,
    /// Where clients get tokens: see [`crate::resource_metadata`].
    ResourceMetadata,
    /// A browser's question whether a script of another origin may use one of the others.
    Preflight,
}

impl Endpoint {
    /// Does it matter who asks?
    pub fn has_caller(self) -> bool {
        matches!(
            self,
            Self::Logout
                | Self::Refresh
                | Self::Session
                | Self::SessionData
                | Self::Sessions
                | Self::EndOwnSessions
                | Self::EndSession
                | Self::Events
                | Self::Admin
                | Self::Console
        )
    }

    /// What the log calls it: its path below `AUTH_PATH`, without what stands for somebody.
    pub fn name(self) -> &'static str {
        match self {
            Self::LoginPage | Self::Login => "login",
            Self::SignIn | Self::SignInByForm => "login/{name}",
            Self::SignInCallback => "callback/{name}",
            Self::Logout => "logout",
            Self::LoggedOut => "logged-out",
            Self::Refresh => "refresh",
            Self::BackchannelLogout => "backchannel-logout",
            Self::FrontchannelLogout => "frontchannel-logout",
            Self::Introspect => "introspect",
            Self::Revoke => "revoke",
            Self::Admin | Self::Console => "admin",
            Self::Session | Self::SessionData => "session",
            Self::Sessions | Self::EndOwnSessions => "sessions",
            Self::EndSession => "sessions/{sid}",
            Self::Events => "events",
            Self::ClientScript => "client.js",
            Self::PagesScript => "pages.js",
            Self::Verify => "verify",
            Self::Health => "health",
            Self::StyleSheet => "style.css",
            Self::KeySet => "jwks.json",
            Self::ResourceMetadata => "oauth-protected-resource",
            Self::Preflight => "preflight",
        }
    }
}

/// Where verifiers look for an issuer's keys (RFC 8615, and by custom).
pub(crate) const KEY_SET: &str = "/.well-known/jwks.json";

/// What a path and a method lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// One of the guard's own endpoints.
    Own(Endpoint),
    /// Below `AUTH_PATH`, but no endpoint.
    Unknown,
    /// An endpoint that knows other methods.
    WrongMethod(&'static str),
    /// Everything else: the origin, for those with a session.
    Protected,
}

impl Route {
    /// Classifies a request. Endpoints match by their exact path; whatever is below `auth_path`
    /// never reaches the origin.
    pub fn of(method: &str, path: &str, auth_path: &str) -> Self {
        let get = matches!(method, "GET" | "HEAD");
        if path == KEY_SET {
            return if get { Self::Own(Endpoint::KeySet) } else { Self::WrongMethod("GET, HEAD") };
        }
        let Some(name) = path.strip_prefix(auth_path) else { return Self::Protected };
        match (name, method) {
            ("/login", "POST") => Self::Own(Endpoint::Login),
            ("/login", _) if get => Self::Own(Endpoint::LoginPage),
            ("/login", _) => Self::WrongMethod("GET, HEAD, POST"),
            ("/logout", "POST") => Self::Own(Endpoint::Logout),
            ("/refresh", "POST") => Self::Own(Endpoint::Refresh),
            ("/backchannel-logout", "POST") => Self::Own(Endpoint::BackchannelLogout),
            ("/introspect", "POST") => Self::Own(Endpoint::Introspect),
            ("/revoke", "POST") => Self::Own(Endpoint::Revoke),
            ("/introspect" | "/revoke", _) => Self::WrongMethod("POST"),
            ("/logout" | "/refresh" | "/backchannel-logout", _) => Self::WrongMethod("POST"),
            ("/session", "PATCH") => Self::Own(Endpoint::SessionData),
            ("/session", _) if get => Self::Own(Endpoint::Session),
            ("/session", _) => Self::WrongMethod("GET, HEAD, PATCH"),
            ("/sessions", "POST") => Self::Own(Endpoint::EndOwnSessions),
            ("/sessions", _) if get => Self::Own(Endpoint::Sessions),
            ("/sessions", _) => Self::WrongMethod("GET, HEAD, POST"),
            // Some proxies ask with their client's method.
            ("/verify", _) => Self::Own(Endpoint::Verify),
            ("/health", _) if get => Self::Own(Endpoint::Health),
            ("/events", "GET") => Self::Own(Endpoint::Events),
            ("/events", _) => Self::WrongMethod("GET"),
            ("/client.js", _) if get => Self::Own(Endpoint::ClientScript),
            ("/pages.js", _) if get => Self::Own(Endpoint::PagesScript),
            ("/style.css", _) if get => Self::Own(Endpoint::StyleSheet),
            ("/logged-out", _) if get => Self::Own(Endpoint::LoggedOut),
            ("/health" | "/client.js" | "/pages.js" | "/style.css" | "/logged-out", _) => {
                Self::WrongMethod("GET, HEAD")
            }
            // Without HEAD: whoever looks at a link must not use it up.
            ("/frontchannel-logout", "GET") => Self::Own(Endpoint::FrontchannelLogout),
            ("/frontchannel-logout", _) => Self::WrongMethod("GET"),
            (_, "GET") if is_below(name, SIGN_IN) => Self::Own(Endpoint::SignIn),
            (_, "POST") if is_below(name, SIGN_IN) => Self::Own(Endpoint::SignInByForm),
            _ if is_below(name, SIGN_IN) => Self::WrongMethod("GET, POST"),
            (_, "GET") if is_below(name, CALLBACK) => Self::Own(Endpoint::SignInCallback),
            _ if is_below(name, CALLBACK) => Self::WrongMethod("GET"),
            (_, "DELETE") if is_below(name, SESSIONS) => Self::Own(Endpoint::EndSession),
            _ if is_below(name, SESSIONS) => Self::WrongMethod("DELETE"),
            ("/admin", _) if get => Self::Own(Endpoint::Console),
            ("/admin", _) => Self::WrongMethod("GET, HEAD"),
            _ if name.starts_with("/admin/") => Self::Own(Endpoint::Admin),
            ("", _) => Self::Unknown,
            _ if name.starts_with('/') => Self::Unknown,
            _ => Self::Protected,
        }
    }
}

const SESSIONS: &str = "/sessions/";
const SIGN_IN: &str = "/login/";
const CALLBACK: &str = "/callback/";

/// Is it one thing below this endpoint?
fn is_below(name: &str, endpoint: &str) -> bool {
    name.strip_prefix(endpoint).is_some_and(|rest| !rest.is_empty() && !rest.contains('/'))
}

/// The provider's name at the end of the path of [`Endpoint::SignIn`] or [`Endpoint::SignInCallback`].
pub fn provider_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
