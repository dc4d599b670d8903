//! An issuer's keys, as far as they are known, and when to ask for them again.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::keys::PublishedKeys;
use crate::time::Timestamp;

/// How long keys are used before they are asked for again.
const FRESH: Duration = Duration::from_secs(60 * 60);

/// How long keys are used at most when asking fails.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// How long to wait before asking again, whatever for: tokens of unknown keys are anybody's to send.
const PAUSE: Duration = Duration::from_secs(60);

/// The same after a first failure while no keys are known and nobody can log in. It doubles with each
/// further one, up to [`PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// How long asking may take.
pub const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// The largest JWK Set that is read, in bytes.
pub const MAX_JWKS: usize = 256 * 1024;

/// One issuer's keys in this isolate.
#[derive(Default)]
pub struct IssuerKeyCache(RefCell<State>);

/// Says nothing of the keys.
impl fmt::Debug for IssuerKeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuerKeyCache").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct State {
    keys: Option<(Rc<PublishedKeys>, Timestamp)>,
    asked: Option<LastFetch>,
    /// How often in a row asking has failed.
    failures: u32,
}

/// The last time that somebody asked.
#[derive(Clone, Copy)]
struct LastFetch {
    at: Timestamp,
    is_answered: bool,
}

/// What is to be done for the key of a token.
pub enum KeyLookup {
    /// These are the keys; whether the token's is among them is final.
    Use(Rc<PublishedKeys>),
    /// Ask, and tell [`IssuerKeyCache::answered`]. It must be told also when nobody waits for it any more.
    Fetch,
    /// Another request is asking; look again in a moment.
    Wait,
    /// There are none, and it is too early to ask again.
    Unavailable,
}

impl IssuerKeyCache {
    /// Looks for the key of a token: keys that `fit` may have it.
    pub fn look(&self, fit: impl Fn(&Rc<PublishedKeys>) -> bool, now: Timestamp) -> KeyLookup {
        let mut state = self.0.borrow_mut();
        let kept = state.keys.as_ref().filter(|(_, at)| now.since(*at) < KEPT);
        if let Some((keys, at)) = kept
            && now.since(*at) < FRESH
            && fit(keys)
        {
            return KeyLookup::Use(Rc::clone(keys));
        }
        let pause = if kept.is_some() { PAUSE } else { first_pause(state.failures) };
        match state.asked {
            Some(asked) if !asked.is_answered && now.since(asked.at) < FETCH_TIMEOUT => {
                KeyLookup::Wait
            }
            Some(asked) if asked.is_answered && now.since(asked.at) < pause => {
                kept.map_or(KeyLookup::Unavailable, |(keys, _)| KeyLookup::Use(Rc::clone(keys)))
            }
            // Also if whoever asked was never heard of again.
            _ => {
                state.asked = Some(LastFetch { at: now, is_answered: false });
                KeyLookup::Fetch
            }
        }
    }

    /// The keys that are known, however old: see [`IssuerKeyCache::forget_old`].
    pub fn known(&self) -> Option<Rc<PublishedKeys>> {
        self.0.borrow().keys.as_ref().map(|(keys, _)| Rc::clone(keys))
    }

    /// Are these the keys that are known, and do they still serve?
    pub fn serve(&self, keys: &Rc<PublishedKeys>, now: Timestamp) -> bool {
        let state = self.0.borrow();
        let known = state.keys.as_ref().filter(|(_, at)| now.since(*at) < KEPT);
        known.is_some_and(|(known, _)| Rc::ptr_eq(known, keys))
    }

    /// Forgets keys that could not be fetched again for too long.
    pub fn forget_old(&self, now: Timestamp) {
        self.0.borrow_mut().keys.take_if(|(_, at)| now.since(*at) >= KEPT);
    }

    /// Would other keys than the known ones be fetched now, or are they being fetched?
    pub fn may_learn(&self, now: Timestamp) -> bool {
        let state = self.0.borrow();
        let pause = if state.keys.is_some() { PAUSE } else { first_pause(state.failures) };
        state.asked.is_none_or(|asked| !asked.is_answered || now.since(asked.at) >= pause)
    }

    /// Are the known keys so old that they are to be fetched again, although they serve?
    pub fn is_stale(&self, now: Timestamp) -> bool {
        let is_old = self.0.borrow().keys.as_ref().is_some_and(|(_, at)| now.since(*at) >= FRESH);
        is_old && self.may_learn(now)
    }

    /// Takes the keys that were asked for; `None` if asking failed, which changes nothing but the time to ask again.
    /// Keys that are known stay as they are: no token need be verified again.
    pub fn answered(&self, keys: Option<PublishedKeys>, now: Timestamp) {
        let mut state = self.0.borrow_mut();
        state.asked = Some(LastFetch { at: now, is_answered: true });
        match keys {
            Some(keys) => {
                let known = state.keys.take().map(|(known, _)| known);
                let same = known.filter(|known| known.are_same_as(&keys));
                state.keys = Some((same.unwrap_or_else(|| Rc::new(keys)), now));
                state.failures = 0;
            }
            None => state.failures += 1,
        }
    }
}

