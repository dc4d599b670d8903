//! How often requests were refused lately, by code: what is asked of the dataset in which the log's data points are, and
//! what it answers. The columns are those of `src/proxy/access_log.js`.

use serde_json::Value;

use crate::http::web_url;
use crate::secret::Secret;
use crate::setting_value::InvalidValue;
use crate::time::{Timestamp, parse_moment};

/// Where the data points are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Analytics {
    /// The URL of the SQL API.
    pub url: String,
    /// The token that may read there.
    pub token: Secret,
    /// The dataset's name.
    pub dataset: String,
}

/// Cloudflare's API.
pub const API: &str = "https://api.cloudflare.com/client/v4";

/// The dataset that `wrangler.toml` binds.
pub const DATASET: &str = "session_guard";

/// How many codes are told.
const MOST: usize = 20;

/// How often requests were refused with a code, in the last day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalCount {
    /// The code.
    pub code: String,
    /// How often. Estimated, if the dataset has only samples.
    pub requests: u64,
    /// When last.
    pub last: Option<Timestamp>,
}

impl Analytics {
    /// The SQL API of this account.
    pub fn new(api: &str, account: &str, token: Secret, dataset: String) -> Self {
        let api = api.trim_end_matches('/');
        Self { url: format!("{api}/accounts/{account}/analytics_engine/sql"), token, dataset }
    }

    /// The question. What `MODE = "monitor"` let pass was not refused.
    pub fn query(&self) -> String {
        let dataset = &self.dataset;
        format!(
            "SELECT blob2 AS code, SUM(_sample_interval) AS requests, MAX(timestamp) AS last FROM {dataset} WHERE \
             timestamp > NOW() - INTERVAL '1' DAY AND blob1 != 'would_refuse' AND blob2 != '' GROUP BY code \
             ORDER BY requests DESC LIMIT {MOST} FORMAT JSON"
        )
    }
}

/// Reads the answer; `None` if it is of another form.
pub fn read(answer: &str) -> Option<Vec<RefusalCount>> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    answer.get("data")?.as_array()?.iter().take(MOST).map(count).collect()
}

fn count(row: &Value) -> Option<RefusalCount> {
    let code = row.get("code")?.as_str()?;
    // Only what can be a code is shown, whatever else is in the dataset.
    let is_code = code.len() <= 64 && code.bytes().all(|it| it.is_ascii_lowercase() || it == b'_');
    // A large integer is a text in this format.
    let requests = row.get("requests")?;
    let number = requests.as_u64().or_else(|| requests.as_f64().map(|number| number as u64));
    let requests = number.or_else(|| requests.as_str()?.parse().ok())?;
    let last = row.get("last").and_then(Value::as_str).and_then(moment);
    is_code.then(|| RefusalCount { code: code.to_owned(), requests, last })
}

/// A moment in UTC, as the API writes it: `2026-11-26 12:05:00`.
fn moment(text: &str) -> Option<Timestamp> {
    parse_moment(&format!("{}Z", text.replacen(' ', "T", 1))).ok()
}

/// `ANALYTICS_ACCOUNT_ID`, as the dashboard shows it.
pub(crate) fn account_id(text: &str) -> Result<String, InvalidValue> {
    match text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Ok(text.to_owned()),
        false => Err(InvalidValue::expected("the 32 hexadecimal digits of an account's id", text)),
    }
}

/// `ANALYTICS_API_TOKEN`: valid in an `Authorization` header.
pub(crate) fn api_token(text: &str) -> Result<Secret, InvalidValue> {
    match text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(Secret::new(text)),
        false => Err(InvalidValue::new("expected visible ASCII, without spaces")),
    }
}

/// `ANALYTICS_DATASET`, which becomes a part of the question.
pub(crate) fn dataset(text: &str) -> Result<String, InvalidValue> {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let begins = text.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
    match begins && text.len() <= 128 && text.bytes().all(is_legal) {
        true => Ok(text.to_owned()),
        false => Err(InvalidValue::expected("letters, digits and `_`, as in wrangler.toml", text)),
    }
}

/// `ANALYTICS_API_URL`.
pub(crate) fn api_url(text: &str) -> Result<String, InvalidValue> {
    web_url(text).map(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn the_question_is_about_what_was_refused_in_the_last_day() {
        let token = Secret::new("t");
        let analytics = Analytics::new(API, "0123", token, "session_guard".into());
        assert_eq!(
            analytics.url,
            "https://api.cloudflare.com/client/v4/accounts/0123/analytics_engine/sql"
        );
        let asks = " FROM session_guard WHERE timestamp > NOW() - INTERVAL '1' DAY AND blob1 != 'would_refuse' \
                    AND blob2 != '' GROUP BY ";
        assert!(analytics.query().contains(asks), "{}", analytics.query());
        assert!(!format!("{analytics:?}").contains("\"t\""), "and the token is nobody's to see");
    }

    #[test]
    fn an_answer_has_a_row_for_each_code() {
        let answer = r#"{"meta":[{"name":"code","type":"String"}],"rows":2,"data":[
            {"code":"token_expired","requests":"18446","last":"2023-11-14 22:13:20"},
            {"code":"access_denied","requests":7.0}]}"#;
        let count = |code: &str, requests, last: Option<u64>| RefusalCount {
            code: code.into(),
            requests,
            last: last.map(Timestamp::from_millis),
        };
        let expected = [
            count("token_expired", 18446, Some(1_700_000_000_000)),
            count("access_denied", 7, None),
        ];
        assert_eq!(read(answer).unwrap(), expected);
        assert_eq!(read(r#"{"data":[]}"#), Some(vec![]));
    }

    #[rstest]
    #[case("")]
    #[case("[]")]
    #[case(r#"{"errors":[{"code":10000,"message":"Authentication error"}]}"#)]
    #[case(r#"{"data":[{"code":"<script>","requests":1}]}"#)]
    #[case(r#"{"data":[{"code":"a","requests":null}]}"#)]
    #[case(r#"{"data":[{"requests":1}]}"#)]
    fn another_answer_is_none(#[case] answer: &str) {
        assert_eq!(read(answer), None);
    }

    #[rstest]
    #[case("session_guard", true)]
    #[case("_a1", true)]
    #[case("1a", false)]
    #[case("a-b", false)]
    #[case("a; DROP", false)]
    fn a_dataset_has_a_plain_name(#[case] text: &str, #[case] fine: bool) {
        assert_eq!(dataset(text).is_ok(), fine);
    }
}
