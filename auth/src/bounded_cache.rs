//! A cache that is bounded by the bytes it holds, in two generations; JavaScript's `TwoGenerationCache` has the same
//! rule. No `lru` crate: those count entries, whose size clients choose, and relink a list on each hit.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::mem;

use rustc_hash::FxHashMap;

use crate::str_eq::str_eq;

/// What is cached.
pub trait Entry: Clone {
    /// The text it was made of.
    fn text(&self) -> &str;

    /// How many bytes it holds now, `text` included.
    fn bytes(&self) -> usize;
}

/// What an entry takes beside itself: its slot in a map that is half empty, and what the allocator adds.
const OVERHEAD: usize = 128;

/// Entries by a number that only finds them: two texts may have the same.
///
/// There are two generations. What is used moves into the young one; when that is full, the old one
/// goes. So at most twice the bytes of one generation are held, and what is used between two turns
/// stays, however much else comes in.
pub struct BoundedCache<E> {
    generation_bytes: usize,
    generations: RefCell<Generations<E>>,
    young_bytes: Cell<usize>,
}

struct Generations<E> {
    young: FxHashMap<u64, E>,
    old: FxHashMap<u64, E>,
}

/// Says how many, not which.
impl<E> fmt::Debug for BoundedCache<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundedCache").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl<E> BoundedCache<E> {
    /// Holds up to this many bytes, in both generations.
    pub fn new(most_bytes: usize) -> Self {
        let generations = Generations { young: FxHashMap::default(), old: FxHashMap::default() };
        Self {
            generation_bytes: most_bytes / 2,
            generations: RefCell::new(generations),
            young_bytes: Cell::default(),
        }
    }

    /// Notes that an entry has grown since it came in.
    pub fn add_bytes(&self, bytes: usize) {
        self.young_bytes.set(self.young_bytes.get().saturating_add(bytes));
    }

    pub(crate) fn len(&self) -> usize {
        let generations = self.generations.borrow();
        generations.young.len() + generations.old.len()
    }
}

impl<E: Entry> BoundedCache<E> {
    /// The entry of this text if it is held, or else what `make` makes of it, which is held then.
    ///
    /// # Errors
    /// Those of `make`; nothing is held then.
    pub fn get_or_insert_with<Error>(
        &self,
        key: u64,
        text: &str,
        make: impl FnOnce() -> Result<E, Error>,
    ) -> Result<E, Error> {
        if let Some(entry) = self.found(key, text) {
            return Ok(entry);
        }
        let entry = make()?;
        self.hold(key, entry.clone());
        Ok(entry)
    }

    fn found(&self, key: u64, text: &str) -> Option<E> {
        let generations = self.generations.borrow();
        let is_it = |entry: &&E| str_eq(entry.text(), text);
        if let Some(entry) = generations.young.get(&key).filter(is_it) {
            return Some(entry.clone());
        }
        let entry = generations.old.get(&key).filter(is_it)?.clone();
        drop(generations);
        self.generations.borrow_mut().old.remove(&key);
        self.hold(key, entry.clone());
        Some(entry)
    }

    fn hold(&self, key: u64, entry: E) {
        let bytes = entry.bytes() + OVERHEAD;
        let mut generations = self.generations.borrow_mut();
        if self.young_bytes.get() + bytes > self.generation_bytes {
            generations.old = mem::take(&mut generations.young);
            self.young_bytes.set(0);
        }
        generations.young.insert(key, entry);
        self.add_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    #[derive(Clone)]
    struct Text(Rc<str>, usize);

    impl Entry for Text {
        fn text(&self) -> &str {
            &self.0
        }

        fn bytes(&self) -> usize {
            self.1
        }
    }

    const MOST: usize = 100_000;

    fn recall(bounded: &BoundedCache<Text>, key: u64, text: &str, bytes: usize) -> bool {
        let mut is_new = false;
        let make = || {
            is_new = true;
            Ok::<_, ()>(Text(text.into(), bytes))
        };
        assert_eq!(&*bounded.get_or_insert_with(key, text, make).unwrap().0, text);
        !is_new
    }

    fn held(bounded: &BoundedCache<Text>) -> usize {
        let generations = bounded.generations.borrow();
        let all = generations.young.values().chain(generations.old.values());
        all.map(|text| text.1 + OVERHEAD).sum()
    }

    #[test]
    fn an_entry_is_made_once_and_a_failure_each_time() {
        let bounded = BoundedCache::<Text>::new(MOST);
        assert!(!recall(&bounded, 1, "a", 10));
        assert!(recall(&bounded, 1, "a", 10));
        assert_eq!(bounded.get_or_insert_with(2, "b", || Err("failed")).err(), Some("failed"));
        assert!(!recall(&bounded, 2, "b", 10));
    }

    #[test]
    fn another_text_under_the_same_key_is_another_entry() {
        let bounded = BoundedCache::<Text>::new(MOST);
        assert!(!recall(&bounded, 1, "a", 10));
        assert!(!recall(&bounded, 1, "b", 10));
        assert!(!recall(&bounded, 1, "a", 10), "the other took its place");
    }

    #[rstest::rstest]
    #[case::small(10)]
    #[case::large(20_000)]
    #[case::larger_than_all(1_000_000)]
    fn the_bytes_are_bounded_and_what_is_used_stays(#[case] bytes: usize) {
        let bounded = BoundedCache::<Text>::new(MOST);
        recall(&bounded, 0, "used", 100);
        for n in 1..5_000 {
            recall(&bounded, n, &n.to_string(), bytes);
            let is_used = recall(&bounded, 0, "used", 100);
            assert!(is_used || bytes > MOST, "forgotten at {n}");
            assert!(held(&bounded) <= MOST + bytes, "{} bytes at {n}", held(&bounded));
        }
        assert!(!recall(&bounded, 1, "1", bytes), "the unused one is forgotten");
    }

    #[test]
    fn what_grows_makes_others_go_sooner() {
        let bounded = BoundedCache::<Text>::new(MOST);
        recall(&bounded, 1, "a", 10);
        for (key, text) in [(2, "b"), (3, "c")] {
            bounded.add_bytes(MOST / 2);
            recall(&bounded, key, text, 10);
        }
        assert!(!recall(&bounded, 1, "a", 10));
    }
}
