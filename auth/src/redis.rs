//! The Redis store: commands as requests of the Upstash REST protocol, and its replies read.
//!
//! One hash per user, so that every step is one script over one declared key: atomic, safe
//! under Redis Cluster, and needing neither KEYS nor SCAN. The scripts are in `redis/`.

mod counters;
mod index;

use std::cell::OnceCell;
use std::fmt::{self, Write as _};
use std::rc::Rc;
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Deserializer};
use sha1::{Digest, Sha1};

use crate::device::DeviceClass;
use crate::session::{Session, Sid, Subject};
use crate::store::{
    CheckFrame, Command, CommandResult, EntryName, MAX_TOMBSTONES, SessionSelector, StoreError,
};
use crate::time::Timestamp;

/// Upstash takes a global lock for a script unless its first line says this. Redis itself does
/// not know the flag; the project's bridge takes the line away.
const LOCKING: &str = "#!lua flags=allow-key-locking\n";
/// All but the unreserved characters of RFC 3986, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const WITHDRAW: &str = include_str!("redis/withdraw.lua");
const PRELUDE: &str = include_str!("redis/prelude.lua");

/// Which copy of the data answers a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadConsistency {
    /// The primary: an ended session is refused on its next request.
    Strong,
    /// The nearest replica, whose lag is then the revocation window.
    Nearest,
}

/// Turns commands into requests, and replies into answers.
#[derive(Clone, Debug)]
pub struct Redis {
    keyspace: String,
    consistency: ReadConsistency,
    check: Script,
    open: Script,
    refresh: Script,
    set_data: Script,
    end: Script,
    list: Script,
    changed_at: Script,
}

/// A script.
#[derive(Clone, Debug)]
struct Script {
    body: &'static str,
    sha1: OnceCell<String>,
}

impl Script {
    fn new(body: &'static str) -> Self {
        Self { body, sha1: OnceCell::new() }
    }

    fn text(&self) -> String {
        format!("{LOCKING}{PRELUDE}\n{}", self.body)
    }

    /// The name Redis knows it by. It is found when it is first needed, because the first request
    /// waits for all that is done at the start.
    fn sha1(&self) -> &str {
        self.sha1.get_or_init(|| {
            Sha1::digest(self.text()).iter().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            })
        })
    }
}

/// One HTTP request to the REST endpoint.
#[derive(Clone, PartialEq, Eq)]
pub struct RestRequest {
    /// What follows the endpoint's URL: `/` or a command in the path form.
    pub path: String,
    /// The body of a POST; `None` for a GET.
    pub body: Option<String>,
}

/// Leaves out the body, which holds what sessions hold.
impl fmt::Debug for RestRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestRequest").field("path", &self.path).finish_non_exhaustive()
    }
}

/// A reply that is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RestError {
    /// Redis has lost the script; the command must be sent again with its text.
    ScriptLost,
    /// The store failed.
    Failed(StoreError),
}

/// A `result` that is `null` is an answer; a reply without one is not, hence the two layers.
#[derive(Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
struct Reply<T> {
    #[serde(default, deserialize_with = "present")]
    result: Option<Option<T>>,
    error: Option<String>,
}

fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    reply: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(reply).map(Some)
}

impl Redis {
    /// A store whose every key starts with `keyspace`.
    pub fn new(keyspace: &str, consistency: ReadConsistency) -> Self {
        Self {
            keyspace: keyspace.to_owned(),
            consistency,
            check: Script::new(include_str!("redis/check.lua")),
            open: Script::new(include_str!("redis/open.lua")),
            refresh: Script::new(include_str!("redis/refresh.lua")),
            set_data: Script::new(include_str!("redis/set_data.lua")),
            end: Script::new(include_str!("redis/end.lua")),
            list: Script::new(include_str!("redis/list.lua")),
            changed_at: Script::new(include_str!("redis/changed_at.lua")),
        }
    }

    /// The hash of one user. The `sub` is encoded into an alphabet without separators, so none
    /// can reach another user's key.
    pub fn key(&self, user: &Subject) -> String {
        let user = Base64UrlUnpadded::encode_string(user.as_str().as_bytes());
        format!("{}{user}", self.keyspace)
    }

