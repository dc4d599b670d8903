//! Headers that hold nothing but a token, like `x-access-token`.

use std::borrow::Cow;

use super::{CredentialRemoval, Finding};
use crate::http::{Head, is_token};
use crate::reserved_headers::{is_hop_by_hop, is_reserved};
use crate::setting_value::InvalidValue;

/// The values of the headers of these names.
pub fn find<'h>(head: &'h dyn Head, names: &[String]) -> Finding<'h> {
    let values = names.iter().filter_map(|name| head.header(name));
    Finding::of_values(values.map(Cow::into_owned).collect())
}

/// None of them goes on.
pub fn withhold(names: &[String], removal: &mut CredentialRemoval) {
    removal.remove.extend(names.iter().cloned().map(Cow::from));
}

/// The name of a header that means nothing else, in lower case.
pub fn name(name: &str) -> Result<String, InvalidValue> {
    const TAKEN: [&str; 7] =
        ["authorization", "cookie", "host", "content-type", "content-length", "origin", "upgrade"];
    let name = name.to_ascii_lowercase();
    // Browsers and the runtime write and read `Sec-` headers themselves, such as `Sec-WebSocket-Protocol`.
    let has_meaning = TAKEN.contains(&name.as_str())
        || name.starts_with("sec-")
        || is_hop_by_hop(&name)
        || is_reserved(&name);
    if !is_token(&name) || has_meaning {
        return Err(InvalidValue::expected("a header that can hold a token", &name));
    }
    Ok(name)
}
