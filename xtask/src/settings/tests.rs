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
        (found.notes.iter().filter(|note| note.contains("B_SECRET")).count(), found.errors.len())
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
        let with_name = |name| find(&given(&[&site[..], &[("COOKIE_NAME", name)]].concat())).notes;
        let of_name =
            |name| with_name(name).iter().filter(|it| it.starts_with("COOKIE_NAME")).count();
        assert_eq!((of_name("mine"), of_name("__Secure-mine")), (1, 0));
    }
}

#[test]
fn a_misspelt_name_and_an_example_value_are_noted() {
    let found = find(&given(&[("SESSION_LIMT", "2"), ("LOGIN_URL", "https://a.example.com/x")]));
    assert!(found.notes.contains(&"SESSION_LIMT is not a setting of the guard".to_owned()));
    assert!(found.notes.contains(&"LOGIN_URL still has the example's value".to_owned()));
}
