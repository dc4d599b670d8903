//! What need not be told again.

use std::cell::RefCell;
use std::collections::HashSet;

use crate::session::Sid;

/// The sessions whose expiry was told already, so that a client that goes on asking does not make
/// an event of every refusal.
#[derive(Debug, Default)]
pub struct Noticed(RefCell<HashSet<Sid>>);

impl Noticed {
    /// Beyond this many, all are forgotten: some expiries are then told again, under the same id.
    const MOST: usize = 10_000;

    /// Tells of a session, unless that was done. It is noted afterwards: what was not told, because
    /// telling failed, is told the next time.
    pub fn once(&self, sid: &Sid, tell: impl FnOnce()) {
        if self.0.borrow().contains(sid) {
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
