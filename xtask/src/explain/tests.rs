use super::*;

const ROUTES: &str = r#"[
    {"path": "/assets/*", "access": "public"},
    {"path": "/", "access": "optional"},
    {"path": "/admin/*", "access": "session", "roles": ["admin", "root"]},
    {"path": "/reports/*", "access": "session", "methods": ["GET"], "scopes": ["a", "b"], "preflight": false},
    {"path": "/members/*", "access": "session", "login": true},
    {"path": "/*", "access": "public", "methods": ["GET"]}
]"#;

fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let good = [("ISSUER", "https://a"), ("AUDIENCE", "a"), ("ROUTES", ROUTES)];
    let all = good.iter().chain(pairs);
    all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The explanation of one request.
fn explained(pairs: &[(&str, &str)], request: &str) -> String {
    let text = explain(&given(pairs), &[request]).unwrap();
    text.split_once(&format!("\n{request}\n")).unwrap().1.to_owned()
}

#[test]
fn the_rules_are_listed_in_their_order_with_what_they_need() {
    let expected = "The rules of ROUTES, in order:
  1. /assets/*: public
  2. /: optional, with the identity if there is a live session
  3. /admin/*: a live session, one of the roles admin root
  4. /reports/* (GET): a live session, all of the scopes a b, CORS preflights require it
  5. /members/*: a live session, responses may log in and out
  6. /* (GET): public
  Any other path: a live session
";
    assert_eq!(explain(&given(&[]), &[]).unwrap(), expected);
}

#[test]
fn a_fresh_or_strong_login_that_is_needed_is_said() {
    let routes = r#"[
        {"path": "/a/*", "access": "session", "roles": ["x"], "max_age": "5 minutes", "acr": ["mfa", "otp"]},
        {"path": "/b", "access": "session", "max_age": "1 hour"}
    ]"#;
    let text = explained(&[("ROUTES", routes)], "GET /a/..%2fb");
    let needed = "Access: a live session, one of the roles x, a login of the last 300 seconds, whose acr is one of: mfa otp; and a live session, a login of the last 3600 seconds.";
    assert!(text.contains(needed), "{text}");
}

#[test]
fn the_explanation_names_the_rule_that_applies_and_the_reason() {
    let cases = [
        ("GET /admin/x", "Rule 3 applies: it is the first", "one of the roles admin root.", "pass"),
        ("PUT /x", "No rule matches the path", "a live session.", "pass"),
        (
            "HEAD /reports/x",
            "Rule 4 applies: it is the first",
            "all of the scopes a b.",
            "require a session",
        ),
        ("GET https://a.example/assets/x", "Rule 1 applies", "public.", "pass"),
        ("GET /", "Rule 2 applies", "optional, with the identity", "pass"),
    ];
    for (request, why, needed, preflight) in cases {
        let text = explained(&[], request);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].trim().starts_with(why), "{text}");
        assert!(lines[1].contains(needed), "{text}");
        assert!(lines[2].contains(&format!("CORS preflights {preflight}")), "{text}");
    }
}

#[test]
fn every_rule_that_applies_is_named() {
    let cases = [
        (
            "GET /ADMIN/x?a=b",
            "  Rule 6 applies: it is the first to match the path.
  Rule 3 applies: it is the first to match /admin/x, as which the path may be read.
  Access: a live session, one of the roles admin root.
  CORS preflights pass without a session.
",
        ),
        (
            "GET /x;y",
            "  Rule 6 applies: it is the first to match the path.
  The path is never public: it may be read in more than one way.
  Access: a live session.
  CORS preflights require a session.
",
        ),
        (
            "GET /reports/..%2Fadmin%0A/x",
            "  Rule 4 applies: it is the first to match the path.
  Rule 6 applies: it is the first to match /admin\\n/x, as which the path may be read.
  Rule 3 applies: it is the first to match /admin/x, as which the path may be read.
  Access: a live session, all of the scopes a b; and a live session, one of the roles admin root.
  CORS preflights require a session.
",
        ),
    ];
    for (request, expected) in cases {
        assert_eq!(explained(&[], request), expected, "{request}");
    }
}

#[test]
fn requests_decided_before_the_rules_are_explained() {
    let login = [("LOGIN_URL", "https://a.example/internal/login")];
    let cases = [
        ("GET /_auth/session", "The guard answers"),
        ("GET /.well-known/jwks.json", "The guard answers"),
        ("TRACE /x", "with 405 method_not_allowed"),
        ("PUT /_auth/session", "with 405 method_not_allowed"),
        ("GET /_auth/other", "with 404 not_found: The guard has no endpoint"),
        ("GET /a/../b", "with 400 bad_request: Write the path"),
        ("GET /a b", "with 400 bad_request: Write the path"),
        ("POST //Internal/login", "with 404 not_found: Clients cannot reach LOGIN_URL"),
        ("GET /internal/login.json", "with 404 not_found: Clients cannot reach LOGIN_URL"),
        ("GET http://a.example/members/x", "with 403 https_required: Send it over `https`"),
    ];
    for (request, expected) in cases {
        let text = explained(&login, request);
        assert!(text.contains(expected), "{request}: {text}");
    }
}

#[test]
fn no_store_needs_a_secret_for_an_explanation() {
    let redis = [
        ("SESSION_STORE", "redis"),
        ("UPSTASH_REDIS_REST_URL", "https://db.example"),
        ("EVENTS_WEBHOOK_URL", "https://hooks.example/"),
    ];
    assert!(explained(&redis, "GET /x").contains("Rule 6 applies"));
}

#[test]
fn in_monitor_mode_the_rules_are_explained_as_if_they_were_enforced() {
    let monitor = [("MODE", "monitor")];
    let text = explain(&given(&monitor), &["GET /a/../b"]).unwrap();
    assert!(text.contains("MODE = monitor") && text.contains("with 400 bad_request"), "{text}");
}

#[test]
fn a_malformed_request_is_an_error() {
    for request in ["", "/admin", "GET", "GET admin", "GET  /x", "G@T /x", "GET ftp://a/x"] {
        let error = explain(&given(&[]), &["GET /x", request]).unwrap_err();
        assert!(error.to_string().contains("is not a request"), "{error}");
    }
}
