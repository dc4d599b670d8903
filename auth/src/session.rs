//! A session: what is kept of a login, and when it counts as live.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};

use crate::device::DeviceClass;
use crate::time::Timestamp;

/// Who a session belongs to: the `sub` claim (RFC 7519, section 4.1.2).
///
/// Never empty, at most 1,024 bytes; otherwise any text, since identity providers differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subject(String);

impl Subject {
    /// The longest `sub` that is accepted, in bytes.
    pub const MAX_BYTES: usize = 1024;

    /// The `sub` as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Subject {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.len() {
            0 => Err("`sub` is empty"),
            1..=Self::MAX_BYTES => Ok(Self(text)),
            _ => Err("`sub` is longer than 1,024 bytes"),
        }
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.0
    }
}

/// Names one session: 128 random bits in base64url, new at every login.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sid(String);

impl Sid {
    /// Makes a session's name from bytes that must come from a cryptographic source.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(Base64UrlUnpadded::encode_string(&bytes))
    }

    /// The name as text, in the base64url alphabet.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Sid {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if (1..=128).contains(&text.len()) && text.bytes().all(legal) {
            Ok(Self(text))
        } else {
            Err("`sid` is not 1 to 128 characters of base64url")
        }
    }
}

impl From<Sid> for String {
    fn from(sid: Sid) -> Self {
        sid.0
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A session as a store keeps it. The field names are the stored format.
///
/// Every field is a scalar, or text that no store looks into, because Redis scripts rewrite
/// records through a JSON codec that cannot tell an empty list from an empty object.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its name.
    pub sid: Sid,
    /// The `jti` of its current token.
    pub jti: String,
    /// The `jti` of the token before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_jti: Option<String>,
    /// When the one took the other's place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refreshed: Option<Timestamp>,
    /// Has nobody used the current one since? The answer that brought it may have been lost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unused: bool,
    /// When the login happened.
    pub created: Timestamp,
    /// When it was last seen in use; moves only when the idle deadline does.
    pub seen: Timestamp,
    /// The absolute deadline.
    pub expires: Timestamp,
    /// The idle deadline, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_expires: Option<Timestamp>,
    /// The kind of device that logged in.
    pub device: DeviceClass,
    /// Its `User-Agent`, shortened to 256 bytes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub user_agent: String,
    /// Where it logged in from, as far as the network knows: `Berlin, DE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Private data of the origin's, a JSON object in text: what the login answer, the origin and the
    /// admin API key have said. The user sees it, and cannot change it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// Private data of the client's, likewise: what the user's token has said. The origin is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_data: Option<String>,
    /// The trusted issuer whose ID token began it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// That issuer's own name for its session, if it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_sid: Option<String>,
    /// Does its token make its user an admin? See [`AdminScopes`](crate::scopes::AdminScopes).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub admin: bool,
    /// Set when it was ended before its time: the tombstone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<SessionEnd>,
}

/// Whose private data it is: the two are never mixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataKind {
    /// The origin's.
    Data,
    /// The client's.
    ClientData,
}

impl DataKind {
    /// The member of a stored session that holds it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::ClientData => "client_data",
        }
    }
}

/// Leaves out the private data.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("sid", &self.sid)
            .field("created", &self.created)
            .field("expires", &self.expires)
            .field("idle_expires", &self.idle_expires)
            .field("device", &self.device)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

/// How long a record is kept past its absolute deadline, so that a late token is told that its
/// session has expired, not that it is unknown. `redis/prelude.lua` has the same figure.
pub const KEPT_PAST_DEADLINE: Duration = Duration::from_secs(60);

/// How long a token stays good after a refresh at least, so that requests on their way and other tabs
/// are not cut off. A session is refreshed at most once in that time; `redis/prelude.lua` has the same
/// figure.
pub const REFRESH_GRACE: Duration = Duration::from_secs(30);

/// What tells the tokens of one session apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenName {
    /// Its `jti`.
    pub jti: String,
    /// Its `iat`, in whole seconds.
    pub issued: Timestamp,
}

/// What a token is to its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenGeneration {
    /// The current one, or a newer one that somebody else with our key has signed.
    Current,
    /// The one before, which is still good: its successor is new, or nobody has used it.
    Previous,
    /// An old one. Its client should have a newer one, so two have it.
    Outdated,
}

