//! Where a client that was refused gets a token: see [`crate::resource_metadata`].

use super::Guard;
use super::browser::asked_by_preflight;
use crate::access::PathVariants;
use crate::http::{Head, Target};
use crate::refusal::ResourceChallenge;

impl Guard {
    /// What a refusal says of the resource that was asked for.
    pub(super) fn resource_challenge(&self, head: &impl Head) -> Option<ResourceChallenge> {
        self.settings.resource_metadata.as_ref()?;
        let (site, path) = (Target::site_of(head.url()), Target::of_url(head.url())?.path());
        let rules = self.settings.routes.find(head.method(), path, &PathVariants::of(path));
        self.resources.challenge(site, path, &rules.scopes())
    }

    /// Is it a request for a resource's metadata, or a browser's question whether a script may send one?
    pub(super) fn asks_for_metadata(&self, head: &impl Head, path: &str) -> bool {
        let is_served = self.settings.resource_metadata.is_some();
        is_served
            && self.resources.has_metadata(path)
            && (matches!(head.method(), "GET" | "HEAD") || asked_by_preflight(head).is_some())
    }

    /// The metadata of the resource that a request asks about, as JSON; `None` if it is a preflight.
    pub fn resource_metadata(&self, head: &impl Head) -> Option<String> {
        let path = Target::of_url(head.url())?.path();
        let is_asked = head.method() != "OPTIONS";
        is_asked.then(|| self.resources.metadata(Target::site_of(head.url()), path)).flatten()
    }
}
