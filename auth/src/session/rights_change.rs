//! Changes of the rights that override what tokens say.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
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

/// Rights, with each member as its text. `redis/set_rights.lua` relies on the order, and on the first two being lists
/// of strings.
#[derive(Default, Serialize, Deserialize)]
struct Members<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    roles: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    scopes: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    claims: Option<&'a RawValue>,
}

impl RightsChange {
    /// The changed rights.
    pub fn apply(&self, rights: Option<&str>) -> Option<String> {
        let old: Members<'_> =
            rights.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let [roles, scopes, claims] = self.texts();
        let changed = Members {
            roles: changed(old.roles, roles.as_deref()),
            scopes: changed(old.scopes, scopes.as_deref()),
            claims: changed(old.claims, claims.as_deref()),
        };
        let is_empty = [changed.roles, changed.scopes, changed.claims].iter().all(Option::is_none);
        // Texts of JSON can always be written.
        (!is_empty).then(|| serde_json::to_string(&changed).unwrap_or_default())
    }

    /// Each member as JSON: `null` if the override is removed, `None` if it stays.
    pub(crate) fn texts(&self) -> [Option<Box<RawValue>>; 3] {
        [raw(self.roles.as_ref()), raw(self.scopes.as_ref()), raw(self.claims.as_ref())]
    }
}

fn raw<T: Serialize>(member: Option<&Option<T>>) -> Option<Box<RawValue>> {
    member.and_then(|value| serde_json::value::to_raw_value(value).ok())
}

fn changed<'a>(old: Option<&'a RawValue>, new: Option<&'a RawValue>) -> Option<&'a RawValue> {
    match new {
        None => old,
        Some(new) => (new.get() != "null").then_some(new),
    }
}
