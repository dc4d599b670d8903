//! Step 2: which of the tokens that a request carries count.
//!
//! Only a token that one of our keys has signed is a credential. What is none decides nothing while
//! there is one: an application has bearer tokens of its own, and browsers keep old cookies.

use std::cell::Cell;

use super::{Guard, Principal};
use crate::credential::{Credential, PresentedTokens, Source};
use crate::http::Head;
use crate::jwt::TokenError;
use crate::refusal::Refusal;
use crate::session::{Sid, Subject};
use crate::time::Timestamp;
use crate::token::{AuthenticToken, ProviderToken, Tokens};

/// After this many bad signatures in one request no other is verified: that takes longer than all else,
/// and anybody can send hundreds. Texts that name no key of ours cost nothing, so they do not count: an
/// application's cookies of the same name keep nobody out.
pub(super) const MOST_BAD_SIGNATURES: usize = 8;

/// Verifies the tokens of one request.
pub(super) struct Verifier<'a> {
    tokens: &'a Tokens,
    bad_signatures: Cell<usize>,
}

impl<'a> Verifier<'a> {
    /// With these keys.
    pub fn new(tokens: &'a Tokens) -> Self {
        Self { tokens, bad_signatures: Cell::new(0) }
    }

    /// What a text is as a token; `None` if it is not looked at any more.
    pub fn verify_signature(&self, text: &str) -> Option<Result<AuthenticToken, TokenError>> {
        if self.bad_signatures.get() >= MOST_BAD_SIGNATURES {
            return None;
        }
        let read = self.tokens.verify_signature(text);
        if matches!(read, Err(TokenError::Signature)) {
            self.bad_signatures.set(self.bad_signatures.get() + 1);
        }
        Some(read)
    }

    /// Have our keys signed a text, could nobody find out, or is it not looked at any more?
    pub fn may_be_ours(&self, text: &str) -> bool {
        self.verify_signature(text)
            .is_none_or(|read| matches!(read, Ok(_) | Err(TokenError::KeysUnavailable)))
    }
}

/// What a request carries where a token may be, sorted out.
#[derive(Default)]
pub(super) struct Credentials<'a> {
    /// The tokens that our keys have signed.
    ours: Vec<Ours<'a>>,
    /// What is wrong with the first that is none.
    error: Option<TokenError>,
    /// Is one of those where only our tokens are meant to be? Then it is not the application's.
    is_misplaced: bool,
}

struct Ours<'a> {
    source: Source,
    text: &'a str,
    token: AuthenticToken,
}

impl Ours<'_> {
    fn is_of(&self, sub: &Subject, sid: &Sid) -> bool {
        self.token.sub() == sub && self.token.sid() == sid
    }
}

impl<'a> Credentials<'a> {
    /// Sorts them out, without those of sessions that are known to be over.
    pub fn classify(sent: &'a PresentedTokens, tokens: &Tokens, over: &[Sid]) -> Self {
        let (mut all, verifier) = (Self::default(), Verifier::new(tokens));
        sent.each(|Credential { source, token: text }| {
            let text = text.unwrap_or_default();
            match verifier.verify_signature(text).unwrap_or(Err(TokenError::Malformed)) {
                Ok(token) if over.contains(token.sid()) => {}
                Ok(token) => all.ours.push(Ours { source, text, token }),
                Err(error) => {
                    all.error.get_or_insert(error);
                    all.is_misplaced |= source == Source::Named;
                }
            }
        });
        all
    }

    /// Is this one of the tokens that our keys have signed?
    pub fn contains(&self, text: &str) -> bool {
        self.ours.iter().any(|it| it.text == text)
    }

    /// Is this a provider's token of the caller's session, which the application gets, too?
    pub fn goes_on_with(&self, caller: &Principal, text: &str) -> bool {
        let is_it = |it: &Ours| it.text == text && it.is_of(caller.user(), caller.sid());
        let found = self.ours.iter().find(|it| is_it(it));
        found.and_then(|it| it.token.provider()).is_some_and(ProviderToken::is_forwarded)
    }

    /// Who makes the request: the holder of the newest token whose time it is. Others of the same
    /// session are no conflict.
    ///
    /// # Errors
    /// Why there is none; [`Refusal::BadRequest`] if there are two.
    pub fn principal(&self, now: Timestamp) -> Result<Principal, Refusal> {
        let timely =
            || self.ours.iter().filter_map(|it| Some((it, it.token.verify_times(now).ok()?)));
        // Of those of one second the first.
        let newest = timely().reduce(|newest, next| {
            let is_newer = next.1.name().issued > newest.1.name().issued;
            if is_newer { next } else { newest }
        });
        let Some((newest, token)) = newest else { return Err(self.refusal(now)) };
        let is_other = |it: &&Ours| !it.is_of(token.sub(), token.sid());
        if let Some((other, _)) = timely().find(|(it, _)| is_other(it)) {
            return Err(two_sessions(newest.source, other.source));
        }
        if self.is_misplaced {
            return Err(Refusal::BadRequest("Send one token; two that differ were sent."));
        }
        let alike = timely().filter(|(it, _)| it.text != newest.text);
        let others = alike.map(|(_, token)| token).collect();
        let bears = timely().find(|(it, _)| it.source != Source::Cookie);
        let source = bears.map_or(Source::Cookie, |(it, _)| it.source);
        // An old cookie of the session is renewed with the rest.
        let in_cookie = self
            .ours
            .iter()
            .any(|it| it.source == Source::Cookie && it.is_of(token.sub(), token.sid()));
        Ok(Principal {
            other_tokens: others,
            source,
            in_cookie,
            ..Principal::from_token(token, now)
        })
    }

