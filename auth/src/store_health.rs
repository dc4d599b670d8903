//! Whether the store answers, remembered for a moment: anybody may ask, and must not have the store
//! asked as often.

use std::cell::RefCell;
use std::time::Duration;

use crate::store::StoreError;
use crate::time::Timestamp;

/// How long a verdict serves, and how long until somebody asks again.
const FRESH: Duration = Duration::from_secs(1);

/// One isolate's knowledge of the store.
#[derive(Debug, Default)]
pub struct StoreHealth(RefCell<State>);

#[derive(Debug, Default)]
struct State {
    asked: Option<Timestamp>,
    told: Option<(Timestamp, Result<(), StoreError>)>,
}

/// What is to be done to know how the store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// It was like this a moment ago.
    Known(Result<(), StoreError>),
    /// Ask, and tell [`StoreHealth::answered`].
    Ask,
    /// Another request is asking; look again in a moment.
    Wait,
}

impl StoreHealth {
    /// Looks how the store is. Whoever is told to ask may never come back with an answer, because its
    /// client has left; so another is told the same a second later.
    pub fn look(&self, now: Timestamp) -> NextStep {
        let mut state = self.0.borrow_mut();
        match &state.told {
            Some((at, verdict)) if is_fresh(*at, now) => return NextStep::Known(verdict.clone()),
            _ => {}
        }
        if state.asked.is_some_and(|at| is_fresh(at, now)) {
            return NextStep::Wait;
        }
        state.asked = Some(now);
        NextStep::Ask
    }

    /// The store's answer, or that there was none.
    pub fn answered(&self, verdict: Result<(), StoreError>, now: Timestamp) {
        self.0.borrow_mut().told = Some((now, verdict));
    }
}

/// A clock that was set back makes nothing last longer.
fn is_fresh(at: Timestamp, now: Timestamp) -> bool {
    at <= now && now < at.plus(FRESH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn the_store_is_asked_once_a_second_however_many_ask() {
        let health = StoreHealth::default();
        assert_eq!(health.look(at(10_000)), NextStep::Ask);
        assert_eq!(
            [10_000, 10_999].map(|now| health.look(at(now))),
            [NextStep::Wait, NextStep::Wait]
        );
        health.answered(Ok(()), at(10_300));
        assert_eq!(health.look(at(11_299)), NextStep::Known(Ok(())));
        assert_eq!(health.look(at(11_300)), NextStep::Ask);
        assert_eq!(health.look(at(11_301)), NextStep::Wait);
    }

    #[test]
    fn a_failure_is_remembered_as_long_and_no_longer() {
        let (health, failure) =
            (StoreHealth::default(), Err(StoreError::Unreachable("gone".into())));
        assert_eq!(health.look(at(1)), NextStep::Ask);
        health.answered(failure.clone(), at(500));
        assert_eq!(health.look(at(1_499)), NextStep::Known(failure));
        assert_eq!(health.look(at(1_500)), NextStep::Ask);
    }

    #[test]
    fn who_asked_and_never_came_back_is_followed_by_another() {
        let health = StoreHealth::default();
        assert_eq!(health.look(at(0)), NextStep::Ask);
        assert_eq!(
            [999, 1_000, 1_001].map(|now| health.look(at(now))),
            [NextStep::Wait, NextStep::Ask, NextStep::Wait]
        );
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nothing_last() {
        let health = StoreHealth::default();
        assert_eq!(health.look(at(10_000)), NextStep::Ask);
        health.answered(Ok(()), at(10_000));
        assert_eq!(health.look(at(9_999)), NextStep::Ask);
    }
}
