//! Checks the settings before they are deployed, and writes their reference.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{fs, io};

use anyhow::{Context, Result};
use auth::config::{GROUPS, ORIGIN, SETTINGS, Setting, Settings};
use auth::rate::Rate;
use auth::time::{Timestamp, millis};

use crate::explain::explain;
use crate::placeholders::{self, issuer_secrets};
use crate::trusted_issuers::describe;

/// Checks the settings on standard input. A missing secret is a note and not an error, because this machine need not
/// have it. With requests, explains them if the settings are valid.
pub fn check(requests: &[&str]) -> Result<ExitCode> {
    let given: BTreeMap<String, String> =
        serde_json::from_reader(io::stdin()).context("expected a JSON object of strings")?;
    let findings = find(&given);
    let explains = !requests.is_empty();
    for note in findings.notes.iter().filter(|_| !explains) {
        println!("note: {note}");
    }
    for error in &findings.errors {
        println!("error: {error}");
    }
    if !findings.errors.is_empty() {
        return Ok(ExitCode::FAILURE);
    }
    if explains {
        return Ok(print_explanation(explain(&given, requests)));
    }
    let all = placeholders::complete(&given);
    if let Ok(settings) = Settings::read(|name| all.get(name).cloned()) {
        print!("{}", describe(&settings.trusted_issuers));
    }
    println!("The settings are valid.");
    Ok(ExitCode::SUCCESS)
}

