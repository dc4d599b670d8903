//! `login/{name}`: begins a sign-in at an identity provider (OpenID Connect Core 1.0, section 3.1.2.1).

use std::rc::Rc;

use auth::http::{Head, Target};
use auth::issuer::{Issuer, SignInSettings};
use auth::refusal::Refusal;
use auth::route::provider_name;
use auth::sign_in::{
    ReturnCount, SignInAttempt, SignInFailure, SignInRequest, authorization_request,
};
use web_sys::{Request, Response};

use crate::app::App;
use crate::endpoints::pages::refused;
use crate::endpoints::pages::sign_in_failed::{self, Failed};
use crate::request::{self, RequestHead, UNREADABLE_BODY, now, random};
use crate::response;
use crate::services::provider_metadata;
use crate::services::provider_sign_in::Provider;

/// A provider, by the name in the path.
pub type Named<'a> = (&'a Rc<Issuer>, &'a SignInSettings);

/// The provider that the path names.
///
/// # Errors
/// [`Refusal::NotFound`].
pub fn named<'a>(app: &'a App, head: &RequestHead) -> Result<Named<'a>, Refusal> {
    let path = Target::of_url(head.url()).map_or("", |target| target.path());
    app.guard.sign_in_provider(provider_name(path)).ok_or(Refusal::NotFound)
}

/// `GET login/{name}`, of a link, and `POST login/{name}`, of a form: leads to the provider.
pub async fn begin(app: &App, request: &Request, head: &RequestHead) -> Response {
    let provider = match named(app, head) {
        Ok(provider) => provider,
        Err(refusal) => return refused::show(app, head, &refusal),
    };
    match read_request(app, request, head).await {
        Ok(wanted) => begin_at(app, head, provider, wanted).await,
        Err(refusal) => refused::show(app, head, &refusal),
    }
}

/// Begins a sign-in at this provider.
pub async fn begin_at(
    app: &App,
    head: &RequestHead,
    provider: Named<'_>,
    wanted: SignInRequest,
) -> Response {
    if let Some(elsewhere) = app.guard.sign_in_elsewhere(head, provider.1, &wanted) {
        return response::redirect(303, &elsewhere, &[]);
    }
    let (redirect, remember) = (wanted.redirect.clone(), wanted.remember);
    match try_begin(app, head, provider, wanted).await {
        Ok((url, cookies)) => {
            let cookies: Vec<_> = cookies.iter().map(|it| ("set-cookie", it.as_str())).collect();
            response::redirect(303, &url, &cookies)
        }
        Err(refusal) => {
            let failed = Failed { provider: provider.1, redirect: &redirect, remember };
            sign_in_failed::show(app, head, &failed, &refusal, &[])
        }
    }
}

const NO_COOKIE: Refusal =
    Refusal::BadRequest("No cookie is set here, so nobody can be signed in by redirect.");

/// A browser that looks at a link in advance, or a page that embeds it, would fill the browser with attempts.
const NOT_OPENED: Refusal = Refusal::BadRequest("Open this address as a page.");

async fn read_request(
    app: &App,
    request: &Request,
    head: &RequestHead,
) -> Result<SignInRequest, Refusal> {
    if !app.guard.sets_cookie(head) {
        return Err(NO_COOKIE);
    }
    if is_prefetched_or_embedded(head) {
        return Err(NOT_OPENED);
    }
    let hosts = &app.guard.settings().site_hosts;
    if head.method() == "POST" {
        app.guard.refuse_other_origins(head)?;
        let body = request::body(request).await;
        let body = body.map_err(|_| Refusal::BadRequest(UNREADABLE_BODY))?;
        return Ok(SignInRequest::of_form(&body, hosts));
    }
    let query = Target::of_url(head.url()).map_or("", |target| target.query());
    Ok(SignInRequest::of_query(query, hosts))
}

/// Does the browser say that it prefetches a link, or loads a part of a page (Fetch Metadata Request Headers)? If it says
/// nothing, somebody may be opening a page.
pub fn is_prefetched_or_embedded(head: &RequestHead) -> bool {
    let is_prefetch = |name: &str| head.header(name).is_some_and(|it| it.contains("prefetch"));
    let is_embedded = head.header("sec-fetch-dest").is_some_and(|it| it != "document");
    is_embedded || ["sec-purpose", "purpose", "x-moz"].into_iter().any(is_prefetch)
}

const NOT_KEPT: SignInFailure =
    SignInFailure::Malformed("What the sign-in needs does not fit into a cookie.");

/// The provider's URL, and the cookies of the attempt.
async fn try_begin(
    app: &App,
    head: &RequestHead,
    (issuer, settings): Named<'_>,
    wanted: SignInRequest,
) -> Result<(String, Vec<String>), Refusal> {
    let (guard, site) = (&app.guard, Target::site_of(head.url()));
    let metadata = provider_metadata::of(issuer).await?;
    let asked = guard.step_up_for(&wanted.redirect);
    let redirect_uri = settings.callback_url(site, &guard.settings().auth_path);
    let hints = wanted.hints.clone();
    let secrets = [random()?, random()?, random()?, random()?];
    let cookies = head.header("cookie").unwrap_or_default();
    let begins = (now(), ReturnCount::of(&cookies));
    let mut attempt = SignInAttempt::begin(settings, wanted, asked, redirect_uri, secrets, begins);
    let cookies = attempt.cookies(guard.tokens().keys(), site, &cookies, random()?);
    if cookies.is_empty() {
        return Err(NOT_KEPT.into());
    }
    let request = authorization_request(&issuer.trusted, &metadata, &attempt, &hints);
    let request = request.ok_or(Refusal::NotFound)?;
    let provider = Provider { issuer, metadata: &metadata };
    Ok((provider.authorization_url(guard, &request).await?, cookies))
}
