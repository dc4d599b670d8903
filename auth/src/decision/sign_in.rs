//! The providers that people are signed in at, and what is asked of a login there.

use std::rc::Rc;

use super::Guard;
use crate::access::PathVariants;
use crate::http::Target;
use crate::issuer::{Issuer, SignInSettings};
use crate::redirect::LocalTarget;
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
