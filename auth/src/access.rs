//! `ROUTES`: which paths need a session at all, and step 5: whom they are for.

mod lookalikes;

use serde::Deserialize;
use serde_json::{Map, Value};

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

/// The rules, in their order.
#[derive(Clone, Debug)]
pub struct Rules {
    rules: Vec<Rule>,
    /// What holds for a path that no rule names.
    otherwise: Rule,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    path: String,
    /// Who may pass.
    pub access: Access,
    /// The methods it is about; none: all. `GET` means `HEAD`, too.
    #[serde(default)]
    methods: Vec<String>,
    /// One of these is needed.
    #[serde(default)]
    roles: Vec<String>,
    /// All of these are needed.
    #[serde(default)]
    scopes: Vec<String>,
}

impl Default for Rules {
    fn default() -> Self {
        let (path, methods, roles, scopes) = ("/*".into(), vec![], vec![], vec![]);
        let otherwise = Rule { path, access: Access::Session, methods, roles, scopes };
        Self { rules: Vec::new(), otherwise }
    }
}

impl Rules {
    /// Reads the list.
    ///
    /// # Errors
    /// Which rule is at fault, and what to change.
    pub fn parse(json: &str) -> Result<Self, String> {
        let rules: Vec<Rule> =
            serde_json::from_str(json).map_err(|error| format!("is no list of rules: {error}"))?;
        for (index, rule) in rules.iter().enumerate() {
            rule.check().map_err(|why| format!("rule {}: {why}", index + 1))?;
        }
        Ok(Self { rules, ..Self::default() })
    }

    /// The rule for a request: the first that names it. But if an origin may read the path as another
    /// one, and an earlier rule is stricter about that, it is the earlier one.
    pub fn find(&self, method: &str, path: &str) -> &Rule {
        let about = |rule: &&Rule| rule.is_about(method);
        let found = self.rules.iter().position(|rule| about(&rule) && matches(&rule.path, path));
        let (rule, before) = match found {
            Some(found) => (&self.rules[found], &self.rules[..found]),
            None => (&self.otherwise, &self.rules[..]),
        };
        let is_open = rule.access != Access::Session;
        let rule = if is_open && !is_plain(path) { &self.otherwise } else { rule };
        if before.is_empty() {
            return rule;
        }
        let read = as_read_leniently(path);
        let as_folder = format!("{read}/");
        let stricter = |other: &&Rule| {
            let pattern = as_read_leniently(&other.path);
            (other.access > rule.access || other.is_restricted())
                && (matches(&pattern, &read) || matches(&pattern, &as_folder))
        };
        before.iter().filter(about).find(stricter).unwrap_or(rule)
    }
}

impl Rules {
    /// Does any rule hold for some methods only?
    pub fn depend_on_methods(&self) -> bool {
        self.rules.iter().any(|rule| !rule.methods.is_empty())
    }
}

impl Rule {
    /// The pattern, by which people know the rule.
    pub fn path(&self) -> &str {
        &self.path
    }

    fn check(&self) -> Result<(), String> {
        if !self.path.starts_with('/') || !is_plain(&self.path) || self.path.contains(['?', '#']) {
            return Err("`path` must be a path like `/assets/*`, as plain as can be".into());
        }
        if !self.methods.iter().all(|it| it.bytes().all(|byte| byte.is_ascii_uppercase())) {
            return Err("`methods` must be methods, like `GET`".into());
        }
        if self.access != Access::Session && self.is_restricted() {
            return Err("`roles` and `scopes` need `access` to be `session`".into());
        }
        Ok(())
    }

    fn is_about(&self, method: &str) -> bool {
        let names = |name: &str| self.methods.iter().any(|it| it == name);
        self.methods.is_empty() || names(method) || method == "HEAD" && names("GET")
    }

    fn is_restricted(&self) -> bool {
        !(self.roles.is_empty() && self.scopes.is_empty())
    }

    /// May somebody with these claims pass?
    ///
    /// # Errors
    /// [`Refusal::RouteDenied`] with the scopes that are missing.
    pub fn admits(&self, claims: &Map<String, Value>) -> Result<(), Refusal> {
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

/// Does the pattern match the whole path? A `*` stands for any part of one segment; at the end,
/// after a slash, for all the rest.
fn matches(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == path,
        Some((before, "")) if before.ends_with('/') => path.starts_with(before),
        Some((before, after)) => {
            let Some(rest) = path.strip_prefix(before) else { return false };
            let segment = rest.find('/').unwrap_or(rest.len());
            let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            ends.take_while(|end| *end <= segment).any(|end| matches(after, &rest[end..]))
        }
    }
}

/// Is there but one way to read it? Servers differ in what they make of empty segments, of
/// parameters, of dots at the end, and of what stands for a slash or a dot in percent-encoding.
fn is_plain(path: &str) -> bool {
    let odd = ["//", ";", "\\", "%2e", "%2f", "%5c", "%25", "%3b", "%00"];
    let lower = path.to_ascii_lowercase();
    !odd.iter().any(|mark| lower.contains(mark))
        && !path.split('/').any(|segment| segment.ends_with('.'))
        && !path.bytes().any(|byte| byte <= 0x20 || byte >= 0x7f)
        && !encodes_control(&lower)
        && !lookalikes::are_in(path)
}

fn encodes_control(lower: &str) -> bool {
    lower.match_indices('%').any(|(at, _)| {
        matches!(lower.as_bytes().get(at + 1), Some(b'0' | b'1')) || lower[at..].starts_with("%7f")
    })
}

/// A path as the most lenient origin may read it: decoded, even twice, without regard to case, with
/// no parameters, no empty segments, no dots at an end, and no slash there.
pub(crate) fn as_read_leniently(path: &str) -> String {
    let twice = lookalikes::decoded(&lookalikes::decoded(path)).to_ascii_lowercase();
    let mut segments: Vec<&str> = Vec::new();
    for segment in twice.split(['/', '\\']) {
        let name = segment.split(';').next().unwrap_or_default();
        match name.trim_end_matches(['.', ' ', '\0']) {
            "" if name.starts_with("..") => drop(segments.pop()),
            "" => {}
            name => segments.push(name),
        }
    }
    segments.iter().fold(String::new(), |path, segment| path + "/" + segment)
}

#[cfg(test)]
mod tests;
