//! A short memory for outages of the store: `STORE_FAILURE = allow-recent`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use super::Principal;
use crate::session::{LiveSession, Sid};
use crate::time::Timestamp;

/// What this isolate saw live a short while ago, for when the store cannot be asked. Tokens pass by
/// themselves: another one of the same session may be an old one, which would end it.
#[derive(Debug)]
pub struct RecentSessions {
    window: Duration,
    sessions: RefCell<HashMap<Sid, RecentSession>>,
}

#[derive(Debug, Default)]
struct RecentSession {
    /// A hash of the rights that it had the last time, which may be long; `None`: its token's.
    rights: Option<u64>,
    seen: Vec<Seen>,
}

/// What was seen.
#[derive(Debug)]
struct Seen {
    /// The token that passed; `None`: the session was live, whatever its tokens.
    jti: Option<String>,
    /// Until when it may pass: the window's end, or the session's deadline if that is sooner.
    until: Timestamp,
}

impl RecentSessions {
    /// Beyond this many sessions, all are forgotten: a store that fails then denies some it could
    /// allow.
    const MOST: usize = 10_000;

    /// Beyond this many tokens of one session, the oldest is forgotten.
    const MOST_TOKENS: usize = 4;

    /// Remembers each for as long as this.
    pub fn new(window: Duration) -> Self {
        Self { window, sessions: RefCell::default() }
    }

    /// May this caller pass on what was seen of the token? Not with other rights than the session had the last time.
    pub fn contains(&self, caller: &Principal, now: Timestamp) -> bool {
        let jti = Some(caller.token.name().jti.as_str());
        self.has_rights(caller.sid(), caller.token.rights())
            && self.saw(caller.sid(), now, |seen| seen.jti.as_deref() == jti)
    }

    /// Had the session these rights the last time?
    pub fn has_rights(&self, sid: &Sid, rights: Option<&str>) -> bool {
        let sessions = self.sessions.borrow();
        sessions.get(sid).is_some_and(|session| session.rights == rights.map(hash))
    }

    /// May the answer pass that a request of this session waits for?
    pub fn contains_session(&self, sid: &Sid, now: Timestamp) -> bool {
        self.saw(sid, now, |_| true)
    }

    fn saw(&self, sid: &Sid, now: Timestamp, is_it: impl Fn(&Seen) -> bool) -> bool {
        let sessions = self.sessions.borrow();
        let seen = sessions.get(sid).map_or(&[][..], |session| &session.seen);
        seen.iter().any(|seen| now < seen.until && is_it(seen))
    }

    /// Remembers that a token passed at a moment, or forgets its session when it did not.
    pub fn record(&self, caller: &Principal, live: Option<&LiveSession>, now: Timestamp) {
        self.see(caller.sid(), Some(&caller.token.name().jti), live, now);
    }

    /// Remembers that a session was live at a moment, or forgets it when it was not.
    pub fn record_session(&self, sid: &Sid, live: Option<&LiveSession>, now: Timestamp) {
        self.see(sid, None, live, now);
    }

    fn see(&self, sid: &Sid, jti: Option<&String>, live: Option<&LiveSession>, now: Timestamp) {
        let Some(live) = live else { return self.forget(sid) };
        let until = now.plus(self.window).min(live.deadline());
        let mut sessions = self.sessions.borrow_mut();
        if sessions.len() >= Self::MOST {
            sessions.clear();
        }
        let session = sessions.entry(sid.clone()).or_default();
        session.rights = live.rights().map(hash);
        let all = &mut session.seen;
        match all.iter_mut().find(|seen| seen.jti.as_ref() == jti) {
            Some(seen) => seen.until = until,
            None => {
                if all.len() >= Self::MOST_TOKENS {
                    all.remove(0);
                }
                all.push(Seen { jti: jti.cloned(), until });
            }
        }
    }

    /// Forgets that a session was seen live.
    pub fn forget(&self, sid: &Sid) {
        self.sessions.borrow_mut().remove(sid);
    }
}

fn hash(rights: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    rights.hash(&mut hasher);
    hasher.finish()
}
