//! What the guard asks a provider when somebody is signed in there: to keep a request, for tokens, and for the claims
//! of its user.

use std::rc::Rc;

use auth::decision::Guard;
use auth::issuer::{Issuer, ProviderMetadata};
use auth::login::AuthenticatedUser;
use auth::refusal::Refusal;
use auth::secret::Secret;
use auth::sign_in::{
    self, AuthorizationRequest, Client, MAX_ANSWER, PROVIDER_TIMEOUT, ProviderRequest,
    SignInAttempt, SignInFailure,
};

use crate::app::App;
use crate::body;
use crate::fetch::{self, Subrequest};
use crate::platform::message_of;
use crate::request;
use crate::services::federated_login::{self, ClaimedIdToken};
use crate::services::published::unreadable;

/// A provider at which somebody signs in.
pub struct Provider<'a> {
    /// It, and what is known of its keys.
    pub issuer: &'a Rc<Issuer>,
    /// Where its endpoints are.
    pub metadata: &'a ProviderMetadata,
}

/// Who has signed in.
pub struct SignedIn {
    /// The user.
    pub user: AuthenticatedUser,
    /// Their ID token, which no other login can use, if the provider has issued one.
    pub id_token: Option<Secret>,
}

/// A provider's answer.
struct Answer {
    status: u16,
    content_type: Option<String>,
    body: String,
}

impl Provider<'_> {
    /// Where the browser is sent. Leaves the parameters at the provider first, if that is wanted (RFC 9126).
    ///
    /// # Errors
    /// [`Refusal::SignIn`].
    pub async fn authorization_url(
        &self,
        guard: &Guard,
        request: &AuthorizationRequest,
    ) -> Result<String, Refusal> {
        if !request.is_pushed() {
            return Ok(request.url());
        }
        let push = request.push(&self.client(guard)?)?;
        let answer = ask(&push).await?;
        Ok(request.url_of_pushed(answer.status, &answer.body)?)
    }

    /// Exchanges the code, and verifies what the provider says of the user.
    ///
    /// # Errors
    /// [`Refusal::SignIn`], or why the user may not log in here.
    pub async fn user_of(
        &self,
        app: &App,
        attempt: &SignInAttempt,
        code: &str,
    ) -> Result<SignedIn, Refusal> {
        let trusted = &self.issuer.trusted;
        let client = self.client(&app.guard)?;
        let answer = ask(&sign_in::token_request(&client, attempt, code)?).await?;
        let Answer { status, content_type, body } = &answer;
        let tokens = sign_in::read_token_response(trusted, *status, content_type.as_deref(), body)?;
        let info = match sign_in::user_info_request(&client, &tokens)? {
            None => None,
            Some(request) => {
                let Answer { status, content_type, body } = ask(&request).await?;
                Some(sign_in::read_user_info(status, content_type.as_deref(), &body)?)
            }
        };
        let (with_times, now) = (app.guard.asks_for_login_times(), request::now());
        match (tokens.id_token, info) {
            (Some(jwt), info) => {
                let (token, once) =
                    federated_login::read(app, self.issuer, jwt.expose(), Some(&attempt.nonce))
                        .await
                        .map_err(of_token)?;
                let user =
                    sign_in::user_of_id_token(attempt, trusted, token, info, with_times, now)?;
                // Never released: the next attempt has an ID token of its own.
                ClaimedIdToken::claim(app, once).await?;
                Ok(SignedIn { user, id_token: Some(jwt) })
            }
            (None, Some(info)) => {
                let user = sign_in::user_of_plain_oauth(attempt, trusted, &info, with_times, now)?;
                Ok(SignedIn { user, id_token: None })
            }
            (None, None) => Err(SignInFailure::unavailable("there is no ID token").into()),
        }
    }

    /// The guard as the provider's client.
    fn client<'b>(&'b self, guard: &'b Guard) -> Result<Client<'b>, Refusal> {
        Ok(Client {
            issuer: &self.issuer.trusted,
            metadata: self.metadata,
            keys: guard.tokens().keys(),
            jti: request::random()?,
            now: request::now(),
        })
    }
}

/// In a sign-in it is the provider's fault if a token cannot be used.
fn of_token(refusal: Refusal) -> Refusal {
    match refusal {
        Refusal::Token(error) => SignInFailure::Token(error).into(),
        Refusal::IssuerUnavailable(cause) => SignInFailure::unavailable(cause).into(),
        refusal => refusal,
    }
}

/// Asks the provider: does not follow redirects, because codes and secrets are only for the URL that is known, and
/// bypasses caches.
async fn ask(request: &ProviderRequest) -> Result<Answer, SignInFailure> {
    let url = &request.url;
    send(request).await.map_err(|why| SignInFailure::unavailable(format!("{url} {why}")))
}

async fn send(request: &ProviderRequest) -> Result<Answer, String> {
    let ProviderRequest { method, url, headers, body } = request;
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let body = body.as_deref();
    let request = Subrequest { method, url, headers: &headers, body, bypass_cache: true };
    let limit = fetch::time_limit(PROVIDER_TIMEOUT);
    let failed = |error| match limit.aborted() {
        true => format!("did not answer within {} seconds", PROVIDER_TIMEOUT.as_secs()),
        false => message_of(&error),
    };
    let answer = request.send(None, Some(&limit)).await.map_err(failed)?;
    let (status, content_type) = (answer.status_code(), answer.headers().get("content-type"));
    let body = body::text(fetch::stream(&answer), MAX_ANSWER).await;
    let body = body.map_err(|error| unreadable(error, MAX_ANSWER))?;
    Ok(Answer { status, content_type: content_type.ok().flatten(), body })
}
