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
mod tests {
    use super::*;

    fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let good = [("ISSUER", "https://a"), ("AUDIENCE", "a")];
        let all = good.iter().chain(pairs);
        all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_reference_in_the_documentation_is_up_to_date() {
        let written = fs::read_to_string(reference_file()).unwrap_or_default();
        assert!(written == reference(), "run `cargo xtask settings-reference`");
    }

    #[test]
    fn a_missing_secret_is_a_note_and_an_invalid_one_an_error() {
        let missing = find(&given(&[]));
        assert_eq!((missing.notes.len(), missing.errors.len()), (1, 0), "{missing:?}");
        let bad = find(&given(&[("SIGNING_KEYS", "{}")]));
        assert_eq!((bad.notes.len(), bad.errors.len()), (0, 1), "{bad:?}");
    }

    #[test]
    fn the_secret_of_an_identity_provider_is_a_secret() {
        let issuers = r#"[{"issuer":"https://b","access_tokens":{"audience":"a","session_claim":"s","secret":"B_SECRET"}}]"#;
        let with = |pairs: &[(&str, &str)]| {
            let found = find(&given(&[&[("TRUSTED_ISSUERS", issuers)], pairs].concat()));
            (
                found.notes.iter().filter(|note| note.contains("B_SECRET")).count(),
                found.errors.len(),
            )
        };
        assert_eq!(with(&[]), (1, 0));
        assert_eq!(with(&[("B_SECRET", "0123456789abcdef0123456789abcdef")]), (0, 0));
        assert_eq!(with(&[("B_SECRET", "short")]), (0, 1));
    }

    #[test]
    fn who_accepts_a_providers_tokens_is_told_of_the_limit_by_default() {
        let issuers = r#"[{"issuer":"https://b","jwks_uri":"https://b/jwks","access_tokens":{"audience":"a","session_claim":"s"}}]"#;
        let with = |pairs: &[(&str, &str)]| {
            let notes = find(&given(pairs)).notes;
            notes.iter().filter(|note| note.starts_with("SESSION_LIMIT")).count()
        };
        assert_eq!(with(&[("TRUSTED_ISSUERS", issuers)]), 1);
        assert_eq!(with(&[("TRUSTED_ISSUERS", issuers), ("SESSION_LIMIT", "1")]), 0);
        assert_eq!(with(&[]), 0);
    }

    #[test]
    fn errors_are_found_even_if_a_secret_is_missing() {
        let found = find(&given(&[("TOKEN_TTL", "8 days")]));
        assert_eq!(found.errors, ["TOKEN_TTL: must not be longer than SESSION_TTL"]);
    }

    #[test]
    fn a_rate_that_differs_from_the_binding_is_an_error() {
        let errors = |rate, bound| {
            find(&given(&[("LOGIN_RATE", rate), ("LOGIN_RATE_LIMITER", bound)])).errors.len()
        };
        assert_eq!(errors("10 per minute", "10 per 60 seconds"), 0);
        assert_eq!(errors("off", "10 per 60 seconds"), 0);
        assert_eq!(errors("5 per minute", "10 per 60 seconds"), 1);
        assert_eq!(errors("10 per hour", "10 per 60 seconds"), 1);
        let of_address = ("LOGIN_RATE_PER_ADDRESS_LIMITER", "10 per 60 seconds");
        let found = find(&given(&[of_address]));
        assert!(found.errors[0].starts_with("LOGIN_RATE_PER_ADDRESS: differs"), "{found:?}");
    }

    #[test]
    fn a_bound_origin_excludes_a_url() {
        let bound = ("ORIGIN", "(bound)");
        let note = find(&given(&[bound])).notes;
        assert!(!note.iter().any(|note| note.contains("ORIGIN")), "{note:?}");
        let errors = find(&given(&[bound, ("ORIGIN_URL", "https://a.example")])).errors;
        assert!(errors[0].starts_with("ORIGIN_URL: must be empty"), "{errors:?}");
        let errors = find(&given(&[("ORIGIN", "https://a.example")])).errors;
        assert!(errors[0].contains("ORIGIN_URL"), "{errors:?}");
    }

    #[test]
    fn valid_but_risky_values_are_noted() {
        let cases = [
            ("COOKIE_NAME", "session", true),
            ("COOKIE_NAME", "__Secure-session", true),
            ("COOKIE_NAME", "__host-session", true),
            ("COOKIE_NAME", "__Host-mine", false),
            ("MODE", "monitor", true),
            ("MODE", "enforce", false),
            ("REQUIRE_HTTPS", "false", true),
            ("REQUIRE_HTTPS", "true", false),
            ("TRUSTED_PROXIES", "none", true),
            ("LOGIN_RATE", "off", true),
            ("LOGIN_RATE", "5 per minute", false),
            ("TOKEN_SOURCES", "bearer, query:t", true),
            ("TOKEN_SOURCES", "bearer, header:t", false),
            ("FORWARD_CREDENTIAL", "true", true),
        ];
        for (name, value, is_noted) in cases {
            let found = find(&given(&[(name, value)]));
            let notes: Vec<_> = found.notes.iter().filter(|note| note.starts_with(name)).collect();
            assert_eq!((notes.len(), found.errors.len()), (usize::from(is_noted), 0), "{found:?}");
        }
        let unset = find(&given(&[]));
        assert_eq!(unset.notes.len(), 1, "{unset:?}");
    }

    #[test]
    fn a_cookie_of_a_domain_is_noted_and_one_of_a_public_suffix_an_error() {
        for (domain, is_suffix) in [
            ("harbour.test", false),
            ("guard.localhost", false),
            ("harbour.co.uk", false),
            ("account.workers.dev", false),
            ("co.uk", true),
            ("workers.dev", true),
        ] {
            let hosts = format!("app.{domain}");
            let site = [("COOKIE_DOMAIN", domain), ("SITE_HOSTS", &hosts)];
            let found = find(&given(&site));
            let notes = found.notes.iter().filter(|it| it.starts_with("COOKIE_DOMAIN")).count();
            assert_eq!((notes, found.errors.len()), (1, usize::from(is_suffix)), "{found:?}");
            let with_name =
                |name| find(&given(&[&site[..], &[("COOKIE_NAME", name)]].concat())).notes;
            let of_name =
                |name| with_name(name).iter().filter(|it| it.starts_with("COOKIE_NAME")).count();
            assert_eq!((of_name("mine"), of_name("__Secure-mine")), (1, 0));
        }
    }

    #[test]
    fn a_misspelt_name_and_an_example_value_are_noted() {
        let found =
            find(&given(&[("SESSION_LIMT", "2"), ("LOGIN_URL", "https://a.example.com/x")]));
        assert!(found.notes.contains(&"SESSION_LIMT is not a setting of the guard".to_owned()));
        assert!(found.notes.contains(&"LOGIN_URL still has the example's value".to_owned()));
    }
}