/// How long to wait before asking again while no keys are known, after this many failures.
pub(super) fn first_pause(failures: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(6)).min(PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &str = include_str!("../../tests/data/keys.json");

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000).plus(Duration::from_secs(seconds))
    }

    fn keys(alg: &str) -> Option<PublishedKeys> {
        PublishedKeys::parse(KEYS, &[alg.into()]).ok()
    }

    /// What is to be done for a token of this `kid`: one letter for each way.
    fn look(keyring: &IssuerKeyCache, kid: &str, seconds: u64) -> char {
        let fits = |keys: &Rc<PublishedKeys>| !keys.candidates(Some(kid), kid).is_empty();
        match keyring.look(fits, at(seconds)) {
            KeyLookup::Use(keys) if fits(&keys) => 'u',
            KeyLookup::Use(_) => 'x',
            KeyLookup::Fetch => 'f',
            KeyLookup::Wait => 'w',
            KeyLookup::Unavailable => '-',
        }
    }

    #[test]
    fn keys_are_asked_for_once_and_used_for_an_hour() {
        let keyring = IssuerKeyCache::default();
        assert_eq!(look(&keyring, "ES256", 0), 'f');
        assert_eq!(look(&keyring, "ES256", 1), 'w', "one asks, the others wait");
        keyring.answered(keys("ES256"), at(1));
        assert_eq!(look(&keyring, "ES256", 1), 'u');
        assert_eq!(look(&keyring, "ES256", 3600), 'u');
        assert_eq!(look(&keyring, "ES256", 3601), 'f');
    }

    #[test]
    fn an_unknown_kid_asks_at_most_once_a_minute() {
        let keyring = IssuerKeyCache::default();
        look(&keyring, "ES256", 0);
        keyring.answered(keys("ES256"), at(0));
        assert_eq!(look(&keyring, "RS256", 59), 'x');
        assert_eq!(look(&keyring, "RS256", 60), 'f');
        assert_eq!(look(&keyring, "ES256", 60), 'u', "known keys do not wait for it");
        keyring.answered(keys("RS256"), at(61));
        assert_eq!(look(&keyring, "RS256", 61), 'u');
        assert_eq!(look(&keyring, "ES256", 61), 'x', "a key that was taken back is gone");
    }

    #[test]
    fn keys_are_kept_for_a_day_when_asking_fails() {
        let keyring = IssuerKeyCache::default();
        look(&keyring, "ES256", 0);
        keyring.answered(keys("ES256"), at(0));
        assert_eq!(look(&keyring, "ES256", 4000), 'f');
        keyring.answered(None, at(4001));
        assert_eq!(look(&keyring, "ES256", 4002), 'u');
        assert_eq!(look(&keyring, "ES256", 4061), 'f', "and asked for again after a minute");
        keyring.answered(None, at(86_390));
        assert_eq!(look(&keyring, "ES256", 86_399), 'u');
        assert_eq!(look(&keyring, "ES256", 86_400), 'f', "nothing is known any more");
        keyring.answered(None, at(86_400));
        assert_eq!(look(&keyring, "ES256", 86_400), '-');
    }

    #[test]
    fn while_no_keys_are_known_the_pauses_are_short_and_double_up_to_a_minute() {
        let keyring = IssuerKeyCache::default();
        let mut now = 0;
        for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert_eq!(look(&keyring, "ES256", now), 'f');
            keyring.answered(None, at(now));
            assert_eq!(look(&keyring, "ES256", now), '-');
            assert_eq!(look(&keyring, "ES256", now + pause - 1), '-');
            now += pause;
        }
        look(&keyring, "ES256", now);
        keyring.answered(keys("ES256"), at(now));
        assert_eq!(look(&keyring, "RS256", now + 59), 'x', "then it is a minute");
        assert_eq!(look(&keyring, "RS256", now + 60), 'f');
    }

    #[test]
    fn keys_that_do_not_fit_are_asked_for_anew_and_are_the_answer_within_the_minute() {
        let keyring = IssuerKeyCache::default();
        look(&keyring, "ES256", 0);
        keyring.answered(keys("ES256"), at(0));
        assert!(matches!(keyring.look(|_| false, at(1)), KeyLookup::Use(_)));
        assert!(matches!(keyring.look(|_| false, at(60)), KeyLookup::Fetch));
    }

    #[test]
    fn whoever_asked_and_was_never_heard_of_again_is_not_waited_for() {
        let keyring = IssuerKeyCache::default();
        look(&keyring, "ES256", 0);
        assert_eq!(look(&keyring, "ES256", 4), 'w');
        assert_eq!(look(&keyring, "ES256", 5), 'f', "the next one asks");
        assert_eq!(look(&keyring, "ES256", 9), 'w');
        keyring.answered(keys("ES256"), at(9));
        assert_eq!(look(&keyring, "ES256", 9), 'u');
    }
}
