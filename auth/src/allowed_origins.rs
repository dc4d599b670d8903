//! `ALLOWED_ORIGINS`: applications on other origins, whose scripts may use the guard's endpoints and
//! read why a request was refused (Fetch, "CORS protocol").

use serde_json::{Map, Value};

use crate::assertion;
use crate::http::web_url;

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
    pub fn parse_list(json: &str) -> Result<Vec<Self>, String> {
        let Ok(Value::Array(entries)) = serde_json::from_str(json) else { return Err(FORM.into()) };
        let mut all: Vec<Self> = Vec::new();
        for entry in entries {
            let (origin, credentials) = match entry {
                Value::String(origin) => (origin, false),
                Value::Object(members) => full(members).ok_or(FORM)?,
                _ => return Err(FORM.into()),
            };
            if !is_origin(&origin) || all.iter().any(|other| other.origin == origin) {
                return Err(format!(
                    "names `{origin}` twice, or not as browsers write it: `https://app.example.com`"
                ));
            }
            all.push(Self { origin, credentials });
        }
        Ok(all)
    }
}

const FORM: &str = "must be a JSON list of origins, or of `{\"origin\": \"https://app.example.com\", \
                    \"credentials\": true}`";

/// An entry's members. By hand, because what serde makes of two forms is large.
fn full(mut members: Map<String, Value>) -> Option<(String, bool)> {
    let origin = members.remove("origin")?.as_str()?.to_owned();
    let credentials = members.remove("credentials").map_or(Some(false), |it| it.as_bool())?;
    members.is_empty().then_some((origin, credentials))
}

/// Is it an origin, as browsers write it? One written in another way would never be found.
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
        assert!(!AllowedOrigin::parse_list(json).unwrap_err().is_empty(), "{json}");
    }
}
