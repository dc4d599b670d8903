//! `REQUIRE_HTTPS`: nobody on the way reads a token or a password.

use super::credentials::Verifier;
use super::{Guard, RefusalResponse};
use crate::access::{Access, RuleMatches};
use crate::http::{Head, Target, host, is_loopback};
use crate::refusal::Refusal;
use crate::route::Endpoint;

impl Guard {
    /// Did a request that must not come over plain `http` do so? To this machine it may.
    pub(super) fn is_plain_http(&self, head: &impl Head) -> bool {
        let url = head.url();
        self.settings.require_https && !url.starts_with("https:") && !is_loopback(host(url))
    }

    /// Does an endpoint take or give what others must not read, or change on the way?
    pub(super) fn needs_https(&self, endpoint: Endpoint, head: &impl Head) -> bool {
        endpoint != Endpoint::Health && self.is_plain_http(head)
    }

    /// Is a token asked for, or sent where none is, or does somebody log in? A bearer token may be the
    /// origin's own.
    pub(super) fn sends_secrets_over_http(
        &self,
        head: &impl Head,
        rules: &RuleMatches<'_>,
    ) -> bool {
        let asks = || rules.access() == Access::Session || rules.is_login();
        self.is_plain_http(head) && (asks() || self.carries_token(head))
    }

    fn carries_token(&self, head: &impl Head) -> bool {
        let verifier = Verifier::new(&self.tokens);
        self.presented(head).is_found_outside_authorization()
            || self
                .settings
                .token_sources
                .any_possible_bearer(head, |token| verifier.may_be_ours(token))
    }

    /// The refusal of such a request to an endpoint.
    pub(super) fn refuse_plain_http(&self, head: &impl Head) -> RefusalResponse {
        self.refused(Refusal::HttpsRequired, head, None)
    }

    /// The same address over `https`, at its own port, without a token in it.
    pub(super) fn over_https(&self, url: &str) -> String {
        let target = self.settings.token_sources.without_tokens(&url[Target::site_of(url).len()..]);
        let target = target.split('#').next().unwrap_or_default();
        // A query may hold what no header can.
        let is_header = target.bytes().all(|byte| byte.is_ascii_graphic());
        let target = if is_header { target } else { target.split('?').next().unwrap_or_default() };
        format!("https://{}{target}", host(url))
    }
}
