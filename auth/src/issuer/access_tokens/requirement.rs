//! `require`: what claims must say.

use std::fmt;

use serde_json::{Map, Value};

use super::claim_path::ClaimPath;
use crate::setting_value::{InvalidValue, Members, flag, object};

/// A claim, and what it may say.
#[derive(Clone, Debug, PartialEq)]
pub struct Requirement {
    /// The claim.
    pub claim: ClaimPath,
    expected: Expected,
}

#[derive(Clone, Debug, PartialEq)]
enum Expected {
    /// One of these; `null`: or nothing.
    OneOf(Vec<Value>),
    /// Anything, or nothing.
    Present(bool),
}

impl Requirement {
    /// Reads them all, from an object by claim.
    ///
    /// # Errors
    /// Which is wrong, and why.
    pub fn parse_all(value: Value) -> Result<Vec<Self>, InvalidValue> {
        let mut all = Vec::new();
        for (name, value) in object(value)? {
            let expected = Expected::parse(value).map_err(|error| error.in_member(&name))?;
            all.push(Self { claim: ClaimPath::parse(name.into())?, expected });
        }
        Ok(all)
    }

    /// Do these claims fulfil it?
    pub fn holds(&self, claims: &Map<String, Value>) -> bool {
        let found = self.claim.find(claims);
        match &self.expected {
            Expected::Present(is_present) => found.is_some() == *is_present,
            Expected::OneOf(all) => match found {
                None => all.contains(&Value::Null),
                // As `aud`: one of them is enough.
                Some(Value::Array(items)) => items.iter().any(|item| all.contains(item)),
                Some(value) => all.contains(value),
            },
        }
    }
}

impl Expected {
    fn parse(value: Value) -> Result<Self, InvalidValue> {
        let all = match value {
            Value::Object(_) => {
                let mut members = Members::of(value)?;
                let is_present = members.required("present", flag)?;
                members.end("`present`")?;
                return Ok(Self::Present(is_present));
            }
            Value::Array(all) => all,
            one => vec![one],
        };
        let is_plain = |value: &Value| !value.is_array() && !value.is_object();
        match !all.is_empty() && all.iter().all(is_plain) {
            true => Ok(Self::OneOf(all)),
            false => Err(InvalidValue::new(
                "expected a value or a list of values that the claim may have, or {\"present\": true}",
            )),
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let absent_or_text = |value: &Value| match value {
            Value::Null => "absent".to_owned(),
            value => value.to_string(),
        };
        match &self.expected {
            Expected::Present(true) => write!(f, "`{}` present", self.claim),
            Expected::Present(false) => write!(f, "`{}` absent", self.claim),
            Expected::OneOf(all) => {
                let all = Vec::from_iter(all.iter().map(absent_or_text)).join(" or ");
                write!(f, "`{}` = {all}", self.claim)
            }
        }
    }
}
