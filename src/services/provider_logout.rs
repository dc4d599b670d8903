//! Where a browser goes to log out at the provider (OpenID Connect RP-Initiated Logout 1.0).

use std::rc::Rc;

use auth::issuer::Issuer;
use auth::jwt::UnverifiedJwt;
use auth::sign_in;
use auth::token::AuthenticToken;

use crate::app::App;
use crate::services::{federated_login, id_token_hint, provider_metadata};

/// The query with which the page `logged-out` says that nobody was logged out at the provider.
pub const ONLY_HERE: &str = "only=here";

/// The provider's URL, which leads back to the page `logged-out`; or that page, if there is none. `site` is scheme and
/// authority of the request, `tokens` those of the sessions that have ended.
pub async fn url(app: &App, site: &str, tokens: &[AuthenticToken]) -> String {
    let page = format!("{}/logged-out", app.guard.settings().auth_path);
    let hint = hint(app, tokens).await;
    let provider = match &hint {
        Some(hint) => issuer_of(app, hint),
        None => provider_of_users(app, tokens).or_else(|| only_provider(app)),
    };
    let here = format!("{site}{page}");
    let only_here = format!("{here}?{ONLY_HERE}");
    let Some(issuer) = provider else { return here };
    let at_provider = issuer.trusted.sign_in.as_ref().map_or(site, |it| it.site_at_provider(site));
    let back = format!("{at_provider}{page}");
    let metadata = provider_metadata::of(issuer).await;
    let url = metadata.ok().and_then(|metadata| {
        sign_in::end_session_url(&issuer.trusted, &metadata, hint.as_deref(), &back)
    });
    url.unwrap_or(only_here)
}

/// The ID token of the first of the sessions that began at a provider.
async fn hint(app: &App, tokens: &[AuthenticToken]) -> Option<String> {
    for token in tokens {
        if let Some(hint) = id_token_hint::take(app, token.sub(), token.sid()).await {
            return Some(hint);
        }
    }
    None
}

/// The issuer of an ID token that was verified when it was kept.
fn issuer_of<'a>(app: &'a App, id_token: &str) -> Option<&'a Rc<Issuer>> {
    let token = UnverifiedJwt::parse_of_provider(id_token).ok()?;
    federated_login::issuer_of(app, &token).ok().filter(|issuer| issuer.trusted.sign_in.is_some())
}

/// The provider whose users have these tokens, by their names.
fn provider_of_users<'a>(app: &'a App, tokens: &[AuthenticToken]) -> Option<&'a Rc<Issuer>> {
    let all = &app.guard.settings().trusted_issuers;
    let issuer = tokens.iter().find_map(|token| auth::issuer::issuer_of(token.sub(), all))?;
    app.guard.issuer(&issuer.issuer).filter(|issuer| issuer.trusted.sign_in.is_some())
}

/// Without a hint, the provider asks its user.
fn only_provider(app: &App) -> Option<&Rc<Issuer>> {
    let mut all = app.guard.sign_in_providers().map(|(issuer, _)| issuer);
    all.next().filter(|_| all.next().is_none())
}
