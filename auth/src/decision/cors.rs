//! What scripts of other origins may do and read, if the operator has named them (Fetch, "CORS
//! protocol"). The origin's own answers say that by themselves.

use super::Guard;
use super::browser::{asked_by_preflight, is_same_origin};
use crate::allowed_origins::AllowedOrigin;
use crate::body_format::BodyFormat;
use crate::http::Head;

/// The methods of the guard's endpoints that scripts use.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";

/// The headers that its endpoints read, but those of `TOKEN_SOURCES`.
const HEADERS: &str = "Authorization, Content-Type, X-Guard-Touch";

/// What a script may read of an answer beside its body and the headers that it always may.
const EXPOSED: &str = "WWW-Authenticate, Retry-After";

/// Seconds for which a browser need not ask again.
const MAX_AGE: &str = "600";

impl Guard {
    /// The origin of a request, if the settings name it. Compared as it was sent: `null` and lists
    /// are nobody's.
    fn allowed_origin(&self, head: &impl Head) -> Option<&AllowedOrigin> {
        let allowed = &self.settings.allowed_origins;
        let sent = if allowed.is_empty() { None } else { head.header("origin") }?;
        allowed.iter().find(|it| it.origin == *sent)
    }

    /// May what this request does be done with the session cookie?
    pub(super) fn may_use_cookie(&self, head: &impl Head) -> bool {
        is_same_origin(head) || self.allowed_origin(head).is_some_and(|it| it.credentials)
    }

    /// May a script or form of this origin log in or out? Without credentials only as no browser lets
    /// it without having asked by a preflight, after which it keeps no cookie of the answer.
    pub(super) fn may_log_in(&self, head: &impl Head) -> bool {
        let is_json =
            || BodyFormat::of(head.header("content-type").as_deref()) == Some(BodyFormat::Json);
        let was_asked_about = || head.header("authorization").is_some() || is_json();
        self.may_use_cookie(head) || self.allowed_origin(head).is_some() && was_asked_about()
    }

    /// Does a named origin's browser ask whether a script may use one of the guard's endpoints?
    pub(super) fn is_preflight(&self, head: &impl Head) -> bool {
        self.allowed_origin(head).is_some() && asked_by_preflight(head).is_some()
    }

    /// The headers of an answer of the guard's own that let a named origin read it.
    pub fn cors(&self, head: &impl Head) -> Vec<(&'static str, &str)> {
        if self.settings.allowed_origins.is_empty() {
            return Vec::new();
        }
        let mut headers = vec![("vary", "Origin")];
        if let Some(allowed) = self.allowed_origin(head) {
            headers.push(("access-control-allow-origin", &allowed.origin));
            headers.push(("access-control-expose-headers", EXPOSED));
            if allowed.credentials {
                headers.push(("access-control-allow-credentials", "true"));
            }
        }
        headers
    }

    /// The answer to a preflight about one of the guard's endpoints, beside [`Guard::cors`].
    pub fn preflight(&self) -> Vec<(&'static str, &str)> {
        let mut headers = vec![
            ("access-control-allow-methods", METHODS),
            ("access-control-allow-headers", HEADERS),
            ("access-control-max-age", MAX_AGE),
        ];
        for name in &self.settings.token_sources.headers {
            headers.push(("access-control-allow-headers", name));
        }
        headers
    }
}