    /// The request for a command, naming its script by hash.
    ///
    /// A check goes out as a GET in the path form, which Upstash serves without parsing a body;
    /// it must be sent so that nothing on the way answers it from a cache.
    pub fn request(&self, user: &Subject, command: &Command) -> RestRequest {
        match command {
            Command::Check { sid, jti, idle_timeout, now } => {
                let frame = self.check_frame(user, sid, jti.as_deref(), *idle_timeout);
                let path = frame.at(*now);
                RestRequest { path, body: None }
            }
            _ => {
                let sha1 = self.script(command).sha1();
                RestRequest::post(&self.words("evalsha", sha1, user, command))
            }
        }
    }

    /// The path of the request for a check. The nearest replica learns nothing: see
    /// [`should_learn_use`](crate::session::LiveSession::should_learn_use).
    pub fn check_frame(
        &self,
        user: &Subject,
        sid: &Sid,
        jti: Option<&str>,
        idle_timeout: Option<Duration>,
    ) -> CheckFrame {
        let (key, sid) = (self.key(user), sid.as_str());
        if idle_timeout.is_none() && self.consistency == ReadConsistency::Nearest {
            return CheckFrame { before: in_path(&["hget", &key, sid]), after: None };
        }
        let mut after = in_path(&[sid, &timeout(idle_timeout)]);
        after.extend(jti.map(|jti| in_path(&[jti])));
        let before = in_path(&["evalsha", self.check.sha1(), "1", &key]) + "/";
        CheckFrame { before, after: Some(after) }
    }

    /// The request for a command with its script's text, for when the hash was not known.
    pub fn request_with_text(&self, user: &Subject, command: &Command) -> RestRequest {
        RestRequest::post(&self.words("eval", &self.script(command).text(), user, command))
    }

    /// The request that keeps a note until a moment.
    pub fn keep(&self, note: &EntryName, text: &str, until: Timestamp) -> RestRequest {
        let until = until.millis().to_string();
        RestRequest::post(&["set", &self.note(note), text, "pxat", &until])
    }

    /// The request that keeps a note until a moment, if there is none of this name.
    pub fn keep_new(&self, note: &EntryName, text: &str, until: Timestamp) -> RestRequest {
        let until = until.millis().to_string();
        RestRequest::post(&["set", &self.note(note), text, "nx", "pxat", &until])
    }

    /// Reads the reply to [`Redis::keep_new`]: is it kept?
    ///
    /// # Errors
    /// Why the reply is no answer.
    pub fn kept(status: u16, body: &str) -> Result<bool, RestError> {
        result::<String>(status, body).map(|told| told.is_some())
    }

    /// The request that takes a note away, if it says this.
    pub fn withdraw(&self, note: &EntryName, text: &str) -> RestRequest {
        let script = format!("{LOCKING}{WITHDRAW}");
        RestRequest::post(&["eval", &script, "1", &self.note(note), text])
    }

    /// The request for a note. GETEX, because it counts as a write, and so is answered by the
    /// primary.
    pub fn recall(&self, note: &EntryName) -> RestRequest {
        RestRequest::post(&["getex", &self.note(note)])
    }

    /// Reads the reply to [`Redis::recall`].
    ///
    /// # Errors
    /// Why the reply is no answer.
    pub fn recalled(status: u16, body: &str) -> Result<Option<String>, RestError> {
        result(status, body)
    }

    /// The colon keeps notes apart from users, whose encoding has none.
    fn note(&self, note: &EntryName) -> String {
        format!("{}note:{}", self.keyspace, note.as_str())
    }

    /// A request that any reachable Redis answers.
    pub fn ping() -> RestRequest {
        RestRequest::post(&["ping"])
    }

