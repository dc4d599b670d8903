//! Why somebody is at the login page, in words for people.

use crate::refusal;
use crate::session::{InvalidSession, SessionEnd};
use crate::time::{Timestamp, ago, written};

/// By the code in the page's query, `logged_out` or that of a refusal. Other texts say nothing,
/// because the query is anybody's to write.
pub fn of_reason(reason: &str) -> Option<&'static str> {
    match reason {
        "logged_out" => Some("You have signed out."),
        code => refusal::login_notice(code),
    }
}

/// By what the store knows of the session that the browser still has a token of: also when, and by
/// what. `None` if it does not know.
pub fn of_gone(gone: &InvalidSession, now: Timestamp) -> Option<String> {
    let when = |at: Timestamp| format!("{} ({})", ago(now.since(at)), written(at));
    Some(match gone {
        InvalidSession::Ended(SessionEnd::Superseded { at, by }) => format!(
            "You were signed out here {}, because you signed in elsewhere, with {by}.",
            when(*at)
        ),
        InvalidSession::Ended(SessionEnd::Revoked { at }) => {
            format!("You were signed out: your session was ended {}.", when(*at))
        }
        InvalidSession::Ended(SessionEnd::Reused { at }) => format!(
            "You were signed out: your session was ended {}, because somebody may have copied it.",
            when(*at)
        ),
        InvalidSession::Expired { at } => format!("Your session expired {}.", when(*at)),
        InvalidSession::Outdated | InvalidSession::Unknown => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::DeviceClass;
    use rstest::rstest;

    const AT: Timestamp = Timestamp::from_millis(1_700_000_000_000);
    const NOW: Timestamp = Timestamp::from_millis(1_700_000_300_000);

    #[rstest]
    #[case::superseded(
        InvalidSession::Ended(SessionEnd::Superseded { at: AT, by: DeviceClass::Mobile }),
        Some("You were signed out here 5 minutes ago (14 November 2023, 22:13 UTC), because you signed in elsewhere, with a phone.")
    )]
    #[case::just_now(
        InvalidSession::Ended(SessionEnd::Superseded { at: NOW, by: DeviceClass::Other }),
        Some("You were signed out here just now (14 November 2023, 22:18 UTC), because you signed in elsewhere, with another device.")
    )]
    #[case::revoked(
        InvalidSession::Ended(SessionEnd::Revoked { at: AT }),
        Some("You were signed out: your session was ended 5 minutes ago (14 November 2023, 22:13 UTC).")
    )]
    #[case::reused(
        InvalidSession::Ended(SessionEnd::Reused { at: AT }),
        Some("You were signed out: your session was ended 5 minutes ago (14 November 2023, 22:13 UTC), because somebody may have copied it.")
    )]
    #[case::expired(
        InvalidSession::Expired { at: AT },
        Some("Your session expired 5 minutes ago (14 November 2023, 22:13 UTC).")
    )]
    #[case::outdated(InvalidSession::Outdated, None)]
    #[case::unknown(InvalidSession::Unknown, None)]
    fn a_visitor_is_told_when_and_by_what(
        #[case] gone: InvalidSession,
        #[case] told: Option<&str>,
    ) {
        assert_eq!(of_gone(&gone, NOW).as_deref(), told);
    }

    #[rstest]
    #[case("token_missing", None)]
    #[case("", None)]
    #[case("<b>You won</b>", None)]
    #[case("logged_out", Some("You have signed out."))]
    fn a_reason_says_what_is_known_of_it_and_nothing_else(
        #[case] reason: &str,
        #[case] told: Option<&str>,
    ) {
        assert_eq!(of_reason(reason), told);
    }
}
