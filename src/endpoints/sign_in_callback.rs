//! `GET callback/{name}`: ends a sign-in at an identity provider, and begins a session (OpenID Connect Core 1.0,
//! section 3.1.2.5).

use auth::decision::Guard;
use auth::http::{Head, Target};
use auth::login::LoginCredentials;
use auth::redirect::LocalTarget;
use auth::refusal::Refusal;
use auth::sign_in::{Callback, ReturnCount, SignInAttempt, SignInFailure};
use web_sys::Response;

use crate::app::App;
use crate::endpoints::pages::refused;
use crate::endpoints::pages::sign_in_failed::{self, Failed};
use crate::endpoints::sign_in::{self, Named};
use crate::request::{self, RequestHead};
use crate::response;
use crate::services::create_session::{self, CookiePolicy, CreatedSession};
use crate::services::provider_sign_in::Provider;
use crate::services::{current_session, id_token_hint, login_rate, provider_metadata};

/// `GET callback/{name}`: the provider sends the browser back. Clears the attempt's cookie, however it ends.
pub async fn end(app: &App, head: &RequestHead) -> Response {
    let provider = match sign_in::named(app, head) {
        Ok(provider) => provider,
        Err(refusal) => return refused::show(app, head, &refusal),
    };
    let sent = head.header("cookie").unwrap_or_default();
    let returns = ReturnCount::of(&sent);
    let mut cookies = vec![returns.after(returns).set_cookie()];
    let query = Target::of_url(head.url()).map_or("", |target| target.query());
    let callback = match Callback::read(query) {
        Ok(callback) => callback,
        Err(failure) => return fail(app, head, provider, None, failure.into(), &cookies).await,
    };
    cookies.extend(callback.clear_cookie());
    let (keys, site) = (app.guard.tokens().keys(), Target::site_of(head.url()));
    let attempt = match callback.attempt(&provider.1.name, keys, site, &sent) {
        Ok(attempt) => attempt,
        // One of so many tabs that its attempt was given up. The first page signs in anew, or another tab has done so.
        Err(SignInFailure::Unknown)
            if returns.may_go_straight()
                && app.guard.is_navigation(head)
                && SignInAttempt::are_several_kept(keys, site, &sent) =>
        {
            return response::redirect(303, "/", &lines(&cookies).collect::<Vec<_>>());
        }
        Err(failure) => return fail(app, head, provider, None, failure.into(), &cookies).await,
    };
    cookies[0] = returns.after(attempt.returns).set_cookie();
    match try_end(app, head, provider, callback, &attempt).await {
        Ok(created) => {
            let mut headers = created.as_ref().map_or(Vec::new(), CreatedSession::set_cookie);
            headers.extend(lines(&cookies));
            response::redirect(303, attempt.redirect.as_str(), &headers)
        }
        Err(refusal)
            if is(&refusal, &[SignInFailure::Expired])
                && attempt.is_over(request::now())
                && returns.may_go_straight() =>
        {
            again(&app.guard, provider, &attempt, &cookies)
        }
        Err(refusal) => fail(app, head, provider, Some(&attempt), refusal, &cookies).await,
    }
}

fn is(refusal: &Refusal, failures: &[SignInFailure]) -> bool {
    matches!(refusal, Refusal::SignIn(failure) if failures.contains(failure))
}

fn lines(cookies: &[String]) -> impl Iterator<Item = (&str, &str)> {
    cookies.iter().map(|cookie| ("set-cookie", cookie.as_str()))
}

/// Begins anew what was left open for too long.
fn again(
    guard: &Guard,
    (_, settings): Named<'_>,
    attempt: &SignInAttempt,
    cookies: &[String],
) -> Response {
    let path = sign_in_failed::path_of(guard, settings, &attempt.redirect, attempt.remember);
    response::redirect(303, &path, &lines(cookies).collect::<Vec<_>>())
}

/// The page of a failure; but whoever is signed in all the same, in another tab or by this very callback, which was sent
/// twice, goes on.
async fn fail(
    app: &App,
    head: &RequestHead,
    (_, settings): Named<'_>,
    attempt: Option<&SignInAttempt>,
    refusal: Refusal,
    cookies: &[String],
) -> Response {
    let redirect = attempt.map_or(LocalTarget::root(), |attempt| attempt.redirect.clone());
    let is_repeated = is(&refusal, &[SignInFailure::Unknown, SignInFailure::Expired]);
    if is_repeated && current_session::find_live(app, head).await.is_some() {
        return response::redirect(303, redirect.as_str(), &lines(cookies).collect::<Vec<_>>());
    }
    let remember = attempt.is_some_and(|attempt| attempt.remember);
    let failed = Failed { provider: settings, redirect: &redirect, remember };
    sign_in_failed::show(app, head, &failed, &refusal, cookies)
}

/// Counted by the address alone, as an ID token is.
const AT_PROVIDER: LoginCredentials =
    LoginCredentials::IdToken { token: String::new(), nonce: None };

/// The new session; `None` if another tab of the browser has begun one meanwhile. A second session would end that one,
/// which the other tab uses.
async fn try_end(
    app: &App,
    head: &RequestHead,
    (issuer, _): Named<'_>,
    callback: Callback,
    attempt: &SignInAttempt,
) -> Result<Option<CreatedSession>, Refusal> {
    let metadata = provider_metadata::of(issuer).await?;
    let code = callback.code(attempt, &issuer.trusted, &metadata, request::now())?;
    let counted = login_rate::count(app, head, &AT_PROVIDER).await?;
    let provider = Provider { issuer, metadata: &metadata };
    let signed_in = provider.user_of(app, attempt, &code).await?;
    let refund = counted.refund(app);
    let user = &signed_in.user;
    if let Some((principal, live)) = current_session::find_live(app, head).await
        && attempt.is_answered_by(live.session(), principal.user(), user)
    {
        refund.done().await;
        return Ok(None);
    }
    let lifetimes = app.guard.lifetimes(user, attempt.remember);
    let presented = create_session::presented_sessions(app, head);
    let client = request::client(head);
    let cookie = CookiePolicy::Required;
    let created = create_session::create(app, user, client, lifetimes, cookie, &presented).await;
    if let (Ok(created), Some(id_token)) = (&created, &signed_in.id_token)
        && metadata.end_session_endpoint.is_some()
    {
        id_token_hint::keep(app, &user.sub, created.session(), id_token).await;
    }
    refund.done().await;
    created.map(Some)
}
