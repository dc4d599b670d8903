//! One rule of `ROUTES`: which requests it is about, and what they need.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::{lookalikes, path};
use crate::scopes::scopes;

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
    /// The same as it may be read: as it is written, and decoded. Made once, because every request asks.
    #[serde(skip)]
    patterns: Vec<Pattern>,
    /// Who may pass.
    pub access: Access,
    /// The methods it is about; none: all. `GET` means `HEAD`, too.
    #[serde(default, deserialize_with = "some")]
    pub methods: Vec<String>,
    /// One of these is needed.
    #[serde(default, deserialize_with = "some")]
    pub roles: Vec<String>,
    /// All of these are needed.
    #[serde(default, deserialize_with = "some")]
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

/// A list of nothing says either that nobody may pass or that everybody may.
fn some<'de, D: Deserializer<'de>>(json: D) -> Result<Vec<String>, D::Error> {
    let all = Vec::deserialize(json)?;
    match all.is_empty() {
        true => Err(D::Error::custom("leave out `methods`, `roles` or `scopes` that are empty")),
        false => Ok(all),
    }
}

/// A rule's path, for comparing.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    exact: String,
    lower: String,
}

impl Pattern {
    fn of(path: &str) -> Vec<Self> {
        let lower = |exact: &str| lookalikes::lower(exact).into_owned();
        let make = |exact: String| Self { lower: lower(&exact), exact };
        let decoded = percent_decode_str(path).decode_utf8_lossy();
        let decoded = (decoded != path).then(|| decoded.into_owned());
        [Some(path.to_owned()), decoded].into_iter().flatten().map(make).collect()
    }
}

/// A path, or what it may be read as, for comparing.
pub(super) struct Text<'a> {
    pub exact: &'a str,
    lower: Cow<'a, str>,
}

impl<'a> Text<'a> {
    pub fn new(exact: &'a str) -> Self {
        Self { exact, lower: lookalikes::lower(exact) }
    }

    /// Without regard to case.
    pub fn lower(&self) -> &str {
        &self.lower
    }
}

/// What makes no difference to an origin.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ignoring {
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
        check_path(&self.path)?;
        if let Some(unknown) = self.methods.iter().find(|it| !METHODS.contains(&it.as_str())) {
            return Err(format!("`methods` must be of {}, not `{unknown}`", METHODS.join(", ")));
        }
        // What a token holds is parted by spaces.
        let is_word = |it: &String| !it.is_empty() && !it.contains(char::is_whitespace);
        if !self.scopes.iter().all(is_word) || self.roles.iter().any(|it| it.trim().is_empty()) {
            return Err(
                "nobody can have a role or scope that is blank, or a scope with a space".into()
            );
        }
        if self.access != Access::Session && self.is_restricted() {
            return Err("`roles` and `scopes` need `access` to be `session`".into());
        }
        if self.access != Access::Session && !self.preflight {
            return Err("`preflight` can be off only where `access` is `session`".into());
        }
        Ok(Self { patterns: Pattern::of(&self.path), ..self })
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
    pub(super) fn may_name(&self, text: &Text<'_>, regardless: Ignoring) -> bool {
        let of_case = matches!(regardless, Ignoring::Case | Ignoring::Both);
        let of_slash = matches!(regardless, Ignoring::Slash | Ignoring::Both);
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

/// Can the path of a request be like this, and does it mean what it seems to?
fn check_path(pattern: &str) -> Result<(), String> {
    let is_path = pattern.starts_with('/') && path::is_plain(pattern);
    if !is_path || pattern.contains(['?', '#', '"', '<', '>', '^', '`', '|']) {
        return Err("`path` must be a path like `/assets/*`, as plain as can be".into());
    }
    let is_name = |segment: &str| segment.starts_with(':') && segment.len() > 1;
    if pattern.contains(['{', '}']) || pattern.split('/').any(is_name) {
        return Err("`path` knows no names of parts; write `*` for a part that differs".into());
    }
    if pattern.contains("**") {
        return Err(
            "`path` has `**`; one `*` at the end, after a slash, stands for all the rest".into()
        );
    }
    Ok(())
}
