//! `NOT_BEFORE`: nothing issued before that moment is good, whatever it is used for.

use super::*;
use crate::session::{Sid, Subject};
use crate::token::TokenGrant;

/// A token of session `sid`, issued so many seconds from now, good for an hour.
fn token(guard: &Guard, sid: u8, from_now: i64) -> String {
    let grant = TokenGrant {
        sub: &Subject::try_from("ada".to_owned()).unwrap(),
        sid: &Sid::from_random([sid; 16]),
        jti: "jti",
        public: &serde_json::Map::new(),
        now: Timestamp::from_millis(NOW.millis().saturating_add_signed(1000 * from_now)),
        lifetime: Duration::from_secs(3600),
    };
    guard.tokens().issue(&grant).unwrap()
}

fn too_old() -> Refusal {
    Refusal::Token(TokenError::TooOld)
}

fn at(moment: Timestamp) -> String {
    moment.to_utc().unwrap().to_rfc3339()
}

#[rstest]
#[case::the_second_before(0, -1, Err(too_old()))]
#[case::that_very_second(0, 0, Ok(()))]
#[case::of_the_second_that_the_moment_is_in(1, 0, Err(too_old()))]
#[case::later(0, 1, Ok(()))]
#[case::expired_is_said_first(0, -4000, Err(Refusal::Token(TokenError::Expired)))]
fn a_token_is_good_if_its_iat_is_not_before_the_moment(
    #[case] millis: u64,
    #[case] issued: i64,
    #[case] expected: Result<(), Refusal>,
) {
    let guard = guard_with(&[("NOT_BEFORE", &at(Timestamp::from_millis(NOW.millis() + millis)))]);
    let sent = token(&guard, 1, issued);
    for time in ["when it is read", "when it is remembered"] {
        assert_eq!(guard.principal_of_token(&sent, NOW).map(drop), expected, "{time}");
        let claims = guard.tokens().claims(&sent, NOW).map_err(Refusal::Token);
        assert_eq!(claims.map(drop), expected, "{time}, for introspection");
    }
    let bearer = format!("Bearer {sent}");
    let request = request("GET", "/", &[("authorization", &bearer)]);
    match (guard.decide(&request, NOW), expected) {
        (Decision::CheckSession(check), Ok(())) => assert!(check.is_valid_at(NOW)),
        (Decision::Refuse(refused), Err(refusal)) => assert_eq!(refused.refusal, refusal),
        (decision, _) => panic!("{decision:?}"),
    }
}

#[test]
fn a_token_that_is_too_old_decides_nothing_beside_a_good_one_and_can_still_be_logged_out() {
    let guard = guard_with(&[("NOT_BEFORE", &at(NOW))]);
    let (old, good) = (token(&guard, 1, -1), token(&guard, 2, 0));
    let cookie = format!("__Host-session={old}");
    let bearer = format!("Bearer {good}");
    let site = ("sec-fetch-site", "same-origin");
    let both = request("POST", "/", &[("cookie", &cookie), ("authorization", &bearer), site]);
    assert_eq!(guard.authenticate(&both, NOW).unwrap().sid(), &Sid::from_random([2; 16]));
    let alone = request("POST", "/_auth/logout", &[("cookie", &cookie), site]);
    assert_eq!(guard.authenticate(&alone, NOW).map(drop), Err(too_old()));
    let ended = guard.presented_sessions(&alone, NOW).unwrap();
    assert_eq!(ended[0].sid(), &Sid::from_random([1; 16]));
    assert_eq!(
        ended[0].verify_times(NOW).map(drop),
        Err(TokenError::TooOld),
        "only its own session"
    );
    assert_eq!(guard.sessions_at_login(&alone).len(), 1, "a login takes its place");
}

#[test]
fn in_monitor_mode_it_is_noted_and_goes_on_without_an_identity() {
    let guard = guard_with(&[("NOT_BEFORE", &at(NOW)), ("MODE", "monitor")]);
    let bearer = format!("Bearer {}", token(&guard, 1, -1));
    let decision = guard.decide(&request("GET", "/", &[("authorization", &bearer)]), NOW);
    let Decision::Forward(anonymous) = decision else { panic!("{decision:?}") };
    assert!(anonymous.log_fields().contains("token_invalid"), "{}", anonymous.log_fields());
}

const IDP: &str = "https://idp.example";

