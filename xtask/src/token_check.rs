//! `npm run check-config -- --token FILE`: says step by step whether a token would be accepted, with the code that
//! decides in the Worker. Never prints the token, nor what it claims beyond the user, the session and its rights.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::process::ExitCode;

use anyhow::{Context, Result};
use auth::config::Settings;
use auth::issuer::{AccessTokenClaims, AccessTokenRules, ProviderMetadata, TrustedIssuer};
use auth::jwt::{TokenError, UnverifiedJwt, VerifiedJwt};
use auth::keys::PublishedKeys;
use auth::scopes::scopes;
use auth::time::Timestamp;
use auth::token::Tokens;
use serde_json::Value;

use crate::placeholders;
use crate::settings::find_errors;
use crate::trusted_issuers::or_absent;

/// What there is to check.
#[derive(Debug)]
struct Input {
    settings: BTreeMap<String, String>,
    token: String,
    /// The provider's keys, or why there are none.
    jwks: Result<String, String>,
    now: Timestamp,
}

impl Input {
    fn read() -> Result<Self> {
        let json: Value = serde_json::from_reader(io::stdin()).context("expected a JSON object")?;
        let text = |name: &str| json[name].as_str().map(str::to_owned);
        let jwks = text("jwks").ok_or(text("problem").unwrap_or("were not fetched".into()));
        let settings = serde_json::from_value(json["settings"].clone())?;
        let token = text("token").unwrap_or_default().trim().to_owned();
        let now = Timestamp::from_millis(json["now"].as_u64().unwrap_or_default());
        Ok(Self { settings, token, jwks, now })
    }

    fn settings(&self) -> Result<Settings, Vec<String>> {
        let errors = find_errors(&self.settings);
        let all = placeholders::complete(&self.settings);
        match Settings::read(|name| all.get(name).cloned()) {
            Ok(mut settings) if errors.is_empty() => {
                for issuer in &mut settings.trusted_issuers {
                    issuer.not_before = issuer.not_before.max(settings.not_before);
                }
                Ok(settings)
            }
            Ok(_) => Err(errors),
            Err(found) => Err(found.iter().map(ToString::to_string).collect()),
        }
    }
}

/// Prints where the keys are that a token needs, as JSON: `{"jwks_uri"}`, `{"metadata"}` if these say it, or `{}` if it
/// needs none or is no token.
pub fn print_keys_needed() -> Result<ExitCode> {
    let input = Input::read()?;
    let settings = input.settings().ok();
    let find = |it: fn(&Settings, &str) -> Option<String>| it(settings.as_ref()?, &input.token);
    let needed = [("jwks_uri", find(keys_needed)), ("metadata", find(metadata_needed))];
    let known = needed.into_iter().filter_map(|(name, uri)| Some((name.to_owned(), uri?.into())));
    println!("{}", Value::Object(known.collect()));
    Ok(ExitCode::SUCCESS)
}

fn keys_needed(settings: &Settings, token: &str) -> Option<String> {
    let token = UnverifiedJwt::parse_of_provider(token).ok()?;
    let (_, issuer) = issuer_of(settings, token.claimed_issuer().ok()?)?;
    if token.alg().ok()? == "HS256" { None } else { issuer.jwks_uri.clone() }
}

/// Where the provider's metadata are, which say where its keys are.
fn metadata_needed(settings: &Settings, token: &str) -> Option<String> {
    let token = UnverifiedJwt::parse_of_provider(token).ok()?;
    let (_, issuer) = issuer_of(settings, token.claimed_issuer().ok()?)?;
    let is_told = issuer.jwks_uri.is_some() || !issuer.has_tokens();
    (issuer.sign_in.is_some() && !is_told).then(|| ProviderMetadata::discovery_url(issuer))
}