fn print_explanation(explanation: Result<String>) -> ExitCode {
    match explanation {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Findings {
    notes: Vec<String>,
    errors: Vec<String>,
}

/// Whoever accepts a provider's tokens may not expect the limit that sessions have by default.
fn limit_by_default(given: &BTreeMap<String, String>) -> Option<String> {
    let all = placeholders::complete(given);
    let settings = Settings::read(|name| all.get(name).cloned()).ok()?;
    let accepts = settings.trusted_issuers.iter().any(|issuer| issuer.access_tokens.is_some());
    let note = "SESSION_LIMIT is 1 by default, also for identity providers' sessions: a user's second browser ends the \
                first one's session; `0` is no limit";
    (accepts && !given.contains_key("SESSION_LIMIT")).then(|| note.to_owned())
}

/// The errors alone.
pub fn find_errors(given: &BTreeMap<String, String>) -> Vec<String> {
    find(given).errors
}

fn find(given: &BTreeMap<String, String>) -> Findings {
    let mut findings = Findings::default();
    let is_missing = |name: &str| is_secret(name) && !given.contains_key(name);
    let issuer_secrets = issuer_secrets(given);
    let all = placeholders::complete_issuer_secrets(given);
    let settings = Settings::read(|name| all.get(name).cloned());
    let errors = settings.and_then(|all| all.valid_at(now())).err().unwrap_or_default();
    let (missing, errors): (Vec<_>, Vec<_>) =
        errors.into_iter().partition(|error| is_missing(error.name));
    let missing = missing.iter().map(|error| error.name);
    let of_issuers = issuer_secrets.iter().map(String::as_str);
    for name in missing.chain(of_issuers.filter(|name| !given.contains_key(*name))) {
        let note = format!(
            "{name} is a secret that this machine does not have; set it with `npx wrangler secret put {name}`"
        );
        if !findings.notes.contains(&note) {
            findings.notes.push(note);
        }
    }
    findings.errors.extend(errors.iter().map(ToString::to_string));
    findings.errors.extend(mismatched_rates(given));
    findings.errors.extend(public_suffix(given));
    let is_known = |name: &str| {
        setting(name).is_some()
            || is_limiter(name)
            || name == ORIGIN
            || issuer_secrets.iter().any(|it| it == name)
    };
    for name in given.keys().filter(|name| !is_known(name)) {
        if !findings.errors.iter().any(|error| error.starts_with(name.as_str())) {
            findings.notes.push(format!("{name} is not a setting of the guard"));
        }
    }
    findings.notes.extend(risks(given));
    findings.notes.extend(limit_by_default(given));
    for (name, _) in given.iter().filter(|(_, value)| value.contains("example.com")) {
        findings.notes.push(format!("{name} still has the example's value"));
    }
    findings
}

/// The time of this machine, which alone checks settings outside of the Worker.
#[expect(clippy::disallowed_methods, reason = "this is a program of its own, not the core")]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(millis(since))
}

/// Valid but risky values.
fn risks(given: &BTreeMap<String, String>) -> Vec<String> {
    let value = |name: &str| given.get(name).map(|text| text.trim()).filter(|it| !it.is_empty());
    let has = |name: &str, risk: &dyn Fn(&str) -> bool| value(name).is_some_and(risk);
    let sources = value("TOKEN_SOURCES").unwrap_or("bearer, cookie");
    let all = [
        (
            has("COOKIE_NAME", &|name| !name.starts_with("__Host-"))
                && sources.contains("cookie")
                && value("COOKIE_DOMAIN").is_none(),
            "COOKIE_NAME has no `__Host-` in front, so another host of the same domain can set it",
        ),
        (
            has("COOKIE_NAME", &|name| !name.starts_with("__Secure-"))
                && value("COOKIE_DOMAIN").is_some(),
            "COOKIE_NAME has no `__Secure-` in front, so a page over plain http can set it",
        ),
        (
            value("COOKIE_DOMAIN").is_some(),
            "COOKIE_DOMAIN gives up what keeps hosts apart: browsers send the token to every server below that \
             domain, any of these can sign a visitor in as somebody else by setting the cookie, and a script that gets \
             into a page of one of SITE_HOSTS acts as the user at all of them",
        ),
        (has("MODE", &|mode| mode == "monitor"), "MODE is `monitor`, so no request is refused"),
        (
            has("REQUIRE_HTTPS", &|flag| flag == "false"),
            "REQUIRE_HTTPS is `false`, so tokens and passwords may be sent over plain http",
        ),
        (
            value("TRUSTED_PROXIES").is_some(),
            "TRUSTED_PROXIES is for a `workerd` of your own; at Cloudflare, leave it out, or the guard does not know \
             from which address a request comes",
        ),
        (
            has("LOGIN_RATE", &|rate| rate == "off"),
            "LOGIN_RATE is `off`, so passwords can be guessed at any speed",
        ),
        (
            sources.contains("query:"),
            "TOKEN_SOURCES has a query parameter, so tokens end up in histories and logs",
        ),
        (
            has("FORWARD_CREDENTIAL", &|flag| flag == "true"),
            "FORWARD_CREDENTIAL is `true`, so the origin can act as its users",
        ),
    ];
    all.into_iter().filter(|(is_risky, _)| *is_risky).map(|(_, note)| note.to_owned()).collect()
}

/// The rate-limit bindings, which are passed as if they were settings (`10 per 60 seconds`), with the setting that must
/// have the same rate and its default.
const LIMITERS: [(&str, &str, Rate); 2] = [
    ("LOGIN_RATE_LIMITER", "LOGIN_RATE", Rate::PER_USER),
    ("LOGIN_RATE_PER_ADDRESS_LIMITER", "LOGIN_RATE_PER_ADDRESS", Rate::PER_ADDRESS),
];

/// A binding applies its own limit, which the Worker cannot read, so a difference is an error.
fn mismatched_rates(given: &BTreeMap<String, String>) -> impl Iterator<Item = String> {
    LIMITERS.iter().filter_map(|(limiter, name, default)| {
        let bound = Rate::parse(given.get(*limiter)?).ok()??;
        let wanted = given.get(*name).map_or(Ok(Some(*default)), |text| Rate::parse(text));
        let differs = wanted.is_ok_and(|wanted| wanted.is_some_and(|wanted| wanted != bound));
        differs.then(|| format!("{name}: differs from the rate of {limiter}: {}", given[*limiter]))
    })
}

/// Below these, anybody can have a site, so browsers take no cookie for all of one (<https://publicsuffix.org>). Not the
/// whole list, which takes longer to compile than all else here.
const PUBLIC_SUFFIXES: [&str; 9] = [
    "workers.dev",
    "pages.dev",
    "github.io",
    "vercel.app",
    "netlify.app",
    "herokuapp.com",
    "web.app",
    "fly.dev",
    "onrender.com",
];

/// What countries call their second level.
const SECOND_LEVELS: [&str; 10] = ["ac", "co", "com", "edu", "go", "gov", "ne", "net", "or", "org"];

fn public_suffix(given: &BTreeMap<String, String>) -> Option<String> {
    let domain = given.get("COOKIE_DOMAIN")?.trim();
    let is_countrys = domain
        .split_once('.')
        .is_some_and(|(second, top)| top.len() == 2 && SECOND_LEVELS.contains(&second));
    (is_countrys || PUBLIC_SUFFIXES.contains(&domain)).then(|| {
        format!("COOKIE_DOMAIN: {domain} is a public suffix, below which others have sites, too; browsers take no cookie for it")
    })
}

fn is_limiter(name: &str) -> bool {
    LIMITERS.iter().any(|(limiter, ..)| *limiter == name)
}

fn setting(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

fn is_secret(name: &str) -> bool {
    setting(name).is_some_and(|setting| setting.secret)
}

/// Writes `docs/settings.md` from the table in the core.
pub fn write_reference() -> Result<()> {
    Ok(fs::write(reference_file(), reference())?)
}

fn reference_file() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/settings.md")
}

fn reference() -> String {
    let mut text = String::from(
        "# Settings\n\n\
         <!-- Written by `cargo xtask settings-reference`. -->\n\n\
         Set them in `[vars]` of `wrangler.toml`, or, where marked S, as secrets with `npx wrangler secret put \
         NAME`. They are read and validated once per isolate. A bad value stops every request with a 500, \
         and the log names the setting and the reason; `npm run check-config` says the same before \
         you deploy.\n",
    );
    for Setting { name, default, secret, meaning } in SETTINGS {
        if let Some((title, _)) = GROUPS.iter().find(|(_, first)| first == name) {
            let _ = write!(text, "\n## {title}\n\n| name | default | meaning |\n|---|---|---|\n");
        }
        let mark = if *secret { " (S)" } else { "" };
        let is_prose =
            default.contains("required") || default.contains("own") || *default == "none";
        let default = if is_prose { (*default).to_owned() } else { format!("`{default}`") };
        let _ = writeln!(text, "| `{name}`{mark} | {default} | {meaning} |");
    }
    text
}

#[cfg(test)]
mod tests;
