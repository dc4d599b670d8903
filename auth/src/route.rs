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
    /// The end of a session.
    Logout,
    /// A new token for the same session.
    Refresh,
    /// A logout at a trusted issuer.
    BackchannelLogout,
    /// What a token is worth, for other services.
    Introspect,
    /// The end of a token's session, by other services.
    Revoke,
    /// The sessions of others: see [`AdminRequest`](crate::admin::AdminRequest).
    Admin,
    /// The caller's own session.
    Session,
    /// A change to its private data.
    SessionData,
    /// The caller's sessions.
    Sessions,
    /// The end of one of them.
    EndSession,
    /// The end of the caller's session, the moment it comes.
    Events,
    /// The browser's half of that.
    ClientScript,
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
                | Self::EndSession
                | Self::Events
                | Self::Admin
        )
    }

    /// What the log calls it: its path below `AUTH_PATH`, without what stands for somebody.
    pub fn name(self) -> &'static str {
        match self {
            Self::LoginPage | Self::Login => "login",
            Self::Logout => "logout",
            Self::Refresh => "refresh",
            Self::BackchannelLogout => "backchannel-logout",
            Self::Introspect => "introspect",
            Self::Revoke => "revoke",
            Self::Admin => "admin",
            Self::Session | Self::SessionData => "session",
            Self::Sessions => "sessions",
            Self::EndSession => "sessions/{sid}",
            Self::Events => "events",
            Self::ClientScript => "client.js",
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
            ("/sessions", _) if get => Self::Own(Endpoint::Sessions),
            ("/health", _) if get => Self::Own(Endpoint::Health),
            ("/events", "GET") => Self::Own(Endpoint::Events),
            ("/events", _) => Self::WrongMethod("GET"),
            ("/client.js", _) if get => Self::Own(Endpoint::ClientScript),
            ("/style.css", _) if get => Self::Own(Endpoint::StyleSheet),
            ("/sessions" | "/health" | "/client.js" | "/style.css", _) => {
                Self::WrongMethod("GET, HEAD")
            }
            (_, "DELETE") if is_session(name) => Self::Own(Endpoint::EndSession),
            _ if is_session(name) => Self::WrongMethod("DELETE"),
            _ if name.starts_with("/admin/") => Self::Own(Endpoint::Admin),
            ("", _) => Self::Unknown,
            _ if name.starts_with('/') => Self::Unknown,
            _ => Self::Protected,
        }
    }
}

/// Is it one session below `sessions`?
fn is_session(name: &str) -> bool {
    name.strip_prefix("/sessions/").is_some_and(|sid| !sid.is_empty() && !sid.contains('/'))
}

#[cfg(test)]
mod tests;
