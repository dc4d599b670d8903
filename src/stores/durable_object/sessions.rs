//! A user's sessions in SQLite, cached in memory while the object runs.

use auth::ledger::{Ledger, LedgerChanges};
use auth::session::Session;
use auth::store::Command;
use auth::time::Timestamp;
use wasm_bindgen::JsValue;
use worker::SqlStorage;

use super::storage::{Result, failure, query};

/// The command of a health check, which touches no storage.
pub const PING: &str = "ping";

/// One user's sessions.
///
/// Writes run in a transaction. If one fails, [`Sessions::discard_cache`] must be called, so that memory equals
/// storage.
pub struct Sessions {
    sql: SqlStorage,
    ledger: Option<Ledger>,
}

impl Sessions {
    /// The sessions in this storage, which is read at the first command.
    pub fn new(sql: SqlStorage) -> Self {
        Self { sql, ledger: None }
    }

    /// Applies one command. Command and answer are JSON.
    pub fn apply(&mut self, command: &str) -> Result<String> {
        if command == PING {
            return Ok(String::new());
        }
        let command: Command = serde_json::from_str(command).map_err(unreadable)?;
        let (answer, changes) = self.ledger()?.apply(&command);
        self.write(&changes)?;
        serde_json::to_string(&answer).map_err(unreadable)
    }

    /// The answer to a check that changes nothing, and when the answer expires, unless a command changes the session
    /// before; `None` if the check changes something, or the sessions are not in memory.
    pub fn unchanged(&mut self, check: &str) -> Option<(String, Timestamp)> {
        let check: Command = serde_json::from_str(check).ok()?;
        let ledger = self.ledger.as_mut()?;
        let until = ledger.unchanged_until(&check)?;
        let (answer, _) = ledger.apply(&check);
        Some((serde_json::to_string(&answer).ok()?, until))
    }

    /// Deletes expired records.
    pub fn forget_old(&mut self, now: Timestamp) -> Result<()> {
        let forgotten = self.ledger()?.forget_old(now);
        self.write(&LedgerChanges { forgotten, ..LedgerChanges::default() })
    }

    /// When the last record can be deleted; `None` if there is none, or none is in memory.
    pub fn all_forgotten(&self) -> Option<Timestamp> {
        self.ledger.as_ref()?.all_forgotten()
    }

    /// Discards the sessions in memory, so that the next command reads them from storage.
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

    /// Reads the records. Creates no table, so that a check of an unknown user leaves no storage behind.
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

/// The error of a record, command or answer that is not valid JSON.
fn unreadable(error: serde_json::Error) -> JsValue {
    failure(&error.to_string())
}