/// Why and when a session was ended before its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SessionEndRecord", into = "SessionEndRecord")]
pub enum SessionEnd {
    /// A newer login took its place.
    Superseded {
        /// When that login happened.
        at: Timestamp,
        /// The kind of device it came from.
        by: DeviceClass,
    },
    /// The user, an admin or the issuer ended it.
    Revoked {
        /// When.
        at: Timestamp,
    },
    /// A token was used that had long been refreshed: it may be stolen, or its successor is.
    Reused {
        /// When.
        at: Timestamp,
    },
}

/// An [`SessionEnd`] as stores keep it.
#[derive(Serialize, Deserialize)]
struct SessionEndRecord {
    why: Why,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<DeviceClass>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Why {
    Superseded,
    Revoked,
    Reused,
}

impl From<SessionEnd> for SessionEndRecord {
    fn from(ending: SessionEnd) -> Self {
        match ending {
            SessionEnd::Superseded { at, by } => Self { why: Why::Superseded, at, by: Some(by) },
            SessionEnd::Revoked { at } => Self { why: Why::Revoked, at, by: None },
            SessionEnd::Reused { at } => Self { why: Why::Reused, at, by: None },
        }
    }
}

impl TryFrom<SessionEndRecord> for SessionEnd {
    type Error = &'static str;

    fn try_from(SessionEndRecord { why, at, by }: SessionEndRecord) -> Result<Self, Self::Error> {
        match (why, by) {
            (Why::Superseded, Some(by)) => Ok(Self::Superseded { at, by }),
            (Why::Superseded, None) => Err("`by` is missing"),
            (Why::Revoked, _) => Ok(Self::Revoked { at }),
            (Why::Reused, _) => Ok(Self::Reused { at }),
        }
    }
}

impl SessionEnd {
    /// When the session was ended.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Superseded { at, .. } | Self::Revoked { at } | Self::Reused { at } => *at,
        }
    }
}

/// Why a session no longer serves. Not for a store that could not be asked: that is a
/// [`StoreError`](crate::store::StoreError).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidSession {
    /// It was ended before its time.
    Ended(SessionEnd),
    /// Its absolute or idle deadline has passed.
    Expired {
        /// The deadline.
        at: Timestamp,
    },
    /// It is live, but the token is an old one of its: it is to be ended.
    Outdated,
    /// The store has never heard of it, or has forgotten it.
    Unknown,
}

/// A session that was live when it was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveSession(Rc<Session>);

impl LiveSession {
    /// When it ends by itself.
    pub fn deadline(&self) -> Timestamp {
        self.0.deadline()
    }

    /// The origin's private data, a JSON object in text.
    pub fn data(&self) -> Option<&str> {
        self.0.data.as_deref()
    }

    /// Has the store yet to learn that this token is used? See [`Session::learn_use`].
    pub fn needs_token_use_recorded(&self, token: &TokenName) -> bool {
        self.0.unused && self.0.jti == token.jti
    }

    /// The session.
    pub fn into_inner(self) -> Session {
        Rc::unwrap_or_clone(self.0)
    }
}

impl Session {
    /// Its private data of this kind.
    pub fn data_of(&self, kind: DataKind) -> Option<&str> {
        match kind {
            DataKind::Data => self.data.as_deref(),
            DataKind::ClientData => self.client_data.as_deref(),
        }
    }

    /// Sets its private data of this kind.
    pub fn set_data(&mut self, kind: DataKind, data: Option<String>) {
        match kind {
            DataKind::Data => self.data = data,
            DataKind::ClientData => self.client_data = data,
        }
    }

    /// When it ends by itself, from what is known now.
    pub fn deadline(&self) -> Timestamp {
        self.idle_expires.map_or(self.expires, |idle| idle.min(self.expires))
    }

    /// When the record itself is forgotten, ended or not: once no token of its can be accepted
    /// any more, even by a clock that is a little behind.
    pub fn forget_at(&self) -> Timestamp {
        self.expires.plus(KEPT_PAST_DEADLINE)
    }

