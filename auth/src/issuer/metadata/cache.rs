//! A provider's metadata, as far as they are known, and when to ask for them again.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use super::ProviderMetadata;
use crate::issuer::key_cache::{FETCH_TIMEOUT, first_pause};
use crate::time::Timestamp;

/// How long they are used before they are asked for again. Older ones serve until there are new ones.
const FRESH: Duration = Duration::from_secs(60 * 60);

/// How long to wait before asking again, while old ones serve.
const PAUSE: Duration = Duration::from_secs(60);

/// One provider's metadata in this isolate.
#[derive(Default)]
pub struct ProviderMetadataCache {
    /// They stand in the settings.
    fixed: Option<Rc<ProviderMetadata>>,
    state: RefCell<State>,
}

impl fmt::Debug for ProviderMetadataCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderMetadataCache").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct State {
    known: Option<(Rc<ProviderMetadata>, Timestamp)>,
    asked: Option<Timestamp>,
    is_answered: bool,
    /// How often in a row asking has failed.
    failures: u32,
}

/// What is to be done for a provider's metadata.
#[derive(Debug)]
pub enum MetadataLookup {
    /// These are they.
    Use(Rc<ProviderMetadata>),
    /// These serve, and new ones are to be asked for when the response is out.
    UseAndFetch(Rc<ProviderMetadata>),
    /// Ask, and tell [`ProviderMetadataCache::answered`]. It must be told also when nobody waits for it any more.
    Fetch,
    /// Another request is asking; look again in a moment.
    Wait,
    /// There are none, and it is too early to ask again.
    Unavailable,
}

impl ProviderMetadataCache {
    /// That of an issuer whose settings may say all.
    pub fn of(fixed: Option<ProviderMetadata>) -> Self {
        Self { fixed: fixed.map(Rc::new), ..Self::default() }
    }

    /// What is known, and whether to ask.
    pub fn look(&self, now: Timestamp) -> MetadataLookup {
        if let Some(fixed) = &self.fixed {
            return MetadataLookup::Use(Rc::clone(fixed));
        }
        let mut state = self.state.borrow_mut();
        let known = state.known.as_ref().map(|(known, at)| (Rc::clone(known), *at));
        if let Some((known, at)) = &known
            && now.since(*at) < FRESH
        {
            return MetadataLookup::Use(Rc::clone(known));
        }
        let pause = if known.is_some() { PAUSE } else { first_pause(state.failures) };
        let since = state.asked.map(|at| now.since(at));
        match (since, state.is_answered, known) {
            (Some(since), false, Some((known, _))) if since < FETCH_TIMEOUT => {
                MetadataLookup::Use(known)
            }
            (Some(since), false, None) if since < FETCH_TIMEOUT => MetadataLookup::Wait,
            (Some(since), true, Some((known, _))) if since < pause => MetadataLookup::Use(known),
            (Some(since), true, None) if since < pause => MetadataLookup::Unavailable,
            // Also if whoever asked was never heard of again.
            (_, _, known) => {
                state.asked = Some(now);
                state.is_answered = false;
                known.map_or(MetadataLookup::Fetch, |(it, _)| MetadataLookup::UseAndFetch(it))
            }
        }
    }

    /// Takes what was asked for; `None` if asking failed, which changes nothing but the time to ask again.
    pub fn answered(&self, metadata: Option<ProviderMetadata>, now: Timestamp) {
        let mut state = self.state.borrow_mut();
        state.asked = Some(now);
        state.is_answered = true;
        match metadata {
            Some(metadata) => {
                state.known = Some((Rc::new(metadata), now));
                state.failures = 0;
            }
            None => state.failures += 1,
        }
    }
}
