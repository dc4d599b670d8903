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

/// How long asking may take.
pub const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// The largest JWK Set that is read, in bytes.
pub const MAX_JWKS: usize = 256 * 1024;

/// One issuer's keys in this isolate.
#[derive(Default)]
pub struct Keyring(RefCell<State>);

/// Says nothing of the keys.
impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct State {
    keys: Option<(Rc<PublishedKeys>, Timestamp)>,
    asked: Option<Asked>,
}

/// The last time that somebody asked.
#[derive(Clone, Copy)]
struct Asked {
    at: Timestamp,
    is_answered: bool,
}

/// What is to be done for the key of a token.
pub enum Look {
    /// These are the keys; whether the token's is among them is final.
    Use(Rc<PublishedKeys>),
    /// Ask, and tell [`Keyring::answered`].
    Fetch,
    /// Another request is asking; look again in a moment.
    Wait,
    /// There are none, and it is too early to ask again.
    Unavailable,
}

impl Keyring {
    /// Looks for the key that a token names.
    pub fn look(&self, kid: Option<&str>, now: Timestamp) -> Look {
        let mut state = self.0.borrow_mut();
        let kept = state.keys.as_ref().filter(|(_, at)| now.since(*at) < KEPT);
        if let Some((keys, at)) = kept
            && now.since(*at) < FRESH
            && keys.find(kid).is_some()
        {
            return Look::Use(Rc::clone(keys));
        }
        match state.asked {
            Some(asked) if !asked.is_answered && now.since(asked.at) < FETCH_TIMEOUT => Look::Wait,
            Some(asked) if now.since(asked.at) < PAUSE => {
                kept.map_or(Look::Unavailable, |(keys, _)| Look::Use(Rc::clone(keys)))
            }
            _ => {
                state.asked = Some(Asked { at: now, is_answered: false });
                Look::Fetch
            }
        }
    }

    /// Takes the keys that were asked for; `None` if asking failed, which changes nothing but the
    /// time to ask again.
    pub fn answered(&self, keys: Option<PublishedKeys>, now: Timestamp) {
        let mut state = self.0.borrow_mut();
        state.asked = Some(Asked { at: now, is_answered: true });
        if let Some(keys) = keys {
            state.keys = Some((Rc::new(keys), now));
        }
    }
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
    fn look(keyring: &Keyring, kid: &str, seconds: u64) -> char {
        match keyring.look(Some(kid), at(seconds)) {
            Look::Use(keys) if keys.find(Some(kid)).is_some() => 'u',
            Look::Use(_) => 'x',
            Look::Fetch => 'f',
            Look::Wait => 'w',
            Look::Unavailable => '-',
        }
    }

    #[test]
    fn keys_are_asked_for_once_and_used_for_an_hour() {
        let keyring = Keyring::default();
        assert_eq!(look(&keyring, "ES256", 0), 'f');
        assert_eq!(look(&keyring, "ES256", 1), 'w', "one asks, the others wait");
        keyring.answered(keys("ES256"), at(1));
        assert_eq!(look(&keyring, "ES256", 1), 'u');
        assert_eq!(look(&keyring, "ES256", 3600), 'u');
        assert_eq!(look(&keyring, "ES256", 3601), 'f');
    }

    #[test]
    fn an_unknown_kid_asks_at_most_once_a_minute() {
        let keyring = Keyring::default();
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
        let keyring = Keyring::default();
        look(&keyring, "ES256", 0);
        keyring.answered(keys("ES256"), at(0));
        assert_eq!(look(&keyring, "ES256", 4000), 'f');
        keyring.answered(None, at(4001));
        assert_eq!(look(&keyring, "ES256", 4002), 'u');
        assert_eq!(look(&keyring, "ES256", 4061), 'f', "and asked for again after a minute");
        keyring.answered(None, at(86_390));
        assert_eq!(look(&keyring, "ES256", 86_399), 'u');
        assert_eq!(look(&keyring, "ES256", 86_400), '-');
    }

    #[test]
    fn without_keys_asking_pauses_too() {
        let keyring = Keyring::default();
        look(&keyring, "ES256", 0);
        keyring.answered(None, at(1));
        assert_eq!(look(&keyring, "ES256", 2), '-');
        assert_eq!(look(&keyring, "ES256", 61), 'f');
    }

    #[test]
    fn whoever_asked_and_was_never_heard_of_again_is_not_waited_for() {
        let keyring = Keyring::default();
        look(&keyring, "ES256", 0);
        assert_eq!(look(&keyring, "ES256", 4), 'w');
        assert_eq!(look(&keyring, "ES256", 5), '-');
        assert_eq!(look(&keyring, "ES256", 60), 'f');
    }
}
