//! Tokens that were verified a while ago, so that each signature is verified once per isolate.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::mem;
use std::rc::Rc;

use super::Genuine;

/// How many are remembered in each of two halves. A token takes about two kilobytes, and half of one
/// more for each assertion.
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
    young: HashMap<u64, Known>,
    old: HashMap<u64, Known>,
    hashing: RandomState,
}

/// A token's text, under a hash that only finds it: another text may have the same.
struct Known {
    text: Box<str>,
    genuine: Rc<Genuine>,
}

impl Known {
    /// Compares word by word, because the platform's own comparison goes byte by byte.
    fn is(&self, token: &str) -> bool {
        let (ours, theirs) = (self.text.as_bytes().chunks(8), token.as_bytes().chunks(8));
        self.text.len() == token.len()
            && ours.zip(theirs).all(|(our, their)| word(our) == word(their))
    }
}

/// Up to eight bytes.
fn word(bytes: &[u8]) -> u64 {
    match bytes.try_into() {
        Ok(whole) => u64::from_le_bytes(whole),
        Err(_) => bytes.iter().fold(1, |word, byte| word << 8 | u64::from(*byte)),
    }
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
        let hash = halves.hashing.hash_one(token);
        if let Some(known) = halves.young.get(&hash).filter(|known| known.is(token)) {
            return Ok(Rc::clone(&known.genuine));
        }
        let known = match halves.old.remove(&hash).filter(|known| known.is(token)) {
            Some(known) => known,
            None => Known { text: token.into(), genuine: Rc::new(verify()?) },
        };
        if halves.young.len() >= HALF {
            halves.old = mem::take(&mut halves.young);
        }
        let genuine = Rc::clone(&known.genuine);
        halves.young.insert(hash, known);
        Ok(genuine)
    }

    fn len(&self) -> usize {
        let halves = self.halves.borrow();
        halves.young.len() + halves.old.len()
    }
}

#[cfg(test)]
mod tests {
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
        let (rights, assertions) = (Rights::default(), Assertions::default());
        Genuine { sub, sid, name, public, identity, logged, rights, period, assertions }
    }

    #[test]
    fn a_token_is_verified_once_and_a_refused_one_each_time() {
        let memory = Memory::default();
        assert!(memory.recall("a", || Ok::<_, ()>(genuine())).is_ok());
        assert!(memory.recall("a", || Err(())).is_ok());
        assert_eq!(memory.recall("b", || Err("refused")).err(), Some("refused"));
        assert!(memory.recall("b", || Ok::<_, ()>(genuine())).is_ok());
    }

    #[rstest::rstest]
    #[case("12345678", "12345678", true)]
    #[case("12345678x", "12345678x", true)]
    #[case("12345678", "12345679", false)]
    #[case("12345678x", "12345678y", false)]
    #[case("12345678", "12345678x", false)]
    #[case("", "x", false)]
    fn no_other_text_of_the_same_hash_is_taken_for_a_token(
        #[case] ours: &str,
        #[case] theirs: &str,
        #[case] same: bool,
    ) {
        let known = Known { text: ours.into(), genuine: Rc::new(genuine()) };
        assert_eq!(known.is(theirs), same);
    }

    #[test]
    fn the_memory_is_bounded_and_keeps_what_is_used() {
        let memory = Memory::default();
        for n in 0..10 * HALF {
            memory.recall(&n.to_string(), || Ok::<_, ()>(genuine())).unwrap();
            assert!(memory.recall("0", || Err(())).is_ok(), "forgotten at {n}");
            assert!(memory.len() <= 2 * HALF + 1);
        }
        assert!(memory.recall("1", || Err(())).is_err(), "the unused one is forgotten");
    }
}