    /// The sessions of all tokens whose time it is, each once and by its newest token; the newest first.
    pub fn sessions(&self, now: Timestamp) -> Vec<AuthenticToken> {
        let timely = || self.ours.iter().filter(|it| it.token.verify_times(now).is_ok());
        let issued = |it: &&Ours| it.token.name().issued;
        let newest = timely().max_by_key(issued);
        let mut sessions = each_session(newest.into_iter().chain(timely()));
        for session in &mut sessions {
            let all = timely().filter(|it| it.is_of(session.sub(), session.sid()));
            if let Some(newest) = all.max_by_key(issued) {
                *session = newest.token.clone();
            }
        }
        sessions
    }

    /// The sessions that whoever makes the request may end, each once, whenever their tokens were
    /// good, by one whose time it is, if there is one. One that came in a cookie alone counts only
    /// `with_cookies`.
    ///
    /// # Errors
    /// Why there is none.
    pub fn held(&self, with_cookies: bool, now: Timestamp) -> Result<Vec<AuthenticToken>, Refusal> {
        let counts = |it: &&Ours| with_cookies || it.source != Source::Cookie;
        let mut held = each_session(self.ours.iter().filter(counts));
        for session in &mut held {
            let timely =
                self.ours.iter().filter(counts).filter(|it| it.token.verify_times(now).is_ok());
            let mut same = timely.filter(|it| it.is_of(session.sub(), session.sid()));
            if let Some(timely) = same.next() {
                *session = timely.token.clone();
            }
        }
        match (held.is_empty(), self.ours.is_empty()) {
            (false, _) => Ok(held),
            (true, false) => Err(Refusal::CrossSite),
            (true, true) => Err(self.refusal(now)),
        }
    }

    /// The sessions of all tokens, each once, whenever they were good; is the token of each in the cookie?
    pub fn all_sessions(&self) -> Vec<(AuthenticToken, bool)> {
        let in_cookie = |it: &AuthenticToken| {
            let mut cookies = self.ours.iter().filter(|it| it.source == Source::Cookie);
            cookies.any(|other| other.is_of(it.sub(), it.sid()))
        };
        let sessions = each_session(self.ours.iter()).into_iter();
        sessions.map(|it| (it.clone(), in_cookie(&it))).collect()
    }

    /// Why nobody is who makes the request.
    fn refusal(&self, now: Timestamp) -> Refusal {
        let untimely = self.ours.iter().find_map(|it| it.token.verify_times(now).err());
        untimely.or(self.error).map_or(Refusal::TokenMissing, refusal_of)
    }
}

/// For the log.
const KEYS_UNAVAILABLE: &str = "TRUSTED_ISSUERS: the keys of the token's issuer could not be fetched; see the earlier \
                                line `keys_not_fetched`";

/// Why a token is refused, or that nobody could find out whether it is good.
pub(super) fn refusal_of(error: TokenError) -> Refusal {
    match error {
        TokenError::KeysUnavailable => Refusal::IssuerUnavailable(KEYS_UNAVAILABLE.into()),
        error => Refusal::Token(error),
    }
}

fn each_session<'a>(all: impl Iterator<Item = &'a Ours<'a>>) -> Vec<AuthenticToken> {
    let mut sessions: Vec<AuthenticToken> = Vec::new();
    for it in all {
        if !sessions.iter().any(|other| it.is_of(other.sub(), other.sid())) {
            sessions.push(it.token.clone());
        }
    }
    sessions
}

/// Two live sessions in one request: a choice between them would be a guess.
fn two_sessions(one: Source, other: Source) -> Refusal {
    use Source::{Bearer, Cookie, Named};
    Refusal::BadRequest(match (one, other) {
        (Cookie, Cookie) => {
            "Two cookies of the session's name are of two sessions. Send one of them, or log out."
        }
        (Bearer, Cookie) | (Cookie, Bearer) => {
            "The bearer token and the session cookie are of two sessions. Send one of them, or log \
             out."
        }
        (Named, Cookie) | (Cookie, Named) => {
            "The session cookie and the token in another header, the query or the body are of two \
             sessions. Send one of them, or log out."
        }
        (Bearer, Named) | (Named, Bearer) => {
            "The bearer token and the token in another header, the query or the body are of two \
             sessions. Send one of them."
        }
        (Named, Named) | (Bearer, Bearer) => {
            "Two tokens in headers, the query or the body are of two sessions. Send one of them."
        }
    })
}

/// Beyond this many sessions in one request none is asked about.
const MOST_SESSIONS: usize = 4;

impl Guard {
    /// The sessions of which it must be known whether they are over, because two tokens cannot
    /// both count: those of old cookies then decide nothing. Empty if nothing is to be asked.
    pub(super) fn contested(&self, head: &impl Head, now: Timestamp) -> Vec<AuthenticToken> {
        let sent = self.presented(head);
        let sessions = self.credentials(&sent, head).sessions(now);
        let is_asked = head.over().is_none() && (2..=MOST_SESSIONS).contains(&sessions.len());
        if is_asked { sessions } else { Vec::new() }
    }

    pub(super) fn credentials<'a>(
        &'a self,
        sent: &'a PresentedTokens,
        head: &'a impl Head,
    ) -> Credentials<'a> {
        let over = head.over().unwrap_or_default();
        Credentials::classify(sent, &self.tokens, over)
    }
}
