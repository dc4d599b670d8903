//! Moves, backups and restorations of a user's records. They are rare, so they run in the guard: it reads the user's
//! hash, applies the step to a [`Ledger`], and replaces the hash if nobody has changed it meanwhile.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha1::{Digest, Sha1};

use super::reply::{result, unreadable};
use super::script::LOCKING;
use super::{Redis, RestError, RestRequest};
use crate::ledger::{Ledger, LedgerChanges};
use crate::session::{Sid, Subject, UserRecord};
use crate::store::{Passage, StoreError, Transfer, TransferResult};
use crate::time::Timestamp;

const FIELDS: &str = lua!("fields");
const SWAP: &str = lua!("swap");

/// The field of the user's own record.
const USER: &str = "!";

/// The field of [`Passage`].
const PASSAGE: &str = "!>";

/// The fields of a user's hash, with their values.
#[derive(Clone, PartialEq, Eq)]
pub struct Fields(BTreeMap<String, String>);

impl Redis {
    /// The request that reads all fields of a user's hash.
    pub fn fields(&self, user: &Subject) -> RestRequest {
        RestRequest::post(&["eval", &format!("{LOCKING}{FIELDS}"), "1", &self.key(user)])
    }

    /// Reads the reply to [`Redis::fields`].
    ///
    /// # Errors
    /// Why the reply is not a result.
    pub fn fields_answer(status: u16, body: &str) -> Result<Fields, RestError> {
        let texts: Vec<String> = result(status, body)?.ok_or_else(|| unreadable("null"))?;
        let pairs = texts.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone()));
        Ok(Fields(pairs.collect()))
    }

    /// Applies a step to these fields. Returns its result, and the request that stores the changes if the fields are
    /// still the same; `None` if there are none.
    ///
    /// # Errors
    /// The fields cannot be read.
    pub fn transfer(
        &self,
        user: &Subject,
        fields: &Fields,
        transfer: &Transfer,
        now: Timestamp,
    ) -> Result<(TransferResult, Option<RestRequest>), StoreError> {
        let mut ledger = fields.ledger()?;
        let (result, changes) = ledger.transfer(transfer, now);
        let is_changed = changes != LedgerChanges::default();
        let swap = || self.swap(user, fields, &Fields::of(&ledger), ledger.needed_until());
        Ok((result, is_changed.then(swap)))
    }

    fn swap(&self, user: &Subject, old: &Fields, new: &Fields, until: Timestamp) -> RestRequest {
        let until = if until >= Timestamp::FAR_FUTURE { 0 } else { until.millis() };
        let mut words = vec!["eval".to_owned(), format!("{LOCKING}{SWAP}"), "1".into()];
        words.extend([self.key(user), until.to_string(), old.0.len().to_string()]);
        words.extend(old.0.iter().flat_map(|(field, text)| [field.clone(), sha1(text)]));
        words.extend(new.0.iter().flat_map(|(field, text)| [field.clone(), text.clone()]));
        RestRequest::post(&words)
    }

    /// Reads the reply to the request of [`Redis::transfer`]: were the fields still the same?
    ///
    /// # Errors
    /// Why the reply is not a result.
    pub fn swapped(status: u16, body: &str) -> Result<bool, RestError> {
        match result::<u8>(status, body)? {
            Some(0) => Ok(false),
            Some(1) => Ok(true),
            _ => Err(unreadable("neither 0 nor 1")),
        }
    }
}

impl Fields {
    fn ledger(&self) -> Result<Ledger, StoreError> {
        let (mut sessions, mut denials) = (Vec::new(), Vec::new());
        let (mut user, mut passage) = (UserRecord::default(), Passage::default());
        for (field, text) in &self.0 {
            match field.strip_prefix('!') {
                None => sessions.push(read(text)?),
                Some("") => user = read(text)?,
                Some(">") => passage = read(text)?,
                Some(sid) => {
                    let sid = Sid::try_from(sid.to_owned());
                    let sid = sid.map_err(|error| StoreError::Unreadable(error.into()))?;
                    denials.push((sid, read(text)?));
                }
            }
        }
        Ok(Ledger::new(sessions).with_user(denials, user).with_passage(passage))
    }

    fn of(ledger: &Ledger) -> Self {
        let records = ledger.all_records();
        let mut fields = BTreeMap::new();
        let sessions = records.sessions.iter().map(|it| (it.sid.to_string(), json(it)));
        fields.extend(sessions);
        fields.extend(records.denials.iter().map(|(sid, it)| (format!("!{sid}"), json(it))));
        if records.user != UserRecord::default() {
            fields.insert(USER.into(), json(&records.user));
        }
        if *ledger.passage() != Passage::default() {
            fields.insert(PASSAGE.into(), json(ledger.passage()));
        }
        Self(fields)
    }
}

fn sha1(text: &str) -> String {
    base16ct::lower::encode_string(&Sha1::digest(text))
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Unreadable(error.to_string()))
}

/// Records can always be written.
fn json(record: &impl Serialize) -> String {
    serde_json::to_string(record).unwrap_or_default()
}
