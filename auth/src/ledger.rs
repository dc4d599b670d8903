//! One user's sessions in memory, and every step on them.
//!
//! The Durable Object runs this on its rows; the scripts in `redis/` do the same inside Redis,
//! and a test holds the two against each other.

use std::collections::BTreeMap;

use crate::session::{Ending, Session, Sid};
use crate::store::{Answer, Command, MAX_TOMBSTONES, Which};
use crate::time::Timestamp;

/// All records of one user, live and ended.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    sessions: BTreeMap<Sid, Session>,
}

/// The records a step touched, so that a store writes those and no others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// To be written.
    pub written: Vec<Sid>,
    /// To be deleted.
    pub forgotten: Vec<Sid>,
}

impl Ledger {
    /// A ledger of these records.
    pub fn new(records: impl IntoIterator<Item = Session>) -> Self {
        Self { sessions: records.into_iter().map(|s| (s.sid.clone(), s)).collect() }
    }

    /// One record.
    pub fn get(&self, sid: &Sid) -> Option<&Session> {
        self.sessions.get(sid)
    }

    /// When the last record can be forgotten; `None` when there is none.
    pub fn all_forgotten(&self) -> Option<Timestamp> {
        self.sessions.values().map(Session::forgotten).max()
    }

    /// Applies one command.
    pub fn apply(&mut self, command: &Command) -> (Answer, Touched) {
        let mut touched = Touched::default();
        let answer = match command {
            Command::Check { sid, idle_timeout, now } => {
                let found = self.sessions.get_mut(sid);
                Answer::Found(found.map(|session| {
                    if idle_timeout.is_some_and(|timeout| session.slide(timeout, *now)) {
                        touched.written.push(sid.clone());
                    }
                    Box::new(session.clone())
                }))
            }
            Command::Open { session, limit, now } => {
                touched.forgotten = self.forget_old(*now);
                let live = self.live(*now);
                let excess = limit.map_or(0, |limit| {
                    (live.len() + 1)
                        .saturating_sub(usize::try_from(limit.get()).unwrap_or(usize::MAX))
                });
                let ending = Ending::Superseded { at: *now, by: session.device };
                let ended = self.end(&live[..excess.min(live.len())], &ending, &mut touched);
                touched.written.push(session.sid.clone());
                self.sessions.insert(session.sid.clone(), (**session).clone());
                touched.forgotten.extend(self.forget_excess_tombstones(*now));
                touched.written.retain(|sid| self.sessions.contains_key(sid));
                Answer::Ended(ended)
            }
            Command::End { which, ending } => {
                touched.forgotten = self.forget_old(ending.at());
                let mut live = self.live(ending.at());
                live.retain(|sid| match which {
                    Which::One(one) => sid == one,
                    Which::Others(one) => sid != one,
                    Which::All => true,
                });
                let ended = self.end(&live, ending, &mut touched);
                touched.forgotten.extend(self.forget_excess_tombstones(ending.at()));
                touched.written.retain(|sid| self.sessions.contains_key(sid));
                Answer::Ended(ended)
            }
            Command::List { now } => {
                let live = self.live(*now);
                Answer::Listed(live.iter().map(|sid| self.sessions[sid].clone()).collect())
            }
        };
        (answer, touched)
    }

    /// Forgets every record whose time has come, and says which.
    pub fn forget_old(&mut self, now: Timestamp) -> Vec<Sid> {
        self.sessions.extract_if(.., |_, s| now >= s.forgotten()).map(|(sid, _)| sid).collect()
    }

    /// The live sessions, oldest first; those of one moment in the order of their names.
    fn live(&self, now: Timestamp) -> Vec<Sid> {
        let mut live: Vec<&Session> = self.sessions.values().filter(|s| s.is_live(now)).collect();
        live.sort_by_key(|s| s.created);
        live.into_iter().map(|s| s.sid.clone()).collect()
    }

    fn end(&mut self, which: &[Sid], ending: &Ending, touched: &mut Touched) -> Vec<Session> {
        let mut ended = Vec::with_capacity(which.len());
        for sid in which {
            if let Some(session) = self.sessions.get_mut(sid) {
                session.ended = Some(ending.clone());
                touched.written.push(sid.clone());
                ended.push(session.clone());
            }
        }
        ended
    }

