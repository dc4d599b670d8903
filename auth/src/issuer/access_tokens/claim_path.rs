//! Where a claim is: by its name, or by a JSON Pointer (RFC 6901) into the claims.

use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Value};

use crate::setting_value::{InvalidValue, each, text};

/// A claim's name, or a JSON Pointer, which begins with a slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath(String);

impl ClaimPath {
    /// The claim of this name.
    pub fn of(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// Reads one.
    ///
    /// # Errors
    /// It is empty, or a `~` in a JSON Pointer is neither `~0` nor `~1` (RFC 6901, section 3).
    pub fn parse(value: Value) -> Result<Self, InvalidValue> {
        let path = text(value)?;
        let is_pointer = path.starts_with('/');
        let is_escape = |rest: &str| rest.starts_with(['0', '1']);
        if path.is_empty() || is_pointer && !path.split('~').skip(1).all(is_escape) {
            let what = "a claim's name like `sid`, or a JSON Pointer like `/realm_access/roles`";
            return Err(InvalidValue::expected(what, &path));
        }
        Ok(Self(path))
    }

    /// The claim; `None` if it is absent, or `null`.
    pub fn find<'a>(&self, claims: &'a Map<String, Value>) -> Option<&'a Value> {
        let Some(pointer) = self.0.strip_prefix('/') else {
            return claims.get(&self.0).filter(|value| !value.is_null());
        };
        let mut steps = pointer.split('/').map(unescaped);
        let first = claims.get(&*steps.next()?)?;
        steps.try_fold(first, |value, step| inside(value, &step)).filter(|it| !it.is_null())
    }

    /// The name of the claim that it is, or is inside of.
    pub fn root(&self) -> Cow<'_, str> {
        match self.0.strip_prefix('/') {
            Some(pointer) => unescaped(pointer.split('/').next().unwrap_or_default()),
            None => self.0.as_str().into(),
        }
    }

    /// The claim's name, or the JSON Pointer; the name, if that points to a claim itself.
    pub fn name(&self) -> &str {
        match self.0.strip_prefix('/') {
            Some(name) if !name.contains(['/', '~']) => name,
            _ => &self.0,
        }
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn unescaped(step: &str) -> Cow<'_, str> {
    match step.contains('~') {
        true => step.replace("~1", "/").replace("~0", "~").into(),
        false => step.into(),
    }
}

fn inside<'a>(value: &'a Value, step: &str) -> Option<&'a Value> {
    match value {
        Value::Object(members) => members.get(step),
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    }
}

/// Claims of which the first that is present counts; none, if it is `null`.
///
/// # Errors
/// It is something else.
pub fn paths(value: Value) -> Result<Vec<ClaimPath>, InvalidValue> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(all) => each(all, ClaimPath::parse),
        one => Ok(vec![ClaimPath::parse(one)?]),
    }
}

/// The first of these claims that is present.
pub fn first<'a>(paths: &[ClaimPath], claims: &'a Map<String, Value>) -> Option<&'a Value> {
    paths.iter().find_map(|path| path.find(claims))
}
