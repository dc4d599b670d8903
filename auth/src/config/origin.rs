//! `ORIGIN_URL`, and the service binding `ORIGIN`.

use super::Reader;
use crate::http::{other_url, web_url};
use crate::setting_value::InvalidValue;

/// Where requests go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// To the zone's own origin.
    Zone,
    /// To this scheme and host.
    Url(String),
    /// To the Worker that is bound as [`ORIGIN`], whatever the request's host.
    Worker,
}

/// The name of the service binding.
pub const ORIGIN: &str = "ORIGIN";

/// The text that stands for a binding among the settings.
pub const BOUND: &str = "(bound)";

/// Where requests go, by `ORIGIN_URL` and the binding.
pub fn origin(reader: &mut Reader<'_>) -> Origin {
    let url = reader.parsed("ORIGIN_URL", origin_url);
    match reader.text(ORIGIN).as_deref() {
        None => url.map_or(Origin::Zone, Origin::Url),
        Some(BOUND) => {
            if url.is_some() {
                let reason = "must be empty beside the service binding ORIGIN: requests go either \
                              there or to a URL";
                reader.wrong("ORIGIN_URL", InvalidValue::new(reason));
            }
            Origin::Worker
        }
        Some(_) => {
            let reason = "is the name of a service binding; a URL goes into ORIGIN_URL";
            reader.wrong(ORIGIN, InvalidValue::new(reason));
            Origin::Zone
        }
    }
}

/// `ORIGIN_URL`: scheme and authority, without a slash at the end.
fn origin_url(text: &str) -> Result<String, InvalidValue> {
    let uri = web_url(text)?;
    if uri.path() != "/" || uri.query().is_some() {
        let what = "a URL without a path or a query, because requests keep their own";
        return Err(other_url(what, text));
    }
    Ok(text.trim_end_matches('/').to_owned())
}
