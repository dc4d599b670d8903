//! A counter, in an object of its own. It is stored as `{ count, until, window }`.

use std::time::Duration;

use auth::rate::{FixedWindow, WindowCount};
use auth::time::Timestamp;
use worker::Storage;

use super::storage::{KvEntry, Result, js_millis};

/// The key under which it is stored.
pub const KEY: &str = "counter";

/// The one counter of an object.
pub struct Counter<'a>(KvEntry<'a>);

impl<'a> Counter<'a> {
    /// The counter in this storage.
    pub fn of(storage: &'a Storage) -> Self {
        Self(KvEntry::at(storage, KEY))
    }

    /// Counts an attempt, unless the window has `most` already. The first count opens a window of this name, `span`
    /// long. Returns the window's end as well, if it is new.
    pub fn count_up(
        &self,
        most: u32,
        span: Duration,
        name: String,
        now: Timestamp,
    ) -> Result<(WindowCount, Option<Timestamp>)> {
        let open = self.open(now)?;
        let until = now.plus(span);
        let ends = open.is_none().then_some(until);
        let mut window = open.unwrap_or(FixedWindow { count: 0, until, window: name });
        let before = window.count;
        let count = window.count_up(most, now);
        if window.count != before {
            self.put(window)?;
        }
        Ok((count, ends))
    }

    /// Takes one count of this window back, if the window is still open.
    pub fn refund(&self, name: &str, now: Timestamp) -> Result<()> {
        let Some(mut window) = self.open(now)? else { return Ok(()) };
        match window.take_back(name) {
            true => self.put(window),
            false => Ok(()),
        }
    }

    fn open(&self, now: Timestamp) -> Result<Option<FixedWindow>> {
        Ok(self.0.get(now)?.map(|members| FixedWindow {
            count: members.number("count"),
            until: members.until(),
            window: members.text("window"),
        }))
    }

    fn put(&self, FixedWindow { count, until, window }: FixedWindow) -> Result<()> {
        let count = (count as f64).into();
        self.0.put(&[("count", count), ("until", js_millis(until)), ("window", window.into())])
    }
}
