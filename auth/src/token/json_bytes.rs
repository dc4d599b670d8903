//! How many bytes a JSON object holds in memory.

use serde_json::{Map, Value};

/// What the members of a JSON object hold, as far as it can be known: the allocator rounds up, and
/// lists and maps have room for more.
pub(super) fn bytes_of(object: &Map<String, Value>) -> usize {
    let of = |(name, value): (&String, &Value)| SLOT + name.len() + bytes_in(value);
    object.iter().map(of).sum()
}

fn bytes_in(value: &Value) -> usize {
    match value {
        Value::String(text) => SLOT + text.len(),
        Value::Array(all) => SLOT + all.iter().map(|one| SLOT + bytes_in(one)).sum::<usize>(),
        Value::Object(object) => SLOT + bytes_of(object),
        _ => 0,
    }
}

/// A text, a value, and as much again for places that are free.
const SLOT: usize = 2 * (size_of::<String>() + size_of::<Value>());
