//! `provider`: what is known of the access tokens of widely used identity providers.

use serde_json::Value;

use crate::setting_value::InvalidValue;

/// What is known of a provider.
#[derive(Debug, PartialEq)]
pub struct Preset {
    /// Its name in the settings.
    pub name: &'static str,
    /// How a token that does not say which session it is of is brought to say it.
    pub no_session: &'static str,
    /// Do its issuer, or its keys, belong to one application, so that neither audience nor client need be
    /// told?
    pub is_of_one_application: bool,
}

/// Fills in what the preset knows and the entry does not say itself.
pub fn complete(entry: Value) -> Result<(Value, Option<&'static Preset>), InvalidValue> {
    Ok((entry, None))
}
