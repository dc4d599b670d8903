//! One rule of `ROUTES`: which requests it is about, and what they need.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::{confusables, path, step_up};
use crate::scopes::scopes;
use crate::setting_value::{InvalidValue, Members, each_checked, flag, text};
use crate::step_up::StepUp;

/// Who may pass. The stricter, the later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Everybody. Nobody is asked who they are.
    Public,
    /// Everybody. The origin is told who it is, where there is a live session.
    Optional,
    /// Those with a live session.
    Session,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    path: String,
    /// The same as it may be read: as it is written, and decoded. Made once, because every request asks.
    patterns: Vec<Pattern>,
    /// Who may pass.
    pub access: Access,
    /// The methods it is about; none: all. `GET` means `HEAD`, too.
    pub methods: Vec<String>,
    /// One of these is needed.
    pub roles: Vec<String>,
    /// All of these are needed.
    pub scopes: Vec<String>,
    /// What the login behind the session must be like.
    pub step_up: StepUp,
    /// May CORS preflights about these requests pass without a session?
    pub preflight: bool,
    /// May the origin's answers to these requests begin, end and change sessions?
    pub login: bool,
    /// Is its path an OAuth resource of its own?
    pub resource: bool,
}

/// A rule's path, for comparing.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    exact: String,
    lower: String,
}

impl Pattern {
    fn of(path: &str) -> Vec<Self> {
        let lower = |exact: &str| confusables::lower(exact).into_owned();
        let make = |exact: String| Self { lower: lower(&exact), exact };
        let decoded = percent_decode_str(path).decode_utf8_lossy();
        let decoded = (decoded != path).then(|| decoded.into_owned());
        [Some(path.to_owned()), decoded].into_iter().flatten().map(make).collect()
    }
}

/// A path, or what it may be read as, for comparing.
pub(super) struct ComparablePath<'a> {
    pub exact: &'a str,
    lower: Cow<'a, str>,
}

impl<'a> ComparablePath<'a> {
    pub fn new(exact: &'a str) -> Self {
        Self { exact, lower: confusables::lower(exact) }
    }

    /// Without regard to case.
    pub fn lower(&self) -> &str {
        &self.lower
    }
}

/// What makes no difference to an origin.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum PathComparison {
    Nothing,
    Case,
    Slash,
    Both,
}

impl Rule {
    /// What holds for a path that no rule names.
    pub(super) fn otherwise() -> Self {
        Self {
            path: "/*".into(),
            patterns: Pattern::of("/*"),
            access: Access::Session,
            methods: Vec::new(),
            roles: Vec::new(),
            scopes: Vec::new(),
            step_up: StepUp::default(),
            preflight: true,
            login: false,
            resource: false,
        }
    }

    /// The pattern, by which people know the rule.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Reads one entry of the list.
    pub(super) fn parse(json: Value) -> Result<Self, InvalidValue> {
        let mut members = Members::of(json)?;
        let mut rule = Self::otherwise();
        rule.path = members.required("path", checked_path)?;
        rule.patterns = Pattern::of(&rule.path);
        rule.access = members.required("access", access)?;
        rule.methods = members.optional("methods", methods)?.unwrap_or_default();
        rule.roles = members.optional("roles", roles)?.unwrap_or_default();
        rule.scopes = members.optional("scopes", scopes_needed)?.unwrap_or_default();
        rule.step_up.max_age = members.optional("max_age", step_up::max_age)?;
        rule.step_up.acr = members.optional("acr", step_up::acr)?;
        rule.preflight = members.optional("preflight", flag)?.unwrap_or(true);
        rule.login = members.optional("login", flag)?.unwrap_or(false);
        rule.resource = members.optional("resource", flag)?.unwrap_or(false);
        members.end(
            "`path`, `access`, `methods`, `roles`, `scopes`, `max_age`, `acr`, `preflight`, `login` and \
             `resource`",
        )?;
        rule.check_resource().map_err(|error| error.in_member("resource"))?;
        let needs_session = match &rule {
            Self { access: Access::Session, .. } => None,
            Self { roles, .. } if !roles.is_empty() => Some("roles"),
            Self { scopes, .. } if !scopes.is_empty() => Some("scopes"),
            Self { step_up: StepUp { max_age: Some(_), .. }, .. } => Some("max_age"),
            Self { step_up: StepUp { acr: Some(_), .. }, .. } => Some("acr"),
            Self { preflight: false, .. } => Some("preflight"),
            Self { resource: true, .. } => Some("resource"),
            _ => None,
        };
        match needs_session {
            None => Ok(rule),
            Some(name) => {
                let reason = "can be set only where `access` is `session`";
                Err(InvalidValue::new(reason).in_member(name))
            }
        }
    }

    /// The path without the star for all the rest, nor the slash before it.
    pub(super) fn base(&self) -> &str {
        self.path.strip_suffix("/*").unwrap_or(&self.path)
    }

    /// Clients derive the URL of the metadata from the path (RFC 9728, section 3.1).
    fn check_resource(&self) -> Result<(), InvalidValue> {
        if self.resource && (self.base().contains('*') || self.base().ends_with('/')) {
            let reason = "needs a `path` without `*`, but for `/*` at its end, and without another \
                          slash there";
            return Err(InvalidValue::new(reason));
        }
        Ok(())
    }

