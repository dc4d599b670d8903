//! What the entries of `TRUSTED_ISSUERS` came to, with presets and defaults.

use std::fmt::{Display, Write as _};

use auth::issuer::{AccessTokenRules, Agents, TrustedIssuer};
use auth::time::short;

use crate::sign_in;

/// Describes each entry, without secrets.
pub fn describe(issuers: &[TrustedIssuer]) -> String {
    let mut text = String::new();
    for (index, issuer) in issuers.iter().enumerate() {
        let _ = writeln!(text, "TRUSTED_ISSUERS[{index}]: {}", issuer.issuer);
        for (name, value) in members(issuer).into_iter().filter(|(_, value)| !value.is_empty()) {
            let _ = writeln!(text, "  {name:<14} {value}");
        }
    }
    text
}

fn members(issuer: &TrustedIssuer) -> Vec<(&'static str, String)> {
    let keys = issuer.jwks_uri.as_ref();
    let keys = keys.map(|uri| format!("{uri} ({})", issuer.algorithms.join(", ")));
    let by_discovery = issuer.sign_in.as_ref().filter(|it| !it.is_plain_oauth());
    let keys = keys.or(by_discovery.map(|_| "as the provider says".to_owned()));
    let id_tokens = match issuer.audience.as_slice() {
        [] => "refused, because `audience` is not set".to_owned(),
        all => format!("accepted for {}", list(all)),
    };
    let not_before = issuer.not_before.map(|moment| moment.to_string());
    let mut all = vec![
        ("keys", keys.unwrap_or_default()),
        ("not before", not_before.unwrap_or_default()),
        ("ID tokens", id_tokens),
    ];
    all.extend(sign_in::members(issuer));
    match &issuer.access_tokens {
        None => all.push(("access tokens", "refused, because `access_tokens` is not set".into())),
        Some(rules) => {
            let user = match issuer.subject_prefix.as_deref() {
                None | Some("") => rules.subject_claim.to_string(),
                Some(prefix) => format!("`{prefix}` and {}", rules.subject_claim),
            };
            all.push(("access tokens", "accepted, with".into()));
            all.extend(conditions(rules));
            all.push(("  user", user));
            all.extend(contents(rules));
        }
    }
    all
}

/// What is required of access tokens.
fn conditions(rules: &AccessTokenRules) -> Vec<(&'static str, String)> {
    let clients = if rules.clients.is_empty() { "any".into() } else { list(&rules.clients) };
    let secret = rules.secret_name.as_ref().map(|name| format!("HS256 by {name}"));
    vec![
        ("  secret", secret.unwrap_or_default()),
        ("  iss", list(&rules.issuers)),
        ("  aud", or_absent(&rules.audience)),
        ("  client", clients),
        ("  typ", or_absent(&rules.types)),
        ("  required", list(&rules.require)),
    ]
}

/// What is read from access tokens.
fn contents(rules: &AccessTokenRules) -> Vec<(&'static str, String)> {
    let claims = rules.claims.iter().map(|(name, path)| match path.name() == name {
        true => name.clone(),
        false => format!("{name} (from `{path}`)"),
    });
    let limit = |limit: Option<_>| limit.map(short);
    let agents = match &rules.agents {
        Agents::All => "every client".to_owned(),
        Agents::Clients(all) => list(all),
    };
    let yes = |flag: bool, text: &str| if flag { text.to_owned() } else { String::new() };
    vec![
        ("  session", rules.session_claim.to_string()),
        ("  roles", list(&rules.roles_claim)),
        ("  groups", list(&rules.groups_claim)),
        ("  scopes", list(&rules.scope_claim)),
        ("  login time", list(&rules.auth_time_claim)),
        ("  login strength", list(&rules.acr_claim)),
        ("  claims", Vec::from_iter(claims).join(", ")),
        ("  max_session", limit(rules.max_session).unwrap_or("unlimited".into())),
        ("  session_ttl", limit(rules.session_ttl).unwrap_or_default()),
        ("  agents", agents),
        ("  forwarded", yes(!rules.forward, "no")),
        ("  logout", yes(rules.logout_by_sub, "of all sessions of the user")),
        ("  tolerance", short(rules.clock_tolerance)),
    ]
}

/// What may be absent is `None`.
pub fn or_absent(all: &[Option<String>]) -> String {
    Vec::from_iter(all.iter().map(|it| it.as_deref().unwrap_or("absent"))).join(", ")
}

fn list<T: Display>(all: &[T]) -> String {
    Vec::from_iter(all.iter().map(T::to_string)).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::{fs, path::Path};

    fn page() -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/provider-tokens.md");
        fs::read_to_string(path).unwrap()
    }

    fn parse(entry: &Value) -> Result<Vec<TrustedIssuer>, String> {
        let list = json!([entry]).to_string();
        TrustedIssuer::parse_list(&list, "https://guard").map_err(|error| error.to_string())
    }

    #[test]
    fn the_entries_of_the_documentation_are_valid_and_described_whole() {
        let page = page();
        let blocks = page.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next());
        let mut providers = Vec::new();
        for block in blocks {
            let entry: Value = serde_json::from_str(block).unwrap();
            let described =
                describe(&parse(&entry).unwrap_or_else(|error| panic!("{block}{error}")));
            for name in ["keys ", "  iss ", "  aud ", "  typ ", "  session ", "  user "] {
                assert!(described.contains(&format!("\n  {name}")), "{name}{described}");
            }
            providers.push(entry["provider"].as_str().unwrap_or("another").to_owned());
        }
        let all =
            "auth0 clerk supabase cognito keycloak okta entra firebase workos zitadel another";
        assert_eq!(providers.join(" "), all);
    }

    #[test]
    fn the_documentation_has_every_member_and_no_other() {
        let rules = json!({ "audience": "a", "session_claim": "s", "none_of_these": 1 });
        let error = parse(&json!({ "issuer": "https://a", "access_tokens": rules })).unwrap_err();
        let known = |text: &str| {
            let names = text.split('`').skip(1).step_by(2).map(str::to_owned);
            let mut names = Vec::from_iter(names);
            names.sort();
            names
        };
        let page = page();
        let table = page.split("## Members of `access_tokens`").nth(1).unwrap();
        let table = table.split("\n## ").next().unwrap();
        let rows = table.lines().filter(|line| line.starts_with("| `"));
        let cells = rows.filter_map(|row| row.split('|').nth(1)).collect::<String>();
        assert_eq!(known(&cells), known(&error));
    }
}