/// A guard with these moments, in seconds from now: of all tokens, and of the issuer's.
fn guard_of(all: Option<i64>, of_issuer: Option<i64>) -> Guard {
    let moment = |from_now: i64| {
        at(Timestamp::from_millis(NOW.millis().saturating_add_signed(1000 * from_now)))
    };
    let mut issuer = serde_json::json!({ "issuer": IDP, "audience": "a", "jwks_uri": "https://idp.example/jwks" });
    if let Some(from_now) = of_issuer {
        issuer["not_before"] = moment(from_now).into();
    }
    let issuers = serde_json::json!([issuer]).to_string();
    let all = all.map(moment).unwrap_or_default();
    guard_with(&[
        ("NOT_BEFORE", &all),
        ("TRUSTED_ISSUERS", &issuers),
        ("STORE_FAILURE", "allow-recent: 60 seconds"),
    ])
}

#[rstest]
#[case::none(None, None, -100, true, true)]
#[case::of_all(Some(-10), None, -11, false, false)]
#[case::of_that_very_moment(Some(-10), None, -10, true, true)]
#[case::of_the_issuer(None, Some(-10), -11, true, false)]
#[case::the_later_is_the_issuers(Some(-50), Some(-10), -11, true, false)]
#[case::the_later_is_that_of_all(Some(-10), Some(-50), -11, false, false)]
#[case::after_both(Some(-10), Some(-50), -9, true, true)]
fn a_refreshed_token_does_not_make_an_older_login_good_and_the_later_moment_counts(
    #[case] all: Option<i64>,
    #[case] of_issuer: Option<i64>,
    #[case] created: i64,
    #[case] own_passes: bool,
    #[case] issuers_passes: bool,
) {
    let guard = guard_of(all, of_issuer);
    let bearer = format!("Bearer {}", token(&guard, 1, 0));
    let check = check(&guard, &request("GET", "/", &[("authorization", &bearer)]));
    let created = NOW.millis().saturating_add_signed(1000 * created);
    for (issuer, passes) in [
        (None, own_passes),
        (Some("https://gone.example"), own_passes),
        (Some(IDP), issuers_passes),
    ] {
        let mut live = session("a", created, NOW.millis() + 60_000);
        live.issuer = issuer.map(str::to_owned);
        let verdict = guard.judge(&check, found(Some(live.clone())), NOW).map(drop);
        assert_eq!(verdict, if passes { Ok(()) } else { Err(too_old()) }, "{issuer:?}");
        let down = guard.judge(&check, Err(StoreError::Unreachable("down".into())), NOW);
        assert_eq!(down.is_ok(), passes, "{issuer:?}: what was refused was not seen live");
        (live.jti, live.deny_until) = (String::new(), Some(Timestamp::FAR_FUTURE));
        let renewed = guard.judge(&check, found(Some(live)), NOW);
        assert!(renewed.is_ok(), "a provider's tokens say since when they are good");
    }
}

#[test]
fn the_issuer_that_reads_tokens_has_the_later_moment() {
    for (all, of_issuer) in
        [(Some(-10), Some(-50)), (Some(-50), Some(-10)), (Some(-10), None), (None, Some(-10))]
    {
        let guard = guard_of(all, of_issuer);
        let moment = guard.issuer(IDP).unwrap().trusted.not_before;
        assert_eq!(
            moment,
            Some(Timestamp::from_millis(NOW.millis() - 10_000)),
            "{all:?} {of_issuer:?}"
        );
    }
}

#[rstest]
#[case::by_auth_time(Some(-1), 5, Some(TokenError::TooOld))]
#[case::of_that_very_second(Some(0), 5, None)]
#[case::an_auth_time_ahead_of_iat_makes_it_no_newer(Some(100), -1, Some(TokenError::TooOld))]
#[case::by_iat_without_one(None, -1, Some(TokenError::TooOld))]
#[case::by_iat_without_one(None, 0, None)]
fn a_providers_access_token_is_as_old_as_its_login_if_it_says_when_that_was(
    #[case] auth_time: Option<i64>,
    #[case] iat: i64,
    #[case] error: Option<TokenError>,
) {
    let rules = serde_json::json!({ "audience": "members", "session_claim": "sid" });
    let moment = at(NOW);
    let issuer = crate::issuer::tests::issuer(
        serde_json::json!({ "access_tokens": rules, "not_before": moment }),
    );
    let second = |from_now: i64| NOW.seconds().saturating_add_signed(from_now);
    let mut claims = serde_json::json!({
        "iss": IDP, "aud": "members", "sub": "u", "sid": "s", "iat": second(iat), "exp": second(60),
    });
    if let Some(from_now) = auth_time {
        claims["auth_time"] = second(from_now).into();
    }
    let sent = crate::id_token::tests::sign(serde_json::json!({ "typ": "at+jwt" }), &claims);
    let signed = crate::jwt::UnverifiedJwt::parse_of_provider(&sent).unwrap();
    let signed = signed.verify(&crate::id_token::tests::key()).unwrap();
    let read = issuer.read_access_token(signed).unwrap();
    let later = NOW.plus(Duration::from_secs(10));
    assert_eq!(read.period.judge(later).err(), error);
}
