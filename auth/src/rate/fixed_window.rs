//! A fixed-window counter, as a Durable Object keeps it. `redis/count.lua` and `redis/take_back.lua`
//! do the same in Redis.

use crate::rate::WindowCount;
use crate::time::Timestamp;

/// One window: it begins with its first count, and its end does not move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixedWindow {
    /// How often something was counted in it.
    pub count: u64,
    /// When it ends.
    pub until: Timestamp,
    /// Its name, by which a count is taken back.
    pub window: String,
}

impl FixedWindow {
    /// Is it still open?
    pub fn is_open(&self, now: Timestamp) -> bool {
        now < self.until
    }

    /// Counts once more, unless `most` are counted already. The answer includes this count, also if
    /// there was no room for it.
    pub fn count_up(&mut self, most: u32, now: Timestamp) -> WindowCount {
        let attempts = self.count + 1;
        if attempts <= u64::from(most) {
            self.count = attempts;
        }
        WindowCount { attempts, left: self.until.since(now), window: self.window.clone() }
    }

    /// Takes one count back, if it was counted in this window. Says whether it was.
    pub fn take_back(&mut self, window: &str) -> bool {
        let is_counted = self.window == window && self.count > 0;
        self.count -= u64::from(is_counted);
        is_counted
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn window(count: u64) -> FixedWindow {
        FixedWindow { count, until: at(1_000), window: "w".into() }
    }

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_window_is_open_until_its_end() {
        assert_eq!([0, 999, 1_000].map(|now| window(0).is_open(at(now))), [true, true, false]);
    }

    #[test]
    fn as_many_are_counted_as_there_is_room_for() {
        let mut window = window(0);
        let attempts: Vec<u64> = (0..5).map(|_| window.count_up(3, at(0)).attempts).collect();
        assert_eq!((attempts, window.count), (vec![1, 2, 3, 4, 4], 3));
    }

    #[test]
    fn a_lower_rate_leaves_the_count_of_an_open_window() {
        let mut window = window(5);
        assert_eq!((window.count_up(3, at(0)).attempts, window.count), (6, 5));
    }

    #[test]
    fn a_count_says_when_its_window_ends_and_how_that_is_called() {
        let count = window(6).count_up(10, at(250));
        let left = Duration::from_millis(750);
        assert_eq!(count, WindowCount { attempts: 7, left, window: "w".into() });
        assert_eq!(WindowCount::read(&count.to_string()), Some(count));
    }

    #[test]
    fn a_count_is_taken_back_from_its_own_window_and_never_below_nothing() {
        let mut window = window(1);
        assert_eq!(["v", "w", "w"].map(|name| window.take_back(name)), [false, true, false]);
        assert_eq!(window.count, 0);
    }
}
