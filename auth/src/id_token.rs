//! ID tokens (OpenID Connect Core 1.0, section 2): the word of a trusted issuer that somebody has
//! logged in there.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::issuer::TrustedIssuer;
use crate::jwt::{Claims, REGISTERED, TokenError, VerifiedJwt};
use crate::session::Subject;
use crate::store::EntryName;
use crate::time::Timestamp;

/// How old an ID token may be when it is exchanged. Longer than any login takes, and as long as the
/// end of an issuer's session is remembered.
pub const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// What an ID token says.
#[derive(Clone, Debug, PartialEq)]
pub struct IdToken {
    /// Who has logged in, as the guard calls them.
    pub sub: Subject,
    /// The claims that go on into our token.
    pub claims: Map<String, Value>,
    /// The issuer's side of it.
    pub issued: IssuerSession,
    /// From when on it is not taken any more.
    pub over: Timestamp,
    jti: Option<String>,
    /// All that it says of its user, whoever is to know it.
    said: Map<String, Value>,
}

/// An ID token begins one session. A note says that it has, for as long as it could begin another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdTokenReplayEntry {
    /// The note.
    pub note: EntryName,
    /// Until when it is to be kept.
    pub over: Timestamp,
}

/// A login at an issuer, as a logout there will name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerSession {
    /// The issuer.
    pub issuer: String,
    /// The issuer's `sub`.
    pub sub: String,
    /// The issuer's own session, if it names one.
    pub sid: Option<String>,
    /// When the token was issued.
    pub at: Timestamp,
}

impl IdToken {
    /// Reads an ID token that a key of this issuer's has signed, as section 3.1.3.7 has it. `nonce` is the one that the client sent to the
    /// issuer, if it tells.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(
        signed: VerifiedJwt,
        issuer: &TrustedIssuer,
        nonce: Option<&str>,
        now: Timestamp,
    ) -> Result<Self, TokenError> {
        // Access tokens and logout tokens say what they are, by type, by claim, or by `events`.
        if !is_plain(&signed) || signed.claims.has("events") || signed.claims.say_no_id_token() {
            return Err(TokenError::Type);
        }
        let mut claims = signed.claims;
        addressed_to(issuer, &mut claims)?;
        let period = claims.period()?.with_tolerance(issuer.clock_tolerance);
        period.with_not_before(period.issued(), issuer.not_before).judge(now)?;
        let issued = period.issued();
        if now.since(issued) > MAX_AGE {
            return Err(TokenError::Expired);
        }
        let own_nonce = claims.optional_text("nonce")?;
        if nonce.is_some() && own_nonce.as_deref() != nonce {
            return Err(TokenError::Nonce);
        }
        let sub = claims.text("sub")?;
        let sid = claims.optional_text("sid")?;
        let jti = match claims.take("jti") {
            Some(Value::String(jti)) if !jti.is_empty() => Some(jti),
            _ => None,
        };
        let claims_of_ours = passed_on(issuer, claims.all());
        let mut said = claims.into_rest();
        said.insert("sub".into(), sub.as_str().into());
        Ok(Self {
            over: period.over().min(issued.plus(MAX_AGE + Duration::from_secs(1))),
            jti,
            sub: issuer.subject(&sub).ok_or(TokenError::Malformed)?,
            claims: claims_of_ours,
            said,
            issued: IssuerSession { issuer: issuer.issuer.clone(), sub, sid, at: issued },
        })
    }
}

impl IdToken {
    /// The same with what the userinfo endpoint says beside it (OpenID Connect Core 1.0, section 5.3). What the token
    /// says itself stays, and so do its address and whether that is verified, which belong together.
    ///
    /// # Errors
    /// It is another user's.
    pub fn with_user_info(
        mut self,
        mut info: Map<String, Value>,
        issuer: &TrustedIssuer,
    ) -> Result<Self, TokenError> {
        let sub = info.remove("sub");
        if sub.as_ref().and_then(Value::as_str) != Some(&self.issued.sub) {
            return Err(TokenError::Malformed);
        }
        let one_source = if self.said.contains_key("email") { &mut info } else { &mut self.said };
        for name in ["email", "email_verified"] {
            one_source.remove(name);
        }
        let is_token = |name: &str| REGISTERED.contains(&name) || OF_THE_TOKEN.contains(&name);
        for (name, value) in info.into_iter().filter(|(name, _)| !is_token(name)) {
            self.said.entry(name).or_insert(value);
        }
        self.claims = passed_on(issuer, &self.said);
        Ok(self)
    }

    /// All that the issuer says of the user.
    pub fn said(&self) -> &Map<String, Value> {
        &self.said
    }

    /// What keeps it from being used again. A `jti` is the issuer's own name for it (RFC 7519, section
    /// 4.1.7); without one, `digest` is, that of the token ([`UnverifiedJwt::digest`](crate::jwt::UnverifiedJwt::digest)).
    pub fn once(&self, digest: &str) -> IdTokenReplayEntry {
        let issuer = &*self.issued.issuer;
        let note = match &self.jti {
            Some(jti) => EntryName::new("ID token used", &[issuer, jti]),
            None => EntryName::new("ID token used, by its digest", &[issuer, digest]),
        };
        IdTokenReplayEntry { note, over: self.over }
    }
}

impl IssuerSession {
    /// The note that says whose session the issuer's is.
    pub fn user_note(issuer: &str, sid: &str) -> EntryName {
        EntryName::new("issuer session", &[issuer, sid])
    }

    /// The note that says that the issuer's session has ended, and when.
    pub fn sid_end_note(issuer: &str, sid: &str) -> EntryName {
        EntryName::new("issuer session ended", &[issuer, sid])
    }

    /// The note that says that all sessions of the issuer's user have ended, and when.
    pub fn sub_end_note(issuer: &str, sub: &str) -> EntryName {
        EntryName::new("issuer user logged out", &[issuer, sub])
    }
}

/// What is said of this login, which user information cannot know.
const OF_THE_TOKEN: [&str; 8] =
    ["auth_time", "acr", "amr", "azp", "nonce", "at_hash", "c_hash", "events"];

/// Is it of no type, or of the one that says nothing (RFC 7519, section 5.1)?
pub(crate) fn is_plain(token: &VerifiedJwt) -> bool {
    token.is_untyped() || token.is_of_type("JWT")
}

/// Is it the issuer's, and for us? If others are among the audiences, `azp` must say that it is ours.
pub(crate) fn addressed_to(issuer: &TrustedIssuer, claims: &mut Claims) -> Result<(), TokenError> {
    if claims.text("iss")? != issuer.issuer {
        return Err(TokenError::Issuer);
    }
    let all = claims.audiences()?;
    let party = claims.optional_text("azp")?;
    let is_ours = |name: &String| issuer.audience.contains(name);
    let party_is_ours = match party {
        Some(party) => is_ours(&party),
        None => all.iter().all(is_ours),
    };
    if all.iter().any(is_ours) && party_is_ours { Ok(()) } else { Err(TokenError::Audience) }
}

/// The claims that the settings name. An address that the issuer has not verified is anybody's.
fn passed_on(issuer: &TrustedIssuer, said: &Map<String, Value>) -> Map<String, Value> {
    let unverified = said.get("email_verified").is_some_and(|it| it != true)
        && !issuer.sign_in_policy.trust_email;
    let wanted = issuer.claims.iter().filter(|name| !(unverified && *name == "email"));
    wanted.filter_map(|name| Some((name.clone(), said.get(name)?.clone()))).collect()
}

#[cfg(test)]
pub(crate) mod tests;
