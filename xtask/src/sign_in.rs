//! What an entry of `TRUSTED_ISSUERS` says of people who are signed in at the provider.

use auth::issuer::{
    ClientAuthentication, PolicyRule, ProviderMetadata, SignInPolicy, SignInSettings,
    TrustedIssuer, UserInfo,
};
use auth::time::short;

/// Describes it, without secrets.
pub fn members(issuer: &TrustedIssuer) -> Vec<(&'static str, String)> {
    let mut all = policy(&issuer.sign_in_policy, issuer.sign_in.is_some());
    if let Some(settings) = &issuer.sign_in {
        all.push(("sign-in", format!("`login/{}`, for \"{}\"", settings.name, settings.title)));
        all.extend(client(issuer, settings));
        all.extend(asked(settings));
    }
    all
}

fn policy(policy: &SignInPolicy, signs_in: bool) -> Vec<(&'static str, String)> {
    let everybody = "everybody with an account there, because `allow` is not set";
    let allow = match policy.allow.is_empty() {
        true if signs_in => everybody.to_owned(),
        _ => list(&policy.allow),
    };
    let trusts = if policy.trust_email {
        "also if the provider does not say that it is verified"
    } else {
        ""
    };
    vec![("allow", allow), ("deny", list(&policy.deny)), ("e-mail", trusts.to_owned())]
}

fn list(all: &[PolicyRule]) -> String {
    Vec::from_iter(all.iter().map(PolicyRule::to_string)).join(", or ")
}

fn client(issuer: &TrustedIssuer, settings: &SignInSettings) -> Vec<(&'static str, String)> {
    let secret = settings.client_secret_name.as_deref().unwrap_or_default();
    let how = match settings.client_authentication {
        ClientAuthentication::Basic => format!("client_secret_basic by {secret}"),
        ClientAuthentication::Post => format!("client_secret_post by {secret}"),
        ClientAuthentication::PrivateKeyJwt => "private_key_jwt by SIGNING_KEYS".to_owned(),
        ClientAuthentication::None => "no authentication".to_owned(),
    };
    let back = settings.redirect_uri.clone();
    let back = back.unwrap_or_else(|| format!("AUTH_PATH/callback/{} of the site", settings.name));
    let endpoints = match ProviderMetadata::of_settings(issuer) {
        Some(known) => format!("{}, {}", known.authorization_endpoint, known.token_endpoint),
        None => format!("by {}", ProviderMetadata::discovery_url(issuer)),
    };
    vec![
        ("  client", format!("{}, {how}", settings.client_id)),
        ("  redirect URI", back),
        ("  endpoints", endpoints),
    ]
}

fn asked(settings: &SignInSettings) -> Vec<(&'static str, String)> {
    let more = settings.authorization.iter().map(|(name, value)| format!("{name}={value}"));
    let max_age = settings.max_age.map(|span| format!("max_age={}", short(span)));
    let info = match &settings.user_info {
        UserInfo::Unused => String::new(),
        UserInfo::Merged => "completes the ID token".to_owned(),
        UserInfo::Mapped(mapping) => {
            let pairs = mapping.iter().map(|(name, path)| format!("{name} from `{path}`"));
            format!("instead of an ID token: {}", Vec::from_iter(pairs).join(", "))
        }
    };
    let frames = if settings.frontchannel_logout { "in a frame, too" } else { "" };
    vec![
        ("  scope", settings.scope.clone()),
        ("  asks", Vec::from_iter(more.chain(max_age)).join(", ")),
        ("  userinfo", info),
        ("  logout", frames.to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trusted_issuers::describe;
    use serde_json::{Value, json};
    use std::{fs, path::Path};

    fn page(name: &str) -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
        fs::read_to_string(path).unwrap()
    }

    fn parse(entry: &Value) -> Result<Vec<TrustedIssuer>, String> {
        let list = json!([entry]).to_string();
        TrustedIssuer::parse_list(&list, "https://guard").map_err(|error| error.to_string())
    }

    #[test]
    fn the_entries_of_the_documentation_are_valid_and_described() {
        let page = page("sign-in.md");
        let blocks = page.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next());
        let mut count = 0;
        for block in blocks {
            let entry: Value = serde_json::from_str(block).unwrap();
            let described =
                describe(&parse(&entry).unwrap_or_else(|error| panic!("{block}{error}")));
            for name in ["allow ", "sign-in ", "  client ", "  endpoints ", "  redirect URI "] {
                assert!(described.contains(&format!("\n  {name}")), "{name}{described}");
            }
            count += 1;
        }
        assert!(count >= 7, "{count}");
    }

    #[test]
    fn the_documentation_has_every_member_and_no_other() {
        let error = parse(&json!({ "none_of_these": 1 })).unwrap_err();
        let known = |text: &str| {
            let mut names = Vec::from_iter(text.split('`').skip(1).step_by(2).map(str::to_owned));
            names.sort();
            names
        };
        let cells = [page("identity-providers.md"), page("sign-in.md")].map(|page| {
            let table = page.split("\n## Members").nth(1).unwrap();
            let table = table.split("\n## ").next().unwrap();
            let rows = table.lines().filter(|line| line.starts_with("| `"));
            rows.filter_map(|row| row.split('|').nth(1)).collect::<String>()
        });
        assert_eq!(known(&cells.concat()), known(&error));
    }
}
