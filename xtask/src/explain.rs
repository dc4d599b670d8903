//! `npm run check-config -- --explain "GET /admin/x"`: shows what the guard decides about a request, with the code
//! that decides in the Worker.

use std::borrow::Cow;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Result, anyhow, bail};
use auth::access::{Access, MatchReason, PathVariants, Rule, RuleMatch, RuleMatches, Rules};
use auth::config::{Mode, Settings};
use auth::decision::{Decision, Guard};
use auth::http::{Head, Target, is_token};
use auth::refusal::Refusal;
use auth::route::Route;
use auth::time::Timestamp;

use crate::placeholders;

/// A request without a credential.
struct AnonymousRequest<'a> {
    method: &'a str,
    url: String,
}

impl Head for AnonymousRequest<'_> {
    fn method(&self) -> &str {
        self.method
    }

    fn url(&self) -> &str {
        &self.url
    }

    fn header(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }

    fn has_body(&self) -> bool {
        false
    }
}

/// Lists the rules, and explains the decision about each request, which is written as `GET /admin/x` or with an
/// absolute URL.
///
/// # Errors
/// A request cannot be parsed, or the settings are invalid.
pub fn explain(given: &BTreeMap<String, String>, requests: &[&str]) -> Result<String> {
    let all = placeholders::complete(given);
    let settings = Settings::read(|name| all.get(name).cloned());
    let settings = settings.map_err(|errors| anyhow!("{}", errors[0]))?;
    let is_monitoring = settings.mode == Mode::Monitor;
    // In monitor mode, the guard would forward every request.
    let settings = Settings { mode: Mode::Enforce, ..settings };
    let site =
        settings.login_url.as_deref().map_or("https://localhost", Target::site_of).to_owned();
    let guard = Guard::new(settings);
    let mut text = list_rules(&guard.settings().routes);
    if is_monitoring {
        text += "With MODE = monitor, requests that are refused below are logged and forwarded.\n";
    }
    for request in requests {
        let anonymous = AnonymousRequest::parse(request, &site)?;
        let _ = write!(text, "\n{request}\n{}", describe_decision(&guard, &anonymous));
    }
    Ok(text)
}

impl<'a> AnonymousRequest<'a> {
    fn parse(request: &'a str, site: &str) -> Result<Self> {
        match request.trim().split_once(' ') {
            Some((method, target)) if is_token(method) && target.starts_with('/') => {
                Ok(Self { method, url: format!("{site}{target}") })
            }
            Some((method, url)) if is_token(method) && is_absolute(url) => {
                Ok(Self { method, url: url.to_owned() })
            }
            _ => bail!("`{request}` is not a request; write it like `GET /admin/x`"),
        }
    }
}

fn is_absolute(url: &str) -> bool {
    (url.starts_with("https://") || url.starts_with("http://")) && Target::of_url(url).is_some()
}

fn list_rules(rules: &Rules) -> String {
    let mut text = String::from("The rules of ROUTES, in order:\n");
    for (index, rule) in rules.all().iter().enumerate() {
        let methods = match rule.methods.as_slice() {
            [] => String::new(),
            methods => format!(" ({})", methods.join(", ")),
        };
        let preflights = if rule.preflight { "" } else { ", CORS preflights require it" };
        let logins = if rule.login { ", responses may log in and out" } else { "" };
        let (number, path, requirement) = (index + 1, rule.path(), requirement(rule));
        let _ = writeln!(text, "  {number}. {path}{methods}: {requirement}{preflights}{logins}");
    }
    text + "  Any other path: a live session\n"
}

fn requirement(rule: &Rule) -> String {
    let access = match rule.access {
        Access::Public => "public",
        Access::Optional => "optional, with the identity if there is a live session",
        Access::Session => "a live session",
    };
    let mut text = String::from(access);
    for (kind, names) in [("one of the roles", &rule.roles), ("all of the scopes", &rule.scopes)] {
        if !names.is_empty() {
            let _ = write!(text, ", {kind} {}", names.join(" "));
        }
    }
    if !rule.step_up.is_nothing() {
        let _ = write!(text, ", a login {}", rule.step_up.in_words());
    }
    text
}

/// The guard's decision. The rules apply only to requests that are neither the guard's own nor refused earlier.
fn describe_decision(guard: &Guard, request: &AnonymousRequest<'_>) -> String {
    let Some(target) = Target::of_url(&request.url) else { return String::new() };
    match guard.decide(request, Timestamp::from_millis(0)) {
        Decision::Own(_) => "  The guard answers: this is one of its own endpoints.\n".into(),
        Decision::Refuse(refused) if refused.refusal != Refusal::TokenMissing => {
            describe_refusal(&refused.refusal, guard, request, target)
        }
        _ => describe_rules(&guard.settings().routes, request.method, target.path()),
    }
}

fn describe_refusal(
    refusal: &Refusal,
    guard: &Guard,
    request: &AnonymousRequest<'_>,
    target: Target<'_>,
) -> String {
    let route = Route::of(request.method, target.path(), &guard.settings().auth_path);
    let why = match refusal {
        Refusal::NotFound if route == Route::Protected => {
            "Clients cannot reach LOGIN_URL, paths below it, or paths that may be read as one of these.".into()
        }
        refusal => refusal.detail(),
    };
    format!("  Refused for everyone with {} {}: {why}\n", refusal.status(), refusal.code())
}

fn describe_rules(rules: &Rules, method: &str, path: &str) -> String {
    let readings = PathVariants::of(path);
    let matches = rules.find(method, path, &readings);
    let mut text = String::new();
    for rule in matches.iter() {
        let _ = writeln!(text, "  {}", match_reason(rule));
    }
    let _ = writeln!(text, "  Access: {}.", combined_requirement(&matches));
    let preflight = match rules.lets_preflight(method, path, &readings) {
        true => "pass without a session",
        false => "require a session",
    };
    text + &format!("  CORS preflights {preflight}.\n")
}

/// The strictest access of all rules that match, with the roles and scopes of each.
fn combined_requirement(matches: &RuleMatches<'_>) -> String {
    let all = matches.iter().map(|it| it.rule).filter(|rule| rule.access == matches.access());
    let mut texts: Vec<String> = Vec::new();
    for rule in all {
        let text = requirement(rule);
        let is_covered = |other: &String| other.starts_with(&text);
        if !texts.iter().any(is_covered) {
            texts.retain(|other| !text.starts_with(other.as_str()));
            texts.push(text);
        }
    }
    texts.join("; and ")
}

fn match_reason(rule: &RuleMatch<'_>) -> String {
    match (rule.index, &rule.why) {
        (Some(index), MatchReason::Sent) => {
            format!("Rule {} applies: it is the first to match the path.", index + 1)
        }
        (None, MatchReason::Sent) => "No rule matches the path.".into(),
        (Some(index), MatchReason::Read(text)) => format!(
            "Rule {} applies: it is the first to match {}, as which the path may be read.",
            index + 1,
            text.escape_debug()
        ),
        (Some(index), MatchReason::Unreadable | MatchReason::Ambiguous) => {
            format!("Rule {} applies: the path may be read in too many ways.", index + 1)
        }
        (None, MatchReason::Read(text)) => {
            format!("No rule matches {}, as which the path may be read.", text.escape_debug())
        }
        (None, MatchReason::Unreadable | MatchReason::Ambiguous) => {
            "The path is never public: it may be read in more than one way.".into()
        }
    }
}

#[cfg(test)]
mod tests;
