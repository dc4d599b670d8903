//! Tokens that were verified a while ago, so that each signature is verified once per isolate.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::mem;
use std::rc::Rc;

use sha2::{Digest, Sha256};

use super::Genuine;

/// What a token is remembered by: a hash of all of it, signature included.
type Fingerprint = [u8; 32];

/// How many are remembered in each of two halves. A token takes about a
/// kilobyte, and half of one more for each assertion.
const HALF: usize = 1000;

/// The genuine tokens of one key set. It belongs to the [`Tokens`](super::Tokens) whose keys
/// verified them, so another key set knows none of them.
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
    young: HashMap<Fingerprint, Rc<Genuine>>,
    old: HashMap<Fingerprint, Rc<Genuine>>,
}

impl Memory {
    /// The token if it is remembered, or else what `verify` makes of it, which is remembered then.
    /// A token that is refused is not, or anybody could fill the memory.
    pub fn recall<E>(
        &self,
        token: &str,
        verify: impl FnOnce() -> Result<Genuine, E>,
    ) -> Result<Rc<Genuine>, E> {
        let fingerprint = Sha256::digest(token).into();
        let mut halves = self.halves.borrow_mut();
        if let Some(genuine) = halves.young.get(&fingerprint) {
            return Ok(Rc::clone(genuine));
        }
        let genuine = match halves.old.remove(&fingerprint) {
            Some(genuine) => genuine,
            None => Rc::new(verify()?),
        };
        if halves.young.len() >= HALF {
            halves.old = mem::take(&mut halves.young);
        }
        halves.young.insert(fingerprint, Rc::clone(&genuine));
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
