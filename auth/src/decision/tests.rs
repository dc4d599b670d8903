//! What is decided about a request, and by which of its parts.

mod assertion;
mod cache_key;
mod cached_decision;
mod cors;
mod credentials;
mod cross_site;
mod forward_auth;
mod forwarded_headers;
mod https;
mod lifetimes;
mod login_redirect;
mod login_url;
mod malformed_requests;
mod monitor_mode;
mod not_before;
mod overlap;
mod preflight;
mod provider_tokens;
mod recheck_and_caching;
mod refusal_page;
mod renewal;
mod resource_metadata;
mod rights;
mod sign_in;
mod site_hosts;
mod step_up;
mod store_reply;
mod token_sources;

use super::*;
use crate::body_format::BodyFormat;
use crate::config::BOUND;
use crate::http::{Body, Recipient};
use crate::jwt::TokenError;
use crate::login::LoginRequest;
use crate::redirect::LocalTarget;
use crate::session::{InvalidSession, SessionEnd, Sid, tests::session};
use crate::sign_in::SignInRequest;
use crate::store::{Command, CommandResult, StoreError};
use crate::token::tests::{NOW, issue};
use rstest::rstest;
use std::borrow::Cow;

struct Request {
    method: &'static str,
    url: String,
    headers: Vec<(&'static str, String)>,
    body: Option<String>,
    recipient: Recipient,
}

impl Head for Request {
    fn method(&self) -> &str {
        self.method
    }
    fn url(&self) -> &str {
        &self.url
    }
    fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        assert_eq!(name, name.to_ascii_lowercase());
        self.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())
    }
    fn has_body(&self) -> bool {
        self.body.is_some()
    }
    fn body(&self) -> Body<'_> {
        self.body.as_deref().map_or(Body::Unread, Body::Text)
    }
    fn recipient(&self) -> Recipient {
        self.recipient
    }
}

/// A request of which it is known which of its sessions are over.
struct AfterEnds(Request, Vec<Sid>);

impl Head for AfterEnds {
    fn method(&self) -> &str {
        self.0.method()
    }
    fn url(&self) -> &str {
        self.0.url()
    }
    fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0.header(name)
    }
    fn has_body(&self) -> bool {
        self.0.has_body()
    }
    fn body(&self) -> Body<'_> {
        self.0.body()
    }
    fn over(&self) -> Option<&[Sid]> {
        Some(&self.1)
    }
}

fn request(method: &'static str, path: &str, headers: &[(&'static str, &str)]) -> Request {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Request {
        method,
        url: format!("https://app.example{path}"),
        headers,
        body: None,
        recipient: Recipient::Client,
    }
}

fn guard_with(changes: &[(&str, &str)]) -> Guard {
    let keys = r#"{"keys":[{"kty":"oct","alg":"HS256","kid":"a","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}"#;
    let all = [("ISSUER", "https://guard"), ("AUDIENCE", "members"), ("SIGNING_KEYS", keys)];
    let all = [changes, &all].concat();
    let find = |name: &str| all.iter().find(|(key, _)| *key == name);
    Guard::new(Settings::read(|name| find(name).map(|(_, text)| (*text).to_owned())).unwrap())
}

fn guard() -> Guard {
    guard_with(&[])
}

fn check(guard: &Guard, request: &Request) -> ForwardPlan {
    match guard.decide(request, NOW) {
        Decision::CheckSession(check) => *check,
        other => panic!("{other:?}"),
    }
}

fn refusal(guard: &Guard, request: &Request) -> RefusalResponse {
    match guard.decide(request, NOW) {
        Decision::Refuse(refused) => refused,
        other => panic!("{other:?}"),
    }
}

fn bearer(guard: &Guard) -> String {
    format!("Bearer {}", issue(guard.tokens(), "ada"))
}

fn cookie(guard: &Guard) -> String {
    format!("a=1; __Host-session={}; b=2", issue(guard.tokens(), "ada"))
}

#[test]
fn a_genuine_token_makes_a_question_to_the_store() {
    let guard = guard();
    let check = check(&guard, &request("GET", "/x", &[("authorization", &bearer(&guard))]));
    assert_eq!(check.principal().user().as_str(), "ada");
    let caller = check.principal();
    let (sid, jti) = (caller.sid().clone(), Some(caller.token().name().jti.clone()));
    let expected = Command::Check { sid, jti, idle_timeout: None, is_use: true, now: NOW };
    assert_eq!(check.principal().command(), expected);
}

#[test]
fn no_token_is_told_from_a_bad_one() {
    let guard = guard();
    let none = refusal(&guard, &request("GET", "/x", &[]));
    assert_eq!(
        none,
        RefusalResponse {
            refusal: Refusal::TokenMissing,
            login: None,
            https: None,
            page: None,
            route: Some("/*".into()),
            resource: None,
            recipient: Recipient::Client,
        }
    );
    let bad = refusal(&guard, &request("GET", "/x", &[("authorization", "Bearer x.y.z")]));
    assert_eq!(bad.refusal, Refusal::Token(TokenError::Malformed));
}

fn found(session: Option<Session>) -> Result<CommandResult, StoreError> {
    Ok(CommandResult::Found(session.map(Rc::new)))
}

const ROUTES: &str = r#"[
    {"path": "/open/*", "access": "public"},
    {"path": "/either", "access": "optional"},
    {"path": "/admin/*", "access": "session", "roles": ["admin"]}
]"#;

#[rstest]
#[case("http://localhost:8787/", true)]
#[case("http://127.0.0.1/", true)]
#[case("http://[::1]:80/", true)]
#[case("https://app.example/", false)]
#[case("https://localhost.evil.example/", false)]
#[case("https://app.example:443/http://localhost/", false)]
fn development_keys_serve_this_machine_only(#[case] url: &str, #[case] serves: bool) {
    let keys = r#"{"keys":[{"kty":"oct","alg":"HS256","kid":"development-only-1","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}"#;
    let guard = guard_with(&[("SIGNING_KEYS", keys)]);
    let request = Request {
        method: "GET",
        url: url.into(),
        headers: vec![],
        body: None,
        recipient: Recipient::Client,
    };
    let code = refusal(&guard, &request).refusal.code();
    assert_eq!(code, if serves { "token_missing" } else { "misconfigured" });
}

#[test]
fn debug_output_tells_no_token_and_no_cookie() {
    let guard = guard();
    let cookie = format!("hidden=1; {}", cookie(&guard));
    let check = check(&guard, &request("GET", "/", &[("cookie", &cookie)]));
    assert!(!format!("{check:?}").contains("hidden"));
}
