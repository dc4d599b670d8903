//! `allow` and `deny`: which of a provider's users may sign in.

use std::fmt;

use serde_json::{Map, Value};

use super::access_tokens::ClaimPath;
use crate::setting_value::{InvalidValue, object, other};

/// The one member that is not a claim: the domain of the claim `email`.
const EMAIL_DOMAIN: &str = "email_domain";

/// Which of a provider's users may sign in; by default, all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SignInPolicy {
    /// If there are any, one of these must hold.
    pub allow: Vec<PolicyRule>,
    /// None of these may hold.
    pub deny: Vec<PolicyRule>,
    /// Does an address count that the provider does not call verified?
    pub trust_email: bool,
}

/// An object of `allow` or `deny`: all of its conditions must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyRule(Vec<Condition>);

/// An attribute of a user, which must have one of these values.
#[derive(Clone, Debug, PartialEq)]
struct Condition {
    attribute: Attribute,
    values: Vec<Value>,
}

#[derive(Clone, Debug, PartialEq)]
enum Attribute {
    Email,
    EmailDomain,
    Claim(ClaimPath),
}

/// Why a user may not sign in; for the log. It names claims, not their values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAllowed(pub String);

impl SignInPolicy {
    /// May the user with these claims sign in?
    ///
    /// # Errors
    /// The rule of `deny` that holds; or none of `allow` does.
    pub fn admit(&self, claims: &Map<String, Value>) -> Result<(), NotAllowed> {
        if let Some(index) = self.deny.iter().position(|rule| rule.is_denied(claims)) {
            return Err(NotAllowed(format!("`deny[{index}]` holds")));
        }
        let trusted = self.trust_email || claims.get("email_verified") == Some(&Value::Bool(true));
        if self.allow.is_empty() || self.allow.iter().any(|rule| rule.holds(claims, trusted)) {
            return Ok(());
        }
        Err(NotAllowed(self.why_not(claims, trusted)))
    }

    fn why_not(&self, claims: &Map<String, Value>, trusted: bool) -> String {
        let mut why = "no object of `allow` holds".to_owned();
        let asks = |is: fn(&Attribute) -> bool| {
            self.allow.iter().flat_map(|rule| &rule.0).any(|it| is(&it.attribute))
        };
        if asks(|it| !matches!(it, Attribute::Claim(_))) && !trusted && claims.contains_key("email")
        {
            why += "; the provider does not say `email_verified`: if it is known to verify every address \
                    before it says it, set `trust_email`";
        }
        let asks_groups = asks(
            |it| matches!(it, Attribute::Claim(path) if matches!(path.name(), "groups" | "roles")),
        );
        if asks_groups && is_elsewhere("groups", claims) {
            why += "; the user is in more groups than the token has room for, so it lists none: have the \
                    provider send only the application's groups, or ask for roles";
        }
        why
    }

    /// May every user of the provider sign in?
    pub fn is_everybody(&self) -> bool {
        self.allow.is_empty() && self.deny.is_empty()
    }
}

/// Does the provider name a place to ask instead of saying the claim? Microsoft Entra ID does of groups that are many, or
/// says only that there are some.
fn is_elsewhere(claim: &str, claims: &Map<String, Value>) -> bool {
    let names = claims.get("_claim_names");
    let is_named = names.is_some_and(|names| names.get(claim).is_some());
    let has_groups = claims.get("hasgroups").is_some_and(|it| *it != false);
    !claims.contains_key(claim) && (is_named || claim == "groups" && has_groups)
}

/// Reads `allow` or `deny`: an object, or a list of them.
///
/// # Errors
/// What to change.
pub fn rules(value: Value) -> Result<Vec<PolicyRule>, InvalidValue> {
    let Value::Array(all) = value else { return PolicyRule::parse(value).map(|one| vec![one]) };
    if all.is_empty() {
        return Err(InvalidValue::new("is empty; leave it out"));
    }
    crate::setting_value::each(all, PolicyRule::parse)
}

impl PolicyRule {
    fn parse(value: Value) -> Result<Self, InvalidValue> {
        let members = object(value)?;
        if members.is_empty() {
            return Err(InvalidValue::new("is empty; name a claim, or leave it out"));
        }
        let mut all = Vec::with_capacity(members.len());
        for (name, value) in members {
            all.push(Condition::parse(&name, value).map_err(|error| error.in_member(&name))?);
        }
        Ok(Self(all))
    }

    fn holds(&self, claims: &Map<String, Value>, trusts_email: bool) -> bool {
        self.0.iter().all(|condition| condition.holds(claims, trusts_email))
    }

    /// An address counts whoever has verified it, and what cannot be read may be what is denied.
    fn is_denied(&self, claims: &Map<String, Value>) -> bool {
        self.0.iter().all(|condition| condition.may_hold(claims))
    }
}

