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

/// What is said of one request.
fn said(pairs: &[(&str, &str)], request: &str) -> String {
    let text = explain(&given(pairs), &[request]).unwrap();
    text.split_once(&format!("\n{request}\n")).unwrap().1.to_owned()
}

#[test]
fn the_rules_are_listed_in_their_order_with_what_they_need() {
    let expected = "The rules of ROUTES, as they are read:
  1. /assets/*: for everybody
  2. /: for everybody, with the identity where there is a live session
  3. /admin/*: a live session, one of the roles admin root
  4. /reports/* (GET): a live session, all of the scopes a b, no preflights without it
  5. /members/*: a live session, its answers may log in and out
  6. /* (GET): for everybody
  Whatever no rule names: a live session
";
    assert_eq!(explain(&given(&[]), &[]).unwrap(), expected);
}

#[test]
fn it_is_said_which_rule_holds_and_why() {
    let cases = [
        ("GET /admin/x", "Rule 3 holds: the first", "one of the roles admin root.", "pass"),
        ("PUT /x", "No rule names it", "a live session.", "pass"),
        ("HEAD /reports/x", "Rule 4 holds: the first", "all of the scopes a b.", "need a session"),
        ("GET https://a.example/assets/x", "Rule 1 holds", "for everybody.", "pass"),
        ("GET /", "Rule 2 holds", "for everybody, with the identity", "pass"),
    ];
    for (request, why, needed, preflight) in cases {
        let said = said(&[], request);
        let lines: Vec<&str> = said.lines().collect();
        assert!(lines[0].trim().starts_with(why), "{said}");
        assert!(lines[1].contains(needed), "{said}");
        assert!(lines[2].contains(&format!("about it {preflight}")), "{said}");
    }
}

#[test]
fn every_rule_that_holds_is_named() {
    let cases = [
        (
            "GET /ADMIN/x?a=b",
            "  Rule 6 holds: the first that names it.
  Rule 3 holds, too: the first that names /admin/x, as which it may be read.
  Needed: a live session, one of the roles admin root.
  CORS preflights about it pass without a session.
",
        ),
        (
            "GET /x;y",
            "  Rule 6 holds: the first that names it.
  It is not for strangers: there is more than one way to read the path.
  Needed: a live session.
  CORS preflights about it need a session, too.
",
        ),
        (
            "GET /reports/..%2Fadmin%0A/x",
            "  Rule 4 holds: the first that names it.
  Rule 6 holds, too: the first that names /admin\\n/x, as which it may be read.
  Rule 3 holds, too: the first that names /admin/x, as which it may be read.
  Needed: a live session, all of the scopes a b; and a live session, one of the roles admin root.
  CORS preflights about it need a session, too.
",
        ),
    ];
    for (request, expected) in cases {
        assert_eq!(said(&[], request), expected, "{request}");
    }
}

#[test]
fn what_no_rule_is_asked_about_is_told_apart() {
    let login = [("LOGIN_URL", "https://a.example/internal/login")];
    let cases = [
        ("GET /_auth/session", "The guard answers"),
        ("GET /.well-known/jwks.json", "The guard answers"),
        ("TRACE /x", "with 405 method_not_allowed"),
        ("PUT /_auth/session", "with 405 method_not_allowed"),
        ("GET /_auth/other", "with 404 not_found: The guard has no endpoint"),
        ("GET /a/../b", "with 400 bad_request: Write the path"),
        ("GET /a b", "with 400 bad_request: Write the path"),
        ("POST //Internal/login", "with 404 not_found: LOGIN_URL is there"),
        ("GET /internal/login.json", "with 404 not_found: LOGIN_URL is there"),
        ("GET http://a.example/members/x", "with 403 https_required: Send it over `https`"),
    ];
    for (request, expected) in cases {
        let said = said(&login, request);
        assert!(said.contains(expected), "{request}: {said}");
    }
}

#[test]
fn no_secret_is_needed_with_any_store() {
    let redis = [
        ("SESSION_STORE", "redis"),
        ("UPSTASH_REDIS_REST_URL", "https://db.example"),
        ("EVENTS_WEBHOOK_URL", "https://hooks.example/"),
    ];
    assert!(said(&redis, "GET /x").contains("Rule 6 holds"));
}

#[test]
fn in_monitor_mode_the_rules_are_explained_as_if_they_were_enforced() {
    let monitor = [("MODE", "monitor")];
    let said = explain(&given(&monitor), &["GET /a/../b"]).unwrap();
    assert!(said.contains("MODE = monitor") && said.contains("with 400 bad_request"), "{said}");
}

#[test]
fn what_is_no_request_is_refused() {
    for request in ["", "/admin", "GET", "GET admin", "GET  /x", "G@T /x", "GET ftp://a/x"] {
        let error = explain(&given(&[]), &["GET /x", request]).unwrap_err();
        assert!(error.to_string().contains("is no request"), "{error}");
    }
}
