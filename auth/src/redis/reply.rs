//! Reads replies. What is not understood is a failure of the store, never an absent session.

use std::rc::Rc;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::Redis;
use crate::session::{RightsOf, Session, StoredDenial};
use crate::store::{Command, CommandResult, StoreError};

/// A reply without a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RestError {
    /// Redis does not know the script (`NOSCRIPT`); the command must be sent again with its text.
    ScriptLost,
    /// The store failed.
    Failed(StoreError),
}

/// A `result` of `null` is a result; a reply without `result` is not.
#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    error: Option<String>,
}

/// A value, though it be `null`.
fn present<'de, D: Deserializer<'de>>(reply: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(reply).map(Some)
}

impl Redis {
    /// Reads the reply to a command.
    ///
    /// # Errors
    /// [`RestError::ScriptLost`] once; otherwise why the reply is not a result.
    pub fn answer(command: &Command, status: u16, body: &str) -> Result<CommandResult, RestError> {
        let answer = match command {
            Command::Check { .. } => {
                let record = result::<String>(status, body)?;
                if record.as_deref() == Some(MOVED) {
                    return Ok(CommandResult::Moved);
                }
                let found = record.map(|record| parse(&record)).transpose()?;
                CommandResult::Found(found.map(Rc::new))
            }
            _ if is_moved(status, body) => CommandResult::Moved,
            Command::Open { .. } => told(status, body, &["ended", "full", "blocked"])?,
            Command::Admit { .. } => {
                told(status, body, &["found", "admitted", "full", "denied", "blocked"])?
            }
            Command::User { now } => match told(status, body, &["user"])? {
                CommandResult::User { record, live: all, .. } => {
                    let (live, ended) = all.into_iter().partition(|it| it.is_live(*now));
                    CommandResult::User { record, live, ended }
                }
                other => other,
            },
            Command::SetRights { whose: RightsOf::Session(_), .. } => {
                told(status, body, &["found", "changed"])?
            }
            Command::SetRights { .. } => told(status, body, &["user"])?,
            Command::Refresh { .. } => told(status, body, &["ended", "found", "changed"])?,
            Command::SetData { .. } => told(status, body, &["found", "changed"])?,
            Command::End { .. } | Command::Block { .. } => {
                let lists = result::<[Vec<String>; 2]>(status, body)?;
                let [now, before] = lists.ok_or_else(|| unreadable("null"))?;
                CommandResult::Ends { now: sessions(&now)?, before: sessions(&before)? }
            }
            Command::List { .. } | Command::ChangedAt { .. } => {
                let records = result::<Vec<String>>(status, body)?;
                CommandResult::Listed(sessions(&records.ok_or_else(|| unreadable("null"))?)?)
            }
        };
        match command.is_answered_by(&answer) {
            true => Ok(answer),
            false => Err(RestError::Failed(StoreError::other_answer())),
        }
    }

    /// Reads the reply to [`Redis::ping`], [`Redis::keep`] and [`Redis::withdraw`].
    ///
    /// # Errors
    /// Why the store cannot serve.
    pub fn pong(status: u16, body: &str) -> Result<(), RestError> {
        result::<String>(status, body).map(|_| ())
    }
}

/// The answer of a script that finds the user's records elsewhere.
const MOVED: &str = "moved";

/// Are the user's records elsewhere?
fn is_moved(status: u16, body: &str) -> bool {
    let words = || result::<Vec<String>>(status, body);
    body.contains(MOVED) && matches!(words(), Ok(Some(words)) if words == [MOVED])
}

fn sessions(records: &[String]) -> Result<Vec<Session>, RestError> {
    records.iter().map(|record| parse(record)).collect()
}

/// An answer of which there are several kinds: one of these words, and then records.
fn told(status: u16, body: &str, kinds: &[&str]) -> Result<CommandResult, RestError> {
    let words = result::<Vec<String>>(status, body)?.unwrap_or_default();
    let (word, records) = words.split_first().ok_or_else(|| unreadable("no word"))?;
    if !kinds.contains(&word.as_str()) {
        return Err(unreadable("an unknown word"));
    }
    match (word.as_str(), records) {
        ("ended", _) => Ok(CommandResult::Ended(sessions(records)?)),
        ("full", _) => Ok(CommandResult::Full(sessions(records)?)),
        ("found", []) => Ok(CommandResult::Found(None)),
        ("found", [record]) => Ok(CommandResult::Found(Some(Rc::new(parse(record)?)))),
        ("changed", [record]) => Ok(CommandResult::Changed(Box::new(parse(record)?))),
        ("admitted", [record, ended @ ..]) => Ok(CommandResult::Admitted {
            session: Box::new(parse(record)?),
            ended: sessions(ended)?,
        }),
        ("denied", [record]) => Ok(CommandResult::Denied(parse::<StoredDenial>(record)?.denial)),
        ("blocked", [record]) => Ok(CommandResult::Blocked(parse(record)?)),
        ("user", [record, live @ ..]) => Ok(CommandResult::User {
            record: parse(record)?,
            live: sessions(live)?,
            ended: Vec::new(),
        }),
        _ => Err(unreadable("too many records, or too few")),
    }
}

fn parse<T: for<'de> Deserialize<'de>>(record: &str) -> Result<T, RestError> {
    serde_json::from_str(record).map_err(|error| unreadable(&error.to_string()))
}

pub fn unreadable(why: &str) -> RestError {
    RestError::Failed(StoreError::Unreadable(why.to_owned()))
}

pub fn result<T: for<'de> Deserialize<'de>>(
    status: u16,
    body: &str,
) -> Result<Option<T>, RestError> {
    let result = read(status, body)?;
    serde_json::from_str(result.get()).map_err(|error| unreadable(&error.to_string()))
}

/// The result as it is written.
fn read(status: u16, body: &str) -> Result<&RawValue, RestError> {
    match serde_json::from_str::<Reply>(body) {
        Ok(Reply { error: Some(error), .. }) if error.starts_with("NOSCRIPT") => {
            Err(RestError::ScriptLost)
        }
        Ok(Reply { error: Some(error), .. }) => Err(refused(status, &error)),
        Ok(Reply { result: Some(result), error: None }) if status == 200 => Ok(result),
        Ok(_) if status == 200 => Err(unreadable("neither `result` nor `error`")),
        Ok(_) => Err(refused(status, "")),
        Err(_) if status != 200 => Err(refused(status, body)),
        Err(error) => Err(unreadable(&error.to_string())),
    }
}

fn refused(status: u16, message: &str) -> RestError {
    let message = message.chars().take(200).collect();
    RestError::Failed(StoreError::Refused { status, message })
}
