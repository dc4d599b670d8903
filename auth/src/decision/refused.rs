//! How a refusal is told: to a program, or to a person.

use super::browser::{is_navigation, is_same_origin};
use super::{Guard, Head};
use crate::redirect::LocalTarget;
use crate::refusal::Refusal;
use crate::route::Target;

/// A refusal, and where a browser is sent instead of being shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub refusal: Refusal,
    /// The login page's URL, when a person is navigating and a login would help.
    pub login: Option<String>,
    /// The path of the rule that holds, if it came to that.
    pub route: Option<String>,
}

impl Guard {
    /// May this login or logout come from where it says it does? A form of another site could
    /// log its visitor in as somebody else, or out. Programs do not say, and are nobody's dupe.
    ///
    /// # Errors
    /// [`Refusal::CrossSite`].
    pub fn refuse_other_origins(&self, head: &impl Head) -> Result<(), Refusal> {
        let told = head.header("sec-fetch-site").is_some() || head.header("origin").is_some();
        if told && !is_same_origin(head) { Err(Refusal::CrossSite) } else { Ok(()) }
    }

    /// How a refusal is told: a person who is navigating is sent to the login page, if a login
    /// would help. `route` is the path of the rule that holds.
    pub fn refused(&self, refusal: Refusal, head: &impl Head, route: Option<&str>) -> Refused {
        let sent = refusal.asks_for_login() && head.method() == "GET" && is_navigation(head);
        let login = sent.then(|| self.login_page(head, &refusal));
        Refused { refusal, login, route: route.map(str::to_owned) }
    }

    /// The login page's URL, with the way back and the reason.
    fn login_page(&self, head: &impl Head, refusal: &Refusal) -> String {
        let back = self.settings.token_sources.without_tokens(head.url());
        let back = Target::of_url(&back).and_then(|target| LocalTarget::new(target.as_str()));
        let back = back.unwrap_or(LocalTarget::root());
        let page = format!("{}/login?redirect={}", self.settings.auth_path, back.in_query());
        match refusal {
            Refusal::TokenMissing => page,
            _ => format!("{page}&reason={}", refusal.code()),
        }
    }
}
