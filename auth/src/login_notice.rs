//! Why somebody is at the login page.

use crate::device::DeviceClass;
use crate::session::{InvalidSession, SessionEnd};
use crate::time::Timestamp;
use crate::words::SignedOut;

/// Why somebody is at the login page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginNotice {
    /// The user has signed out.
    LoggedOut,
    /// A newer login took the session's place: when, and from what kind of device, if that is known.
    Superseded(Option<(Timestamp, DeviceClass)>),
    /// The session was ended: when, if that is known.
    Revoked(Option<Timestamp>),
    /// The session was ended at this moment, because an old token of it was used.
    Reused(Timestamp),
    /// The session has expired: when, if that is known.
    Expired(Option<Timestamp>),
    /// The page needs a fresher or stronger login.
    AnotherLogin,
    /// The user is blocked.
    Blocked,
    /// Nothing more is known.
    Unknown,
}

impl LoginNotice {
    /// By the code in the page's query, `logged_out` or that of the refusal that led there. Every refusal that asks for
    /// a login has one, except those without a session before. Other texts say nothing, because the query is anybody's
    /// to write.
    pub fn of_reason(reason: &str) -> Option<Self> {
        Some(match reason {
            "logged_out" => Self::LoggedOut,
            "session_superseded" => Self::Superseded(None),
            "session_revoked" => Self::Revoked(None),
            "session_expired" | "token_expired" => Self::Expired(None),
            "insufficient_user_authentication" => Self::AnotherLogin,
            "user_blocked" => Self::Blocked,
            "session_unknown" | "token_invalid" => Self::Unknown,
            _ => return None,
        })
    }

    /// By what the store knows of the session that the browser still has a token of. `None` if it does not know.
    pub fn of_gone(gone: &InvalidSession) -> Option<Self> {
        Some(match gone {
            InvalidSession::Ended(SessionEnd::Superseded { at, by }) => {
                Self::Superseded(Some((*at, *by)))
            }
            InvalidSession::Ended(SessionEnd::Revoked { at }) => Self::Revoked(Some(*at)),
            InvalidSession::Ended(SessionEnd::Reused { at }) => Self::Reused(*at),
            InvalidSession::Expired { at } => Self::Expired(Some(*at)),
            InvalidSession::Outdated | InvalidSession::Unknown => return None,
        })
    }

    /// What it says, with `{ago}` and `{at}` if there is a moment, and `{with}` if there is a device.
    pub fn text(self, words: &SignedOut) -> &str {
        match self {
            Self::LoggedOut => &words.logged_out,
            Self::Superseded(None) => &words.superseded,
            Self::Superseded(Some(_)) => &words.superseded_at,
            Self::Revoked(None) => &words.revoked,
            Self::Revoked(Some(_)) => &words.revoked_at,
            Self::Reused(_) => &words.reused_at,
            Self::Expired(None) => &words.expired,
            Self::Expired(Some(_)) => &words.expired_at,
            Self::AnotherLogin => &words.another_login,
            Self::Blocked => &words.blocked,
            Self::Unknown => &words.unknown,
        }
    }

    /// May somebody else have done it?
    pub fn may_be_foreign(self) -> bool {
        matches!(self, Self::Superseded(_) | Self::Revoked(_) | Self::Reused(_))
    }

    /// When it happened.
    pub fn at(self) -> Option<Timestamp> {
        match self {
            Self::Superseded(Some((at, _))) | Self::Reused(at) => Some(at),
            Self::Revoked(at) | Self::Expired(at) => at,
            _ => None,
        }
    }

    /// The kind of device that took the session's place.
    pub fn by(self) -> Option<DeviceClass> {
        match self {
            Self::Superseded(Some((_, by))) => Some(by),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{BUILT_IN, Language, WordCache};
    use rstest::rstest;

    const AT: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    #[rstest]
    #[case::superseded(
        InvalidSession::Ended(SessionEnd::Superseded { at: AT, by: DeviceClass::Mobile }),
        Some(LoginNotice::Superseded(Some((AT, DeviceClass::Mobile))))
    )]
    #[case::revoked(
        InvalidSession::Ended(SessionEnd::Revoked { at: AT }),
        Some(LoginNotice::Revoked(Some(AT)))
    )]
    #[case::reused(
        InvalidSession::Ended(SessionEnd::Reused { at: AT }),
        Some(LoginNotice::Reused(AT))
    )]
    #[case::expired(InvalidSession::Expired { at: AT }, Some(LoginNotice::Expired(Some(AT))))]
    #[case::outdated(InvalidSession::Outdated, None)]
    #[case::unknown(InvalidSession::Unknown, None)]
    fn a_visitor_is_told_what_the_store_knows(
        #[case] gone: InvalidSession,
        #[case] told: Option<LoginNotice>,
    ) {
        assert_eq!(LoginNotice::of_gone(&gone), told);
    }

    #[rstest]
    #[case("token_missing", None)]
    #[case("", None)]
    #[case("<b>You won</b>", None)]
    #[case("logged_out", Some(LoginNotice::LoggedOut))]
    fn a_reason_says_what_is_known_of_it_and_nothing_else(
        #[case] reason: &str,
        #[case] told: Option<LoginNotice>,
    ) {
        assert_eq!(LoginNotice::of_reason(reason), told);
    }

    /// In each language.
    #[rstest]
    #[case(LoginNotice::LoggedOut)]
    #[case(LoginNotice::Superseded(None))]
    #[case(LoginNotice::Superseded(Some((AT, DeviceClass::Other))))]
    #[case(LoginNotice::Revoked(None))]
    #[case(LoginNotice::Revoked(Some(AT)))]
    #[case(LoginNotice::Reused(AT))]
    #[case(LoginNotice::Expired(None))]
    #[case(LoginNotice::Expired(Some(AT)))]
    #[case(LoginNotice::AnotherLogin)]
    #[case(LoginNotice::Blocked)]
    #[case(LoginNotice::Unknown)]
    fn a_notice_names_the_moment_and_the_device_where_they_are_known(#[case] notice: LoginNotice) {
        for tag in BUILT_IN {
            let language =
                Language { tag: tag.into(), is_rtl: false, overrides: Default::default() };
            let words = WordCache::default().section::<SignedOut>(&language);
            let text = notice.text(&words);
            assert_eq!(text.contains("{at}"), notice.at().is_some(), "{text}");
            assert_eq!(text.contains("{ago}"), notice.at().is_some(), "{text}");
            assert_eq!(text.contains("{with}"), notice.by().is_some(), "{text}");
        }
    }
}