impl Condition {
    fn parse(name: &str, value: Value) -> Result<Self, InvalidValue> {
        let attribute = match name {
            EMAIL_DOMAIN => Attribute::EmailDomain,
            "email" | "/email" => Attribute::Email,
            path => Attribute::Claim(ClaimPath::parse(path.into())?),
        };
        let values = if let Value::Array(all) = value { all } else { vec![value] };
        if values.is_empty() {
            return Err(InvalidValue::new("is empty; name a value, or leave it out"));
        }
        for (index, value) in values.iter().enumerate() {
            attribute.check(value).map_err(|error| error.in_item(index))?;
        }
        Ok(Self { attribute, values })
    }

    fn holds(&self, claims: &Map<String, Value>, trusts_email: bool) -> bool {
        let email = || claims.get("email").and_then(Value::as_str).filter(|_| trusts_email);
        let is_one = |text: &str| {
            let mut texts = self.values.iter().filter_map(Value::as_str);
            texts.any(|it| it.eq_ignore_ascii_case(text))
        };
        match &self.attribute {
            Attribute::Email => email().is_some_and(is_one),
            Attribute::EmailDomain => email().and_then(domain).is_some_and(is_one),
            Attribute::Claim(path) => path.find(claims).is_some_and(|found| self.is_in(found)),
        }
    }

    /// Does it hold, or can nobody tell: because an address is read in different ways, or because the provider keeps the
    /// claim elsewhere (OpenID Connect Core 1.0, section 5.6.2)?
    fn may_hold(&self, claims: &Map<String, Value>) -> bool {
        let is_plain = |email: &Value| email.as_str().and_then(domain).is_some();
        let is_unreadable = || match &self.attribute {
            Attribute::Email | Attribute::EmailDomain => {
                is_elsewhere("email", claims) || claims.get("email").is_some_and(|it| !is_plain(it))
            }
            Attribute::Claim(path) => {
                is_elsewhere(&path.root(), claims)
                    || path.find(claims).is_some_and(|found| self.is_flag_in_text(found))
            }
        };
        self.holds(claims, true) || is_unreadable()
    }

    /// Does it ask for `true` or `false`, which some providers can only write as a text?
    fn is_flag_in_text(&self, claim: &Value) -> bool {
        let flags = || self.values.iter().filter_map(Value::as_bool);
        let says = |text: &str| flags().any(|it| text.eq_ignore_ascii_case(&it.to_string()));
        claim.as_str().is_some_and(says)
    }

    /// Is one of the values in the claim: it itself, an item of a list, or the name of a member that says yes?
    fn is_in(&self, claim: &Value) -> bool {
        match claim {
            Value::Array(items) => items.iter().any(|item| self.is_one(item)),
            Value::Object(members) => {
                let says_yes = |it: &Value| !it.is_null() && *it != false;
                let mut names = self.values.iter().filter_map(Value::as_str);
                names.any(|it| members.get(it).is_some_and(says_yes))
            }
            value => self.is_one(value),
        }
    }

    /// A number may be written as a text.
    fn is_one(&self, value: &Value) -> bool {
        let same = |it: &Value| match (it, value) {
            (Value::Number(number), Value::String(text))
            | (Value::String(text), Value::Number(number)) => number.to_string() == *text,
            (Value::Number(one), Value::Number(other)) => {
                one == other || one.as_f64() == other.as_f64() && (one.is_f64() || other.is_f64())
            }
            (it, value) => it == value,
        };
        self.values.iter().any(same)
    }
}

impl Attribute {
    fn check(&self, value: &Value) -> Result<(), InvalidValue> {
        match (self, value) {
            (Self::EmailDomain, Value::String(text)) if is_domain(text) => Ok(()),
            (Self::EmailDomain, value) => {
                Err(other("a domain like `example.com`, in ASCII (`xn--…`) and without `@`", value))
            }
            (Self::Email, Value::String(text)) if domain(text).is_some() => Ok(()),
            (Self::Email, value) => Err(other("an address like `ada@example.com`", value)),
            (_, Value::String(text)) if text.is_empty() => {
                Err(InvalidValue::new("expected a value, got an empty text"))
            }
            (_, Value::String(_) | Value::Bool(_) | Value::Number(_)) => Ok(()),
            (_, value) => Err(other("a text, a number, true or false", value)),
        }
    }
}

impl fmt::Display for PolicyRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, condition) in self.0.iter().enumerate() {
            let name = match &condition.attribute {
                Attribute::Email => "email",
                Attribute::EmailDomain => EMAIL_DOMAIN,
                Attribute::Claim(path) => path.name(),
            };
            let values = Vec::from_iter(condition.values.iter().map(Value::to_string)).join(" or ");
            write!(f, "{}`{name}` = {values}", if index > 0 { " and " } else { "" })?;
        }
        Ok(())
    }
}

/// The domain of an address that everybody reads alike; `None` of any other: with two `@`, quoted parts,
/// letters beyond ASCII, spaces.
fn domain(email: &str) -> Option<&str> {
    let (local, domain) = email.split_once('@')?;
    let is_plain = |byte: u8| {
        byte.is_ascii_graphic()
            && !matches!(byte, b'"' | b'(' | b')' | b',' | b';' | b'<' | b'>' | b'\\')
    };
    let fine = !local.is_empty() && local.bytes().all(is_plain) && is_domain(domain);
    fine.then_some(domain)
}

fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests;
