//! `provider`: what is known of the access tokens of widely used identity providers.

mod table;

use serde_json::{Map, Value};

use crate::http::web_url;
use crate::setting_value::{InvalidValue, text};

/// What is known of a provider.
#[derive(Debug)]
pub struct Preset {
    /// Its name in the settings.
    name: &'static str,
    /// Its name for people.
    title: &'static str,
    /// Its `iss`, if there is but one.
    issuer: Option<&'static str>,
    /// The member from which the `iss` can be made, and the `iss`, in which `{value}` stands for it.
    made_of: Option<(&'static str, &'static str)>,
    /// Is the member's value needed even if the `iss` is told?
    needs_value: bool,
    /// What the `iss` must be like, and whether it is.
    form: (&'static str, fn(&str) -> bool),
    /// What the entry says if it does not say it itself, in JSON. `{issuer}` and `{value}` stand for what
    /// they are called.
    members: &'static str,
    /// Do its issuer, or its keys, belong to one application, so that neither audience nor client need be
    /// told?
    pub is_of_one_application: bool,
    /// How to make the provider name the session in its tokens: what a token without it is refused with.
    pub no_session: &'static str,
}

/// Fills in what the preset knows and the entry does not say itself.
///
/// # Errors
/// There is no such preset, or its issuer is not told.
pub fn complete(entry: Value) -> Result<(Value, Option<&'static Preset>), InvalidValue> {
    let Value::Object(mut entry) = entry else { return Ok((entry, None)) };
    inherit_tolerance(&mut entry);
    let Some(name) = entry.remove("provider") else { return Ok((entry.into(), None)) };
    let preset = text(name).and_then(find).map_err(|error| error.in_member("provider"))?;
    if let Some(issuer) = preset.issuer {
        entry.entry("issuer").or_insert_with(|| issuer.into());
    }
    let value = preset.issuer_and_value(&mut entry)?;
    let issuer = entry.get("issuer").and_then(Value::as_str).unwrap_or_default().to_owned();
    let known = serde_json::from_str(preset.members);
    let known = known.map_err(|error| InvalidValue::new(error.to_string()))?;
    let mut known = filled_in(known, &issuer, &value);
    // Who signs people in there need not accept access tokens.
    if entry.contains_key("client_id") && !entry.contains_key("access_tokens") {
        known.as_object_mut().map(|known| known.remove("access_tokens"));
    }
    merge(&mut entry, known);
    Ok((entry.into(), Some(preset)))
}

fn find(name: String) -> Result<&'static Preset, InvalidValue> {
    let found = table::ALL.iter().copied().find(|preset| preset.name == name);
    found.ok_or_else(|| {
        let names = Vec::from_iter(table::ALL.iter().map(|preset| preset.name)).join(", ");
        InvalidValue::expected(&format!("one of {names}"), &name)
    })
}

impl Preset {
    /// Its names in the settings and for people.
    pub fn names(&self) -> (&'static str, &'static str) {
        (self.name, self.title)
    }

    /// Makes sure that the entry has the `iss`, and returns the value that it is made of.
    fn issuer_and_value(&self, entry: &mut Map<String, Value>) -> Result<String, InvalidValue> {
        let mut value = None;
        if let Some((member, pattern)) = self.made_of {
            let told = entry.remove(member).map(|told| word(told).map_err(|e| e.in_member(member)));
            value = told.transpose()?;
            if let Some(value) = &value {
                entry.entry("issuer").or_insert_with(|| fill(pattern, value).into());
            }
        }
        let issuer = match entry.get("issuer") {
            Some(issuer) => text(issuer.clone())?,
            None => return Err(self.lacks_issuer()),
        };
        let (form, is_fine) = self.form;
        let wrong = |error: InvalidValue| error.in_member("issuer");
        web_url(&issuer).map_err(wrong)?;
        let value = value.or_else(|| self.value_of(&issuer));
        match value {
            Some(value) if is_fine(&issuer) => Ok(value),
            None if is_fine(&issuer) && !self.needs_value => Ok(String::new()),
            _ => Err(wrong(InvalidValue::expected(form, &issuer))),
        }
    }

    fn lacks_issuer(&self) -> InvalidValue {
        let reason = match self.made_of {
            Some((member, _)) => format!("is required, or `{member}`"),
            None => "is required".into(),
        };
        InvalidValue::new(reason).in_member("issuer")
    }

    /// The value that this `iss` was made of.
    fn value_of(&self, issuer: &str) -> Option<String> {
        let (before, after) = self.made_of?.1.split_once("{value}")?;
        let value = issuer.strip_prefix(before)?.strip_suffix(after)?;
        is_word(value).then(|| value.to_owned())
    }
}

/// Pools of Cognito begin with their region.
fn fill(pattern: &str, value: &str) -> String {
    let region = value.split_once('_').map_or(value, |(region, _)| region);
    pattern.replace("{value}", value).replace("{region}", region)
}

fn is_word(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !text.is_empty() && text.bytes().all(legal)
}

fn word(value: Value) -> Result<String, InvalidValue> {
    match text(value)? {
        text if is_word(&text) => Ok(text),
        text => Err(InvalidValue::expected("an id of letters, digits, `-` and `_`", &text)),
    }
}

/// Who says how far the provider's clock may be from ours means it of all tokens.
fn inherit_tolerance(entry: &mut Map<String, Value>) {
    let Some(tolerance) = entry.get("clock_tolerance").cloned() else { return };
    let signs_in = entry.contains_key("client_id") && !is_made_of_client_id(entry);
    if entry.contains_key("provider") && !signs_in {
        entry.entry("access_tokens").or_insert_with(|| Map::new().into());
    }
    if let Some(Value::Object(rules)) = entry.get_mut("access_tokens") {
        rules.entry("clock_tolerance").or_insert(tolerance);
    }
}

fn filled_in(value: Value, issuer: &str, of: &str) -> Value {
    match value {
        Value::String(text) => text.replace("{issuer}", issuer).replace("{value}", of).into(),
        Value::Array(all) => all.into_iter().map(|it| filled_in(it, issuer, of)).collect(),
        Value::Object(all) => {
            all.into_iter().map(|(name, it)| (name, filled_in(it, issuer, of))).collect()
        }
        value => value,
    }
}

fn is_made_of_client_id(entry: &Map<String, Value>) -> bool {
    let name = entry.get("provider").and_then(Value::as_str);
    let preset = name.and_then(|name| find(name.to_owned()).ok());
    preset.is_some_and(|preset| preset.made_of.is_some_and(|(member, _)| member == "client_id"))
}

/// Members of which what the entry says comes on top: it takes away nothing by which a preset keeps out
/// ID tokens unless it names the claim.
const MERGED: [&str; 4] = ["access_tokens", "require", "endpoints", "userinfo"];

/// What the entry says stays.
fn merge(entry: &mut Map<String, Value>, known: Value) {
    let Value::Object(known) = known else { return };
    for (name, value) in known {
        match entry.get_mut(&name) {
            None => {
                entry.insert(name, value);
            }
            Some(Value::Object(own)) if MERGED.contains(&name.as_str()) => merge(own, value),
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
