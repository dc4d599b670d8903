//! How a refusal is told: to a program, or to a person.

use super::Guard;
use super::browser::{is_navigation, shows_page};
use crate::config::Mode;
use crate::forward_auth::status_without_redirects;
use crate::http::{Head, Recipient, Target};
use crate::redirect::LocalTarget;
use crate::refusal::{Refusal, ResourceChallenge, Topic};

/// A refusal, and where a browser is sent instead of being shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalResponse {
    /// Why.
    pub refusal: Refusal,
    /// The login page's URL, when a person is navigating and a login would help.
    pub login: Option<String>,
    /// The same address over `https`, when a person is navigating and that is what is missing.
    pub https: Option<String>,
    /// What the page says, when a person is navigating and is sent nowhere.
    pub page: Option<RefusalPage>,
    /// The paths of the rules that hold, if it came to that.
    pub route: Option<String>,
    /// What the challenge says of the resource, if the refusal has a challenge and metadata are served.
    pub resource: Option<ResourceChallenge>,
    /// Who is told.
    pub recipient: Recipient,
}

/// A page in place of problem details.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalPage {
    /// What it says.
    pub topic: Topic,
    /// What was asked for, or the page whose form was sent.
    pub back: LocalTarget,
}

impl From<Refusal> for RefusalResponse {
    fn from(refusal: Refusal) -> Self {
        let (login, https, page, route, resource) = Default::default();
        Self { refusal, login, https, page, route, resource, recipient: Recipient::Client }
    }
}

impl RefusalResponse {
    /// Where a browser is sent, with the status, instead of being shown the refusal. `method` is the request's.
    pub fn redirect(&self, method: &str) -> Option<(u16, &str)> {
        if !self.shows_redirects() {
            return None;
        }
        let login = self.login.as_deref().map(|to| (if method == "GET" { 302 } else { 303 }, to));
        login.or(self.https.as_deref().map(|to| (308, to)))
    }

    /// The status, if the client is shown the refusal.
    pub fn status(&self) -> u16 {
        let status = self.refusal.status();
        if self.shows_redirects() { status } else { status_without_redirects(status) }
    }

    /// The headers of the response beside `Content-Type`, if the client is shown the refusal. A proxy that shows no
    /// redirects learns of the login page all the same.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = self.refusal.headers_for(self.resource.as_ref());
        if !self.shows_redirects() {
            headers.extend(self.login.clone().map(|to| ("location", to)));
        }
        headers
    }

    fn shows_redirects(&self) -> bool {
        self.recipient != Recipient::Proxy { shows_redirects: false }
    }
}

impl Guard {
    /// Is a person opening a page, or sending a form, rather than a script asking for something?
    pub fn is_navigation(&self, head: &impl Head) -> bool {
        is_navigation(head)
    }

    /// May this login or logout come from where it says it does? A form of another site could
    /// log its visitor in as somebody else, or out. Programs do not say, and are nobody's dupe.
    ///
    /// # Errors
    /// [`Refusal::CrossSite`].
    pub fn refuse_other_origins(&self, head: &impl Head) -> Result<(), Refusal> {
        let told = head.header("sec-fetch-site").is_some() || head.header("origin").is_some();
        if told && !self.may_log_in(head) { Err(Refusal::CrossSite) } else { Ok(()) }
    }

    /// How a refusal is told: a person who is navigating is sent to the login page, if a login
    /// would help, or to the same address over `https`. `route` is the paths of the rules that hold.
    pub fn refused(
        &self,
        refusal: Refusal,
        head: &impl Head,
        route: Option<&str>,
    ) -> RefusalResponse {
        let navigates = matches!(head.method(), "GET" | "HEAD" | "POST") && is_navigation(head);
        let opens = navigates && head.method() != "HEAD";
        let login = (opens && refusal.asks_for_login()).then(|| self.login_page(head, &refusal));
        // A form's password has been read on the way, and would be sent again.
        let moves = opens && head.method() == "GET" && refusal == Refusal::HttpsRequired;
        let https = moves.then(|| self.over_https(head.url()));
        let is_sent_on = login.is_some() || https.is_some();
        let page = (navigates && !is_sent_on).then(|| self.page(head, &refusal)).flatten();
        let is_challenged = matches!(refusal.status(), 401 | 403);
        let resource = is_challenged.then(|| self.resource_challenge(head)).flatten();
        let recipient = head.recipient();
        // A proxy's client has asked another host than the guard's.
        let login = login.map(|page| match recipient {
            Recipient::Client => page,
            Recipient::Proxy { .. } => [Target::site_of(head.url()), &page].concat(),
        });
        let route = route.map(str::to_owned);
        RefusalResponse { refusal, login, https, page, route, resource, recipient }
    }

    /// The page that says why a request of a person is refused; `None` for programs, proxies, and frames of other
    /// pages, since no page of the guard can be framed. Where nothing is enforced, the guard shows nothing of itself.
    pub fn page(&self, head: &impl Head, refusal: &Refusal) -> Option<RefusalPage> {
        let is_shown = self.settings.mode == Mode::Enforce
            && head.recipient() == Recipient::Client
            && shows_page(head);
        let back = || self.way_back(head).unwrap_or(LocalTarget::root());
        is_shown.then(|| RefusalPage { topic: refusal.topic(), back: back() })
    }

    /// The login page's URL, with the way back and the reason.
    fn login_page(&self, head: &impl Head, refusal: &Refusal) -> String {
        let back = self.way_back(head).unwrap_or(LocalTarget::root());
        let page = format!("{}/login?redirect={}", self.settings.auth_path, back.in_query());
        match refusal {
            Refusal::TokenMissing => page,
            _ => format!("{page}&reason={}", refusal.code()),
        }
    }

    /// The page that was asked for, or the one whose form was sent: what the form was sent to may be
    /// no page.
    fn way_back(&self, head: &impl Head) -> Option<LocalTarget> {
        let sources = &self.settings.token_sources;
        if head.method() == "POST" {
            let referer = head.header("referer")?;
            let referer = sources.without_tokens(&referer);
            let here = LocalTarget::of_referer(&referer, Target::site_of(head.url()));
            return here.or_else(|| LocalTarget::on(&self.settings.site_hosts, &referer));
        }
        let asked = sources.without_tokens(head.url());
        LocalTarget::new(Target::of_url(&asked)?.as_str())
    }
}