    /// Keeps the newest records of what is no longer live, be it ended or idle for too long;
    /// those of one moment in the order of their names.
    fn forget_excess_tombstones(&mut self, now: Timestamp) -> Vec<Sid> {
        let mut tombstones: Vec<(Timestamp, Sid)> = self
            .sessions
            .values()
            .filter(|s| !s.is_live(now))
            .map(|s| (s.ended.as_ref().map_or(s.deadline(), Ending::at), s.sid.clone()))
            .collect();
        tombstones.sort();
        let excess = tombstones.len().saturating_sub(MAX_TOMBSTONES);
        let oldest: Vec<Sid> = tombstones.into_iter().take(excess).map(|(_, sid)| sid).collect();
        for sid in &oldest {
            self.sessions.remove(sid);
        }
        oldest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::DeviceClass;
    use crate::session::tests::session;
    use std::num::NonZeroU32;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn open(ledger: &mut Ledger, sid: &str, limit: u32, now: u64) -> Vec<String> {
        let session = Box::new(session(sid, now, now + 1000));
        let command = Command::Open { session, limit: NonZeroU32::new(limit), now: at(now) };
        match ledger.apply(&command).0 {
            Answer::Ended(ended) => ended.into_iter().map(|s| s.sid.into()).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn live(ledger: &Ledger, now: u64) -> Vec<String> {
        ledger.live(at(now)).into_iter().map(String::from).collect()
    }

    #[test]
    fn a_login_beyond_the_limit_ends_the_oldest() {
        let mut ledger = Ledger::default();
        assert!(open(&mut ledger, "a", 2, 1).is_empty());
        assert!(open(&mut ledger, "b", 2, 2).is_empty());
        assert_eq!(open(&mut ledger, "c", 2, 3), ["a"]);
        assert_eq!(live(&ledger, 4), ["b", "c"]);
    }

    #[test]
    fn a_lower_limit_ends_as_many_as_it_takes_and_never_the_newcomer() {
        let mut ledger = Ledger::default();
        for (n, sid) in ["a", "b", "c"].iter().enumerate() {
            open(&mut ledger, sid, 0, n as u64);
        }
        assert_eq!(open(&mut ledger, "0", 1, 2), ["a", "b", "c"]);
        assert_eq!(live(&ledger, 3), ["0"]);
    }

    #[test]
    fn a_check_never_creates_and_never_revives() {
        let mut ledger = Ledger::default();
        let check = |sid: &str, now| Command::Check {
            sid: Sid::try_from(sid.to_owned()).unwrap(),
            idle_timeout: Some(std::time::Duration::from_millis(10)),
            now: at(now),
        };
        let (answer, touched) = ledger.apply(&check("a", 1));
        assert_eq!((answer, touched), (Answer::Found(None), Touched::default()));
        open(&mut ledger, "a", 1, 1);
        open(&mut ledger, "b", 1, 2);
        let (answer, touched) = ledger.apply(&check("a", 900));
        assert!(matches!(answer, Answer::Found(Some(s)) if s.ended.is_some()));
        assert_eq!(touched, Touched::default());
    }

    #[test]
    fn at_most_twenty_tombstones_are_kept_and_the_oldest_go_first() {
        let mut ledger = Ledger::default();
        for n in 0..30 {
            open(&mut ledger, &format!("s{n:02}"), 1, n);
        }
        assert_eq!(ledger.sessions.len(), MAX_TOMBSTONES + 1);
        assert!(ledger.get(&Sid::try_from("s08".to_owned()).unwrap()).is_none());
        assert!(ledger.get(&Sid::try_from("s09".to_owned()).unwrap()).is_some());
    }

    #[test]
    fn records_are_forgotten_a_minute_past_their_absolute_deadline() {
        let mut ledger = Ledger::default();
        let a = Sid::try_from("a".to_owned()).unwrap();
        open(&mut ledger, "a", 0, 0);
        open(&mut ledger, "b", 0, 60_999);
        assert!(ledger.get(&a).is_some());
        open(&mut ledger, "c", 0, 61_000);
        assert!(ledger.get(&a).is_none());
        assert_eq!(ledger.all_forgotten(), Some(at(61_000 + 1_000 + 60_000)));
    }

    #[test]
    fn ending_touches_only_what_was_live() {
        let mut ledger = Ledger::default();
        open(&mut ledger, "a", 1, 0);
        open(&mut ledger, "b", 1, 1);
        let all = Command::End { which: Which::All, ending: Ending::Revoked { at: at(2) } };
        let (answer, touched) = ledger.apply(&all);
        assert!(matches!(answer, Answer::Ended(ended) if ended.len() == 1));
        assert_eq!(touched.written.len(), 1);
        let first = ledger.get(&Sid::try_from("a".to_owned()).unwrap()).unwrap();
        let superseded = Ending::Superseded { at: at(1), by: DeviceClass::Desktop };
        assert_eq!(first.ended, Some(superseded), "the first reason stands");
    }
}
