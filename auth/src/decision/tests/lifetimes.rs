//! How long a session lives that a login begins.

use super::*;
use crate::login::{AuthenticatedUser, SessionLifetimes};
use serde_json::{Value, json};

const SHORT: &[(&str, &str)] = &[("SESSION_TTL", "30 days"), ("SESSION_TTL_SHORT", "8 hours")];
const LONG: &[(&str, &str)] = &[("SESSION_TTL", "30 days")];
const IDLE: &[(&str, &str)] = &[("SESSION_IDLE_TIMEOUT", "2 hours")];
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

fn lifetimes(settings: &[(&str, &str)], said: &Value, remember: bool) -> SessionLifetimes {
    let guard = guard_with(settings);
    let mut answer = json!({ "sub": "ada" });
    answer.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
    let user = AuthenticatedUser::parse(&answer.to_string(), guard.login_terms()).unwrap();
    guard.lifetimes(&user, remember)
}

#[rstest]
#[case::everybody_stays(LONG, json!({}), false, 30 * DAY, true)]
#[case::nobody_asks(SHORT, json!({}), false, 8 * HOUR, false)]
#[case::somebody_asks(SHORT, json!({}), true, 30 * DAY, true)]
#[case::the_origin_says_no(SHORT, json!({ "remember": false }), true, 8 * HOUR, false)]
#[case::the_origin_says_yes(SHORT, json!({ "remember": true }), false, 30 * DAY, true)]
#[case::the_origin_says_no_where_everybody_stays(LONG, json!({ "remember": false }), true, 30 * DAY, false)]
#[case::a_users_own(SHORT, json!({ "session_ttl": "1 day" }), true, DAY, true)]
#[case::a_users_own_without_asking(SHORT, json!({ "session_ttl": "1 day" }), false, 8 * HOUR, false)]
#[case::a_shorter_one_without_asking(SHORT, json!({ "session_ttl": "1 hour" }), false, HOUR, false)]
#[case::a_users_own_where_everybody_stays(LONG, json!({ "session_ttl": "1 hour" }), false, HOUR, true)]
fn a_session_lives_as_the_user_and_the_login_wish(
    #[case] settings: &[(&str, &str)],
    #[case] said: Value,
    #[case] remember: bool,
    #[case] seconds: u64,
    #[case] persistent: bool,
) {
    let lifetimes = lifetimes(settings, &said, remember);
    assert_eq!(lifetimes.session, Duration::from_secs(seconds));
    assert_eq!(lifetimes.persistent, persistent);
}

#[rstest]
#[case::none(LONG, json!({}), None, false)]
#[case::by_the_settings(IDLE, json!({}), Some(2 * HOUR), false)]
#[case::a_users_own(IDLE, json!({ "idle_timeout": "1 day" }), Some(DAY), true)]
#[case::a_users_own_alone(LONG, json!({ "idle_timeout": "1 hour" }), Some(HOUR), true)]
fn a_login_may_set_an_idle_timeout(
    #[case] settings: &[(&str, &str)],
    #[case] said: Value,
    #[case] seconds: Option<u64>,
    #[case] own: bool,
) {
    let lifetimes = lifetimes(settings, &said, true);
    assert_eq!(lifetimes.idle, seconds.map(Duration::from_secs));
    assert_eq!(lifetimes.has_own_idle, own);
}
