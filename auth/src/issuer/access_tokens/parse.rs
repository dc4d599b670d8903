//! The member `access_tokens` of `TRUSTED_ISSUERS`.

use std::time::Duration;

use serde_json::Value;

use super::claim_path::{ClaimPath, paths};
use super::{AccessTokenRules, Agents, ClaimText, Requirement};
use crate::issuer::presets::Preset;
use crate::issuer::span_or_seconds;
use crate::jwt::REGISTERED;
use crate::setting_value::{InvalidValue, Members, flag, text, text_or_texts};
use crate::time::parse_span;

/// Claims that have members of their own, and other names of scopes.
const BY_OWN_MEMBER: [&str; 5] = ["roles", "groups", "scope", "scopes", "scp"];

/// How far a provider's clock may be from ours if the settings do not say. Providers keep good time,
/// and some of their tokens live for a minute.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(10);

/// What is said of a token without a session if no preset says more.
const HINT: &str = "The provider must add the claim that `session_claim` names.";

impl AccessTokenRules {
    /// Reads the member. What depends on others is still to be filled in, by
    /// [`AccessTokenRules::of`].
    ///
    /// # Errors
    /// Which member is at fault, and what to change.
    pub fn parse(value: Value) -> Result<Self, InvalidValue> {
        let mut members = Members::of(value)?;
        let audience = members.required("audience", audience)?;
        let session_claim = members.required("session_claim", ClaimText::parse_session)?;
        let subject_claim = members.optional("subject_claim", ClaimText::parse)?;
        let subject_claim = subject_claim.map_or_else(|| ClaimText::parse("sub".into()), Ok)?;
        let path = |name: &str| ClaimPath::parse(name.into()).map(|path| vec![path]);
        let auth_time = members.optional("auth_time_claim", paths)?;
        let acr = members.optional("acr_claim", paths)?;
        let read = Self {
            issuers: members.optional("issuers", texts_or_none)?.unwrap_or_default(),
            audience,
            clients: members.optional("clients", texts_or_none)?.unwrap_or_default(),
            // RFC 9068, section 2.1.
            types: members.optional("typ", types)?.unwrap_or(vec![Some("at+jwt".into())]),
            require: members.optional("require", Requirement::parse_all)?.unwrap_or_default(),
            subject_claim,
            session_claim,
            roles_claim: members.optional("roles_claim", paths)?.unwrap_or_default(),
            groups_claim: members.optional("groups_claim", paths)?.unwrap_or_default(),
            scope_claim: members.optional("scope_claim", paths)?.unwrap_or_default(),
            auth_time_claim: auth_time.map_or_else(|| path("auth_time"), Ok)?,
            acr_claim: acr.map_or_else(|| path("acr"), Ok)?,
            claims: members.optional("claims", claims)?.map_or_else(usual_claims, Ok)?,
            max_session: members.optional("max_session", span)?.flatten(),
            session_ttl: members.optional("session_ttl", span)?.flatten(),
            forward: members.optional("forward", flag)?.unwrap_or(true),
            agents: members.optional("agents", agents)?.unwrap_or(Agents::Clients(Vec::new())),
            logout_by_sub: members.optional("logout_by_sub", flag)?.unwrap_or_default(),
            clock_tolerance: members
                .optional("clock_tolerance", span_or_seconds)?
                .unwrap_or(CLOCK_TOLERANCE),
            secret_name: members.optional("secret", variable)?,
            secret: None,
            hint: HINT,
        };
        members.end(
            "`issuers`, `audience`, `clients`, `typ`, `require`, `session_claim`, `subject_claim`, \
             `roles_claim`, `groups_claim`, `scope_claim`, `auth_time_claim`, `acr_claim`, `claims`, \
             `max_session`, `session_ttl`, `forward`, `agents`, `logout_by_sub`, `clock_tolerance` and \
             `secret`",
        )?;
        Ok(read)
    }

    /// Completes the rules for the issuer of this name.
    ///
    /// # Errors
    /// Tokens for anybody would be accepted.
    pub fn of(
        mut self,
        issuer: &str,
        preset: Option<&'static Preset>,
    ) -> Result<Self, InvalidValue> {
        self.issuers.retain(|it| it != issuer);
        self.issuers.insert(0, issuer.to_owned());
        self.hint = preset.map_or(HINT, |preset| preset.no_session);
        let of_one_application = preset.is_some_and(|preset| preset.is_of_one_application);
        if self.audience.contains(&None) && self.clients.is_empty() && !of_one_application {
            let reason = "is required where `audience` has null, so that tokens for other applications of \
                          the provider are refused";
            return Err(InvalidValue::new(reason).in_member("clients"));
        }
        Ok(self)
    }
}

