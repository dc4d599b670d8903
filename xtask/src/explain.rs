//! `npm run check-config -- --explain "GET /admin/x"`: what the guard decides about a request, by the
//! code that decides in the Worker.

use std::borrow::Cow;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Result, anyhow, bail};
use auth::access::{Access, MatchReason, Readings, Rule, RuleMatch, RuleMatches, Rules};
use auth::config::{Mode, Settings};
use auth::decision::{Decision, Guard};
use auth::http::{Head, Target, is_token};
use auth::refusal::Refusal;
use auth::route::Route;
use auth::time::Timestamp;

/// In place of secrets that this machine does not see. They open nothing, because a request that is
/// explained has no credential.
const STAND_INS: [(&str, &str); 3] = [
    (
        "SIGNING_KEYS",
        r#"{"keys":[{"kty":"oct","alg":"HS256","kid":"stand-in","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}"#,
    ),
    ("UPSTASH_REDIS_REST_TOKEN", "stand-in"),
    ("EVENTS_WEBHOOK_SECRET", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
];

/// A request without a credential.
struct Bare<'a> {
    method: &'a str,
    url: String,
}

impl Head for Bare<'_> {
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

/// The rules as they are read, and what holds for each request, written as `GET /admin/x` or with an
/// absolute URL.
///
/// # Errors
/// Which request cannot be read, or that the settings are wrong.
pub fn explain(given: &BTreeMap<String, String>, requests: &[&str]) -> Result<String> {
    let stand_in = |name: &str| STAND_INS.iter().find(|(it, _)| *it == name).map(|(_, text)| *text);
    let get = |name: &str| given.get(name).cloned().or_else(|| stand_in(name).map(str::to_owned));
    let settings = Settings::read(get);
    let settings = settings.map_err(|errors| anyhow!("{}", errors[0]))?;
    let is_noted = settings.mode == Mode::Monitor;
    // Otherwise it would be forwarded, whatever the rules say.
    let settings = Settings { mode: Mode::Enforce, ..settings };
    let site =
        settings.login_url.as_deref().map_or("https://localhost", Target::site_of).to_owned();
    let guard = Guard::new(settings);
    let mut text = listed(&guard.settings().routes);
    if is_noted {
        text += "With MODE = monitor, what is refused below is only noted, and forwarded.\n";
    }
    for request in requests {
        let bare = Bare::parse(request, &site)?;
        let _ = write!(text, "\n{request}\n{}", decided(&guard, &bare));
    }
    Ok(text)
}

impl<'a> Bare<'a> {
    fn parse(request: &'a str, site: &str) -> Result<Self> {
        match request.trim().split_once(' ') {
            Some((method, target)) if is_token(method) && target.starts_with('/') => {
                Ok(Self { method, url: format!("{site}{target}") })
            }
            Some((method, url)) if is_token(method) && is_absolute(url) => {
                Ok(Self { method, url: url.to_owned() })
            }
            _ => bail!("`{request}` is no request; write it like `GET /admin/x`"),
        }
    }
}

fn is_absolute(url: &str) -> bool {
    (url.starts_with("https://") || url.starts_with("http://")) && Target::of_url(url).is_some()
}

fn listed(rules: &Rules) -> String {
    let mut text = String::from("The rules of ROUTES, as they are read:\n");
    for (index, rule) in rules.all().iter().enumerate() {
        let methods = match rule.methods.as_slice() {
            [] => String::new(),
            methods => format!(" ({})", methods.join(", ")),
        };
        let preflights = if rule.preflight { "" } else { ", no preflights without it" };
        let logins = if rule.login { ", its answers may log in and out" } else { "" };
        let (number, path, needed) = (index + 1, rule.path(), needed(rule));
        let _ = writeln!(text, "  {number}. {path}{methods}: {needed}{preflights}{logins}");
    }
    text + "  Whatever no rule names: a live session\n"
}

fn needed(rule: &Rule) -> String {
    let access = match rule.access {
        Access::Public => "for everybody",
        Access::Optional => "for everybody, with the identity where there is a live session",
        Access::Session => "a live session",
    };
    let mut text = String::from(access);
    for (kind, names) in [("one of the roles", &rule.roles), ("all of the scopes", &rule.scopes)] {
        if !names.is_empty() {
            let _ = write!(text, ", {kind} {}", names.join(" "));
        }
    }
    text
}

/// What the guard decides. Rules are asked only about what is not decided before.
fn decided(guard: &Guard, request: &Bare<'_>) -> String {
    let Some(target) = Target::of_url(&request.url) else { return String::new() };
    match guard.decide(request, Timestamp::from_millis(0)) {
        Decision::Own(_) => "  The guard answers: it is an endpoint of its own.\n".into(),
        Decision::Refuse(refused) if refused.refusal != Refusal::TokenMissing => {
            refused_before(&refused.refusal, guard, request, target)
        }
        _ => by_rule(&guard.settings().routes, request.method, target.path()),
    }
}

fn refused_before(
    refusal: &Refusal,
    guard: &Guard,
    request: &Bare<'_>,
    target: Target<'_>,
) -> String {
    let route = Route::of(request.method, target.path(), &guard.settings().auth_path);
    let why = match refusal {
        Refusal::NotFound if route == Route::Protected => {
            "LOGIN_URL is there, or above, or may be read so, and clients do not reach it.".into()
        }
        refusal => refusal.detail(),
    };
    format!("  Refused whoever asks, with {} {}: {why}\n", refusal.status(), refusal.code())
}

fn by_rule(rules: &Rules, method: &str, path: &str) -> String {
    let readings = Readings::of(path);
    let matches = rules.find(method, path, &readings);
    let mut text = String::new();
    for (at, rule) in matches.iter().enumerate() {
        let _ = writeln!(text, "  {}", because(rule, at));
    }
    let _ = writeln!(text, "  Needed: {}.", needed_by_all(&matches));
    let preflight = match rules.lets_preflight(method, path, &readings) {
        true => "pass without a session",
        false => "need a session, too",
    };
    text + &format!("  CORS preflights about it {preflight}.\n")
}

/// What the strictest asks for, and the roles and scopes of each.
fn needed_by_all(matches: &RuleMatches<'_>) -> String {
    let all = matches.iter().map(|it| it.rule).filter(|rule| rule.access == matches.access());
    let mut texts: Vec<String> = Vec::new();
    for rule in all {
        let text = needed(rule);
        let is_said = |said: &String| said.starts_with(&text);
        if !texts.iter().any(is_said) {
            texts.retain(|said| !text.starts_with(said.as_str()));
            texts.push(text);
        }
    }
    texts.join("; and ")
}

fn because(rule: &RuleMatch<'_>, at: usize) -> String {
    let too = if at == 0 { "" } else { ", too" };
    match (rule.index, &rule.why) {
        (Some(index), MatchReason::Sent) => {
            format!("Rule {} holds: the first that names it.", index + 1)
        }
        (None, MatchReason::Sent) => "No rule names it.".into(),
        (Some(index), MatchReason::Read(text)) => format!(
            "Rule {} holds{too}: the first that names {}, as which it may be read.",
            index + 1,
            text.escape_debug()
        ),
        (Some(index), MatchReason::Unreadable | MatchReason::Ambiguous) => {
            format!("Rule {} holds{too}: the path can be read in too many ways.", index + 1)
        }
        (None, MatchReason::Read(text)) => {
            format!("No rule names {}, as which it may be read.", text.escape_debug())
        }
        (None, MatchReason::Unreadable | MatchReason::Ambiguous) => {
            "It is not for strangers: there is more than one way to read the path.".into()
        }
    }
}

#[cfg(test)]
mod tests;
