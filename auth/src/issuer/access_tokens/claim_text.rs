//! Claims that name something: the session that a token is of, or its user.

use std::fmt;

use serde_json::{Map, Value};

use super::claim_path::ClaimPath;
use crate::jwt::TokenError;
use crate::setting_value::{InvalidValue, Members, each, flag, text};

/// The longest name, in bytes.
const MAX_BYTES: usize = 1024;

/// Claims that differ from token to token of one session.
const OF_ONE_TOKEN: [&str; 4] = ["jti", "iat", "nbf", "exp"];

/// Claims that are the same in all sessions of a user.
const OF_ALL_SESSIONS: [&str; 3] = ["iss", "sub", "aud"];

/// A name made of claims. There may be several ways to make it, of which the first counts whose
/// claims are present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimText(Vec<Name>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    /// The text of one claim.
    Plain(Part),
    /// A JSON list of the texts of several.
    Composite(Vec<Part>),
}

/// A claim, or its beginning. Whole numbers count as texts.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    claim: ClaimPath,
    before: Option<String>,
    is_optional: bool,
}

impl ClaimText {
    /// The text of the claim of this name.
    pub fn of(name: &str) -> Self {
        let claim = ClaimPath::of(name);
        Self(vec![Name::Plain(Part { claim, before: None, is_optional: false })])
    }

    /// None yet.
    pub fn unset() -> Self {
        Self(Vec::new())
    }

    /// Is there none yet?
    pub fn is_unset(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads `subject_claim`: a name or JSON Pointer, `{"claim", "before"}`, `{"parts"}`, or a list of
    /// these.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(value: Value) -> Result<Self, InvalidValue> {
        Self::parse_each(value, Name::parse)
    }

    /// Reads `session_claim`.
    ///
    /// # Errors
    /// As [`ClaimText::parse`]; also if it would name each token, or all sessions of a user.
    pub fn parse_session(value: Value) -> Result<Self, InvalidValue> {
        Self::parse_each(value, |value| {
            let name = Name::parse(value)?;
            name.of_session()?;
            Ok(name)
        })
    }

    fn parse_each(
        value: Value,
        name: fn(Value) -> Result<Name, InvalidValue>,
    ) -> Result<Self, InvalidValue> {
        match value {
            Value::Array(all) => Ok(Self(items(all, name)?)),
            one => Ok(Self(vec![name(one)?])),
        }
    }

    /// The name; `None` if the token has none.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] if a claim is neither a text nor a whole number, or the name is too
    /// long.
    pub fn read(&self, claims: &Map<String, Value>) -> Result<Option<String>, TokenError> {
        let first = self.0.iter().find_map(|way| Some((way, way.read(claims).transpose()?)));
        let Some((way, name)) = first else { return Ok(None) };
        let name = name?;
        // What one claim says must not pass for several that are put together.
        let is_forged =
            matches!(way, Name::Plain(_)) && self.has_composite() && name.starts_with('[');
        if is_forged || name.len() > MAX_BYTES {
            Err(TokenError::Malformed)
        } else {
            Ok(Some(name))
        }
    }

    fn has_composite(&self) -> bool {
        self.0.iter().any(|way| matches!(way, Name::Composite(_)))
    }
}

/// The items of a list that must have one.
fn items<T>(
    all: Vec<Value>,
    parse: fn(Value) -> Result<T, InvalidValue>,
) -> Result<Vec<T>, InvalidValue> {
    match all.is_empty() {
        true => Err(InvalidValue::new("expected at least one claim")),
        false => each(all, parse),
    }
}

impl Name {
    fn parse(value: Value) -> Result<Self, InvalidValue> {
        if value.get("parts").is_none() {
            return Part::parse(value).map(Self::Plain);
        }
        let mut members = Members::of(value)?;
        let parts = members.required("parts", |value| match value {
            Value::Array(all) => items(all, Part::parse),
            _ => Err(InvalidValue::new("expected a list of claims")),
        })?;
        members.end("nothing beside `parts`")?;
        Ok(Self::Composite(parts))
    }

    fn parts(&self) -> &[Part] {
        match self {
            Self::Plain(part) => std::slice::from_ref(part),
            Self::Composite(parts) => parts,
        }
    }

    /// Does it name a session, neither each token nor each user?
    fn of_session(&self) -> Result<(), InvalidValue> {
        if let Some(part) = self.parts().iter().find(|part| part.differs_by_token()) {
            let reason = "differs from token to token of one session";
            return Err(InvalidValue::new(format!("`{}` {reason}", part.claim)));
        }
        match self.parts().iter().any(Part::tells_sessions_apart) {
            true => Ok(()),
            false => Err(InvalidValue::new(
                "needs a claim that every token has and that differs from session to session",
            )),
        }
    }

    fn read(&self, claims: &Map<String, Value>) -> Result<Option<String>, TokenError> {
        match self {
            Self::Plain(part) => Ok(part.read(claims)?.filter(|text| !text.is_empty())),
            Self::Composite(parts) => joined(parts, claims),
        }
    }
}

/// JSON keeps the parts apart, and an absent one from an empty one.
fn joined(parts: &[Part], claims: &Map<String, Value>) -> Result<Option<String>, TokenError> {
    let mut all = Vec::with_capacity(parts.len());
    for part in parts {
        match part.read(claims)? {
            None if part.is_optional => all.push(Value::Null),
            Some(text) if part.is_optional || !text.is_empty() => all.push(text.into()),
            _ => return Ok(None),
        }
    }
    Ok(Some(Value::Array(all).to_string()))
}

impl Part {
    fn parse(value: Value) -> Result<Self, InvalidValue> {
        if !value.is_object() {
            let claim = ClaimPath::parse(value)?;
            return Ok(Self { claim, before: None, is_optional: false });
        }
        let mut members = Members::of(value)?;
        let claim = members.required("claim", ClaimPath::parse)?;
        let before = members.optional("before", mark)?;
        let is_optional = members.optional("optional", flag)?.unwrap_or_default();
        members.end("`claim`, `before` and `optional`")?;
        Ok(Self { claim, before, is_optional })
    }

    fn differs_by_token(&self) -> bool {
        self.before.is_none() && OF_ONE_TOKEN.contains(&self.claim.name())
    }

    fn tells_sessions_apart(&self) -> bool {
        !self.is_optional && !OF_ALL_SESSIONS.contains(&self.claim.name())
    }

    fn read(&self, claims: &Map<String, Value>) -> Result<Option<String>, TokenError> {
        let text = match self.claim.find(claims) {
            None => return Ok(None),
            Some(Value::String(text)) => text.clone(),
            Some(number) if number.is_u64() => number.to_string(),
            Some(_) => return Err(TokenError::Malformed),
        };
        Ok(match &self.before {
            None => Some(text),
            Some(mark) => text.split_once(mark.as_str()).map(|(before, _)| before.to_owned()),
        })
    }
}

fn mark(value: Value) -> Result<String, InvalidValue> {
    match text(value)? {
        mark if mark.is_empty() => {
            Err(InvalidValue::new("expected what ends the part that counts, got nothing"))
        }
        mark => Ok(mark),
    }
}

impl fmt::Display for ClaimText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Vec::from_iter(self.0.iter().map(Name::to_string)).join(", else "))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Vec::from_iter(self.parts().iter().map(Part::to_string)).join(" + "))
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.claim)?;
        self.before.as_ref().map_or(Ok(()), |mark| write!(f, " up to `{mark}`"))?;
        if self.is_optional { f.write_str(" (if present)") } else { Ok(()) }
    }
}
