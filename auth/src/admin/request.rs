//! What the admin API is asked for, as path and body say it.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::Permission;
use crate::id_token::IssuerSession;
use crate::issuer::{TrustedIssuer, issuer_of};
use crate::login::AuthenticatedUser;
use crate::refusal::Refusal;
use crate::session::{Sid, Subject};
use crate::time::Timestamp;
use crate::user_index::{Cursor, MAX_PAGE};

/// What is asked for, below `admin/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminRequest {
    /// Who is logged in.
    Users,
    /// How many are.
    Stats,
    /// The sessions of a user.
    List(Subject),
    /// A new session of a user.
    Begin(Subject),
    /// The end of a user's sessions.
    EndAll(Subject),
    /// A change to the private data or the rights of one of them.
    Change(Subject, Sid),
    /// A change to the rights of all of them.
    ChangeUser(Subject),
    /// Is the user blocked?
    ShowBlock(Subject),
    /// The user is blocked.
    Block(Subject),
    /// The user is not blocked any more.
    Unblock(Subject),
    /// The end of one of them.
    End(Subject, Sid),
    /// The end of everybody's sessions.
    EndEverybodys,
    /// The end of sessions by what they have in common.
    EndMany,
    /// A move of users from the store before.
    Move,
    /// A backup.
    Export,
    /// Its restoration.
    Import,
    /// The console's page of a user.
    UserPage(Subject),
    /// A form of that page: see [`UserAction`](super::UserAction).
    UserForm(Subject),
    /// The console's page to end many sessions.
    EndManyPage,
    /// A form of that page: see [`EndManyForm`](super::EndManyForm).
    EndManyForm,
}

impl AdminRequest {
    /// Reads a method, and a path as it came, from behind `admin/`.
    ///
    /// # Errors
    /// Why there is no such endpoint, or that the path is not well encoded.
    pub fn parse(method: &str, path: &str) -> Result<Self, Refusal> {
        let get = matches!(method, "GET" | "HEAD");
        let mut parts = path.split('/');
        let parts = [parts.next(), parts.next(), parts.next(), parts.next(), parts.next()];
        match parts {
            [Some("users"), None, ..] if get => Ok(Self::Users),
            [Some("stats"), None, ..] if get => Ok(Self::Stats),
            [Some("end"), None, ..] if get => Ok(Self::EndManyPage),
            [Some("end"), None, ..] if method == "POST" => Ok(Self::EndManyForm),
            [Some("end"), None, ..] => Err(Refusal::MethodNotAllowed("GET, HEAD, POST")),
            [Some("users" | "stats"), None, ..] => Err(Refusal::MethodNotAllowed("GET, HEAD")),
            [Some("sessions"), None, ..] if method == "DELETE" => Ok(Self::EndEverybodys),
            [Some("sessions"), None, ..] => Err(Refusal::MethodNotAllowed("DELETE")),
            [Some("sessions"), Some("end"), None, ..] if method == "POST" => Ok(Self::EndMany),
            [Some("sessions"), Some("end"), None, ..] => Err(Refusal::MethodNotAllowed("POST")),
            [Some("move"), None, ..] if method == "POST" => Ok(Self::Move),
            [Some("import"), None, ..] if method == "POST" => Ok(Self::Import),
            [Some("move" | "import"), None, ..] => Err(Refusal::MethodNotAllowed("POST")),
            [Some("export"), None, ..] if get => Ok(Self::Export),
            [Some("export"), None, ..] => Err(Refusal::MethodNotAllowed("GET, HEAD")),
            [Some("users"), Some(sub), None, ..] if !sub.is_empty() => {
                let sub = subject(sub)?;
                match method {
                    _ if get => Ok(Self::UserPage(sub)),
                    "POST" => Ok(Self::UserForm(sub)),
                    "PATCH" => Ok(Self::ChangeUser(sub)),
                    _ => Err(Refusal::MethodNotAllowed("GET, HEAD, POST, PATCH")),
                }
            }
            [Some("users"), Some(sub), Some("block"), None, _] => {
                let sub = subject(sub)?;
                match method {
                    _ if get => Ok(Self::ShowBlock(sub)),
                    "PUT" => Ok(Self::Block(sub)),
                    "DELETE" => Ok(Self::Unblock(sub)),
                    _ => Err(Refusal::MethodNotAllowed("GET, HEAD, PUT, DELETE")),
                }
            }
            [Some("users"), Some(sub), Some("sessions"), None, _] => {
                let sub = subject(sub)?;
                match method {
                    _ if get => Ok(Self::List(sub)),
                    "POST" => Ok(Self::Begin(sub)),
                    "DELETE" => Ok(Self::EndAll(sub)),
                    _ => Err(Refusal::MethodNotAllowed("GET, HEAD, POST, DELETE")),
                }
            }
            [Some("users"), Some(sub), Some("sessions"), Some(sid), None] => {
                let (sub, sid) = (subject(sub)?, Sid::try_from(sid.to_owned()));
                let sid = sid.map_err(Refusal::BadRequest)?;
                match method {
                    "PATCH" => Ok(Self::Change(sub, sid)),
                    "DELETE" => Ok(Self::End(sub, sid)),
                    _ => Err(Refusal::MethodNotAllowed("PATCH, DELETE")),
                }
            }
            _ => Err(Refusal::NotFound),
        }
    }

