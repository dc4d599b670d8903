//! Bodies the guard reads: JSON objects, and forms.

use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// The largest body that is read, in bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// Which form a body is in; an answer often takes the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFormat {
    /// `application/json`.
    Json,
    /// `application/x-www-form-urlencoded`, as a page sends it.
    Form,
}

impl BodyFormat {
    /// The form a `Content-Type` names (RFC 9110, section 8.3).
    pub fn of(content_type: Option<&str>) -> Option<Self> {
        let essence = content_type?.split(';').next()?.trim();
        if essence.eq_ignore_ascii_case("application/json") {
            Some(Self::Json)
        } else if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            Some(Self::Form)
        } else {
            None
        }
    }

    /// Every text that the body has under one of these names, on its first level. What cannot be
    /// read has none: the body is the origin's to judge.
    pub fn texts(self, body: &str, names: &[String]) -> Vec<String> {
        match self {
            Self::Json => {
                let mut json = serde_json::Deserializer::from_str(body);
                let texts = json.deserialize_map(Texts { names });
                texts.ok().filter(|_| json.end().is_ok()).unwrap_or_default()
            }
            Self::Form => form_urlencoded::parse(body.as_bytes())
                .filter(|(name, _)| names.iter().any(|wanted| wanted == name))
                .map(|(_, value)| value.into_owned())
                .collect(),
        }
    }
}

/// Collects members of an object by name, also those that stand there twice.
struct Texts<'a> {
    names: &'a [String],
}

impl<'de> Visitor<'de> for Texts<'_> {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Vec<String>, A::Error> {
        let mut texts = Vec::new();
        while let Some(name) = object.next_key::<String>()? {
            if !self.names.contains(&name) {
                object.next_value::<IgnoredAny>()?;
            } else if let Value::String(text) = object.next_value()? {
                texts.push(text);
            }
        }
        Ok(texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Some("application/json"), Some(BodyFormat::Json))]
    #[case(Some("Application/JSON; charset=utf-8"), Some(BodyFormat::Json))]
    #[case(Some("application/x-www-form-urlencoded"), Some(BodyFormat::Form))]
    #[case(Some("multipart/form-data; boundary=x"), None)]
    #[case(Some("text/json"), None)]
    #[case(Some(""), None)]
    #[case(None, None)]
    fn the_content_type_says_the_form(
        #[case] header: Option<&str>,
        #[case] form: Option<BodyFormat>,
    ) {
        assert_eq!(BodyFormat::of(header), form);
    }

    #[rstest]
    #[case(BodyFormat::Json, r#"{"t":"a","x":{"t":"b"},"u":"c"}"#, &["a", "c"])]
    #[case(BodyFormat::Json, r#"{"t":"a","\u0074":"b"}"#, &["a", "b"])]
    #[case(BodyFormat::Json, r#"{"t":7,"u":null}"#, &[])]
    #[case(BodyFormat::Json, r#"{"t":"a"} x"#, &[])]
    #[case(BodyFormat::Json, r#"[{"t":"a"}]"#, &[])]
    #[case(BodyFormat::Json, r#"{"t":"a""#, &[])]
    #[case(BodyFormat::Json, "", &[])]
    #[case(BodyFormat::Form, "t=a&x=b&%74=c+d&u=%C3%A9", &["a", "c d", "é"])]
    #[case(BodyFormat::Form, "t&u=", &["", ""])]
    #[case(BodyFormat::Form, "", &[])]
    fn texts_are_found_by_name(
        #[case] form: BodyFormat,
        #[case] body: &str,
        #[case] texts: &[&str],
    ) {
        assert_eq!(form.texts(body, &["t".into(), "u".into()]), texts);
    }
}