/// Checks a token, and prints the steps.
pub fn check() -> Result<ExitCode> {
    let input = Input::read()?;
    let report = match input.settings() {
        Ok(settings) => Report::of(&settings, &input),
        Err(errors) => {
            errors.iter().for_each(|error| println!("error: {error}"));
            return Ok(ExitCode::FAILURE);
        }
    };
    print!("{}", report.text);
    Ok(if report.is_refused { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What was found.
#[derive(Debug, Default)]
struct Report {
    text: String,
    is_refused: bool,
}

impl Report {
    fn of(settings: &Settings, input: &Input) -> Self {
        let mut report = Self::default();
        let read = report.read(settings, input);
        match read {
            _ if report.is_refused => report.text += "The token is refused.\n",
            Some(read) => report.accept(&read),
            None => {}
        }
        report
    }

    fn ok(&mut self, step: &str, detail: &str) {
        let colon = if detail.is_empty() { "" } else { ": " };
        let _ = writeln!(self.text, "ok: {step}{colon}{detail}");
    }

    fn refuse<T>(&mut self, step: &str, why: &str) -> Option<T> {
        self.is_refused = true;
        let _ = writeln!(self.text, "error: {step}: {why}");
        None
    }

    /// One step, which goes on or ends in a refusal.
    fn step<T>(&mut self, step: &str, result: Result<T, String>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(why) => self.refuse(step, &why),
        }
    }

    fn read(&mut self, settings: &Settings, input: &Input) -> Option<Read> {
        let token = UnverifiedJwt::parse_of_provider(&input.token).map_err(|_| NO_JWT.to_owned());
        let token = self.step("form", token)?;
        let iss = self.step("form", token.claimed_issuer().map_err(|_| NO_ISSUER.to_owned()))?;
        self.ok("form", "a JWT");
        if iss == settings.issuer {
            return self.read_own(settings, input);
        }
        let unknown = || {
            "the token's `iss` is neither ISSUER nor that of an entry of TRUSTED_ISSUERS".to_owned()
        };
        let found = issuer_of(settings, iss).ok_or_else(unknown);
        let (index, issuer) = self.step("issuer", found)?;
        let name = format!("TRUSTED_ISSUERS[{index}]");
        let none = || {
            format!(
                "{name} has neither `access_tokens` nor `provider`, so that its tokens can only be exchanged"
            )
        };
        let rules = self.step("issuer", issuer.access_tokens.as_ref().ok_or_else(none))?;
        self.ok("issuer", &name);
        let signed = self.verify(&token, issuer, input)?;
        self.check(rules, &signed);
        let read = match issuer.read_access_token(signed) {
            Ok(claims) => claims,
            Err(_) if self.is_refused => return None,
            Err(error) => return self.refuse("claims", &error.to_string()),
        };
        match read.period.judge(input.now) {
            Ok(()) => self.ok("times", ""),
            Err(error) => return self.refuse("times", &error.to_string()),
        }
        Some(Read::of_provider(read))
    }

    fn read_own(&mut self, settings: &Settings, input: &Input) -> Option<Read> {
        self.ok("issuer", "the guard itself");
        if !input.settings.contains_key("SIGNING_KEYS") {
            return self.refuse("key", "SIGNING_KEYS is a secret that this machine does not have");
        }
        let tokens =
            Tokens::new(settings.issuer.clone(), settings.audience.clone(), settings.keys.clone());
        let tokens = tokens.with_not_before(settings.not_before);
        let read = tokens.verify(&input.token, input.now).map_err(|error| error.to_string());
        self.step("token", read)?;
        self.text += "The token is accepted, if its session is live.\n";
        None
    }

    fn verify(
        &mut self,
        token: &UnverifiedJwt<'_>,
        issuer: &TrustedIssuer,
        input: &Input,
    ) -> Option<VerifiedJwt> {
        let alg =
            self.step("algorithm", token.alg().map_err(|_| "the header has no `alg`".to_owned()))?;
        let keys = self.step("key", keys_for(alg, issuer, input))?;
        self.ok("algorithm", &shown(alg));
        let kid = self.step("key", token.kid().map_err(|_| "`kid` is no text".to_owned()))?;
        let named = kid.map_or("no `kid`".into(), |kid| format!("`kid` {}", shown(kid)));
        match token.verify_by_one_of(&keys.candidates(kid, alg)) {
            Ok(signed) => {
                self.ok("key", &named);
                self.ok("signature", "");
                Some(signed)
            }
            Err(TokenError::UnknownKey) => self
                .refuse("key", &format!("the provider has no key for {} and {named}", shown(alg))),
            Err(error) => self.refuse("signature", &error.to_string()),
        }
    }

    /// Every condition, also after one that is not met.
    fn check(&mut self, rules: &AccessTokenRules, token: &VerifiedJwt) {
        for (step, check) in AccessTokenRules::CHECKS {
            match check(rules, token) {
                Ok(()) => self.ok(step, ""),
                Err(error) => {
                    self.refuse::<()>(step, &explained(error, rules, token)).unwrap_or_default()
                }
            }
        }
    }

    fn accept(&mut self, read: &Read) {
        self.text += "The token is accepted, if its session is not ended:\n";
        for (name, value) in &read.0 {
            let _ = writeln!(self.text, "  {name:<8} {value}");
        }
    }
}

const NO_JWT: &str =
    "it is no signed JWT in compact form; tokens that are opaque or encrypted cannot be read";
const NO_ISSUER: &str = "the token has no `iss`";

/// What an accepted token comes to.
struct Read(Vec<(&'static str, String)>);

impl Read {
    fn of_provider(read: AccessTokenClaims) -> Self {
        let texts = |name: &str| {
            let all = read.public.get(name).and_then(Value::as_array);
            let all = all.into_iter().flatten().filter_map(Value::as_str).map(shown);
            Vec::from_iter(all).join(", ")
        };
        let scopes = Vec::from_iter(scopes(&read.public).into_iter().map(shown)).join(", ");
        let names = Vec::from_iter(read.public.keys().map(String::as_str)).join(", ");
        let all = vec![
            ("user", shown(read.sub.as_str())),
            ("session", shown(&read.session)),
            ("roles", texts("roles")),
            ("groups", texts("groups")),
            ("scopes", scopes),
            ("claims", names),
            (
                "login",
                format!(
                    "{}{}",
                    read.authenticated,
                    if read.auth_time.is_none() { " (by `iat`)" } else { "" }
                ),
            ),
            ("until", read.period.over().to_string()),
        ];
        Self(all.into_iter().filter(|(_, value)| !value.is_empty()).collect())
    }
}

/// As JSON, so that nothing in it can move the cursor of a terminal.
fn shown(text: &str) -> String {
    Value::from(text).to_string()
}

fn issuer_of<'a>(settings: &'a Settings, iss: &str) -> Option<(usize, &'a TrustedIssuer)> {
    let mut all = settings.trusted_issuers.iter().enumerate();
    all.find(|(_, issuer)| issuer.issuer == iss || issuer.accepts_access_tokens_of(iss))
}

fn keys_for(alg: &str, issuer: &TrustedIssuer, input: &Input) -> Result<PublishedKeys, String> {
    if alg == "HS256" {
        let name = issuer.access_tokens.as_ref().and_then(|rules| rules.secret_name.as_ref());
        let name = name.ok_or("HS256 needs `secret`")?;
        let has_secret = input.settings.contains_key(name);
        let key = issuer.shared_key().filter(|_| has_secret);
        return key.ok_or_else(|| format!("{name} is a secret that this machine does not have"));
    }
    if !issuer.algorithms.iter().any(|it| it == alg) {
        let allowed = issuer.algorithms.join(", ");
        return Err(format!(
            "the token is signed with {}, and `algorithms` allows {allowed}",
            shown(alg)
        ));
    }
    let uri = issuer.jwks_uri.as_deref().ok_or("`jwks_uri` is not set")?;
    let json = input.jwks.as_ref().map_err(|why| format!("the keys at {uri} {why}"))?;
    PublishedKeys::parse(json, &issuer.algorithms)
        .map_err(|why| format!("the key set of {uri} {why}"))
}

/// Why a condition is not met, as whoever wrote the settings can use it.
fn explained(error: TokenError, rules: &AccessTokenRules, token: &VerifiedJwt) -> String {
    let claims = token.claims.all();
    let join = |all: &[String]| Vec::from_iter(all.iter().map(|it| shown(it))).join(", ");
    let more = match error {
        TokenError::Type => {
            format!("Expected `typ` {}, and no ID or logout token.", or_absent(&rules.types))
        }
        TokenError::Audience => format!("Expected `aud` {}.", or_absent(&rules.audience)),
        TokenError::Client => format!("Expected one of {}.", join(&rules.clients)),
        TokenError::Requirement => {
            let unmet =
                rules.require.iter().filter(|it| !it.holds(claims)).map(ToString::to_string);
            format!("Expected {}.", Vec::from_iter(unmet).join(", "))
        }
        TokenError::NoSession(_) => {
            let names = claims.keys().map(|name| shown(name));
            format!(
                "Expected {}. It has {}.",
                rules.session_claim,
                Vec::from_iter(names).join(", ")
            )
        }
        _ => String::new(),
    };
    format!("{error} {more}").trim_end().to_owned()
}

#[cfg(test)]
mod tests;
