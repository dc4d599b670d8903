//! Who has signed in, after all that is to be checked on return.

use serde_json::{Map, Value};

use super::attempt::SignInAttempt;
use super::user_info::UserInfoClaims;
use crate::id_token::{IdToken, IssuerSession};
use crate::issuer::{ClaimPath, TrustedIssuer, UserInfo};
use crate::jwt::{self, TokenError};
use crate::login::{AuthenticatedUser, InvalidIssuerUser};
use crate::refusal::SignInFailure;
use crate::time::Timestamp;

/// The user of an ID token whose signature and `nonce` were verified. `asks_for_login_times`: does any rule ask for
/// `max_age`? Then a session whose provider does not say when its user logged in is taken for an old login.
///
/// # Errors
/// Why there is no session for them.
pub fn user_of_id_token(
    attempt: &SignInAttempt,
    issuer: &TrustedIssuer,
    token: IdToken,
    info: Option<UserInfoClaims>,
    asks_for_login_times: bool,
    now: Timestamp,
) -> Result<AuthenticatedUser, SignInFailure> {
    let mut token = match info {
        None => token,
        Some(UserInfoClaims(info)) => token.with_user_info(info, issuer).map_err(|_| {
            SignInFailure::Refused("the user information is not of the ID token's user".into())
        })?,
    };
    let login = Login::of(token.said(), issuer, now);
    login.check(attempt, issuer)?;
    login.put_into(&mut token.claims, asks_for_login_times);
    let user = AuthenticatedUser::by_issuer(token, issuer).map_err(failure)?;
    Ok(with_wishes(user, attempt))
}

/// An ID token that was exchanged, as one of a sign-in where people sign in at its issuer: whoever is signed in there gets
/// such a token without a login, and no session that looks like a fresh one. `asks_for_login_times` as above.
#[must_use]
pub fn with_login(
    mut token: IdToken,
    issuer: &TrustedIssuer,
    asks_for_login_times: bool,
    now: Timestamp,
) -> IdToken {
    if issuer.sign_in.is_some() {
        let login = Login::of(token.said(), issuer, now);
        login.put_into(&mut token.claims, asks_for_login_times);
    }
    token
}

/// The user of a provider without ID tokens.
///
/// # Errors
/// Why there is no session for them.
pub fn user_of_plain_oauth(
    attempt: &SignInAttempt,
    issuer: &TrustedIssuer,
    info: &UserInfoClaims,
    asks_for_login_times: bool,
    now: Timestamp,
) -> Result<AuthenticatedUser, SignInFailure> {
    let Some(UserInfo::Mapped(mapping)) = issuer.sign_in.as_ref().map(|it| &it.user_info) else {
        return Err(SignInFailure::Refused("`userinfo` is no mapping".into()));
    };
    let mut claims = mapped(mapping, &info.0);
    let sub = match claims.get("sub") {
        Some(Value::String(sub)) => sub.clone(),
        _ => return Err(SignInFailure::Refused("the user information has no `sub`".into())),
    };
    let login = Login { time: None, acr: None };
    login.check(attempt, issuer)?;
    issuer.sign_in_policy.admit(&claims).map_err(|it| SignInFailure::NotAllowed(it.0))?;
    claims.remove("sub");
    let unverified = claims.get("email_verified").is_some_and(|it| it != true);
    if unverified && !issuer.sign_in_policy.trust_email {
        claims.remove("email");
    }
    login.put_into(&mut claims, asks_for_login_times);
    let user = issuer.subject(&sub).ok_or(SignInFailure::Token(TokenError::Malformed))?;
    let issued = IssuerSession { issuer: issuer.issuer.clone(), sub, sid: None, at: now };
    let user = AuthenticatedUser::of_claims(user, claims, issued).map_err(failure)?;
    Ok(with_wishes(user, attempt))
}

/// The claims that are found. A user is known by a text, also if it is written as a number.
fn mapped(mapping: &[(String, ClaimPath)], info: &Map<String, Value>) -> Map<String, Value> {
    let found = mapping.iter().filter_map(|(name, path)| {
        let value = match path.find(info)? {
            // A large or broken number is read inexactly, and would be another's, too.
            Value::Number(number) if !number.is_f64() => number.to_string().into(),
            value => value.clone(),
        };
        Some((name.clone(), value))
    });
    let mut claims = found.collect();
    jwt::claims_in_one_form(&mut claims);
    claims
}

fn with_wishes(user: AuthenticatedUser, attempt: &SignInAttempt) -> AuthenticatedUser {
    AuthenticatedUser { end: attempt.end.clone(), ..user }
}

fn failure(error: InvalidIssuerUser) -> SignInFailure {
    match error {
        InvalidIssuerUser::NotAllowed(why) => SignInFailure::NotAllowed(why.0),
        InvalidIssuerUser::TooLarge(why) => SignInFailure::Refused(why),
    }
}

/// What the provider says of the login.
struct Login {
    /// When it was.
    time: Option<Timestamp>,
    /// Its strength.
    acr: Option<String>,
}

impl Login {
    /// A time that lies ahead further than clocks differ says nothing, such as milliseconds.
    fn of(said: &Map<String, Value>, issuer: &TrustedIssuer, now: Timestamp) -> Self {
        let seconds = said.get("auth_time").and_then(|it| match it {
            Value::String(text) => text.parse().ok(),
            value => value.as_f64(),
        });
        let time = seconds.filter(|at| (0.0..1e12).contains(at));
        let time = time.map(|at| Timestamp::from_millis(at as u64 * 1000));
        let time = time.filter(|at| *at <= now.plus(issuer.clock_tolerance)).map(|at| at.min(now));
        let acr = said.get("acr").and_then(|it| match it {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        });
        Self { time, acr }
    }

    /// Is it what was asked for (OpenID Connect Core 1.0, section 3.1.3.7, points 12 and 13)?
    fn check(&self, attempt: &SignInAttempt, issuer: &TrustedIssuer) -> Result<(), SignInFailure> {
        let asked = &attempt.asked;
        // By when it began: whoever takes long to come back has not logged in too early.
        let latest = asked.max_age.map(|most| most + issuer.clock_tolerance);
        let is_fresh = latest
            .is_none_or(|most| self.time.is_some_and(|time| attempt.began.since(time) <= most));
        let is_strong = asked
            .acr
            .as_ref()
            .is_none_or(|all| self.acr.as_ref().is_some_and(|acr| all.contains(acr)));
        let cause = match (is_fresh, is_strong, self.time, &self.acr) {
            (true, true, _, _) => return Ok(()),
            (false, _, None, _) => {
                "`max_age` was asked for, and the ID token has no `auth_time`".to_owned()
            }
            (false, _, Some(time), _) => {
                let [_, max_age] = asked.challenge();
                format!("the ID token's `auth_time` is {time}, and `max_age` was {max_age}")
            }
            (true, false, _, None) => "the ID token has no `acr`".to_owned(),
            (true, false, _, Some(acr)) => {
                let acr: String = acr.chars().take(100).collect();
                format!("the ID token's `acr` is {acr:?}")
            }
        };
        Err(SignInFailure::NotEnough { asked: asked.clone(), cause })
    }

    /// What rules look at is in the guard's token.
    fn put_into(self, claims: &mut Map<String, Value>, asks_for_login_times: bool) {
        let seconds = self.time.map(Timestamp::seconds);
        // When the session began is no login at the provider.
        if let Some(seconds) = seconds.or(asks_for_login_times.then_some(0)) {
            claims.insert("auth_time".into(), seconds.into());
        }
        if let Some(acr) = self.acr {
            claims.insert("acr".into(), acr.into());
        }
    }
}
