//! What the forms of the admin console ask for, and what its pages offer to whom.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::{AdminCredential, EndMany, Permission, block};
use crate::body_format::BodyFormat;
use crate::refusal::Refusal;
use crate::session::{Block, Sid, Subject};
use crate::time::Timestamp;

/// What a page offers to somebody who may see it. It never offers what would be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offers {
    /// To end the user's sessions.
    pub end: bool,
    /// To block the user, or to lift the block.
    pub block: bool,
}

impl Offers {
    /// On the page of a user. Is that an admin, or the caller?
    pub fn on_user(caller: AdminCredential, is_admin: bool, is_oneself: bool) -> Self {
        let may = |act| caller.require(act).is_ok();
        Self {
            end: may(Permission::End { of_admin: is_admin }),
            block: may(Permission::Block { oneself: is_oneself }),
        }
    }

    /// On the pages about many users.
    pub fn on_many(caller: AdminCredential) -> Self {
        Self { block: false, ..Self::on_user(caller, false, false) }
    }
}

/// What a form of a user's page asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserAction {
    /// The end of one session.
    End(Sid),
    /// The end of all.
    EndAll,
    /// The user is blocked.
    Block(Block),
    /// The user is not blocked any more.
    Unblock,
}

impl UserAction {
    /// Reads the form, of which the button that sent it says what is asked for.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(form: &str, now: Timestamp) -> Result<Self, Refusal> {
        let field = |name| only(form, name);
        match (field("end")?, field("do")?.as_deref()) {
            (Some(sid), None) => Sid::try_from(sid).map(Self::End).map_err(Refusal::BadRequest),
            (None, Some("end-all")) => Ok(Self::EndAll),
            (None, Some("unblock")) => Ok(Self::Unblock),
            (None, Some("block")) => {
                let said = ["reason", "for"].map(|name| field(name).map(|text| (name, text)));
                let mut members = Map::new();
                for said in said {
                    let (name, text) = said?;
                    let text = text.map(|text| text.trim().to_owned());
                    if let Some(text) = text.filter(|text| !text.is_empty()) {
                        members.insert(name.into(), text.into());
                    }
                }
                let block = block(&Value::from(members).to_string(), now);
                block.map(Self::Block).map_err(|error| Refusal::BadBody(format!("{error}.")))
            }
            _ => Err(Refusal::BadRequest("The form does not say what to do.")),
        }
    }
}

/// What stands in a path as it is (RFC 3986, section 2.3), but for the dot, of which some names consist alone.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~');

/// The path of a user's page, below `AUTH_PATH`.
pub fn user_page(user: &Subject) -> String {
    format!("/admin/users/{}", in_url(user.as_str()))
}

/// A text in a path or in a query.
pub fn in_url(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// A text of somebody's without characters that turn around what is read, or that nobody sees: with those, one name
/// could look like another.
pub fn readable(text: &str) -> String {
    let is_hidden = |c: char| {
        let turns = matches!(c, '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}');
        let is_unseen = matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2065}' | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{e0000}'..='\u{e0fff}'
        );
        turns || is_unseen || c.is_control()
    };
    text.replace(is_hidden, "\u{fffd}")
}

/// The one field of this name; `None` if there is none.
fn only(form: &str, name: &str) -> Result<Option<String>, Refusal> {
    let mut all = BodyFormat::Form.texts(form, &[name.to_owned()]);
    match all.len() {
        0 | 1 => Ok(all.pop()),
        _ => Err(Refusal::BadRequest("A field of the form is there more than once.")),
    }
}

/// What the form to end many sessions asks for. What it means is fixed at the moment at which the sessions are first
/// counted: none that begins or is used later is meant, unless all of somebody's are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndManyForm {
    /// Which sessions, of which users.
    pub asked: EndMany,
    /// The criteria as fields, to be sent again.
    pub criteria: Vec<(&'static str, String)>,
    /// When it was first asked.
    pub at: Timestamp,
    /// What was found so far: sessions, their users, and users who were left alone.
    pub found: [u64; 3],
    /// The names of some of these users.
    pub among: Vec<String>,
}

/// How many users are named.
pub const MOST_NAMED: usize = 10;

/// The field of each name in [`EndManyForm::among`].
const AMONG: &str = "among";

/// The fields that are criteria. Of those in the second half, there may be several.
const CRITERIA: [&str; 6] = ["all", "idle_days", "created_before", "users", "devices", "issuers"];

/// The names of the counters of [`EndManyForm::found`].
const FOUND: [&str; 3] = ["sessions", "in_users", "spared"];

impl EndManyForm {
    /// Reads the form. Only with `do=end`, sessions end; otherwise they are counted.
    ///
    /// # Errors
    /// [`Refusal::BadBody`] with what to change.
    pub fn parse(form: &str, now: Timestamp) -> Result<Self, Refusal> {
        let criteria = Self::criteria_of(form);
        let number = |name| -> Result<Option<u64>, Refusal> {
            Ok(only(form, name)?.and_then(|text| text.parse().ok()))
        };
        let at = number("at")?.map_or(now, Timestamp::from_millis).min(now);
        let mut found = [0; 3];
        for (count, name) in found.iter_mut().zip(FOUND) {
            *count = number(name)?.unwrap_or(0);
        }
        let mut members = members(&criteria)?;
        members.insert("dry_run".into(), (only(form, "do")?.as_deref() != Some("end")).into());
        if let Some(cursor) = only(form, "cursor")?.filter(|cursor| !cursor.is_empty()) {
            members.insert("cursor".into(), cursor.into());
        }
        let asked = EndMany::parse(&Value::from(members).to_string(), at)?;
        let mut among = BodyFormat::Form.texts(form, &[AMONG.to_owned()]);
        among.truncate(MOST_NAMED);
        Ok(Self { asked, criteria, at, found, among })
    }

    /// The criteria of a form, whether they can be used or not.
    pub fn criteria_of(form: &str) -> Vec<(&'static str, String)> {
        let mut criteria = Vec::new();
        for name in CRITERIA {
            let texts = BodyFormat::Form.texts(form, &[name.to_owned()]);
            let texts = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
            criteria.extend(texts.map(|text| (name, text.to_owned())));
        }
        criteria
    }

    /// The fields by which the next page goes on from here: all but the button's.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = self.criteria.clone();
        fields.push(("at", self.at.millis().to_string()));
        let found = FOUND.iter().zip(self.found);
        fields.extend(found.map(|(name, count)| (*name, count.to_string())));
        fields.extend(self.among.iter().map(|name| (AMONG, name.clone())));
        fields
    }
}

/// The criteria as the admin API takes them.
fn members(criteria: &[(&'static str, String)]) -> Result<Map<String, Value>, Refusal> {
    let mut members = Map::new();
    for (name, text) in criteria {
        let (name, value) = match *name {
            "all" => ("all", json!(text == "true")),
            "idle_days" => ("idle_longer_than", format!("{text} days").into()),
            "created_before" => ("created_before", format!("{text}T00:00:00Z").into()),
            "users" => {
                let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
                ("users", lines.map(Value::from).collect())
            }
            several => {
                let list = members.entry(several).or_insert_with(|| json!([]));
                list.as_array_mut().into_iter().for_each(|list| list.push(text.as_str().into()));
                continue;
            }
        };
        if members.insert(name.into(), value).is_some() {
            return Err(Refusal::BadRequest("A field of the form is there more than once."));
        }
    }
    Ok(members)
}

#[cfg(test)]
mod tests;
