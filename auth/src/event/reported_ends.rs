//! What need not be told again.

use std::cell::RefCell;
use std::collections::HashSet;

use crate::session::Sid;

/// The sessions whose end was told already, so that a client that goes on asking does not make an event
/// of every refusal, nor one that goes on logging out of every logout.
#[derive(Debug, Default)]
pub struct ReportedEnds(RefCell<HashSet<Sid>>);

impl ReportedEnds {
    /// Beyond this many, all are forgotten: some are then told again, under the same id.
    const MOST: usize = 10_000;

    /// Was this session told of already?
    pub fn contains(&self, sid: &Sid) -> bool {
        self.0.borrow().contains(sid)
    }

    /// Tells of a session, unless that was done. It is noted afterwards: what was not told, because
    /// telling failed, is told the next time.
    pub fn report_once(&self, sid: &Sid, tell: impl FnOnce()) {
        if self.contains(sid) {
            return;
        }
        tell();
        let mut all = self.0.borrow_mut();
        if all.len() >= Self::MOST {
            all.clear();
        }
        all.insert(sid.clone());
    }
}