    /// Reads the reply to a command.
    ///
    /// # Errors
    /// [`RestError::ScriptLost`] once; otherwise why the reply is no answer. Whatever is not
    /// understood is a failure of the store, never an absent session.
    pub fn answer(command: &Command, status: u16, body: &str) -> Result<CommandResult, RestError> {
        let answer = match command {
            Command::Check { .. } => {
                let record = result::<String>(status, body)?;
                let found = record.map(|record| parse(&record)).transpose()?;
                CommandResult::Found(found.map(Rc::new))
            }
            Command::Open { .. } => told(status, body, &["ended", "full"])?,
            Command::Refresh { .. } => told(status, body, &["ended", "found", "changed"])?,
            Command::SetData { .. } => told(status, body, &["found", "changed"])?,
            Command::End { .. } => {
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

    fn script(&self, command: &Command) -> &Script {
        match command {
            Command::Check { .. } => &self.check,
            Command::Open { .. } => &self.open,
            Command::Refresh { .. } => &self.refresh,
            Command::SetData { .. } => &self.set_data,
            Command::End { .. } => &self.end,
            Command::List { .. } => &self.list,
            Command::ChangedAt { .. } => &self.changed_at,
        }
    }

    fn words(&self, verb: &str, script: &str, user: &Subject, command: &Command) -> Vec<String> {
        let mut words = vec![verb.into(), script.into(), "1".into(), self.key(user)];
        let most = || MAX_TOMBSTONES.to_string();
        match command {
            Command::Check { sid, jti, idle_timeout, now } => {
                words.extend([now.millis().to_string(), sid.to_string(), timeout(*idle_timeout)]);
                words.extend(jti.clone());
            }
            Command::Open { session, limit, end, now } => {
                let class = limit.and_then(|limit| limit.among).map_or("", DeviceClass::name);
                let evicts = limit.is_some_and(|limit| limit.evicts);
                words.extend([
                    now.millis().to_string(),
                    json(session),
                    limit.map_or(0, |limit| limit.most.get()).to_string(),
                    class.into(),
                    if evicts { "evict".into() } else { "refuse".into() },
                    limit.map_or(0, |limit| limit.reach.as_millis()).to_string(),
                    most(),
                ]);
                words.extend(end.iter().map(Sid::to_string));
            }
            Command::Refresh { sid, token, jti, idle_timeout, now } => words.extend([
                now.millis().to_string(),
                sid.to_string(),
                token.jti.clone(),
                token.issued.millis().to_string(),
                jti.clone(),
                idle_timeout.map_or(String::new(), |timeout| timeout.as_millis().to_string()),
                most(),
            ]),
            Command::SetData { sid, kind, old, new, now } => words.extend([
                now.millis().to_string(),
                sid.to_string(),
                kind.name().into(),
                old.clone().unwrap_or_default(),
                new.clone().unwrap_or_default(),
            ]),
            Command::End { which, ending } => {
                let (word, first, second) = match which {
                    SessionSelector::One(sid) => ("one", sid.as_str(), ""),
                    SessionSelector::Others(sid) => ("others", sid.as_str(), ""),
                    SessionSelector::IssuerSession { issuer, sid } => {
                        ("issued", issuer.as_str(), sid.as_deref().unwrap_or_default())
                    }
                    SessionSelector::All => ("all", "", ""),
                };
                words.extend([
                    ending.at().millis().to_string(),
                    json(ending),
                    word.into(),
                    first.into(),
                    second.into(),
                    most(),
                ]);
            }
            Command::List { now: at } | Command::ChangedAt { at } => {
                words.push(at.millis().to_string());
            }
        }
        words
    }
}

impl RestRequest {
    fn post(words: &[impl AsRef<str>]) -> Self {
        let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        Self { path: "/".into(), body: Some(json(&words)) }
    }
}

/// In milliseconds, 0 for none.
fn timeout(idle: Option<Duration>) -> String {
    idle.map_or(0, |idle| idle.as_millis()).to_string()
}

fn in_path(words: &[impl AsRef<str>]) -> String {
    words.iter().fold(String::new(), |mut path, word| {
        let _ = write!(path, "/{}", utf8_percent_encode(word.as_ref(), RESERVED));
        path
    })
}

/// What is serialised here is text, numbers and lists of them, which cannot fail.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
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
    let mut sessions = sessions(records)?;
    match (word.as_str(), sessions.len()) {
        ("ended", _) => Ok(CommandResult::Ended(sessions)),
        ("full", _) => Ok(CommandResult::Full(sessions)),
        ("found", 0 | 1) => Ok(CommandResult::Found(sessions.pop().map(Rc::new))),
        ("changed", 1) => Ok(CommandResult::Changed(Box::new(sessions.remove(0)))),
        _ => Err(unreadable("too many records, or too few")),
    }
}

fn parse(record: &str) -> Result<Session, RestError> {
    serde_json::from_str(record).map_err(|error| unreadable(&error.to_string()))
}

fn unreadable(why: &str) -> RestError {
    RestError::Failed(StoreError::Unreadable(why.to_owned()))
}

fn result<T: for<'de> Deserialize<'de>>(status: u16, body: &str) -> Result<Option<T>, RestError> {
    match serde_json::from_str::<Reply<T>>(body) {
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

#[cfg(test)]
mod tests;
