//! A user's sessions in SQLite, cached in memory while the object runs.

use auth::ledger::{Ledger, LedgerChanges};
use auth::session::{Session, Sid, StoredDenial, UserRecord};
use auth::store::{Command, Passage, Transfer};
use auth::time::Timestamp;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;
use worker::SqlStorage;

use super::storage::{Result, failure, query};

/// The most bytes of a record that go into one row. A row holds 2 MB at most, and what was packed for a move may be longer.
const MOST_IN_ROW: usize = 1 << 20;

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

    /// Takes one step of a move between stores. Step and result are JSON.
    pub fn transfer(&mut self, step: &str, now: Timestamp) -> Result<String> {
        let step: Transfer = serde_json::from_str(step).map_err(unreadable)?;
        let (result, changes) = self.ledger()?.transfer(&step, now);
        self.write(&changes)?;
        serde_json::to_string(&result).map_err(unreadable)
    }

    /// Deletes expired records.
    pub fn forget_old(&mut self, now: Timestamp) -> Result<()> {
        let changes = self.ledger()?.forget_old(now);
        self.write(&changes)
    }

    /// When records are next to be deleted; `None` if there is none, or none is in memory.
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
        let exec = |statement| query(&self.sql, statement, Vec::new());
        let tables = exec("SELECT name FROM sqlite_master WHERE type = 'table'")?;
        let has = |name: &str| tables.iter().any(|table| table == name);
        let (mut sessions, mut denials) = Default::default();
        if has("session") {
            sessions = read_all::<Session>(&exec("SELECT record FROM session")?)?;
        }
        if has("denial") {
            let sids = exec("SELECT sid FROM denial ORDER BY sid")?.into_iter().map(Sid::try_from);
            let sids = sids.collect::<std::result::Result<Vec<_>, _>>().map_err(failure)?;
            let records = exec("SELECT record FROM denial ORDER BY sid")?;
            denials = sids.into_iter().zip(read_all::<StoredDenial>(&records)?).collect::<Vec<_>>();
        }
        let user: UserRecord = self.read_one(&tables, "user_record")?;
        let passage: Passage = self.read_one(&tables, "passage")?;
        Ok(Ledger::new(sessions).with_user(denials, user).with_passage(passage))
    }

    /// Reads what [`write_one`](Self::write_one()) has written.
    fn read_one<T: Default + DeserializeOwned>(&self, tables: &[String], table: &str) -> Result<T> {
        let mut record = String::new();
        for table in [table.to_owned(), rest_of(table)] {
            if tables.contains(&table) {
                let statement = format!("SELECT record FROM {table} ORDER BY id");
                record += &query(&self.sql, &statement, Vec::new())?.concat();
            }
        }
        match record.is_empty() {
            true => Ok(T::default()),
            false => serde_json::from_str(&record).map_err(unreadable),
        }
    }

    fn write(&self, changes: &LedgerChanges) -> Result<()> {
        let Some(ledger) = &self.ledger else { return Ok(()) };
        self.write_table("session", &changes.forgotten, &changes.written, &|sid| {
            ledger.get(sid).map(serde_json::to_string)
        })?;
        self.write_table("denial", &changes.lapsed, &changes.denied, &|sid| {
            ledger.denial(sid).map(serde_json::to_string)
        })?;
        if changes.user {
            self.write_one("user_record", ledger.user())?;
        }
        if changes.passage {
            self.write_one("passage", ledger.passage())?;
        }
        Ok(())
    }

    /// Deletes and writes records of a table, which the first of them creates.
    fn write_table(
        &self,
        table: &str,
        deleted: &[Sid],
        written: &[Sid],
        record: &dyn Fn(&Sid) -> Option<serde_json::Result<String>>,
    ) -> Result<()> {
        if deleted.is_empty() && written.is_empty() {
            return Ok(());
        }
        let exec =
            |statement: &str, bindings| query(&self.sql, &statement.replace("{}", table), bindings);
        let columns = "(sid TEXT PRIMARY KEY, record TEXT NOT NULL)";
        exec(&format!("CREATE TABLE IF NOT EXISTS {{}} {columns}"), Vec::new())?;
        for sid in deleted {
            exec("DELETE FROM {} WHERE sid = ?", vec![sid.as_str().into()])?;
        }
        for sid in written {
            let Some(record) = record(sid) else { continue };
            let row = vec![sid.as_str().into(), record.map_err(unreadable)?.into()];
            exec("INSERT OR REPLACE INTO {} (sid, record) VALUES (?, ?)", row)?;
        }
        Ok(())
    }

    /// Writes the one record of a table, or deletes it if it is empty. What is too long for its row goes into a table of
    /// its own.
    fn write_one<T: Default + PartialEq + serde::Serialize>(
        &self,
        table: &str,
        record: &T,
    ) -> Result<()> {
        let exec =
            |statement: &str, bindings| query(&self.sql, &statement.replace("{}", table), bindings);
        let columns = "(id INTEGER PRIMARY KEY CHECK (id = 1), record TEXT NOT NULL)";
        exec(&format!("CREATE TABLE IF NOT EXISTS {{}} {columns}"), Vec::new())?;
        let rest_table = rest_of(table);
        exec(&format!("DROP TABLE IF EXISTS {rest_table}"), Vec::new())?;
        if *record == T::default() {
            return exec("DELETE FROM {}", Vec::new()).map(drop);
        }
        let record = serde_json::to_string(record).map_err(unreadable)?;
        let (first, mut rest) = record.split_at(record.floor_char_boundary(MOST_IN_ROW));
        exec("INSERT OR REPLACE INTO {} (id, record) VALUES (1, ?)", vec![first.into()])?;
        if !rest.is_empty() {
            let columns = "(id INTEGER PRIMARY KEY, record TEXT NOT NULL)";
            exec(&format!("CREATE TABLE {rest_table} {columns}"), Vec::new())?;
        }
        while !rest.is_empty() {
            let (part, next) = rest.split_at(rest.floor_char_boundary(MOST_IN_ROW));
            exec(&format!("INSERT INTO {rest_table} (record) VALUES (?)"), vec![part.into()])?;
            rest = next;
        }
        Ok(())
    }
}

/// The table of what is too long for the one row of another.
fn rest_of(table: &str) -> String {
    format!("{table}_rest")
}

/// Reads records from their JSON.
fn read_all<T: DeserializeOwned>(records: &[String]) -> Result<Vec<T>> {
    let records = records.iter().map(|record| serde_json::from_str(record));
    records.collect::<serde_json::Result<_>>().map_err(unreadable)
}

/// The error of a record, command or answer that is not valid JSON.
fn unreadable(error: serde_json::Error) -> JsValue {
    failure(&error.to_string())
}
