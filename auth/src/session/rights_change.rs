//! Changes of the rights that override what tokens say.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::Sid;

/// Whose rights change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RightsOf {
    /// Those of one session.
    Session(Sid),
    /// Those of all live sessions of the user, and of those that begin later.
    User,
}

/// A change of rights. A member that is `None` stays as it is. `Some(None)` removes the override, so that the token
/// counts again; `Some(Some(…))` replaces it.
///
/// The rights are stored as JSON text with these members, in this order, as far as they are overridden; `None` if
/// none is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RightsChange {
    /// The user's roles.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub roles: Option<Option<Vec<String>>>,
    /// The scopes.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub scopes: Option<Option<Vec<String>>>,
    /// Public claims by their names; `null` removes a claim.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub claims: Option<Option<Map<String, Value>>>,
}

/// A member that is given, though it be `null`.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    json: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(json).map(Some)
}

/// The members of rights, in the order in which they are stored. The first two are lists of strings, in which no name
/// can stand before a colon, so each name is found first where it is a member. `redis/set_rights.lua` relies on that,
/// too: its JSON codec cannot tell an empty list from an empty object.
const NAMES: [&str; 3] = ["roles", "scopes", "claims"];

impl RightsChange {
    /// The changed rights.
    pub fn apply(&self, rights: Option<&str>) -> Option<String> {
        let inside = rights.and_then(|text| text.strip_prefix('{')?.strip_suffix('}'));
        let mut rest = inside.unwrap_or_default();
        let mut members = self.texts();
        for (member, name) in members.iter_mut().zip(NAMES).rev() {
            let Some((before, old)) = rest.split_once(&format!("\"{name}\":")) else { continue };
            member.get_or_insert_with(|| old.to_owned());
            rest = before.trim_end_matches(',');
        }
        let left = NAMES.into_iter().zip(members).filter_map(|(name, member)| {
            let member = member.filter(|json| json != "null")?;
            Some(format!("\"{name}\":{member}"))
        });
        let left: Vec<String> = left.collect();
        (!left.is_empty()).then(|| format!("{{{}}}", left.join(",")))
    }

    /// Each member as JSON: `null` if the override is removed, `None` if it stays.
    pub(crate) fn texts(&self) -> [Option<String>; 3] {
        [json(self.roles.as_ref()), json(self.scopes.as_ref()), json(self.claims.as_ref())]
    }
}

/// Lists of strings and JSON can always be written.
fn json<T: Serialize>(member: Option<&Option<T>>) -> Option<String> {
    member.and_then(|value| serde_json::to_string(value).ok())
}
