//! JSON as a token or a setting may hold it: no member twice, no deep nesting.
//!
//! Parsers differ in which of two members of one name they believe (RFC 8259, section 4), so a
//! token with both could mean one thing here and another at the origin (RFC 8725, section 2.4).

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How deep objects and lists may be nested.
const MAX_DEPTH: usize = 16;

/// Reads an object; `None` if it is no JSON object, or not strict.
pub fn object(bytes: &[u8]) -> Option<Map<String, Value>> {
    // From text, as all other JSON is read, so that the parser is compiled once.
    match value(std::str::from_utf8(bytes).ok()?) {
        Ok(Value::Object(members)) => Some(members),
        _ => None,
    }
}

/// Reads any JSON.
///
/// # Errors
/// What is wrong with it, and where.
pub fn value(text: &str) -> Result<Value, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = Strict { depth: 0 }.deserialize(&mut json)?;
    json.end().map(|()| value)
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth + 1;
        if depth > MAX_DEPTH { Err(E::custom("nested too deep")) } else { Ok(Self { depth }) }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("no number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut members = Map::new();
        while let Some(name) = object.next_key::<String>()? {
            if members.contains_key(&name) {
                return Err(A::Error::custom("a member stands there twice"));
            }
            let value = object.next_value_seed(inner)?;
            members.insert(name, value);
        }
        Ok(members.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[test]
    fn a_plain_object_is_read_as_it_is() {
        let value = json!({ "a": [1, -2, 0.5, null, true, "é\n"], "b": { "a": {} } });
        assert_eq!(object(value.to_string().as_bytes()).map(Value::Object), Some(value));
    }

    #[rstest]
    #[case::twice(r#"{"a":1,"a":1}"#)]
    #[case::twice_by_escape(r#"{"a":1,"\u0061":2}"#)]
    #[case::twice_inside(r#"{"a":[{"b":1,"b":2}]}"#)]
    #[case::trailing("{} {}")]
    #[case::trailing_comma(r#"{"a":1,}"#)]
    #[case::comment("{/**/}")]
    #[case::single_quotes("{'a':1}")]
    #[case::nan(r#"{"a":NaN}"#)]
    #[case::too_large_a_number(r#"{"a":1e999}"#)]
    #[case::list("[]")]
    #[case::text(r#""{}""#)]
    #[case::nothing("")]
    #[case::byte_order_mark("\u{feff}{}")]
    #[case::lone_surrogate(r#"{"a":"\ud800"}"#)]
    fn what_is_not_strict_is_refused(#[case] text: &str) {
        assert_eq!(object(text.as_bytes()), None);
    }

    #[test]
    fn bytes_that_are_no_utf_8_are_refused() {
        assert_eq!(object(b"{\"a\":\"\xff\"}"), None);
    }

    #[test]
    fn nesting_has_an_end() {
        let nested =
            |depth: usize| format!("{}{}{}", r#"{"a":"#.repeat(depth), "1", "}".repeat(depth));
        assert!(object(nested(MAX_DEPTH).as_bytes()).is_some());
        assert!(object(nested(MAX_DEPTH + 1).as_bytes()).is_none());
        assert!(object(nested(100_000).as_bytes()).is_none());
    }
}
