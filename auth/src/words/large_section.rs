//! A section of many texts. What serde derives for it would be larger than all of its words.

use serde_json::{Map, Value};

use super::Plural;

/// Makes the struct, whose fields are public, and reads it from an object. As with `deny_unknown_fields`, each member
/// must be there, and no other.
macro_rules! large_section {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Default)]
        pub struct $name { $($(#[$doc])* pub $field: $type,)* }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
                use $crate::words::large_section::{Members, Part};
                let mut members = Members::of(serde_json::Map::deserialize(json)?);
                let words = Self { $($field: <$type>::take(&mut members, stringify!($field)),)* };
                match members.wrong() {
                    None => Ok(words),
                    Some(wrong) => Err(serde::de::Error::custom(wrong)),
                }
            }
        }
    };
}

pub(super) use large_section;

/// The members that are not read yet.
pub(super) struct Members {
    left: Map<String, Value>,
    missing: Option<&'static str>,
}

impl Members {
    pub(super) fn of(left: Map<String, Value>) -> Self {
        Self { left, missing: None }
    }

    /// Which member is missing or of another type, or unknown.
    pub(super) fn wrong(&self) -> Option<String> {
        self.missing.map(str::to_owned).or_else(|| self.left.keys().next().cloned())
    }

    fn miss<T: Default>(&mut self, name: &'static str) -> T {
        self.missing = Some(name);
        T::default()
    }
}

/// A text, or one that depends on a number.
pub(super) trait Part: Sized {
    fn take(members: &mut Members, name: &'static str) -> Self;
}

impl Part for String {
    #[inline(never)]
    fn take(members: &mut Members, name: &'static str) -> Self {
        match members.left.remove(name) {
            Some(Value::String(text)) => text,
            _ => members.miss(name),
        }
    }
}

impl Part for Plural {
    #[inline(never)]
    fn take(members: &mut Members, name: &'static str) -> Self {
        let read = members.left.remove(name).and_then(|texts| serde_json::from_value(texts).ok());
        read.unwrap_or_else(|| members.miss(name))
    }
}

#[cfg(test)]
mod tests {
    use crate::words::Plural;
    use rstest::rstest;

    large_section! {
        /// A section.
        pub struct Small {
            /// A text.
            one: String,
            /// A text that depends on a number.
            many: Plural,
        }
    }

    #[rstest]
    #[case(r#"{"one":"a","many":{"one":"b","other":"c"}}"#, "")]
    #[case(r#"{"one":"a"}"#, "many")]
    #[case(r#"{"one":7,"many":{"other":"c"}}"#, "one")]
    #[case(r#"{"one":"a","many":"c"}"#, "many")]
    #[case(r#"{"one":"a","many":{"other":"c"},"two":"b"}"#, "two")]
    #[case("[]", "map")]
    fn each_member_is_there_and_no_other(#[case] json: &str, #[case] wrong: &str) {
        match serde_json::from_str::<Small>(json) {
            Ok(read) => assert_eq!((wrong, &*read.one, read.many.of("one")), ("", "a", "b")),
            Err(error) => {
                assert!(!wrong.is_empty() && error.to_string().contains(wrong), "{error}")
            }
        }
    }
}
