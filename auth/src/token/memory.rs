//! Tokens that were verified a while ago, so that each signature is verified once per isolate.

use std::cell::RefCell;
use std::fmt;
use std::mem;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::Genuine;
use crate::same::same;

/// How many are remembered in each of two halves. A token takes about two kilobytes, half of one more
/// for each assertion, and what a platform keeps beside it: see [`Verified::kept`](super::Verified).
const HALF: usize = 1000;

/// The genuine tokens of one key set, by the whole of their text, signature included, because a
/// cryptographic hash of it would take a tenth of all that is done for a request. It belongs to the
/// [`Tokens`](super::Tokens) whose keys verified them, so another key set knows none of them.
///
/// Two halves: what is used moves into the young one; when that is full, the old one goes.
#[derive(Default)]
pub struct Memory {
    halves: RefCell<Halves>,
}

/// Says how many, not which.
impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("len", &self.len()).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Halves {
    young: FxHashMap<u64, Known>,
    old: FxHashMap<u64, Known>,
}

/// A token's text, under a part of its signature that only finds it: another text may have the same.
/// Nobody without a key can choose what is remembered under which.
struct Known {
    text: Box<str>,
    genuine: Rc<Genuine>,
}

/// The end of a token, which is its signature's.
fn end(token: &str) -> u64 {
    token.as_bytes().last_chunk().map_or(0, |end| u64::from_ne_bytes(*end))
}

impl Memory {
    /// The token if it is remembered, or else what `verify` makes of it, which is remembered then.
    /// A token that is refused is not, or anybody could fill the memory.
    pub fn recall<E>(
        &self,
        token: &str,
        verify: impl FnOnce() -> Result<Genuine, E>,
    ) -> Result<Rc<Genuine>, E> {
        let mut halves = self.halves.borrow_mut();
        let end = end(token);
        if let Some(known) = halves.young.get(&end).filter(|known| same(&known.text, token)) {
            return Ok(Rc::clone(&known.genuine));
        }
        let is_old = halves.old.get(&end).is_some_and(|known| same(&known.text, token));
        let known = match is_old.then(|| halves.old.remove(&end)).flatten() {
            Some(known) => known,
            None => Known { text: token.into(), genuine: Rc::new(verify()?) },
        };
        if halves.young.len() >= HALF {
            halves.old = mem::take(&mut halves.young);
        }
        let genuine = Rc::clone(&known.genuine);
        halves.young.insert(end, known);
        Ok(genuine)
    }

    fn len(&self) -> usize {
        let halves = self.halves.borrow();
        halves.young.len() + halves.old.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Kept;
    use super::*;
    use crate::admin::Rights;
    use crate::assertion::Assertions;
    use crate::jwt::Period;
    use crate::session::{Sid, Subject, TokenName};
    use serde_json::Map;

    fn genuine() -> Genuine {
        let sub = Subject::try_from("ada".to_owned()).unwrap();
        let (sid, period) = (Sid::from_random([0; 16]), Period::default());
        let name = TokenName { jti: "jti".into(), issued: period.issued() };
        let (public, identity, logged) = (Map::new(), Vec::new(), String::new());
        let (rights, assertions, kept) = <(Rights, Assertions, Kept)>::default();
        Genuine { sub, sid, name, public, identity, logged, rights, period, assertions, kept }
    }

    #[test]
    fn a_token_is_verified_once_and_a_refused_one_each_time() {
        let memory = Memory::default();
        assert!(memory.recall("a", || Ok::<_, ()>(genuine())).is_ok());
        assert!(memory.recall("a", || Err(())).is_ok());
        assert_eq!(memory.recall("b", || Err("refused")).err(), Some("refused"));
        assert!(memory.recall("b", || Ok::<_, ()>(genuine())).is_ok());
    }

    #[test]
    fn no_other_token_of_the_same_end_is_taken_for_one_that_is_remembered() {
        let memory = Memory::default();
        assert!(memory.recall("a.12345678", || Ok::<_, ()>(genuine())).is_ok());
        assert!(memory.recall("b.12345678", || Err(())).is_err());
        assert!(memory.recall("b.12345678", || Ok::<_, ()>(genuine())).is_ok());
        assert!(memory.recall("a.12345678", || Err(())).is_err(), "the other took its place");
    }

    #[test]
    fn the_memory_is_bounded_and_keeps_what_is_used() {
        let memory = Memory::default();
        for n in 0..10 * HALF {
            memory.recall(&format!("{n:08}"), || Ok::<_, ()>(genuine())).unwrap();
            assert!(memory.recall("00000000", || Err(())).is_ok(), "forgotten at {n}");
            assert!(memory.len() <= 2 * HALF + 1);
        }
        assert!(memory.recall("00000001", || Err(())).is_err(), "the unused one is forgotten");
    }
}
