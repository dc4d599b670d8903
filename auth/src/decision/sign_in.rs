//! The providers that people are signed in at, and what is asked of a login there.

use std::rc::Rc;

use super::Guard;
use crate::access::PathVariants;
use crate::http::{Head, Target};
use crate::issuer::{Issuer, SignInSettings};
use crate::redirect::LocalTarget;
use crate::sign_in::{SignInHints, SignInRequest};
use crate::step_up::StepUp;

impl Guard {
    /// The issuers that people are signed in at, in the order of the settings.
    pub fn sign_in_providers(&self) -> impl Iterator<Item = (&Rc<Issuer>, &SignInSettings)> {
        self.issuers.iter().filter_map(|it| Some((it, it.trusted.sign_in.as_ref()?)))
    }

    /// The issuer whose sign-in has this name.
    pub fn sign_in_provider(&self, name: &str) -> Option<(&Rc<Issuer>, &SignInSettings)> {
        self.sign_in_providers().find(|(_, settings)| settings.name == name)
    }

    /// The address at which a sign-in begins whose provider sends browsers back to another host; `None`: here. Where both
    /// hosts share the session, it leads back to this one. Sessions to end are left out: a link must not. Only once,
    /// because the guard may see another host than browsers do.
    pub fn sign_in_elsewhere(
        &self,
        head: &impl Head,
        provider: &SignInSettings,
        request: &SignInRequest,
    ) -> Option<String> {
        const ONCE: &str = "elsewhere=true";
        let (url, hosts) = (head.url(), &self.settings.site_hosts);
        let other = provider.other_site(Target::site_of(url))?;
        let target = Target::of_url(url)?;
        if target.query().split('&').any(|pair| pair == ONCE) {
            return None;
        }
        let here = hosts.origin_at(url).filter(|_| hosts.split(other).is_some());
        let page = here.map_or(request.redirect.clone(), |here| request.redirect.at(here));
        let SignInHints { prompt, login_hint } = &request.hints;
        let remember = request.remember.then_some("true");
        let more = [
            ("remember", remember),
            ("prompt", prompt.as_deref()),
            ("login_hint", login_hint.as_deref()),
        ];
        let more = more.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("redirect", page.as_str())
            .extend_pairs(more)
            .finish();
        Some(format!("{other}{}?{query}&{ONCE}", target.path()))
    }

    /// What the rules of a page ask of the login behind the session of its visitor.
    pub fn step_up_for(&self, page: &LocalTarget) -> StepUp {
        let text = page.local();
        let text = text.find('#').map_or(text, |end| &text[..end]);
        // A path needs a site to be read as a request's is.
        let url = format!("https://site{text}");
        let Some(target) = Target::of_url(&url) else { return StepUp::default() };
        let readings = PathVariants::of(target.path());
        let rules = self.settings.routes.find("GET", target.path(), &readings);
        rules.step_up().unwrap_or_default()
    }

    /// Does any rule ask how long ago a login was?
    pub fn asks_for_login_times(&self) -> bool {
        self.settings.routes.all().iter().any(|rule| rule.step_up.max_age.is_some())
    }
}
