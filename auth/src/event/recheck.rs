//! When to look at the session of a WebSocket again.

use std::time::Duration;

use crate::time::Timestamp;

/// How long until the next look if the store could not be asked, or the session may have ended unseen.
const SOON: Duration = Duration::from_secs(10);

/// How often a session is looked at that may have ended unseen: the write that ends it may yet come.
const MOST_LOOKS: u32 = 6;

/// When somebody listens for a session's end, and the session is to be looked at for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recheck {
    /// When the session is due. Nobody notices before that if it ends by itself.
    pub due: Timestamp,
    /// How many looks are left of those for a session that may have ended unseen; zero for one in order.
    pub doubts: u32,
}

impl Recheck {
    /// A session that lives until this moment, as far as is known.
    pub fn at(due: Timestamp) -> Self {
        Self { due, doubts: 0 }
    }

    /// A session that may have ended unseen: look at once, and some times more.
    pub fn doubtful() -> Self {
        Self { due: Timestamp::from_millis(0), doubts: MOST_LOOKS }
    }

    /// Is it time to look?
    pub fn is_due(self, now: Timestamp) -> bool {
        now >= self.due
    }

    /// What follows when a look has found the session live until `until`. A session that was used
    /// meanwhile lives longer than was known.
    #[must_use]
    pub fn found_live(self, until: Timestamp, now: Timestamp) -> Self {
        match self.doubts {
            0 | 1 => Self::at(until),
            doubts => Self { due: until.min(now.plus(SOON)), doubts: doubts - 1 },
        }
    }

    /// What follows when the store did not answer.
    #[must_use]
    pub fn unanswered(self, now: Timestamp) -> Self {
        self.found_live(now.plus(SOON), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_790_000_000_000;

    /// What a look finds.
    enum Found {
        /// The session, live until so many seconds after the start.
        Live(u64),
        Ended,
        NoAnswer,
    }
    use Found::{Ended, Live, NoAnswer};

    const HOUR: u64 = 3_600;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(START + seconds * 1_000)
    }

    /// Looks whenever the session is due, for an hour at most, and says when that was, in seconds.
    fn looks(mut recheck: Recheck, look: impl Fn(u64) -> Found) -> Vec<u64> {
        let mut looks = Vec::new();
        for now in 0..HOUR {
            if recheck.is_due(at(now)) {
                looks.push(now);
                recheck = match look(now) {
                    Live(until) => recheck.found_live(at(until), at(now)),
                    NoAnswer => recheck.unanswered(at(now)),
                    Ended => return looks,
                };
            }
        }
        looks
    }

    #[test]
    fn a_session_in_doubt_is_looked_at_for_a_minute_and_then_left_until_it_may_end_by_itself() {
        assert_eq!(looks(Recheck::doubtful(), |_| Live(HOUR)), [0, 10, 20, 30, 40, 50]);
    }

    #[test]
    fn an_end_that_the_store_carries_out_late_is_found_at_the_next_look() {
        let look = |now| if now < 35 { Live(HOUR) } else { Ended };
        assert_eq!(looks(Recheck::doubtful(), look), [0, 10, 20, 30, 40]);
    }

    #[test]
    fn while_the_store_is_away_the_session_stays_in_doubt() {
        let look = |now| if now < 200 { NoAnswer } else { Ended };
        let all: Vec<u64> = (0..=20).map(|look| look * 10).collect();
        assert_eq!(looks(Recheck::doubtful(), look), all);
    }

    #[test]
    fn a_session_without_doubt_is_looked_at_when_it_may_end_by_itself_and_no_sooner() {
        let look = |now| Live(if now < 60 { 90 } else { 2 * HOUR });
        assert_eq!(looks(Recheck::at(at(50)), look), [50, 90]);
    }

    #[test]
    fn a_session_in_doubt_that_may_end_sooner_is_looked_at_then() {
        let look = |now| if now < 3 { Live(3) } else { Ended };
        assert_eq!(looks(Recheck::doubtful(), look), [0, 3]);
    }
}
