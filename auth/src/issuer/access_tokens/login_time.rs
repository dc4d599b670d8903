//! When somebody logged in at the provider.

use serde_json::{Map, Value};

use super::claim_path::{ClaimPath, first};
use crate::jwt::TokenError;
use crate::time::Timestamp;

/// The last second of the year 9999.
const END_OF_TIME: f64 = 253_402_300_799.0;

/// The first and the latest time that the user authenticated in this session.
pub fn login_times(
    paths: &[ClaimPath],
    claims: &Map<String, Value>,
) -> Result<Option<(Timestamp, Timestamp)>, TokenError> {
    let all = match first(paths, claims) {
        None => return Ok(None),
        // Methods, each with its time (Supabase's `amr`), or without any (RFC 8176).
        Some(Value::Array(methods)) => {
            let times = methods.iter().filter_map(|method| method.get("timestamp"));
            times.map(moment).collect::<Result<Vec<_>, _>>()?
        }
        Some(value) => vec![moment(value)?],
    };
    Ok(all.iter().min().copied().zip(all.iter().max().copied()))
}

/// A moment in seconds, of which fractions are left out.
fn moment(value: &Value) -> Result<Timestamp, TokenError> {
    let seconds = value.as_f64().filter(|at| (0.0..=END_OF_TIME).contains(at));
    seconds.map(|at| Timestamp::from_millis(at as u64 * 1000)).ok_or(TokenError::Malformed)
}
