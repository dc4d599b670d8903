//! What `POST admin/sessions/end` is asked for.

use serde_json::Value;

use crate::device::DeviceClass;
use crate::refusal::Refusal;
use crate::session::Subject;
use crate::setting_value::{InvalidValue, Members, flag, text, texts};
use crate::store::SessionCriteria;
use crate::strict_json;
use crate::time::{Timestamp, parse_moment, parse_span};
use crate::user_index::{Cursor, MAX_PAGE};

/// Which sessions of which users are to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndMany {
    /// Of these users; `None`: of all.
    users: Option<Vec<String>>,
    /// Which of their sessions; `None`: all, also those of a provider that the store has not seen.
    pub criteria: Option<SessionCriteria>,
    /// Is it only said what would end?
    pub dry_run: bool,
    /// Behind which user it begins.
    pub cursor: Cursor,
    /// How many users are looked at, at most.
    pub limit: u32,
}

impl EndMany {
    /// Reads the body. Something must be said of the sessions, so that nothing ends by an empty body or by a
    /// misspelt member.
    ///
    /// # Errors
    /// [`Refusal::BadBody`] with what to change.
    pub fn parse(body: &str, now: Timestamp) -> Result<Self, Refusal> {
        Self::read(body, now).map_err(|error| Refusal::BadBody(format!("{error}.")))
    }

    fn read(body: &str, now: Timestamp) -> Result<Self, InvalidValue> {
        let json = strict_json::value(body)
            .map_err(|error| InvalidValue::new(format!("expected a JSON object: {error}")))?;
        let mut members = Members::of(json)?;
        let users = members.optional("users", users)?;
        let issuers = members.optional("issuers", named)?;
        let devices = members.optional("devices", devices)?;
        let idle = members.optional("idle_longer_than", |it| parse_span(&text(it)?))?;
        let created = members.optional("created_before", |it| parse_moment(&text(it)?))?;
        let all = members.optional("all", flag)?.unwrap_or(false);
        let dry_run = members.optional("dry_run", flag)?.unwrap_or(false);
        let cursor = members.optional("cursor", text)?;
        let cursor = cursor.map_or(Some(Cursor::default()), |text| Cursor::parse(&text));
        let foreign = || InvalidValue::new("is none of this guard's").in_member("cursor");
        let cursor = cursor.ok_or_else(foreign)?;
        let limit = members.optional("limit", limit)?.unwrap_or(MAX_PAGE);
        members.end(
            "`users`, `issuers`, `devices`, `idle_longer_than`, `created_before`, `all`, `dry_run`, `cursor` \
             and `limit`",
        )?;
        let is_conditional =
            issuers.is_some() || devices.is_some() || idle.is_some() || created.is_some();
        match (all, is_conditional || users.is_some()) {
            (false, false) => {
                let names = "`users`, `issuers`, `devices`, `idle_longer_than` or `created_before`";
                let reason = format!(
                    "says of no session that it is to end; name {names}, or `\"all\": true`"
                );
                return Err(InvalidValue::new(reason));
            }
            (true, true) => {
                let reason = "contradicts what else is asked for; leave one of them out";
                return Err(InvalidValue::new(reason).in_member("all"));
            }
            _ => {}
        }
        let before =
            |span| Timestamp::from_millis(now.millis().saturating_sub(crate::time::millis(span)));
        let criteria = SessionCriteria {
            issuers: issuers.unwrap_or_default(),
            devices: devices.unwrap_or_default(),
            // No session that begins meanwhile.
            created_before: Some(created.map_or(next(now), |moment| moment.min(next(now)))),
            unused_since: idle.map(before),
            ..SessionCriteria::default()
        };
        Ok(Self { users, criteria: is_conditional.then_some(criteria), dry_run, cursor, limit })
    }

    /// The next users among those that are named, each once, in the order of their cursors; `None` if none are named.
    pub fn next_users(&self) -> Option<Vec<Subject>> {
        let named =
            self.users.iter().flatten().cloned().filter_map(|sub| Subject::try_from(sub).ok());
        let named: Vec<(Cursor, Subject)> = named.map(|user| (Cursor::at(&user), user)).collect();
        let mut page: Vec<&(Cursor, Subject)> = Vec::new();
        while page.len() < self.limit as usize {
            // Not sorted, because that takes more code.
            let last = page.last().map_or(&self.cursor, |(cursor, _)| cursor);
            let behind = named.iter().filter(|(cursor, _)| cursor > last);
            let Some(next) = behind.min_by(|(one, _), (other, _)| one.cmp(other)) else { break };
            page.push(next);
        }
        self.users.as_ref().map(|_| page.into_iter().map(|(_, user)| user.clone()).collect())
    }
}

/// The moment behind this one.
fn next(now: Timestamp) -> Timestamp {
    Timestamp::from_millis(now.millis() + 1)
}

/// An empty list would be nobody, or everybody by mistake.
fn named(value: Value) -> Result<Vec<String>, InvalidValue> {
    let all = texts(value)?;
    match all.is_empty() || all.iter().any(String::is_empty) {
        true => Err(InvalidValue::new("names nothing; leave it out")),
        false => Ok(all),
    }
}

fn users(value: Value) -> Result<Vec<String>, InvalidValue> {
    let all = named(value)?;
    for (index, sub) in all.iter().enumerate() {
        Subject::try_from(sub.clone()).map_err(|why| InvalidValue::new(why).in_item(index))?;
    }
    Ok(all)
}

fn devices(value: Value) -> Result<Vec<String>, InvalidValue> {
    let all = named(value)?;
    match all.iter().position(|name| DeviceClass::named(name).is_none()) {
        Some(index) => {
            let what = "a class of device, `mobile`, `tablet`, `desktop`, `agent` or `other`";
            Err(InvalidValue::expected(what, &all[index]).in_item(index))
        }
        None => Ok(all),
    }
}

fn limit(value: Value) -> Result<u32, InvalidValue> {
    // `6.0` is an integer, too, to JSON Schema.
    let whole = value.as_f64().filter(|limit| limit.fract() == 0.0);
    let limit = whole.filter(|limit| (1.0..=f64::from(MAX_PAGE)).contains(limit));
    limit.map(|limit| limit as u32).ok_or_else(|| InvalidValue::new("must be from 1 to 40"))
}

#[cfg(test)]
mod tests;