fn texts_or_none(value: Value) -> Result<Vec<String>, InvalidValue> {
    if value.is_null() {
        return Ok(Vec::new());
    }
    let all = text_or_texts(value)?;
    match all.iter().position(String::is_empty) {
        Some(index) => Err(InvalidValue::new("expected a text, got an empty one").in_item(index)),
        None => Ok(all),
    }
}

fn audience(value: Value) -> Result<Vec<Option<String>>, InvalidValue> {
    let all = texts_or_null(value, "what the provider calls your API, or null for none")?;
    match all.iter().position(|it| it.as_deref() == Some("")) {
        Some(index) => Err(InvalidValue::new("expected a text, got an empty one").in_item(index)),
        None => Ok(all),
    }
}

fn types(value: Value) -> Result<Vec<Option<String>>, InvalidValue> {
    let all = texts_or_null(value, "a type like \"at+jwt\", or null for none")?;
    let plain = |typ: String| {
        let typ = typ.to_ascii_lowercase();
        typ.strip_prefix("application/").unwrap_or(&typ).to_owned()
    };
    Ok(all.into_iter().map(|typ| typ.map(plain)).collect())
}

/// One or several texts, among them `null`.
fn texts_or_null(value: Value, what: &str) -> Result<Vec<Option<String>>, InvalidValue> {
    let all = if let Value::Array(all) = value { all } else { vec![value] };
    if all.is_empty() {
        return Err(InvalidValue::new(format!("expected {what}")));
    }
    let read = all.into_iter().enumerate().map(|(index, item)| match item {
        Value::Null => Ok(None),
        item => text(item).map(Some).map_err(|error| error.in_item(index)),
    });
    read.collect()
}

fn usual_claims() -> Result<Vec<(String, ClaimPath)>, InvalidValue> {
    claims(vec!["email", "email_verified", "name", "preferred_username"].into())
}

fn claims(value: Value) -> Result<Vec<(String, ClaimPath)>, InvalidValue> {
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, path)| named(&name, path).map_err(|error| error.in_member(&name)))
            .collect(),
        value => crate::setting_value::texts(value)?
            .into_iter()
            .enumerate()
            .map(|(index, name)| {
                named(&name, name.as_str().into()).map_err(|error| error.in_item(index))
            })
            .collect(),
    }
}

fn named(name: &str, path: Value) -> Result<(String, ClaimPath), InvalidValue> {
    if REGISTERED.contains(&name) {
        let what = "a claim that the guard does not set itself";
        return Err(InvalidValue::expected(what, name));
    }
    if BY_OWN_MEMBER.contains(&name) {
        let what = "a claim other than these: use `roles_claim`, `groups_claim` and `scope_claim`";
        return Err(InvalidValue::expected(what, name));
    }
    if name.is_empty() || name.starts_with('/') {
        let what = "a name; a JSON Pointer needs one, as in {\"plan\": \"/app_metadata/plan\"}";
        return Err(InvalidValue::expected(what, name));
    }
    Ok((name.to_owned(), ClaimPath::parse(path)?))
}

fn span(value: Value) -> Result<Option<Duration>, InvalidValue> {
    if value.is_null() { Ok(None) } else { parse_span(&text(value)?).map(Some) }
}

fn agents(value: Value) -> Result<Agents, InvalidValue> {
    if value == "*" { Ok(Agents::All) } else { texts_or_none(value).map(Agents::Clients) }
}

/// The name of a variable, which is no secret, but what people put there by mistake may be one.
fn variable(value: Value) -> Result<String, InvalidValue> {
    let name = text(value)?;
    let legal = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    match name.starts_with(|c: char| c.is_ascii_uppercase()) && name.bytes().all(legal) {
        true => Ok(name),
        false => Err(InvalidValue::new(
            "expected the name of the variable that has the secret, like `SUPABASE_JWT_SECRET`, not the \
             secret itself",
        )),
    }
}
