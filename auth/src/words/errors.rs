//! What people read in place of a page that cannot be shown.

use serde::Deserialize;

use super::{RefusalWords, Section};
use crate::refusal::Topic;

/// What people read in place of a page that cannot be shown, by its [`Topic`].
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Errors {
    origin_away: RefusalWords,
    store_away: RefusalWords,
    provider_away: RefusalWords,
    access_denied: RefusalWords,
    blocked: RefusalWords,
    too_many_sessions: RefusalWords,
    too_many_attempts: RefusalWords,
    unreadable: RefusalWords,
    other_site: RefusalWords,
    plain_http: RefusalWords,
    not_found: RefusalWords,
    no_page: RefusalWords,
    failed: RefusalWords,
    /// The user is blocked until a moment; has `{at}`.
    pub blocked_until: String,
    /// There are too many sessions, and none may be ended here.
    pub sign_out_first: String,
    /// The button that ends the chosen sessions, and leads on.
    pub go_on: String,
}

impl Section for Errors {
    const NAME: &'static str = "errors";
}

impl Errors {
    /// The words for this topic.
    pub fn of(&self, topic: Topic) -> &RefusalWords {
        match topic {
            Topic::OriginAway => &self.origin_away,
            Topic::StoreAway => &self.store_away,
            Topic::ProviderAway => &self.provider_away,
            Topic::AccessDenied => &self.access_denied,
            Topic::Blocked => &self.blocked,
            Topic::TooManySessions => &self.too_many_sessions,
            Topic::TooManyAttempts => &self.too_many_attempts,
            Topic::Unreadable => &self.unreadable,
            Topic::OtherSite => &self.other_site,
            Topic::PlainHttp => &self.plain_http,
            Topic::NotFound => &self.not_found,
            Topic::NoPage => &self.no_page,
            Topic::Failed => &self.failed,
        }
    }
}
