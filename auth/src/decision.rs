//! The steps of a request, in their order, up to the store's question and from its answer on.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use crate::config::{Settings, StoreFailure, is_loopback};
use crate::cookie;
use crate::credential::{self, Credential, Source};
use crate::identity;
use crate::redirect::LocalTarget;
use crate::refusal::Refusal;
use crate::route::{Endpoint, Route, Target};
use crate::session::{LiveSession, Session, Sid, Subject, judge};
use crate::store::{Answer, Command, StoreError};
use crate::time::Timestamp;
use crate::token::{Tokens, Verified};

/// What the guard looks at in a request. Headers are asked for one by one, because reading all
/// of them costs more than the few that matter.
pub trait Head {
    /// The method, as sent.
    fn method(&self) -> &str;
    /// The absolute URL, as received.
    fn url(&self) -> &str;
    /// The value of a header, `None` if it was not sent.
    fn header(&self, name: &str) -> Option<String>;
}

/// Decides about requests by the settings.
#[derive(Debug)]
pub struct Guard {
    settings: Settings,
    tokens: Tokens,
    recent: Option<Recent>,
}

/// What is to be done with a request.
#[derive(Debug)]
pub enum Decision {
    /// One of the guard's own endpoints answers.
    Own(Endpoint),
    /// The request ends here.
    Refuse(Refused),
    /// The store is to be asked; its answer goes to [`Guard::judge`].
    Check(Box<Check>),
}

/// A refusal, and where a browser is sent instead of being shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub refusal: Refusal,
    /// The login page's URL, when a person is navigating and a login would help.
    pub login: Option<String>,
}

/// A genuine token whose session is to be checked.
#[derive(Debug)]
pub struct Check {
    token: Verified,
    command: Command,
    login: Option<String>,
    cookies: Option<Option<String>>,
    source: Source,
}

impl Check {
    /// Whose session it is.
    pub fn user(&self) -> &Subject {
        self.token.sub()
    }

    /// The session.
    pub fn sid(&self) -> &Sid {
        self.token.sid()
    }

    /// The question to the store.
    pub fn command(&self) -> &Command {
        &self.command
    }

    /// How the headers change on the way to the origin: names to delete, then pairs to set.
    /// `names` are those the client sent.
    pub fn forward<'a>(&self, names: impl Iterator<Item = &'a str>) -> HeaderChanges {
        let mut remove: Vec<String> =
            names.filter(|name| identity::is_reserved(name)).map(str::to_owned).collect();
        let mut set = identity::headers(&self.token);
        if self.source == Source::Bearer {
            remove.push("Authorization".into());
        }
        match &self.cookies {
            None => {}
            Some(None) => remove.push("Cookie".into()),
            Some(Some(others)) => set.push(("Cookie", others.clone())),
        }
        HeaderChanges { remove, set }
    }
}

/// How the headers change on the way to the origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderChanges {
    /// Headers that the origin does not get: forged identities, and the guard's own credential.
    pub remove: Vec<String>,
    /// Headers that are set.
    pub set: Vec<(&'static str, String)>,
}