    /// Is it about requests of this method?
    pub(super) fn is_about(&self, method: &str) -> bool {
        let names = |name: &str| self.methods.iter().any(|it| it == name);
        self.methods.is_empty() || names(method) || method == "HEAD" && names("GET")
    }

    /// Is there an earlier rule for each request that this one is about?
    pub(super) fn is_shadowed_by(&self, before: &[Self]) -> bool {
        let mut methods: Vec<Option<&str>> =
            self.methods.iter().map(|it| Some(it.as_str())).collect();
        match self.methods.iter().any(|it| it == "GET") {
            true => methods.push(Some("HEAD")),
            false if methods.is_empty() => methods.push(None),
            false => {}
        }
        let names_all = |other: &&Self| path::covers(&other.path, &self.path);
        let before: Vec<&Self> = before.iter().filter(names_all).collect();
        let is_taken = |method: &Option<&str>| {
            before.iter().any(|it| method.map_or(it.methods.is_empty(), |name| it.is_about(name)))
        };
        methods.iter().all(is_taken)
    }

    /// Does it name this path, as it was sent?
    pub(super) fn names(&self, path: &str) -> bool {
        path::matches(&self.path, path)
    }

    /// Does it name this path to an origin that knows no difference of this kind?
    pub(super) fn may_name(&self, text: &ComparablePath<'_>, regardless: PathComparison) -> bool {
        let of_case = matches!(regardless, PathComparison::Case | PathComparison::Both);
        let of_slash = matches!(regardless, PathComparison::Slash | PathComparison::Both);
        self.patterns.iter().any(|Pattern { exact, lower }| {
            let (pattern, path) = if of_case { (lower, &*text.lower) } else { (exact, text.exact) };
            let bare = path.strip_suffix('/').unwrap_or(path);
            path::matches(pattern, path)
                || of_slash && (path::matches(pattern, bare) || path::matches_folder(pattern, bare))
        })
    }

    /// Does it ask for more than a session?
    pub(super) fn is_restricted(&self) -> bool {
        !(self.roles.is_empty() && self.scopes.is_empty())
    }

    /// May somebody with these claims pass?
    ///
    /// # Errors
    /// The scopes that are missing; none, if it is a role.
    pub(super) fn admits(&self, claims: &Map<String, Value>) -> Result<(), Vec<&str>> {
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
        if has_role && missing.is_empty() { Ok(()) } else { Err(missing) }
    }
}

/// What the runtime passes on. `TRACE` and `CONNECT` are refused whatever a rule says.
const METHODS: [&str; 27] = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "ACL",
    "BAN",
    "CHECKOUT",
    "COPY",
    "LOCK",
    "MERGE",
    "MKACTIVITY",
    "MKCOL",
    "MOVE",
    "MSEARCH",
    "NOTIFY",
    "PROPFIND",
    "PROPPATCH",
    "PURGE",
    "QUERY",
    "REPORT",
    "SEARCH",
    "SUBSCRIBE",
    "UNLOCK",
    "UNSUBSCRIBE",
];

fn access(value: Value) -> Result<Access, InvalidValue> {
    match &*text(value)? {
        "public" => Ok(Access::Public),
        "optional" => Ok(Access::Optional),
        "session" => Ok(Access::Session),
        other => Err(InvalidValue::expected("`public`, `optional` or `session`", other)),
    }
}

fn methods(value: Value) -> Result<Vec<String>, InvalidValue> {
    each_checked(value, method)
}

fn roles(value: Value) -> Result<Vec<String>, InvalidValue> {
    each_checked(value, role)
}

fn scopes_needed(value: Value) -> Result<Vec<String>, InvalidValue> {
    each_checked(value, scope)
}

fn method(name: &str) -> Result<(), InvalidValue> {
    match METHODS.contains(&name) {
        true => Ok(()),
        false => Err(InvalidValue::expected(&format!("one of {}", METHODS.join(", ")), name)),
    }
}

fn role(name: &str) -> Result<(), InvalidValue> {
    match name.trim().is_empty() {
        true => Err(InvalidValue::expected("a role, which is not blank", name)),
        false => Ok(()),
    }
}

/// Scopes of a token are separated by spaces, and stand between quotes in a challenge (RFC 6749, section 3.3).
fn scope(name: &str) -> Result<(), InvalidValue> {
    let is_legal = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    match name.is_empty() || !name.bytes().all(is_legal) {
        true => {
            let what = "a scope, which is of visible ASCII without quotes and backslashes";
            Err(InvalidValue::expected(what, name))
        }
        false => Ok(()),
    }
}

fn checked_path(value: Value) -> Result<String, InvalidValue> {
    let path = text(value)?;
    check_path(&path).map(|()| path)
}

/// Can the path of a request be like this, and does it mean what it seems to?
fn check_path(pattern: &str) -> Result<(), InvalidValue> {
    let is_path = pattern.starts_with('/') && path::is_plain(pattern);
    let is_name = |segment: &str| segment.starts_with(':') && segment.len() > 1;
    let what = if !is_path || pattern.contains(['?', '#', '"', '<', '>', '^', '`', '|']) {
        "a path like `/assets/*`, which every server reads alike"
    } else if pattern.contains(['{', '}']) || pattern.split('/').any(is_name) {
        "a path without named parts; write `*` for a part that differs"
    } else if pattern.contains("**") {
        "a path without `**`; one `*` at the end, after a slash, stands for all the rest"
    } else {
        return Ok(());
    };
    Err(InvalidValue::expected(what, pattern))
}
