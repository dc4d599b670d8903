//! Ends of sessions that were already reported.

use std::cell::RefCell;
use std::collections::HashSet;

use crate::session::Sid;

/// The sessions whose end was already reported, so that a client that keeps sending requests, or logouts, does
/// not cause an event each time.
#[derive(Debug, Default)]
pub struct ReportedEnds(RefCell<HashSet<Sid>>);

impl ReportedEnds {
    /// When it holds this many, it is cleared. Some events are then sent again, with the same id.
    const MOST: usize = 10_000;

    /// Was the end of this session already reported?
    pub fn contains(&self, sid: &Sid) -> bool {
        self.0.borrow().contains(sid)
    }

    /// Reports the end of a session, unless that was done. It is recorded afterwards, so a failed report is
    /// repeated the next time.
    pub fn report_once(&self, sid: &Sid, report: impl FnOnce()) {
        if self.contains(sid) {
            return;
        }
        report();
        let mut all = self.0.borrow_mut();
        if all.len() >= Self::MOST {
            all.clear();
        }
        all.insert(sid.clone());
    }
}
