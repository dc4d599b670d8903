//! The member `access_tokens` of `TRUSTED_ISSUERS`.

use std::time::Duration;

use serde_json::Value;

use super::claim_path::{ClaimPath, paths};
use super::{AccessTokenRules, Agents, ClaimText, Requirement};
use crate::issuer::presets::Preset;
use crate::issuer::span_or_seconds;
use crate::jwt::{CLIENT_ID, REGISTERED};
use crate::setting_value::{InvalidValue, each, flag, object, other, text, text_or_texts};
use crate::time::parse_span;

/// Claims that have members of their own, and other names of scopes.
const BY_OWN_MEMBER: [&str; 5] = ["roles", "groups", "scope", "scopes", "scp"];

/// How far a provider's clock may be from ours if the settings do not say. Providers keep good time,
/// and some of their tokens live for a minute.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(10);

/// What is said of a token without a session if no preset says more.
const HINT: &str = "The provider must add the claim that `session_claim` names.";

/// The members there may be.
const MEMBERS: &str = "`issuers`, `audience`, `clients`, `typ`, `require`, `session_claim`, `subject_claim`, \
                       `roles_claim`, `groups_claim`, `scope_claim`, `auth_time_claim`, `acr_claim`, \
                       `claims`, `max_session`, `session_ttl`, `forward`, `agents`, `logout_by_sub`, \
                       `clock_tolerance` and `secret`";

impl AccessTokenRules {
    /// Reads the member. What depends on others is still to be filled in, by
    /// [`AccessTokenRules::complete`].
    ///
    /// # Errors
    /// Which member is at fault, and what to change.
    pub fn parse(value: Value) -> Result<Self, InvalidValue> {
        let mut rules = Self::like_most();
        for (name, value) in object(value)? {
            rules.read_member(&name, value).map_err(|error| error.in_member(&name))?;
        }
        let missing = match (rules.audience.is_empty(), rules.session_claim.is_unset()) {
            (true, _) => "audience",
            (_, true) => "session_claim",
            _ => return Ok(rules),
        };
        Err(InvalidValue::new("is required").in_member(missing))
    }

    fn read_member(&mut self, name: &str, value: Value) -> Result<(), InvalidValue> {
        match name {
            "issuers" => self.issuers = texts_or_none(value)?,
            "audience" => self.audience = audience(value)?,
            "clients" => self.clients = texts_or_none(value)?,
            "typ" => self.types = types(value)?,
            "require" => self.require = Requirement::parse_all(value)?,
            "session_claim" => self.session_claim = ClaimText::parse_session(value)?,
            "subject_claim" => self.subject_claim = ClaimText::parse(value)?,
            "roles_claim" => self.roles_claim = paths(value)?,
            "groups_claim" => self.groups_claim = paths(value)?,
            "scope_claim" => self.scope_claim = paths(value)?,
            "auth_time_claim" => self.auth_time_claim = paths(value)?,
            "acr_claim" => self.acr_claim = paths(value)?,
            "claims" => self.claims = claims(value)?,
            "max_session" => self.max_session = span(value)?,
            "session_ttl" => self.session_ttl = span(value)?,
            "forward" => self.forward = flag(value)?,
            "agents" => self.agents = agents(value)?,
            "logout_by_sub" => self.logout_by_sub = flag(value)?,
            "clock_tolerance" => self.clock_tolerance = span_or_seconds(value)?,
            "secret" => self.secret_name = Some(variable(value)?),
            _ => return Err(InvalidValue::new(format!("unknown member; expected {MEMBERS}"))),
        }
        Ok(())
    }

    /// What is left out is as RFC 9068 has it.
    fn like_most() -> Self {
        let usual = ["email", "email_verified", "name", "preferred_username"];
        Self {
            issuers: Vec::new(),
            audience: Vec::new(),
            clients: Vec::new(),
            types: vec![Some("at+jwt".into())],
            require: Vec::new(),
            subject_claim: ClaimText::of("sub"),
            session_claim: ClaimText::unset(),
            roles_claim: Vec::new(),
            groups_claim: Vec::new(),
            scope_claim: Vec::new(),
            auth_time_claim: vec![ClaimPath::of("auth_time")],
            acr_claim: vec![ClaimPath::of("acr")],
            claims: usual.map(|name| (name.to_owned(), ClaimPath::of(name))).into(),
            max_session: None,
            session_ttl: None,
            forward: true,
            agents: Agents::Clients(Vec::new()),
            logout_by_sub: false,
            clock_tolerance: CLOCK_TOLERANCE,
            secret_name: None,
            secret: None,
            hint: HINT,
        }
    }

    /// Completes the rules for the issuer of this name.
    ///
    /// # Errors
    /// Tokens for anybody would be accepted.
    pub fn complete(
        &mut self,
        issuer: &str,
        preset: Option<&'static Preset>,
    ) -> Result<(), InvalidValue> {
        self.issuers.retain(|it| it != issuer);
        self.issuers.insert(0, issuer.to_owned());
        self.hint = preset.map_or(HINT, |preset| preset.no_session);
        let of_one_application = preset.is_some_and(|preset| preset.is_of_one_application);
        if self.audience.contains(&None) && self.clients.is_empty() && !of_one_application {
            let reason = "is required where `audience` has null, so that tokens for other applications of \
                          the provider are refused";
            return Err(InvalidValue::new(reason).in_member("clients"));
        }
        Ok(())
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
    each(all, |item| if item.is_null() { Ok(None) } else { text(item).map(Some) })
}

fn claims(value: Value) -> Result<Vec<(String, ClaimPath)>, InvalidValue> {
    let Value::Object(members) = value else {
        let Value::Array(names) = value else {
            return Err(other("a list of claims, or an object", &value));
        };
        return each(names, |name| {
            let name = text(name)?;
            named(&name, name.as_str().into())
        });
    };
    let mut all = Vec::new();
    for (name, path) in members {
        all.push(named(&name, path).map_err(|error| error.in_member(&name))?);
    }
    Ok(all)
}

fn named(name: &str, path: Value) -> Result<(String, ClaimPath), InvalidValue> {
    // Which client a provider's token was issued to, an origin may be told; our own tokens have but one.
    if REGISTERED.contains(&name) && name != CLIENT_ID {
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
pub fn variable(value: Value) -> Result<String, InvalidValue> {
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