    /// Is it a page of the console, or a form of one?
    pub fn is_of_console(&self) -> bool {
        use AdminRequest::{EndManyForm, EndManyPage, UserForm, UserPage};
        matches!(self, UserPage(_) | UserForm(_) | EndManyPage | EndManyForm)
    }

    /// What it takes at least. To end an admin's sessions takes more: that is judged when they are
    /// known.
    pub fn permission(&self) -> Permission {
        match self {
            Self::Users | Self::Stats | Self::List(_) | Self::ShowBlock(_) => Permission::See,
            Self::UserPage(_) | Self::UserForm(_) => Permission::See,
            Self::EndManyPage | Self::EndManyForm => Permission::See,
            Self::Begin(_) => Permission::Begin,
            Self::Change(..) | Self::ChangeUser(_) => Permission::Change,
            Self::Block(_) | Self::Unblock(_) => Permission::Block { oneself: false },
            Self::Move | Self::Export | Self::Import => Permission::Transfer,
            Self::EndAll(_) | Self::End(..) | Self::EndEverybodys | Self::EndMany => {
                Permission::End { of_admin: false }
            }
        }
    }
}

/// A `sub` in a path: UTF-8, percent-encoded (RFC 3986, section 2.1).
fn subject(part: &str) -> Result<Subject, Refusal> {
    let is_hex = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    let mut bytes = part.bytes().enumerate().filter(|(_, byte)| *byte == b'%');
    let rest = part.as_bytes();
    if !bytes.all(|(at, _)| is_hex(rest.get(at + 1)) && is_hex(rest.get(at + 2))) {
        return Err(Refusal::BadRequest("The user's `sub` is not well percent-encoded."));
    }
    let sub = percent_decode_str(part).decode_utf8();
    let sub = sub.map_err(|_| Refusal::BadRequest("The user's `sub` is no UTF-8."))?;
    Subject::try_from(sub.into_owned()).map_err(Refusal::BadRequest)
}

/// A cursor that no page of the guard's has given.
pub const CURSOR: Refusal = Refusal::BadRequest("`cursor` is none of this guard's.");

/// How many users a page has at most.
pub(super) fn page_size(text: &str) -> Result<u32, Refusal> {
    let number = text.parse().ok().filter(|limit| (1..=MAX_PAGE).contains(limit));
    number.ok_or(Refusal::BadRequest("`limit` must be from 1 to 40."))
}

