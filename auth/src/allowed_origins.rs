//! `ALLOWED_ORIGINS`: applications on other origins, whose scripts may use the guard's endpoints and
//! read why a request was refused (Fetch, "CORS protocol").

use serde_json::Value;

use crate::assertion;
use crate::http::{other_url, web_url};
use crate::setting_value::{self, InvalidValue, Members};

/// An origin, as the settings name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedOrigin {
    /// Scheme, host and port, as browsers write them in `Origin`.
    pub origin: String,
    /// May its scripts use the session cookie, and count as this site's own?
    pub credentials: bool,
}

impl AllowedOrigin {
    /// Reads a JSON list.
    ///
    /// # Errors
    /// What to change.
    pub fn parse_list(json: &str) -> Result<Vec<Self>, InvalidValue> {
        let mut all: Vec<Self> = Vec::new();
        for (index, item) in setting_value::items(json, "origins")?.into_iter().enumerate() {
            let one = Self::parse(item).map_err(|error| error.in_item(index))?;
            if all.iter().any(|other| other.origin == one.origin) {
                let reason = format!("{} is listed twice", one.origin);
                return Err(InvalidValue::new(reason).in_item(index));
            }
            all.push(one);
        }
        Ok(all)
    }

    fn parse(entry: Value) -> Result<Self, InvalidValue> {
        if let Value::String(origin) = entry {
            return Ok(Self { origin: checked(origin)?, credentials: false });
        }
        let mut members = Members::of(entry)?;
        let origin = members.required("origin", |it| setting_value::text(it).and_then(checked))?;
        let credentials = members.optional("credentials", setting_value::flag)?.unwrap_or(false);
        members.end("`origin` and `credentials`")?;
        Ok(Self { origin, credentials })
    }
}

/// An origin, as browsers write it. One written in another way would never be found.
fn checked(origin: String) -> Result<String, InvalidValue> {
    const FORM: &str = "an origin as browsers write it, like `https://app.example.com`";
    match is_origin(&origin) {
        true => Ok(origin),
        false => Err(other_url(FORM, &origin)),
    }
}

fn is_origin(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    let is_host = |host: &str| !host.ends_with('.') && host.bytes().all(legal);
    web_url(text).is_ok_and(|uri| uri.host().is_some_and(is_host))
        && !text.ends_with(':')
        && assertion::audience(text) == text
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(r#"[]"#, &[])]
    #[case(r#"["https://spa.example.com"]"#, &[("https://spa.example.com", false)])]
    #[case(
        r#"["https://a.example:8443", {"origin": "https://b.example", "credentials": true}, {"origin": "http://localhost:5173"}]"#,
        &[("https://a.example:8443", false), ("https://b.example", true), ("http://localhost:5173", false)]
    )]
    fn origins_are_named_alone_or_with_credentials(
        #[case] json: &str,
        #[case] expected: &[(&str, bool)],
    ) {
        let all = AllowedOrigin::parse_list(json).unwrap();
        let all: Vec<_> = all.iter().map(|it| (it.origin.as_str(), it.credentials)).collect();
        assert_eq!(all, expected);
    }

    #[rstest]
    #[case("https://spa.example.com")]
    #[case(r#""https://spa.example.com""#)]
    #[case(r#"["*"]"#)]
    #[case(r#"["null"]"#)]
    #[case(r#"[""]"#)]
    #[case(r#"["spa.example.com"]"#)]
    #[case(r#"["https://*.example.com"]"#)]
    #[case(r#"["https://spa.example.com/"]"#)]
    #[case(r#"["https://spa.example.com/path"]"#)]
    #[case(r#"["https://spa.example.com?a=b"]"#)]
    #[case(r##"["https://spa.example.com#a"]"##)]
    #[case(r#"["https://Spa.example.com"]"#)]
    #[case(r#"["HTTPS://spa.example.com"]"#)]
    #[case(r#"["https://spa.example.com."]"#)]
    #[case(r#"["https://spa.example.com:443"]"#)]
    #[case(r#"["https://spa.example.com:"]"#)]
    #[case(r#"["https://user@spa.example.com"]"#)]
    #[case(r#"["http://spa.example.com"]"#)]
    #[case(r#"[" https://spa.example.com"]"#)]
    #[case(r#"["https://spa.example.com, https://b.example"]"#)]
    #[case(r#"["https://a.example", "https://a.example"]"#)]
    #[case(r#"[{"origin": "https://a.example", "credential": true}]"#)]
    #[case(r#"[{"origin": "https://a.example", "credentials": "true"}]"#)]
    #[case(r#"[{"credentials": true}]"#)]
    fn whatever_no_browser_would_send_is_refused_with_a_reason(#[case] json: &str) {
        assert!(!AllowedOrigin::parse_list(json).unwrap_err().reason.is_empty(), "{json}");
    }
}
