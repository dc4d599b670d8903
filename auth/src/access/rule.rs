//! One rule of `ROUTES`: which requests it is about, and what they need.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::path;
use crate::admin::scopes;
use crate::refusal::Refusal;

/// Who may pass. The stricter, the later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Everybody. Nobody is asked who they are.
    Public,
    /// Everybody. The origin is told who it is, where there is a live session.
    Optional,
    /// Those with a live session.
    Session,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    path: String,
    /// The same, as [`path::as_read_leniently`] makes it: read once, because every request asks.
    #[serde(skip)]
    lenient: String,
    /// Who may pass.
    pub access: Access,
    /// The methods it is about; none: all. `GET` means `HEAD`, too.
    #[serde(default)]
    pub methods: Vec<String>,
    /// One of these is needed.
    #[serde(default)]
    pub roles: Vec<String>,
    /// All of these are needed.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// May CORS preflights about these requests pass without a session?
    #[serde(default = "yes")]
    pub preflight: bool,
    /// May the origin's answers to these requests begin, end and change sessions?
    #[serde(default)]
    pub login: bool,
}

fn yes() -> bool {
    true
}

impl Rule {
    /// What holds for a path that no rule names.
    pub(super) fn otherwise() -> Self {
        Self {
            path: "/*".into(),
            lenient: "/*".into(),
            access: Access::Session,
            methods: Vec::new(),
            roles: Vec::new(),
            scopes: Vec::new(),
            preflight: true,
            login: false,
        }
    }

    /// The pattern, by which people know the rule.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The rule as it was read, if it can be one.
    pub(super) fn checked(self) -> Result<Self, String> {
        if !self.path.starts_with('/')
            || !path::is_plain(&self.path)
            || self.path.contains(['?', '#'])
        {
            return Err("`path` must be a path like `/assets/*`, as plain as can be".into());
        }
        if !self.methods.iter().all(|it| it.bytes().all(|byte| byte.is_ascii_uppercase())) {
            return Err("`methods` must be methods, like `GET`".into());
        }
        if self.access != Access::Session && self.is_restricted() {
            return Err("`roles` and `scopes` need `access` to be `session`".into());
        }
        if self.access != Access::Session && !self.preflight {
            return Err("`preflight` can be off only where `access` is `session`".into());
        }
        Ok(Self { lenient: path::as_read_leniently(&self.path), ..self })
    }

    /// Is it about requests of this method?
    pub(super) fn is_about(&self, method: &str) -> bool {
        let names = |name: &str| self.methods.iter().any(|it| it == name);
        self.methods.is_empty() || names(method) || method == "HEAD" && names("GET")
    }

    /// Does it name this path, as it was sent?
    pub(super) fn names(&self, path: &str) -> bool {
        path::matches(&self.path, path)
    }

    /// Does it name this path, as [`path::as_read_leniently`] makes it, or the folder of that name?
    pub(super) fn may_name(&self, read: &str, as_folder: &str) -> bool {
        path::matches(&self.lenient, read) || path::matches(&self.lenient, as_folder)
    }

    /// Does it ask for more than a session?
    pub(super) fn is_restricted(&self) -> bool {
        !(self.roles.is_empty() && self.scopes.is_empty())
    }

    /// May somebody with these claims pass?
    ///
    /// # Errors
    /// [`Refusal::RouteDenied`] with the scopes that are missing.
    pub fn admits(&self, claims: &Map<String, Value>) -> Result<(), Refusal> {
        if !self.is_restricted() {
            return Ok(());
        }
        let roles = match claims.get("roles") {
            Some(Value::Array(roles)) => roles.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(role)) => vec![role.as_str()],
            _ => Vec::new(),
        };
        let held = if self.scopes.is_empty() { Vec::new() } else { scopes(claims) };
        let missing: Vec<&str> =
            self.scopes.iter().map(String::as_str).filter(|it| !held.contains(it)).collect();
        let has_role = self.roles.is_empty() || self.roles.iter().any(|it| roles.contains(&&**it));
        match has_role && missing.is_empty() {
            true => Ok(()),
            false => Err(Refusal::RouteDenied { scope: missing.join(" ") }),
        }
    }
}
