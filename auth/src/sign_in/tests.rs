use super::*;
use crate::issuer::TrustedIssuer;
use crate::jwt::TokenError;
use crate::keys::KeySet;
use crate::keys::tests::hs256_set;
use crate::secret::Secret;
use crate::site_hosts::SiteHosts;
use crate::step_up::StepUp;
use crate::time::Timestamp;
use serde_json::{Value, json};

mod back;
mod exchange;
mod send;
mod tabs;
mod user;

pub(super) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
pub(super) const SITE: &str = "https://app.example";

pub(super) fn keys() -> KeySet {
    hs256_set(&["a"])
}

/// A provider with these members.
pub(super) fn issuer(changes: Value) -> TrustedIssuer {
    let entry = json!({
        "issuer": "https://idp.example",
        "client_id": "app",
        "name": "staff",
        "claims": ["email", "email_verified", "groups"],
    });
    let mut issuer = crate::issuer::tests::parsed(entry, changes).unwrap();
    if let Some(sign_in) = &mut issuer.sign_in {
        sign_in.client_secret = sign_in.client_secret_name.as_ref().map(|_| Secret::new("p:w/+ä"));
    }
    issuer
}

pub(super) fn metadata(issuer: &TrustedIssuer, changes: Value) -> ProviderMetadata {
    let mut document = json!({
        "issuer": issuer.issuer,
        "authorization_endpoint": "https://idp.example/authorize",
        "token_endpoint": "https://idp.example/token",
        "jwks_uri": "https://idp.example/jwks",
        "userinfo_endpoint": "https://idp.example/userinfo",
        "end_session_endpoint": "https://idp.example/logout",
    });
    document.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    ProviderMetadata::parse(&document.to_string(), issuer).unwrap()
}

pub(super) fn attempt(issuer: &TrustedIssuer, query: &str, asked: StepUp) -> SignInAttempt {
    let settings = issuer.sign_in.as_ref().unwrap();
    let request = SignInRequest::of_query(query, &SiteHosts::default());
    let redirect_uri = settings.callback_url(SITE, "/_auth");
    SignInAttempt::begin(
        settings,
        request,
        asked,
        redirect_uri,
        [[1; 16], [2; 16], [3; 16], [4; 16]],
        (NOW, ReturnCount::default()),
    )
}

impl SignInFailure {
    /// One of each variant, which the compiler counts.
    pub(crate) fn one_of_each() -> Vec<Self> {
        let all = vec![
            Self::Malformed("x"),
            Self::Unknown,
            Self::Expired,
            Self::MixedUp("x".into()),
            Self::Denied(ProviderError::new("access_denied", Some("x"))),
            Self::Refused("x".into()),
            Self::unavailable("x"),
            Self::Token(TokenError::NotYet),
            Self::NotEnough { asked: StepUp::default(), cause: "x".into() },
            Self::NotAllowed("x".into()),
            Self::Loop,
        ];
        for failure in &all {
            match failure {
                Self::Malformed(_) | Self::Unknown | Self::Expired | Self::MixedUp(_) => {}
                Self::Denied(_) | Self::Refused(_) | Self::Unavailable(_) | Self::Token(_) => {}
                Self::NotEnough { .. } | Self::NotAllowed(_) | Self::Loop => {}
            }
        }
        all
    }
}

#[test]
fn each_failure_has_words_for_people_that_repeat_nothing_from_outside() {
    for failure in SignInFailure::one_of_each() {
        let code = failure.code();
        assert!(code.starts_with("sign_in_") && failure.status() >= 400, "{code}");
        let words = [failure.title(), &failure.detail()].concat();
        assert!(words.len() > 40 && !words.contains('_'), "{code}: {words}");
        let ways = failure.way_on();
        assert!(ways.again || ways.other_account, "{code}");
    }
}
