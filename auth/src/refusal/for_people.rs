//! What people are told of a refusal: never its cause, nor what a setting says.

use super::Refusal;

/// What a page says of a refusal. Each has words of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// The site behind the guard does not answer.
    OriginAway,
    /// Sessions cannot be checked.
    StoreAway,
    /// The identity provider cannot be relied on.
    ProviderAway,
    /// The user may not see this.
    AccessDenied,
    /// The user is blocked.
    Blocked,
    /// The user has as many sessions as allowed.
    TooManySessions,
    /// Too many attempts.
    TooManyAttempts,
    /// The request cannot be read.
    Unreadable,
    /// A form of another site, or a page that is out of date.
    OtherSite,
    /// A form was sent without encryption.
    PlainHttp,
    /// There is no such page.
    NotFound,
    /// It is no page to open.
    NoPage,
    /// A setting is wrong, or the guard has failed.
    Failed,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 13] = [
        Self::OriginAway,
        Self::StoreAway,
        Self::ProviderAway,
        Self::AccessDenied,
        Self::Blocked,
        Self::TooManySessions,
        Self::TooManyAttempts,
        Self::Unreadable,
        Self::OtherSite,
        Self::PlainHttp,
        Self::NotFound,
        Self::NoPage,
        Self::Failed,
    ];

    /// May the same request succeed later?
    pub fn is_passing(self) -> bool {
        use Topic::{Failed, OriginAway, OtherSite, ProviderAway, StoreAway, TooManyAttempts};
        matches!(self, OriginAway | StoreAway | ProviderAway | TooManyAttempts | OtherSite | Failed)
    }

    /// May another user succeed?
    pub fn is_of_the_user(self) -> bool {
        matches!(self, Self::AccessDenied | Self::Blocked)
    }
}

impl Refusal {
    /// What a page says of it.
    pub fn topic(&self) -> Topic {
        match self.code() {
            "origin_unavailable" => Topic::OriginAway,
            "store_unavailable" => Topic::StoreAway,
            "issuer_unavailable" => Topic::ProviderAway,
            "access_denied" => Topic::AccessDenied,
            "user_blocked" => Topic::Blocked,
            "session_limit" => Topic::TooManySessions,
            "too_many_attempts" => Topic::TooManyAttempts,
            "bad_request" | "uri_too_long" => Topic::Unreadable,
            "cross_site" => Topic::OtherSite,
            "https_required" => Topic::PlainHttp,
            "not_found" => Topic::NotFound,
            "method_not_allowed" | "upgrade_required" | "push_unavailable" => Topic::NoPage,
            "refresh_at_provider" | "key_invalid" => Topic::NoPage,
            _ => Topic::Failed,
        }
    }
}
