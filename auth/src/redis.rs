//! The Redis store: commands become requests of the Upstash REST protocol, and replies become results.
//!
//! Each user has one hash, so every command is one script over one declared key: atomic, safe under Redis
//! Cluster, and without KEYS or SCAN. The scripts are in `redis/`.

/// The code of a script in `redis/`, by the script's name. `build.rs` leaves the comments out.
macro_rules! lua {
    ($name:literal) => {
        include_str!(concat!(env!("OUT_DIR"), "/", $name, ".lua"))
    };
}

mod arguments;
mod counters;
mod entries;
mod index;
mod reply;
mod script;
mod transfer;

use std::fmt::{self, Write as _};
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::session::{Sid, Subject};
use crate::store::{CheckTemplate, Command};
use crate::time::millis;

pub use reply::RestError;
pub use transfer::Fields;

use script::Script;

/// All but the unreserved characters of RFC 3986, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Which replica answers a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadConsistency {
    /// The primary: an ended session is refused on its next request.
    Strong,
    /// The nearest replica, whose lag is then the revocation window.
    Nearest,
}

/// Builds requests from commands, and results from replies.
#[derive(Clone, Debug)]
pub struct Redis {
    keyspace: String,
    consistency: ReadConsistency,
    check: Script,
    open: Script,
    admit: Script,
    refresh: Script,
    set_data: Script,
    set_rights: Script,
    end: Script,
    user: Script,
    list: Script,
    changed_at: Script,
}

/// One HTTP request to the REST endpoint.
#[derive(Clone, PartialEq, Eq)]
pub struct RestRequest {
    /// The path below the endpoint's URL: `/` or a command in the path form.
    pub path: String,
    /// The body of a POST; `None` for a GET.
    pub body: Option<String>,
}

/// Leaves out the body, which contains session data.
impl fmt::Debug for RestRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestRequest").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Redis {
    /// A store whose keys all start with `keyspace`.
    pub fn new(keyspace: &str, consistency: ReadConsistency) -> Self {
        Self {
            keyspace: keyspace.to_owned(),
            consistency,
            // The check is short, because it runs for every request.
            check: Script::new(&[lua!("prelude"), lua!("touch"), lua!("check")]),
            open: Script::new(&[lua!("prelude"), lua!("records"), lua!("begin"), lua!("open")]),
            admit: Script::new(&[
                lua!("prelude"),
                lua!("touch"),
                lua!("records"),
                lua!("begin"),
                lua!("admit"),
            ]),
            refresh: Script::new(&[lua!("prelude"), lua!("records"), lua!("refresh")]),
            set_data: Script::new(&[lua!("prelude"), lua!("set_data")]),
            set_rights: Script::new(&[lua!("prelude"), lua!("records"), lua!("set_rights")]),
            end: Script::new(&[lua!("prelude"), lua!("records"), lua!("end")]),
            user: Script::new(&[lua!("prelude"), lua!("records"), lua!("user")]),
            list: Script::new(&[lua!("prelude"), lua!("records"), lua!("list")]),
            changed_at: Script::new(&[lua!("prelude"), lua!("records"), lua!("changed_at")]),
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
    /// it must be sent so that no cache answers it.
    pub fn request(&self, user: &Subject, command: &Command) -> RestRequest {
        match command {
            Command::Check { sid, jti, idle_timeout, is_use, now } => {
                let frame = self.frame(user, sid, jti.as_deref(), (*idle_timeout, *is_use));
                let path = frame.at(*now);
                RestRequest { path, body: None }
            }
            _ => {
                let sha1 = self.script(command).sha1();
                RestRequest::post(&self.words("evalsha", sha1, user, command))
            }
        }
    }

    /// The path of the request for a check that is a use of the session. The nearest replica cannot record that a token is
    /// used: see [`needs_token_use_recorded`](crate::session::LiveSession::needs_token_use_recorded).
    pub fn check_frame(
        &self,
        user: &Subject,
        sid: &Sid,
        jti: Option<&str>,
        idle_timeout: Option<Duration>,
    ) -> CheckTemplate {
        self.frame(user, sid, jti, (idle_timeout, true))
    }

    fn frame(
        &self,
        user: &Subject,
        sid: &Sid,
        jti: Option<&str>,
        (idle_timeout, is_use): (Option<Duration>, bool),
    ) -> CheckTemplate {
        let (key, sid) = (self.key(user), sid.as_str());
        if idle_timeout.is_none() && self.consistency == ReadConsistency::Nearest {
            return CheckTemplate { before: in_path(&["hget", &key, sid]), after: None };
        }
        let mut after = in_path(&[sid, &timeout(idle_timeout, is_use)]);
        after.extend(jti.map(|jti| in_path(&[jti])));
        let before = in_path(&["evalsha", self.check.sha1(), "1", &key]) + "/";
        CheckTemplate { before, after: Some(after) }
    }

    /// The request for a command with its script's text, for when Redis does not know the hash.
    pub fn request_with_text(&self, user: &Subject, command: &Command) -> RestRequest {
        RestRequest::post(&self.words("eval", &self.script(command).text(), user, command))
    }

    /// A request that any reachable Redis answers.
    pub fn ping() -> RestRequest {
        RestRequest::post(&["ping"])
    }

    fn script(&self, command: &Command) -> &Script {
        match command {
            Command::Check { .. } => &self.check,
            Command::Open { .. } => &self.open,
            Command::Admit { .. } => &self.admit,
            Command::Refresh { .. } => &self.refresh,
            Command::SetData { .. } => &self.set_data,
            Command::SetRights { .. } => &self.set_rights,
            Command::End { .. } | Command::Block { .. } => &self.end,
            Command::User { .. } => &self.user,
            Command::List { .. } => &self.list,
            Command::ChangedAt { .. } => &self.changed_at,
        }
    }
}

impl RestRequest {
    fn post(words: &[impl AsRef<str>]) -> Self {
        let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        Self { path: "/".into(), body: Some(json(&words)) }
    }
}

/// In milliseconds, 0 for none, `-` if the session is not used.
fn timeout(idle: Option<Duration>, is_use: bool) -> String {
    if is_use { idle.map_or(0, millis).to_string() } else { "-".into() }
}

fn in_path(words: &[impl AsRef<str>]) -> String {
    words.iter().fold(String::new(), |mut path, word| {
        let _ = write!(path, "/{}", utf8_percent_encode(word.as_ref(), RESERVED));
        path
    })
}

/// Only strings, numbers and lists of them are serialized here, which cannot fail.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests;
