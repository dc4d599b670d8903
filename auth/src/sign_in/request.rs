//! How a visitor begins a sign-in: `login/{name}`, by query or by form.

use std::borrow::Cow;

use crate::redirect::LocalTarget;
use crate::session::Sid;
use crate::site_hosts::SiteHosts;

/// What a provider may be asked that visitors, and links, can choose (OpenID Connect Core 1.0, section 3.1.2.1).
/// `none` is left out: it shows nobody anything.
const PROMPTS: [&str; 4] = ["login", "consent", "select_account", "create"];

/// The longest `login_hint`, in bytes.
const MAX_HINT: usize = 256;

/// A request to sign in at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInRequest {
    /// Where to go afterwards.
    pub redirect: LocalTarget,
    /// Sessions that the login is to end.
    pub end: Vec<Sid>,
    /// Does the user wish to stay signed in?
    pub remember: bool,
    /// What the provider is asked.
    pub hints: SignInHints,
}

/// What the provider is asked for one sign-in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignInHints {
    /// `prompt`.
    pub prompt: Option<String>,
    /// `login_hint`.
    pub login_hint: Option<String>,
}

impl SignInRequest {
    /// Reads a query. Ends no sessions, because a link must not. What is wrong is left out.
    pub fn of_query(query: &str, hosts: &SiteHosts) -> Self {
        Self { end: Vec::new(), ..Self::of_form(query, hosts) }
    }

    /// Reads a form, of the content type `application/x-www-form-urlencoded`. What is wrong is left out: a target that is
    /// not on this site becomes `/`.
    pub fn of_form(form: &str, hosts: &SiteHosts) -> Self {
        let pairs = || form_urlencoded::parse(form.as_bytes());
        let find = |name: &str| pairs().find(|(key, _)| key == name).map(|(_, value)| value);
        let redirect = find("redirect").and_then(|target| LocalTarget::on(hosts, &target));
        let end = pairs().filter(|(key, _)| key == "end");
        let is_prompt = |it: &Cow<'_, str>| PROMPTS.contains(&&**it);
        let is_hint = |it: &Cow<'_, str>| {
            !it.is_empty() && it.len() <= MAX_HINT && !it.chars().any(char::is_control)
        };
        Self {
            redirect: redirect.unwrap_or_else(LocalTarget::root),
            end: end.filter_map(|(_, sid)| Sid::try_from(sid.into_owned()).ok()).collect(),
            remember: find("remember").is_some_and(|it| matches!(&*it, "true" | "on" | "1")),
            hints: SignInHints {
                prompt: find("prompt").filter(is_prompt).map(Cow::into_owned),
                login_hint: find("login_hint").filter(is_hint).map(Cow::into_owned),
            },
        }
    }
}