/// The parameters `limit` and `cursor` of a query.
///
/// # Errors
/// What is wrong with them.
pub fn page(query: &str, default: u32) -> Result<(u32, Cursor), Refusal> {
    let (mut limit, mut cursor) = (default, Cursor::default());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "limit" => limit = page_size(&value)?,
            "cursor" => {
                let text = Cursor::parse(&value);
                cursor = text.ok_or(CURSOR)?;
            }
            _ => {}
        }
    }
    Ok((limit, cursor))
}

/// A session that a backend wants for somebody whom it has logged in by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct NewSession {
    /// Who, and what rides along.
    pub approval: AuthenticatedUser,
    /// What the user's device calls itself.
    pub user_agent: Option<String>,
}

/// The members of the body. An unknown one is refused: it could be a misspelt lifetime.
const MEMBERS: [&str; 10] = [
    "issuer",
    "claims",
    "roles",
    "data",
    "session_limit",
    "session_limit_policy",
    "session_ttl",
    "idle_timeout",
    "remember",
    "user_agent",
];

/// What holds for all sessions that backends begin.
#[derive(Clone, Copy, Debug)]
pub struct SessionTerms<'a> {
    /// No session lives longer.
    pub longest: Duration,
    /// The trusted issuers: a user of theirs is logged in only in their name.
    pub issuers: &'a [TrustedIssuer],
    /// The present moment.
    pub now: Timestamp,
}

impl NewSession {
    /// Reads the body, JSON or nothing. With `issuer`, the session is as one that the issuer's ID
    /// token began: a logout there ends it.
    ///
    /// # Errors
    /// [`Refusal::BadSession`] or [`Refusal::UserOfIssuer`] with what to change.
    pub fn parse(sub: Subject, body: &str, terms: SessionTerms<'_>) -> Result<Self, Refusal> {
        let (mut new, issuer) =
            Self::read(sub, body, terms.longest).map_err(Refusal::BadSession)?;
        let sub = &new.approval.sub;
        let issuer = match (issuer, issuer_of(sub, terms.issuers)) {
            (None, None) => return Ok(new),
            (None, Some(owner)) => return Err(Refusal::UserOfIssuer(owner.issuer.clone())),
            (Some(name), _) => terms.issuers.iter().find(|it| it.issuer == name),
        };
        let unknown = || Refusal::BadSession("`issuer` must be one of TRUSTED_ISSUERS.".into());
        let issuer = issuer.ok_or_else(unknown)?;
        let own_sub = issuer.own_sub(sub).ok_or_else(|| {
            let why = "With `issuer`, the user's `sub` must begin with its `subject_prefix`.";
            Refusal::BadSession(why.into())
        })?;
        new.approval.issued = Some(IssuerSession {
            issuer: issuer.issuer.clone(),
            sub: own_sub.into(),
            sid: None,
            at: terms.now,
        });
        Ok(new)
    }

    fn read(sub: Subject, body: &str, longest: Duration) -> Result<(Self, Option<String>), String> {
        let mut members: Map<String, Value> = match body.trim() {
            "" => Map::new(),
            body => serde_json::from_str(body).map_err(|_| "The body must be a JSON object.")?,
        };
        if members.keys().any(|name| !MEMBERS.contains(&name.as_str())) {
            return Err(format!("The body's members can be: {}.", MEMBERS.join(", ")));
        }
        let issuer = text(&mut members, "issuer")?;
        let user_agent = text(&mut members, "user_agent")?;
        members.insert("sub".into(), String::from(sub).into());
        let approval = AuthenticatedUser::read(&Value::Object(members).to_string(), longest);
        let approval =
            approval.map_err(|error| format!("The body cannot be used: {}.", error.reason()))?;
        Ok((Self { approval, user_agent }, issuer))
    }
}

fn text(members: &mut Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match members.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("`{name}` must be a text.")),
    }
}

#[cfg(test)]
mod tests;
