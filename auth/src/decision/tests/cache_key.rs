//! Which headers are looked for, over a table of settings and requests.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::mem::discriminant;

use super::*;
use crate::decision::cache_key::UNCACHED_HEADERS;
use crate::http::Body;

/// A request that notes which headers are looked for.
struct Recording {
    request: Request,
    names: RefCell<BTreeSet<String>>,
}

impl Head for Recording {
    fn method(&self) -> &str {
        self.request.method()
    }
    fn url(&self) -> &str {
        self.request.url()
    }
    fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        self.names.borrow_mut().insert(name.to_owned());
        self.request.header(name)
    }
    fn has_body(&self) -> bool {
        self.request.has_body()
    }
    fn body(&self) -> Body<'_> {
        self.request.body()
    }
}

const ROUTES: &str = r#"[{"path": "/public/*", "access": "public"}, {"path": "/optional/*", "access": "optional"},
    {"path": "/staff/*", "access": "session", "roles": ["staff"], "methods": ["GET", "POST"]},
    {"path": "/sign-in", "access": "public", "login": true}]"#;

fn guards() -> Vec<Guard> {
    let all: [&[(&str, &str)]; 8] = [
        &[],
        &[("ROUTES", ROUTES)],
        &[("ROUTES", ROUTES), ("MODE", "monitor")],
        &[("OVERLAP_SAFE_REQUESTS", "true")],
        &[("FORWARD_CREDENTIAL", "true")],
        &[("REQUIRE_HTTPS", "true")],
        &[("ALLOWED_ORIGINS", r#"[{"origin": "https://app.example", "credentials": true}]"#)],
        &[("TOKEN_SOURCES", "bearer, cookie, header:x-access-token, query:token, body:token")],
    ];
    all.map(guard_with).into()
}

fn head_of(guard: &Guard, which: usize) -> Option<Vec<(&'static str, String)>> {
    let other = issue(guard.tokens(), "bob");
    let text = |value: &str| value.to_owned();
    let page = ("sec-fetch-mode", text("navigate"));
    Some(match which {
        0 => vec![],
        1 => vec![("authorization", bearer(guard))],
        2 => vec![("authorization", text("Bearer x.y.z"))],
        3 => vec![("cookie", cookie(guard))],
        4 => vec![("cookie", cookie(guard)), ("sec-fetch-site", text("none"))],
        5 => vec![("authorization", bearer(guard)), ("cookie", format!("__Host-session={other}"))],
        6 => vec![page, ("referer", text("https://app.example/page"))],
        7 => vec![("accept", text("text/html"))],
        8 => vec![
            ("origin", text("https://app.example")),
            ("access-control-request-method", text("PUT")),
        ],
        9 => vec![("authorization", bearer(guard)), ("upgrade", text("websocket"))],
        10 => vec![
            ("x-access-token", other),
            ("content-type", text("application/x-www-form-urlencoded")),
        ],
        _ => return None,
    })
}

const METHODS: [&str; 5] = ["GET", "HEAD", "POST", "OPTIONS", "DELETE"];

const URLS: [&str; 12] = [
    "https://app.example/boats",
    "http://app.example/boats",
    "https://app.example/boats?token=x",
    "https://app.example/public/a",
    "https://app.example/optional/a",
    "https://app.example/staff/a",
    "https://app.example/sign-in",
    "https://app.example/a/../b",
    "https://app.example/_auth/login",
    "https://app.example/_auth/session",
    "https://app.example/_auth/health",
    "https://app.example/_auth/none",
];

/// Every request of the table, with its guard.
fn each(mut run: impl FnMut(&Guard, &Recording)) {
    for guard in guards() {
        for headers in (0..).map_while(|which| head_of(&guard, which)) {
            for (method, url) in METHODS.iter().flat_map(|it| URLS.map(|url| (*it, url))) {
                let headers = headers.clone();
                let request = Request {
                    method,
                    url: url.to_owned(),
                    headers,
                    body: None,
                    recipient: Recipient::Client,
                };
                run(&guard, &Recording { request, names: RefCell::default() });
            }
        }
    }
}

#[test]
fn a_decision_depends_only_on_headers_that_the_lists_name() {
    let (mut looked_for, mut decisions) = (BTreeSet::new(), Vec::new());
    each(|guard, request| {
        let decision = discriminant(&guard.decide(request, NOW));
        let configured = &guard.settings().token_sources.headers;
        let names = request.names.borrow();
        looked_for.extend(names.iter().filter(|name| !configured.contains(name)).cloned());
        if !decisions.contains(&decision) {
            decisions.push(decision);
        }
    });
    let compared = COMPARED_HEADERS.iter().filter(|name| looked_for.contains(**name));
    let listed: BTreeSet<_> = compared.chain(&UNCACHED_HEADERS).map(ToString::to_string).collect();
    assert_eq!(looked_for, listed);
    assert_eq!(decisions.len(), 6, "every kind of decision is in the table");
}

#[test]
fn no_header_is_in_both_lists() {
    assert!(!UNCACHED_HEADERS.iter().any(|name| COMPARED_HEADERS.contains(name)));
}

#[test]
fn the_header_filter_depends_on_no_other_values() {
    let lines = |connection: &str, upgrade: &str| {
        format!("{connection}\n{upgrade}\nconnection\nupgrade\nx-hop")
    };
    let removed = |lines: &str| format!("{:?}", HeaderFilter::read(lines));
    assert_ne!(removed(&lines("close", "")), removed(&lines("x-hop", "")));
    assert_ne!(removed(&lines("close", "")), removed(&lines("close", "websocket")));
    assert!(["connection", "upgrade"].iter().all(|name| COMPARED_HEADERS.contains(name)));
}

#[test]
fn the_credentials_alone_decide_about_a_good_token_in_an_ordinary_request() {
    each(|guard, request| {
        // With tokens in the query, `Referer` may hold one.
        let is_ordinary = guard.settings().token_sources.query.is_empty();
        if !is_ordinary || !matches!(request.method(), "GET" | "HEAD") {
            return;
        }
        let Decision::CheckSession(plan) = guard.decide(request, NOW) else { return };
        let names = request.names.take();
        assert!(!names.iter().any(|name| UNCACHED_HEADERS.contains(&&**name)), "{names:?}");
        // The other request's credentials are compared, and not passed.
        guard.plan_applies_to(&plan, request, NOW);
        let names = request.names.take();
        assert!(!names.contains("authorization") && !names.contains("cookie"), "{names:?}");
    });
}