    /// Is it neither ended nor past a deadline?
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended.is_none() && now < self.deadline()
    }

    /// Was it begun, refreshed or ended at this very moment?
    pub fn bears(&self, at: Timestamp) -> bool {
        self.created == at
            || self.refreshed == Some(at)
            || self.ended.as_ref().is_some_and(|ending| ending.at() == at)
    }

    /// What this token is to it.
    pub fn token_generation(&self, token: &TokenName, now: Timestamp) -> TokenGeneration {
        let Some(refreshed) = self.refreshed else { return TokenGeneration::Current };
        if token.jti == self.jti || token.issued.seconds() > refreshed.seconds() {
            return TokenGeneration::Current;
        }
        let was_before = self.previous_jti.as_ref() == Some(&token.jti);
        match was_before && (self.unused || now < refreshed.plus(REFRESH_GRACE)) {
            true => TokenGeneration::Previous,
            false => TokenGeneration::Outdated,
        }
    }

    /// Refreshes it with one of its tokens that is good; says whether anything changed. The current
    /// token makes room for a new one of this `jti`, but not within the grace of the last refresh, so
    /// that the token before always has all of its own. The token before gets the current one again,
    /// which nobody has used; past the grace as of now, so that it lasts.
    pub fn refresh(
        &mut self,
        token: &TokenName,
        new: String,
        idle_timeout: Option<Duration>,
        now: Timestamp,
    ) -> bool {
        if self.refreshed.is_some_and(|last| now < last.plus(REFRESH_GRACE)) {
            return self.record_token_use(&token.jti, now);
        }
        if self.token_generation(token, now) == TokenGeneration::Current {
            self.previous_jti = Some(token.jti.clone());
            (self.jti, self.unused) = (new, true);
        }
        (self.refreshed, self.seen) = (Some(now), now);
        self.idle_expires = idle_timeout.map(|timeout| now.plus(timeout)).or(self.idle_expires);
        true
    }

    /// Notes that a token of this `jti` is used, if that is news: the one before the current is good
    /// no longer than its grace from then on.
    pub fn record_token_use(&mut self, jti: &str, now: Timestamp) -> bool {
        let learns = self.records_token_use(jti, now);
        self.unused &= !learns;
        learns
    }

    /// Would [`Session::learn_use`] change anything?
    pub fn records_token_use(&self, jti: &str, now: Timestamp) -> bool {
        self.unused && self.jti == jti && self.is_live(now)
    }

    /// From when on the idle deadline is to be moved, if it is live then.
    pub fn next_idle_update(&self, timeout: Duration) -> Timestamp {
        self.seen.plus(Duration::from_millis((timeout.as_millis() as u64).div_ceil(10)))
    }

    /// Moves the idle deadline of a live session, at most once per tenth of the timeout.
    /// Says whether it moved.
    pub fn extend_idle_deadline(&mut self, timeout: Duration, now: Timestamp) -> bool {
        let due = self.is_live(now) && now >= self.next_idle_update(timeout);
        if due {
            self.seen = now;
            self.idle_expires = Some(now.plus(timeout));
        }
        due
    }
}

/// Decides whether what the store found is live.
///
/// # Errors
/// Why it is not.
pub fn judge_session(
    found: Option<Rc<Session>>,
    now: Timestamp,
) -> Result<LiveSession, InvalidSession> {
    let session = found.ok_or(InvalidSession::Unknown)?;
    match &session.ended {
        Some(ending) => Err(InvalidSession::Ended(ending.clone())),
        None if now >= session.deadline() => {
            Err(InvalidSession::Expired { at: session.deadline() })
        }
        None => Ok(LiveSession(session)),
    }
}

/// Decides whether what the store found lets a request with these tokens of the session pass: one that
/// is good is enough.
///
/// # Errors
/// Why it does not.
pub fn judge_token<'a>(
    found: Option<Rc<Session>>,
    tokens: impl IntoIterator<Item = &'a TokenName>,
    now: Timestamp,
) -> Result<LiveSession, InvalidSession> {
    let live = judge_session(found, now)?;
    let mut standings = tokens.into_iter().map(|token| live.0.token_generation(token, now));
    match standings.any(|standing| standing != TokenGeneration::Outdated) {
        true => Ok(live),
        false => Err(InvalidSession::Outdated),
    }
}

#[cfg(test)]
pub(crate) mod tests;
