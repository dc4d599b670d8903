//! A user's sessions: in memory while the object lives, in SQLite always.

use auth::ledger::{Ledger, LedgerChanges};
use auth::session::Session;
use auth::store::Command;
use auth::time::Timestamp;
use wasm_bindgen::JsValue;
use worker::SqlStorage;

use super::storage::{Result, failure, query};

/// The command that touches no storage.
pub const PING: &str = "ping";

/// One user's sessions.
///
/// Steps that write stand in a transaction. If one fails, [`Sessions::discard_cache`] keeps memory and
/// storage from differing.
pub struct Sessions {
    sql: SqlStorage,
    ledger: Option<Ledger>,
}

impl Sessions {
    /// The sessions in this storage, which is read when they are needed.
    pub fn new(sql: SqlStorage) -> Self {
        Self { sql, ledger: None }
    }

    /// Applies one command, both it and its answer as JSON.
    pub fn apply(&mut self, command: &str) -> Result<String> {
        if command == PING {
            return Ok(String::new());
        }
        let command: Command = serde_json::from_str(command).map_err(unreadable)?;
        let (answer, changes) = self.ledger()?.apply(&command);
        self.write(&changes)?;
        serde_json::to_string(&answer).map_err(unreadable)
    }

    /// The answer to a check that changes nothing, and until when it is the same, unless another command
    /// changes the session; `None` if it changes something now, or memory does not have the session.
    pub fn unchanged(&mut self, check: &str) -> Option<(String, Timestamp)> {
        let check: Command = serde_json::from_str(check).ok()?;
        let ledger = self.ledger.as_mut()?;
        let until = ledger.unchanged_until(&check)?;
        let (answer, _) = ledger.apply(&check);
        Some((serde_json::to_string(&answer).ok()?, until))
    }

    /// Deletes the records that need not be kept any more.
    pub fn forget_old(&mut self, now: Timestamp) -> Result<()> {
        let forgotten = self.ledger()?.forget_old(now);
        self.write(&LedgerChanges { forgotten, ..LedgerChanges::default() })
    }

    /// When the last record can be deleted; `None` if there is none, or none is in memory.
    pub fn all_forgotten(&self) -> Option<Timestamp> {
        self.ledger.as_ref()?.all_forgotten()
    }

    /// Has the records read anew from storage.
    pub fn discard_cache(&mut self) {
        self.ledger = None;
    }

    fn ledger(&mut self) -> Result<&mut Ledger> {
        let ledger = match self.ledger.take() {
            Some(ledger) => ledger,
            None => self.read()?,
        };
        Ok(self.ledger.insert(ledger))
    }

    /// Reads the records. A user who never had any leaves no storage behind.
    fn read(&self) -> Result<Ledger> {
        let table = "SELECT name FROM sqlite_master WHERE name = 'session'";
        if query(&self.sql, table, Vec::new())?.is_empty() {
            return Ok(Ledger::default());
        }
        let records = query(&self.sql, "SELECT record FROM session", Vec::new())?;
        let records: serde_json::Result<Vec<Session>> =
            records.iter().map(|record| serde_json::from_str(record)).collect();
        Ok(Ledger::new(records.map_err(unreadable)?))
    }

    fn write(&self, changes: &LedgerChanges) -> Result<()> {
        if *changes == LedgerChanges::default() {
            return Ok(());
        }
        let exec = |statement, bindings| query(&self.sql, statement, bindings);
        let table =
            "CREATE TABLE IF NOT EXISTS session (sid TEXT PRIMARY KEY, record TEXT NOT NULL)";
        exec(table, Vec::new())?;
        for sid in &changes.forgotten {
            exec("DELETE FROM session WHERE sid = ?", vec![sid.as_str().into()])?;
        }
        let written = changes.written.iter();
        for record in written.filter_map(|sid| self.ledger.as_ref()?.get(sid)) {
            let row = vec![
                record.sid.as_str().into(),
                serde_json::to_string(record).map_err(unreadable)?.into(),
            ];
            exec("INSERT OR REPLACE INTO session (sid, record) VALUES (?, ?)", row)?;
        }
        Ok(())
    }
}

/// Says what cannot be read, or written, as JSON.
fn unreadable(error: serde_json::Error) -> JsValue {
    failure(&error.to_string())
}
