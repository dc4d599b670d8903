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

    /// Notes a session, and says whether it is the first time.
    pub fn first(&self, sid: &Sid) -> bool {
        let mut all = self.0.borrow_mut();
        if all.len() >= Self::MOST {
            all.clear();
        }
        all.insert(sid.clone())
    }
}
