//! How often requests were refused lately, by code, as Analytics Engine tells. Cached for a minute. Its failure never
//! fails a page.

use std::cell::RefCell;
use std::time::Duration;

use auth::refusal_counts::{self, Analytics, RefusalCount};
use auth::time::Timestamp;
use serde_json::json;

use super::published;
use crate::app::App;
use crate::fetch::{self, Subrequest};
use crate::platform::message_of;
use crate::{body, request};

/// For how long an answer counts, and a failure too: whoever is slow is not asked by each page.
const FRESH: Duration = Duration::from_secs(60);

/// How long the answer may take. A page waits for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// The most bytes of an answer that are read.
const MAX_ANSWER: usize = 64 * 1024;

/// What is known of the last refusals.
#[derive(Clone)]
pub enum LastRefusals {
    /// The settings do not say where to ask.
    NotSetUp,
    /// There is no answer. The cause is in the log.
    Unknown,
    /// The counts, the largest first.
    Counts(Vec<RefusalCount>),
}

thread_local! {
    static LAST: RefCell<Option<(Timestamp, LastRefusals)>> = const { RefCell::new(None) };
}

/// The last refusals, at most a minute old.
pub async fn last_refusals(app: &App) -> LastRefusals {
    let Some(analytics) = &app.guard.settings().analytics else { return LastRefusals::NotSetUp };
    let now = request::now();
    let known = LAST.with_borrow(|last| last.clone()).filter(|(at, _)| now.since(*at) < FRESH);
    if let Some((_, known)) = known {
        return known;
    }
    let found = match ask(analytics).await {
        Ok(counts) => LastRefusals::Counts(counts),
        Err(cause) => {
            let line =
                json!({ "level": "warn", "code": "refusal_counts_not_read", "cause": cause });
            web_sys::console::warn_1(&line.to_string().into());
            LastRefusals::Unknown
        }
    };
    LAST.set(Some((now, found.clone())));
    found
}

/// Asks the API.
///
/// # Errors
/// Why there is no answer; for the log.
async fn ask(analytics: &Analytics) -> Result<Vec<RefusalCount>, String> {
    let authorization = format!("Bearer {}", analytics.token.expose());
    let query = analytics.query();
    let request = Subrequest {
        method: "POST",
        url: &analytics.url,
        headers: &[("authorization", &authorization), ("content-type", "text/plain")],
        body: Some(&query),
        bypass_cache: true,
    };
    let answer = request.send(None, Some(&fetch::time_limit(PATIENCE))).await;
    let answer = answer.map_err(|error| message_of(&error))?;
    let status = answer.status_code();
    if status != 200 {
        fetch::discard(&answer).await;
        return Err(format!("the SQL API has answered {status}; {}", hint(status)));
    }
    let text = body::text(fetch::stream(&answer), MAX_ANSWER).await;
    let text = text.map_err(|error| published::unreadable(error, MAX_ANSWER))?;
    refusal_counts::read(&text).ok_or_else(|| "the SQL API has answered in another form".into())
}

/// What to look at.
fn hint(status: u16) -> &'static str {
    match status {
        401 | 403 => "see ANALYTICS_API_TOKEN, which needs \"Account Analytics: Read\"",
        404 => "see ANALYTICS_ACCOUNT_ID",
        400 | 422 => "see ANALYTICS_DATASET, which must be the one that is bound as ANALYTICS",
        _ => "it may be busy",
    }
}