impl Guard {
    /// A guard with these settings.
    pub fn new(settings: Settings) -> Self {
        let tokens = Tokens {
            issuer: settings.issuer.clone(),
            audience: settings.audience.clone(),
            keys: settings.keys.clone(),
        };
        let recent = match settings.store_failure {
            StoreFailure::Deny => None,
            StoreFailure::AllowRecent(window) => Some(Recent::new(window)),
        };
        Self { settings, tokens, recent }
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The tokens it issues and accepts.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Takes a request as far as can be without asking anybody.
    pub fn decide(&self, head: &impl Head, now: Timestamp) -> Decision {
        // 1. Normalise and classify.
        let Some(target) = Target::of_url(head.url()) else {
            return Decision::refuse(Refusal::BadRequest("The URL has no path."));
        };
        if let Err(refusal) = self.refuse_development_keys(head.url()) {
            return Decision::refuse(refusal);
        }
        match Route::of(head.method(), target.path(), &self.settings.auth_path) {
            Route::Own(endpoint) => return Decision::Own(endpoint),
            Route::Unknown => return Decision::refuse(Refusal::NotFound),
            Route::WrongMethod(allow) => {
                return Decision::refuse(Refusal::MethodNotAllowed(allow));
            }
            Route::Protected => {}
        }
        if target.would_be_rewritten() {
            return Decision::refuse(Refusal::BadRequest(
                "Write the path without dot segments, backslashes, spaces or control characters.",
            ));
        }
        // 2. Credential; 3. token. The session, step 4, is the store's to answer.
        match self.authenticate(head, now) {
            Ok(mut check) => {
                check.login = self.login_page(head, target);
                Decision::Check(Box::new(check))
            }
            Err(refusal) => Decision::Refuse(self.refused(refusal, self.login_page(head, target))),
        }
    }

    /// Steps 2 and 3: finds the credential and verifies its token.
    ///
    /// # Errors
    /// Why the request may not ask the store.
    pub fn authenticate(&self, head: &impl Head, now: Timestamp) -> Result<Check, Refusal> {
        let authorization = head.header("authorization");
        let cookies = head.header("cookie");
        let name = &self.settings.cookie_name;
        let found = credential::find(authorization.as_deref(), cookies.as_deref(), name);
        let Credential { source, token } = match found {
            Ok(Some(credential)) => credential,
            Ok(None) => return Err(Refusal::TokenMissing),
            Err(credential::Ambiguous) => {
                return Err(Refusal::BadRequest("Send one token; two that differ were sent."));
            }
        };
        if source == Source::Cookie && changes_state(head) && !is_same_site(head) {
            return Err(Refusal::CrossSite);
        }
        let token = self.tokens.verify(token, now).map_err(Refusal::Token)?;
        let command = Command::Check {
            sid: token.sid().clone(),
            idle_timeout: self.settings.idle_timeout,
            now,
        };
        let ours = |cookies: &String| cookie::values(cookies, name).next().is_some();
        let cookies = cookies.filter(ours).map(|cookies| cookie::without(&cookies, name));
        Ok(Check { token, command, login: None, cookies, source })
    }

    /// Step 4: decides by the store's answer.
    ///
    /// # Errors
    /// Why the request ends here. A store that could not be asked is never taken for one that
    /// answered.
    pub fn judge(
        &self,
        check: &Check,
        answer: Result<Answer, StoreError>,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let verdict = match answer {
            Ok(answer) => self.live(check, answer, now).map(drop),
            Err(error) => match &self.recent {
                Some(recent) if recent.holds(check.sid(), now) => Ok(()),
                _ => Err(Refusal::StoreUnavailable(error)),
            },
        };
        verdict.map_err(|refusal| self.refused(refusal, check.login.clone()))
    }

    /// The live session that the store found.
    ///
    /// # Errors
    /// Why there is none.
    pub fn live(
        &self,
        check: &Check,
        answer: Answer,
        now: Timestamp,
    ) -> Result<LiveSession, Refusal> {
        let Answer::Found(found) = answer else {
            let error = StoreError::Unreadable("the answer to another question".into());
            return Err(Refusal::StoreUnavailable(error));
        };
        let verdict = judge(found.map(|session| *session), now).map_err(Refusal::Session);
        if let Some(recent) = &self.recent {
            recent.note(check.sid(), verdict.as_ref().ok().map(|_| now));
        }
        verdict
    }

    /// How long the token and cookie of a session may last from `now`.
    pub fn token_lifetime(&self, session: &Session, now: Timestamp) -> Duration {
        self.settings.token_ttl.min(session.expires.since(now))
    }

    /// May this login come from where it says it does? A form of another site could log its
    /// visitor in as somebody else; JSON cannot be sent across sites without a preflight.
    ///
    /// # Errors
    /// [`Refusal::CrossSite`].
    pub fn refuse_cross_site_login(&self, head: &impl Head) -> Result<(), Refusal> {
        let told = head.header("sec-fetch-site").is_some() || head.header("origin").is_some();
        if told && !is_same_site(head) { Err(Refusal::CrossSite) } else { Ok(()) }
    }

    fn refused(&self, refusal: Refusal, login: Option<String>) -> Refused {
        let login = login.filter(|_| refusal.asks_for_login()).map(|login| match refusal {
            Refusal::TokenMissing => login,
            _ => format!("{login}&reason={}", refusal.code()),
        });
        Refused { refusal, login }
    }

    /// The login page to send a person to who is navigating; `None` for a program.
    fn login_page(&self, head: &impl Head, target: Target<'_>) -> Option<String> {
        if head.method() != "GET" || !is_navigation(head) {
            return None;
        }
        let back = LocalTarget::new(target.as_str()).unwrap_or(LocalTarget::root());
        Some(format!("{}/login?redirect={}", self.settings.auth_path, back.in_query()))
    }

    /// Keys made for development must not guard a site that others can reach.
    fn refuse_development_keys(&self, url: &str) -> Result<(), Refusal> {
        if !self.tokens.keys.is_for_development() || is_loopback(host(url)) {
            return Ok(());
        }
        let cause = "SIGNING_KEYS holds a key made for development, which serves only this \
                     machine; make one for production and set it as a secret";
        Err(Refusal::Misconfigured(cause.into()))
    }
}

impl Decision {
    fn refuse(refusal: Refusal) -> Self {
        Self::Refuse(Refused { refusal, login: None })
    }
}

/// Could this request change something? A WebSocket upgrade is a GET, but opens a channel that
/// no preflight protects.
fn changes_state(head: &impl Head) -> bool {
    !matches!(head.method(), "GET" | "HEAD" | "OPTIONS") || head.header("upgrade").is_some()
}

/// Does the browser say that this site's own page, or the user, makes this request?
fn is_same_site(head: &impl Head) -> bool {
    match head.header("sec-fetch-site") {
        Some(site) => matches!(site.as_str(), "same-origin" | "none"),
        None => head.header("origin").is_some_and(|origin| is_origin_of(&origin, head.url())),
    }
}

fn is_origin_of(origin: &str, url: &str) -> bool {
    url.strip_prefix(origin).is_some_and(|rest| rest.starts_with('/')) && origin.contains("://")
}

fn is_navigation(head: &impl Head) -> bool {
    match head.header("sec-fetch-mode") {
        Some(mode) => mode == "navigate",
        None => head.header("accept").is_some_and(|accept| accept.contains("text/html")),
    }
}

/// The host of an absolute URL, without its port.
fn host(url: &str) -> &str {
    let authority = url.split("://").nth(1).and_then(|rest| rest.split('/').next());
    let authority = authority.unwrap_or_default();
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// Sessions that this isolate saw live a short while ago, for when the store cannot be asked.
#[derive(Debug)]
struct Recent {
    window: Duration,
    seen: RefCell<HashMap<Sid, Timestamp>>,
}

impl Recent {
    /// Beyond this many, all are forgotten: a store that fails then denies some it could allow.
    const MOST: usize = 10_000;

    fn new(window: Duration) -> Self {
        Self { window, seen: RefCell::default() }
    }

    fn holds(&self, sid: &Sid, now: Timestamp) -> bool {
        self.seen.borrow().get(sid).is_some_and(|seen| now.since(*seen) < self.window)
    }

    /// Remembers that a session was live at a moment, or forgets it when it was not.
    fn note(&self, sid: &Sid, live: Option<Timestamp>) {
        let mut seen = self.seen.borrow_mut();
        match live {
            Some(now) => {
                if seen.len() >= Self::MOST {
                    seen.clear();
                }
                seen.insert(sid.clone(), now);
            }
            None => {
                seen.remove(sid);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Ending, Gone, tests::session};
    use crate::token::TokenError;
    use crate::token::tests::{NOW, issue};
    use rstest::rstest;

    struct Request {
        method: &'static str,
        url: String,
        headers: Vec<(&'static str, String)>,
    }

    impl Head for Request {
        fn method(&self) -> &str {
            self.method
        }
        fn url(&self) -> &str {
            &self.url
        }
        fn header(&self, name: &str) -> Option<String> {
            assert_eq!(name, name.to_ascii_lowercase());
            self.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone())
        }
    }

    fn request(method: &'static str, path: &str, headers: &[(&'static str, &str)]) -> Request {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Request { method, url: format!("https://app.example{path}"), headers }
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

    fn check(guard: &Guard, request: &Request) -> Check {
        match guard.decide(request, NOW) {
            Decision::Check(check) => *check,
            other => panic!("{other:?}"),
        }
    }

    fn refusal(guard: &Guard, request: &Request) -> Refused {
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
        assert_eq!(check.user().as_str(), "ada");
        let expected = Command::Check { sid: check.sid().clone(), idle_timeout: None, now: NOW };
        assert_eq!(check.command(), &expected);
    }

    #[test]
    fn no_token_is_told_from_a_bad_one() {
        let guard = guard();
        let none = refusal(&guard, &request("GET", "/x", &[]));
        assert_eq!(none, Refused { refusal: Refusal::TokenMissing, login: None });
        let bad = refusal(&guard, &request("GET", "/x", &[("authorization", "Bearer x.y.z")]));
        assert_eq!(bad.refusal, Refusal::Token(TokenError::Malformed));
    }

    #[test]
    fn two_tokens_that_differ_are_a_bad_request() {
        let guard = guard();
        let headers = [("authorization", "Bearer x"), ("cookie", &cookie(&guard) as &str)];
        let refused = refusal(&guard, &request("GET", "/x", &headers));
        assert_eq!(refused.refusal.code(), "bad_request");
    }

    #[rstest]
    #[case("/a/../b")]
    #[case("/a/%2e%2e/b")]
    #[case("/a\\b")]
    fn a_path_that_changes_on_the_way_is_refused_whoever_asks(#[case] path: &str) {
        let guard = guard();
        let request = request("GET", path, &[("authorization", &bearer(&guard))]);
        assert_eq!(refusal(&guard, &request).refusal.code(), "bad_request");
    }

    #[rstest]
    #[case::navigation(&[("sec-fetch-mode", "navigate")], true)]
    #[case::old_browser(&[("accept", "text/html,*/*")], true)]
    #[case::fetch_that_likes_html(&[("sec-fetch-mode", "cors"), ("accept", "text/html")], false)]
    #[case::program(&[("accept", "*/*")], false)]
    fn only_a_person_navigating_is_sent_to_the_login_page(
        #[case] headers: &[(&'static str, &str)],
        #[case] sent: bool,
    ) {
        let refused = refusal(&guard(), &request("GET", "/x?a=1&b=%2F", headers));
        let login = "/auth/login?redirect=/x?a=1%26b=%252F".to_owned();
        assert_eq!(refused.login, sent.then_some(login));
        let post = refusal(&guard(), &request("POST", "/x", headers));
        assert_eq!(post.login, None);
    }

    #[rstest]
    #[case::no_word("POST", &[], false)]
    #[case::same_origin("POST", &[("sec-fetch-site", "same-origin")], true)]
    #[case::typed_in("POST", &[("sec-fetch-site", "none")], true)]
    #[case::same_site("POST", &[("sec-fetch-site", "same-site")], false)]
    #[case::cross_site("DELETE", &[("sec-fetch-site", "cross-site")], false)]
    #[case::own_origin("POST", &[("origin", "https://app.example")], true)]
    #[case::other_origin("POST", &[("origin", "https://evil.example")], false)]
    #[case::prefix_of_origin("POST", &[("origin", "https://app.exam")], false)]
    #[case::null_origin("POST", &[("origin", "null")], false)]
    #[case::empty_origin("POST", &[("origin", "")], false)]
    #[case::both_disagree("POST", &[("sec-fetch-site", "cross-site"), ("origin", "https://app.example")], false)]
    #[case::safe_method("GET", &[("sec-fetch-site", "cross-site")], true)]
    #[case::websocket("GET", &[("upgrade", "websocket"), ("origin", "https://evil.example")], false)]
    fn a_cookie_on_an_unsafe_method_needs_a_proof_of_its_site(
        #[case] method: &'static str,
        #[case] headers: &[(&'static str, &str)],
        #[case] passes: bool,
    ) {
        let guard = guard();
        let cookie = cookie(&guard);
        let with_cookie = [headers, &[("cookie", &cookie as &str)]].concat();
        let decision = guard.decide(&request(method, "/x", &with_cookie), NOW);
        let refused = matches!(&decision, Decision::Refuse(r) if r.refusal == Refusal::CrossSite);
        assert_eq!(refused, !passes, "{decision:?}");
        let bearer = bearer(&guard);
        let with_bearer = [headers, &[("authorization", &bearer as &str)]].concat();
        check(&guard, &request(method, "/x", &with_bearer));
    }

    #[test]
    fn the_origin_gets_the_identity_and_not_the_credential() {
        let guard = guard();
        let sent = ["Accept", "x_auth_request_user", "X-Auth-Request-Email", "Cookie"];
        let by_cookie = check(&guard, &request("GET", "/", &[("cookie", &cookie(&guard))]));
        let changes = by_cookie.forward(sent.into_iter());
        assert_eq!(changes.remove, ["x_auth_request_user", "X-Auth-Request-Email"]);
        let set: Vec<_> = changes.set.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let sid = by_cookie.sid().as_str();
        let expected = [
            ("X-Auth-Request-User", "ada"),
            ("X-Auth-Request-Session", sid),
            ("X-Auth-Request-Email", "ada@example.com"),
            ("Cookie", "a=1; b=2"),
        ];
        assert_eq!(set, expected);
        let by_bearer = check(&guard, &request("GET", "/", &[("authorization", &bearer(&guard))]));
        assert_eq!(by_bearer.forward(std::iter::empty()).remove, ["Authorization"]);
    }

    #[test]
    fn somebody_elses_credentials_are_left_alone() {
        let guard = guard();
        let cookie = format!("__Host-session={}", issue(guard.tokens(), "ada"));
        let headers = [("authorization", "Basic YWRh"), ("cookie", &cookie as &str)];
        let changes = check(&guard, &request("GET", "/", &headers)).forward(std::iter::empty());
        assert_eq!(changes.remove, ["Cookie"]);
    }

    fn found(session: Option<Session>) -> Result<Answer, StoreError> {
        Ok(Answer::Found(session.map(Box::new)))
    }

    #[test]
    fn the_stores_answer_decides() {
        let guard = guard();
        let check = check(&guard, &request("GET", "/", &[("authorization", &bearer(&guard))]));
        let judge = |answer| guard.judge(&check, answer, NOW).map_err(|r| r.refusal);
        let live = session("a", NOW.millis(), NOW.millis() + 1000);
        let mut ended = live.clone();
        let ending = Ending::Revoked { at: NOW };
        ended.ended = Some(ending.clone());
        assert_eq!(judge(found(Some(live))), Ok(()));
        assert_eq!(judge(found(Some(ended))), Err(Refusal::Session(Gone::Ended(ending))));
        assert_eq!(judge(found(None)), Err(Refusal::Session(Gone::Unknown)));
        let down = StoreError::Unreachable("down".into());
        assert_eq!(judge(Err(down.clone())), Err(Refusal::StoreUnavailable(down)));
        let other = judge(Ok(Answer::Listed(vec![])));
        assert!(matches!(other, Err(Refusal::StoreUnavailable(_))), "{other:?}");
    }

    #[test]
    fn a_stale_session_sends_a_person_to_login_with_the_reason_and_an_outage_does_not() {
        let guard = guard();
        let headers = [("authorization", &bearer(&guard) as &str), ("sec-fetch-mode", "navigate")];
        let check = check(&guard, &request("GET", "/x", &headers));
        let stale = guard.judge(&check, found(None), NOW).unwrap_err();
        let login = "/auth/login?redirect=/x&reason=session_unknown";
        assert_eq!(stale.login.as_deref(), Some(login));
        let down = StoreError::Unreachable("down".into());
        assert_eq!(guard.judge(&check, Err(down), NOW).unwrap_err().login, None);
    }

    #[test]
    fn in_an_outage_only_sessions_seen_live_recently_pass_and_only_when_allowed() {
        let guard = guard_with(&[("STORE_FAILURE", "allow-recent: 60 seconds")]);
        let check = check(&guard, &request("GET", "/", &[("authorization", &bearer(&guard))]));
        let down = || Err(StoreError::Unreachable("down".into()));
        let later = |seconds| NOW.plus(Duration::from_secs(seconds));
        assert!(guard.judge(&check, down(), NOW).is_err(), "never seen");
        let live = session("a", NOW.millis(), NOW.millis() + 1_000_000);
        guard.judge(&check, found(Some(live.clone())), NOW).unwrap();
        assert!(guard.judge(&check, down(), later(59)).is_ok());
        assert!(guard.judge(&check, down(), later(60)).is_err(), "too long ago");
        guard.judge(&check, found(Some(live)), NOW).unwrap();
        guard.judge(&check, found(None), NOW).unwrap_err();
        assert!(guard.judge(&check, down(), later(1)).is_err(), "known to be gone");
    }

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
        let request = Request { method: "GET", url: url.into(), headers: vec![] };
        let code = refusal(&guard, &request).refusal.code();
        assert_eq!(code, if serves { "token_missing" } else { "misconfigured" });
    }
}
