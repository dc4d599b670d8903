use super::*;
use auth::keys::KeySet;
use serde_json::json;

const KEYS: &str = include_str!("../../../auth/tests/data/keys.json");

const NOW: u64 = 1_700_000_000;

fn claims() -> Value {
    json!({
        "iss": "https://login.example/realms/a", "aud": "account", "sub": "u\u{1b}[2J", "sid": "s-1", "typ": "Bearer",
        "azp": "spa", "iat": NOW, "exp": NOW + 60, "realm_access": { "roles": ["crew"] }, "scope": "a b",
        "email": "hidden@b.example", "secret_claim": "hidden-value",
    })
}

/// A token with these claims, well signed with ES256 as `typ`.
fn sign(typ: &str, claims: &Value) -> String {
    let all: Value = serde_json::from_str(KEYS).unwrap();
    let key = all["keys"].as_array().unwrap().iter().find(|key| key["kid"] == "ES256");
    let keys = KeySet::parse(&json!({ "keys": [key] }).to_string()).unwrap();
    let mut claims = claims.as_object().unwrap().clone();
    claims.retain(|name, _| name != "iat" && name != "exp");
    let now = Timestamp::from_millis(NOW * 1000);
    keys.signing().sign(typ, claims, now, std::time::Duration::from_secs(60)).unwrap()
}

fn report(token: &str, rules: Value, jwks: Result<&str, &str>) -> Report {
    let issuer = json!([{
        "provider": "keycloak", "issuer": "https://login.example/realms/a", "algorithms": ["ES256"],
        "access_tokens": rules,
    }]);
    let settings = [
        ("ISSUER", "https://guard".to_owned()),
        ("AUDIENCE", "app".to_owned()),
        ("TRUSTED_ISSUERS", issuer.to_string()),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value)).into();
    let jwks = jwks.map(str::to_owned).map_err(str::to_owned);
    let now = Timestamp::from_millis(NOW * 1000);
    let input = Input { settings, token: token.to_owned(), jwks, now };
    let settings = input.settings().unwrap();
    Report::of(&settings, &input)
}

#[test]
fn a_good_token_is_accepted_and_only_the_user_the_session_and_the_rights_are_shown() {
    let token = sign("JWT", &claims());
    let report = report(&token, json!({ "audience": "account" }), Ok(KEYS));
    let expected = "\
ok: form: a JWT
ok: issuer: TRUSTED_ISSUERS[0]
ok: algorithm: \"ES256\"
ok: key: `kid` \"ES256\"
ok: signature
ok: kind
ok: issuer
ok: audience
ok: client
ok: required claims
ok: session
ok: times
The token is accepted, if its session is not ended:
  user     \"u\\u001b[2J\"
  session  \"s-1\"
  roles    \"crew\"
  scopes   \"a\", \"b\"
  claims   email, roles, scope
  login    2023-11-14T22:13:20Z (by `iat`)
  until    2023-11-14T22:14:30Z
";
    assert_eq!(report.text, expected);
    assert!(!report.is_refused);
}

#[test]
fn all_conditions_that_are_not_met_are_said_with_what_to_change() {
    let mut claims = claims();
    claims["typ"] = "Refresh".into();
    claims["sid"] = Value::Null;
    let rules = json!({ "audience": "boats", "clients": ["web"] });
    let report = report(&sign("at+jwt", &claims), rules, Ok(KEYS));
    for line in [
        "ok: signature",
        "error: audience: The token is meant for another audience. Expected `aud` boats.",
        "error: client: The token was issued to another application. Expected one of \"web\".",
        "error: required claims: The token lacks a claim that is required here, or the claim says something else. Expected `typ` = \"Bearer\".",
        "error: session: The token does not say of which session it is. Keycloak adds it as `sid` for users, not for service accounts. Expected `sid`. It has \"aud\", ",
        "The token is refused.",
    ] {
        assert!(report.text.contains(line), "{line}\n{}", report.text);
    }
    assert!(report.is_refused && !report.text.contains("hidden"), "{}", report.text);
}

#[test]
fn a_token_that_cannot_be_verified_ends_the_check() {
    let rules = || json!({ "audience": "account" });
    let good = sign("JWT", &claims());
    let mut other = claims();
    other["iss"] = "https://login.example/realms/b".into();
    let mut own = claims();
    own["iss"] = "https://guard".into();
    let changed = format!("{}x{}", &good[..good.len() - 20], &good[good.len() - 19..]);
    let none = r#"{"keys":[]}"#;
    for (token, jwks, line) in [
        ("opaque", Ok(KEYS), "error: form: it is no signed JWT"),
        (&*sign("JWT", &other), Ok(KEYS), "error: issuer: the token's `iss` is neither ISSUER nor"),
        (
            &*sign("JWT", &own),
            Ok(KEYS),
            "error: key: SIGNING_KEYS is a secret that this machine does not have",
        ),
        (
            &*good,
            Ok(none),
            "error: key: the key set of https://login.example/realms/a/protocol/openid-connect/certs has no key for ES256",
        ),
        (
            &*good,
            Err("could not be fetched"),
            "error: key: the keys at https://login.example/realms/a/protocol/openid-connect/certs could not be fetched",
        ),
        (&*changed, Ok(KEYS), "error: signature: The token's signature does not match."),
    ] {
        let report = report(token, rules(), jwks);
        assert!(report.is_refused && report.text.contains(line), "{line}\n{}", report.text);
        assert!(!report.text.contains("ok: kind"), "{}", report.text);
    }
}

#[test]
fn the_provider_says_where_its_keys_are_if_the_settings_do_not() {
    let needed = |changes: Value| {
        let mut issuer = json!({ "issuer": "https://login.example/realms/a", "client_id": "app" });
        issuer.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let settings = [
            ("ISSUER", "https://guard".to_owned()),
            ("AUDIENCE", "app".to_owned()),
            ("TRUSTED_ISSUERS", json!([issuer]).to_string()),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value)).into();
        let (token, jwks) = (sign("JWT", &claims()), Ok(KEYS.to_owned()));
        let input = Input { settings, token, jwks, now: Timestamp::from_millis(NOW * 1000) };
        let settings = input.settings().unwrap();
        (keys_needed(&settings, &input.token), metadata_needed(&settings, &input.token))
    };
    let document = "https://login.example/realms/a/.well-known/openid-configuration";
    assert_eq!(needed(json!({})), (None, Some(document.to_owned())));
    let keys = "https://login.example/keys";
    assert_eq!(needed(json!({ "jwks_uri": keys })), (Some(keys.to_owned()), None));
}
