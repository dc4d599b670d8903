//! Trusted issuers: their keys are fetched, and their ID tokens exchanged for a session.

use auth::id_token::{IdToken, Issued};
use auth::issuer::{FETCH_TIMEOUT, Issuer, Look, MAX_JWKS};
use auth::jwt::{TokenError, Unverified};
use auth::keys::{Material, PublishedKeys};
use auth::login::Approval;
use auth::refusal::Refusal;
use auth::session::{Ending, Gone, Session, Subject};
use auth::store::{Command, NoteName, Which};
use auth::time::Timestamp;
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::config::App;
use crate::{request, sessions};

#[wasm_bindgen(module = "/src/issuers.js")]
extern "C" {
    #[wasm_bindgen(js_name = getKeys)]
    fn get_keys(url: &str, most: u32, timeout: u32) -> Promise;

    /// Lets some time pass.
    pub fn pause(millis: u32) -> Promise;
}

/// Milliseconds between two looks at what another request is fetching.
const LOOK_AGAIN: u32 = 20;

/// A trusted issuer's word about who logs in.
///
/// # Errors
/// Why it is not taken.
pub async fn approve(app: &App, token: &str, nonce: Option<&str>) -> Result<Approval, Refusal> {
    let token = Unverified::parse(token).map_err(Refusal::Token)?;
    let issuer = issuer_of(app, &token).map_err(Refusal::Token)?;
    let key = key_of(issuer, &token).await?;
    let token = IdToken::read(token, &key, &issuer.trusted, nonce, request::now());
    let token = token.map_err(Refusal::Token)?;
    refuse_ended(app, &token.issued).await?;
    Approval::by_issuer(token).map_err(|why| {
        let name = &issuer.trusted.issuer;
        Refusal::IssuerUnavailable(format!("TRUSTED_ISSUERS: a user of {name}: {why}"))
    })
}

/// Notes whose session an issuer's is, because its logout may name the session only.
pub async fn note_user(
    app: &App,
    issued: &Issued,
    user: &Subject,
    until: Timestamp,
) -> Result<(), Refusal> {
    let Some(sid) = &issued.sid else { return Ok(()) };
    let note = Issued::user_note(&issued.issuer, sid);
    app.store.keep(&note, user.as_str(), until).await.map_err(Refusal::StoreUnavailable)
}

/// Ends a session that has just begun, if its login was over meanwhile: a logout that came in
/// between has not seen it.
pub async fn end_if_over(
    app: &App,
    issued: &Issued,
    user: &Subject,
    session: &Session,
) -> Result<(), Refusal> {
    let over = refuse_ended(app, issued).await;
    if over.is_err() {
        let which = Which::One(session.sid.clone());
        let command = Command::End { which, ending: Ending::Revoked { at: request::now() } };
        sessions::end_sessions(app, user, &command).await?;
    }
    over
}

/// Has the issuer told us that this login is over?
async fn refuse_ended(app: &App, issued: &Issued) -> Result<(), Refusal> {
    let Issued { issuer, sub, sid, at } = issued;
    if let Some(sid) = sid
        && let Some(ended) = moment(app, &Issued::sid_end_note(issuer, sid)).await?
    {
        return Err(Refusal::Session(Gone::Ended(Ending::Revoked { at: ended })));
    }
    match moment(app, &Issued::sub_end_note(issuer, sub)).await? {
        Some(ended) if *at <= ended => {
            Err(Refusal::Session(Gone::Ended(Ending::Revoked { at: ended })))
        }
        _ => Ok(()),
    }
}

async fn moment(app: &App, note: &NoteName) -> Result<Option<Timestamp>, Refusal> {
    let text = app.store.recall(note).await.map_err(Refusal::StoreUnavailable)?;
    // A note of ours that cannot be read says at least that there was an end.
    let moment = text.map(|text| text.parse().map_or(request::now(), Timestamp::from_millis));
    Ok(moment)
}

/// The trusted issuer that a token claims to be from.
///
/// # Errors
/// [`TokenError::Issuer`] if it is none.
pub fn issuer_of<'a>(app: &'a App, token: &Unverified<'_>) -> Result<&'a Issuer, TokenError> {
    app.guard.issuer(token.claimed_issuer()?).ok_or(TokenError::Issuer)
}

/// The key of an issuer's that a token names, fetched if it is not among those that are known.
///
/// # Errors
/// [`TokenError::UnknownKey`], or [`Refusal::IssuerUnavailable`] if there are no keys to be had.
pub async fn key_of(issuer: &Issuer, token: &Unverified<'_>) -> Result<Material, Refusal> {
    let kid = token.kid().map_err(Refusal::Token)?;
    loop {
        match issuer.keyring.look(kid, request::now()) {
            Look::Use(keys) => {
                let key = keys.find(kid).cloned();
                return key.ok_or(Refusal::Token(TokenError::UnknownKey));
            }
            Look::Fetch => fetch(issuer).await,
            Look::Wait => drop(JsFuture::from(pause(LOOK_AGAIN)).await),
            Look::Unavailable => {
                let name = &issuer.trusted.issuer;
                let cause = format!("TRUSTED_ISSUERS: no keys of {name}; an earlier line says why");
                return Err(Refusal::IssuerUnavailable(cause));
            }
        }
    }
}

async fn fetch(issuer: &Issuer) {
    let trusted = &issuer.trusted;
    let timeout = FETCH_TIMEOUT.as_millis() as u32;
    let answer = JsFuture::from(get_keys(&trusted.jwks_uri, MAX_JWKS as u32, timeout)).await;
    let keys = match answer {
        Ok(json) => {
            PublishedKeys::parse(&json.as_string().unwrap_or_default(), &trusted.algorithms)
        }
        Err(error) => Err(String::from(js_sys::Error::from(error).message())),
    };
    if let Err(why) = &keys {
        let cause = format!("TRUSTED_ISSUERS: {} {why}", trusted.jwks_uri);
        let line =
            serde_json::json!({ "level": "warn", "code": "keys_not_fetched", "cause": cause });
        web_sys::console::warn_1(&line.to_string().into());
    }
    issuer.keyring.answered(keys.ok(), request::now());
}
