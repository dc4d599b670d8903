//! Exchanges the ID tokens of trusted issuers for sessions.

use std::rc::Rc;

use auth::id_token::{IdToken, IdTokenReplayEntry, IssuerSession};
use auth::issuer::Issuer;
use auth::jwt::{TokenError, UnverifiedJwt};
use auth::login::{AuthenticatedUser, InvalidIssuerUser};
use auth::refusal::{ClaimsSource, Refusal};
use auth::session::{InvalidSession, Session, SessionEnd, Sid, Subject};
use auth::sign_in::{self, SignInFailure};
use auth::store::{EntryName, SessionSelector};
use auth::time::Timestamp;

use crate::app::App;
use crate::request;
use crate::services::{end_sessions, issuer_keys};

/// An ID token that this login has claimed: no other login can use it, unless the claim is released.
pub struct ClaimedIdToken {
    once: IdTokenReplayEntry,
    /// This login's random id, the value of the entry.
    claim_id: Sid,
}

impl ClaimedIdToken {
    /// Claims the token. Of concurrent logins with the same token, one succeeds.
    ///
    /// # Errors
    /// [`TokenError::Used`], or [`Refusal::StoreUnavailable`].
    pub async fn claim(app: &App, once: IdTokenReplayEntry) -> Result<Self, Refusal> {
        let claimed = Self { once, claim_id: Sid::from_random(request::random()?) };
        let Self { once: IdTokenReplayEntry { note, over }, claim_id } = &claimed;
        match app.store.put_entry_if_absent(note, claim_id.as_str(), *over).await {
            Ok(true) => Ok(claimed),
            Ok(false) => Err(Refusal::Token(TokenError::Used)),
            Err(error) => {
                // The store may have written the entry all the same.
                claimed.release(app).await;
                Err(Refusal::StoreUnavailable(error))
            }
        }
    }

    /// Makes the token usable again, because no session was created: the client may repeat the login with the
    /// sessions to end, or when the store is back. If the store fails here, too, the token counts as used, and the
    /// client needs a new one from the issuer.
    pub async fn release(&self, app: &App) {
        let _ = app.store.delete_entry_if_equal(&self.once.note, self.claim_id.as_str()).await;
    }
}

/// Verifies and claims a trusted issuer's ID token, and returns its user. The token cannot be used again, unless the
/// claim is released.
///
/// # Errors
/// Why the token is not accepted.
pub async fn authenticate(
    app: &App,
    token: &str,
    nonce: Option<&str>,
) -> Result<(AuthenticatedUser, ClaimedIdToken), Refusal> {
    let issuer = UnverifiedJwt::parse_of_provider(token).and_then(|it| issuer_of(app, &it));
    let issuer = issuer.map_err(Refusal::Token)?;
    let (token, once) = read(app, issuer, token, nonce).await?;
    let asks = app.guard.asks_for_login_times();
    let token = sign_in::with_login(token, &issuer.trusted, asks, request::now());
    let user = AuthenticatedUser::by_issuer(token, &issuer.trusted).map_err(|why| {
        let name = &issuer.trusted.issuer;
        let cause = format!("TRUSTED_ISSUERS: a user of {name}: {why}");
        match why {
            InvalidIssuerUser::NotAllowed(_) => {
                Refusal::SignIn(Box::new(SignInFailure::NotAllowed(cause)))
            }
            InvalidIssuerUser::TooLarge(_) => {
                Refusal::ClaimsTooLarge { by: ClaimsSource::Issuer, cause }
            }
        }
    })?;
    Ok((user, ClaimedIdToken::claim(app, once).await?))
}

/// Verifies an ID token of this issuer, and returns what it says, with what claims it.
///
/// # Errors
/// Why the token is not accepted.
pub async fn read(
    app: &App,
    issuer: &Rc<Issuer>,
    token: &str,
    nonce: Option<&str>,
) -> Result<(IdToken, IdTokenReplayEntry), Refusal> {
    let token = UnverifiedJwt::parse_of_provider(token).map_err(Refusal::Token)?;
    let (digest, token) = (token.digest(), issuer_keys::verify(issuer, &token).await?);
    let token = IdToken::read(token, &issuer.trusted, nonce, request::now());
    let token = token.map_err(Refusal::Token)?;
    refuse_if_logged_out(app, &token.issued).await?;
    let once = token.once(&digest);
    Ok((token, once))
}

/// Records the user of an issuer's session, because a back-channel logout may name the session only.
pub async fn record_user(
    app: &App,
    issued: &IssuerSession,
    user: &Subject,
    until: Timestamp,
) -> Result<(), Refusal> {
    let Some(sid) = &issued.sid else { return Ok(()) };
    let note = IssuerSession::user_note(&issued.issuer, sid);
    app.store.put_entry(&note, user.as_str(), until).await.map_err(Refusal::StoreUnavailable)
}

/// Ends a session that was just created, if the issuer has logged its user out meanwhile: that logout did not find
/// the session yet.
pub async fn end_if_logged_out(
    app: &App,
    issued: &IssuerSession,
    user: &Subject,
    session: &Session,
) -> Result<(), Refusal> {
    let outcome = refuse_if_logged_out(app, issued).await;
    if outcome.is_err() {
        let which = SessionSelector::One(session.sid.clone());
        end_sessions::revoke(app, user, which).await?;
    }
    outcome
}

/// Refuses a login that the issuer has ended by a back-channel logout.
async fn refuse_if_logged_out(app: &App, issued: &IssuerSession) -> Result<(), Refusal> {
    let IssuerSession { issuer, sub, sid, at } = issued;
    if let Some(sid) = sid
        && let Some(ended) = logged_out_at(app, &IssuerSession::sid_end_note(issuer, sid)).await?
    {
        return Err(Refusal::Session(InvalidSession::Ended(SessionEnd::Revoked { at: ended })));
    }
    match logged_out_at(app, &IssuerSession::sub_end_note(issuer, sub)).await? {
        Some(ended) if *at <= ended => {
            Err(Refusal::Session(InvalidSession::Ended(SessionEnd::Revoked { at: ended })))
        }
        _ => Ok(()),
    }
}

async fn logged_out_at(app: &App, note: &EntryName) -> Result<Option<Timestamp>, Refusal> {
    let text = app.store.get_entry(note).await.map_err(Refusal::StoreUnavailable)?;
    // An unreadable entry still proves that there was a logout.
    let moment = text.map(|text| text.parse().map_or(request::now(), Timestamp::from_millis));
    Ok(moment)
}

/// The trusted issuer that a token's `iss` names.
///
/// # Errors
/// [`TokenError::Issuer`] if the issuer is not trusted.
pub fn issuer_of<'a>(
    app: &'a App,
    token: &UnverifiedJwt<'_>,
) -> Result<&'a Rc<Issuer>, TokenError> {
    let issuer = app.guard.issuer(token.claimed_issuer()?);
    issuer.filter(|issuer| issuer.trusted.has_tokens()).ok_or(TokenError::Issuer)
}
