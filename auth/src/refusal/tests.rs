use super::*;
use crate::device::DeviceClass;
use crate::login_notice::LoginNotice;
use crate::time::Timestamp;
use rstest::rstest;

fn superseded() -> Refusal {
    let at = Timestamp::from_millis(1_700_000_000_000);
    Refusal::Session(InvalidSession::Ended(SessionEnd::Superseded { at, by: DeviceClass::Mobile }))
}

fn revoked() -> Refusal {
    Refusal::Session(InvalidSession::Ended(SessionEnd::Revoked { at: Timestamp::from_millis(0) }))
}

fn expired() -> Refusal {
    Refusal::Session(InvalidSession::Expired { at: Timestamp::from_millis(0) })
}

fn blocked(until: Option<Timestamp>) -> Refusal {
    let at = Timestamp::from_millis(0);
    Refusal::UserBlocked(Box::new(Block { reason: Some("spam".into()), until, at }))
}

fn too_large(by: ClaimsSource) -> Refusal {
    Refusal::ClaimsTooLarge { by, cause: "x".into() }
}

fn step_up(max_age: Option<u64>, acr: Option<&[&str]>) -> Refusal {
    let acr = acr.map(|all| all.iter().map(|it| (*it).to_owned()).collect());
    Refusal::InsufficientAuthentication(StepUp { max_age: max_age.map(Duration::from_secs), acr })
}

#[rstest]
#[case(Refusal::BadRequest("x"), "bad_request", 400)]
#[case(Refusal::TokenMissing, "token_missing", 401)]
#[case(Refusal::Token(TokenError::Signature), "token_invalid", 401)]
#[case(Refusal::Token(TokenError::Expired), "token_expired", 401)]
#[case(Refusal::Token(TokenError::TooOld), "token_invalid", 401)]
#[case(step_up(Some(300), None), "insufficient_user_authentication", 401)]
#[case(superseded(), "session_superseded", 401)]
#[case(revoked(), "session_revoked", 401)]
#[case(expired(), "session_expired", 401)]
#[case(Refusal::Session(InvalidSession::Unknown), "session_unknown", 401)]
#[case(Refusal::CredentialsInvalid, "credentials_invalid", 401)]
#[case(Refusal::LogoutToken(TokenError::Signature), "bad_request", 400)]
#[case(Refusal::Session(InvalidSession::Outdated), "session_revoked", 401)]
#[case(Refusal::SessionLimit { live: Vec::new(), may_end: false }, "session_limit", 409)]
#[case(Refusal::RouteDenied { scope: String::new() }, "access_denied", 403)]
#[case(Refusal::UserOfIssuer("x".into()), "bad_request", 400)]
#[case(Refusal::BadBody("x".into()), "bad_request", 400)]
#[case(blocked(None), "user_blocked", 403)]
#[case(Refusal::HttpsRequired, "https_required", 403)]
#[case(Refusal::UriTooLong, "uri_too_long", 414)]
#[case(Refusal::IssuerUnavailable("x".into()), "issuer_unavailable", 502)]
#[case(Refusal::KeyInvalid, "key_invalid", 401)]
#[case(Refusal::ProxyKeyInvalid, "key_invalid", 403)]
#[case(Refusal::AccessDenied { scope: None }, "access_denied", 403)]
#[case(Refusal::BadSession("x".into()), "bad_request", 400)]
#[case(Refusal::CrossSite, "cross_site", 403)]
#[case(Refusal::NotFound, "not_found", 404)]
#[case(Refusal::MethodNotAllowed("GET"), "method_not_allowed", 405)]
#[case(Refusal::TooManyAttempts { wait: Duration::ZERO }, "too_many_attempts", 429)]
#[case(Refusal::UpgradeRequired, "upgrade_required", 426)]
#[case(Refusal::PushUnavailable, "push_unavailable", 501)]
#[case(Refusal::Misconfigured("x".into()), "misconfigured", 500)]
#[case(Refusal::Failed("x".into()), "internal_error", 500)]
#[case(Refusal::OriginUnavailable("x".into()), "origin_unavailable", 502)]
#[case(too_large(ClaimsSource::Origin), "origin_unavailable", 502)]
#[case(too_large(ClaimsSource::Issuer), "issuer_unavailable", 502)]
#[case(too_large(ClaimsSource::Backend), "bad_request", 400)]
#[case(Refusal::StoreUnavailable(StoreError::Unreadable("x".into())), "store_unavailable", 503)]
#[case(Refusal::OriginTimedOut, "origin_unavailable", 504)]
fn each_refusal_has_its_code_and_status(
    #[case] refusal: Refusal,
    #[case] code: &str,
    #[case] status: u16,
) {
    let problem = refusal.problem();
    assert_eq!((problem.code, problem.status), (code, status));
    assert_eq!(problem.kind, format!("urn:session-guard:problem:{code}"));
    assert!(!problem.title.is_empty() && !problem.detail.is_empty());
    let headers = refusal.headers();
    let has = |name: &str| headers.iter().any(|(header, _)| *header == name);
    assert!(has("cache-control"));
    assert_eq!(has("www-authenticate"), status == 401 || code == "access_denied");
    assert_eq!(has("allow"), status == 405);
    assert_eq!(has("retry-after"), matches!(status, 429 | 503));
}

#[test]
fn a_superseded_session_is_told_when_and_by_what() {
    let told = "This session was ended at 2023-11-14T22:13:20Z by a newer login from a phone.";
    assert_eq!(superseded().detail(), told);
}

#[test]
fn a_missing_token_is_challenged_without_an_error_and_a_bad_one_with() {
    assert_eq!(Refusal::TokenMissing.challenge(None).unwrap(), "Bearer");
    let bad = Refusal::Token(TokenError::Signature).challenge(None).unwrap();
    assert!(bad.starts_with(r#"Bearer error="invalid_token", error_description=""#), "{bad}");
}

/// As RFC 9470, section 3, has it.
#[rstest]
#[case(step_up(Some(300), None), r#"error_description="Log in again: this needs a login of the last 300 seconds.", max_age="300""#)]
#[case(step_up(None, Some(&["mfa", "urn:x"])), r#"error_description="Log in again: this needs a login whose acr is one of: mfa urn:x.", acr_values="mfa urn:x""#)]
#[case(step_up(Some(10), Some(&["mfa"])), r#"error_description="Log in again: this needs a login of the last 10 seconds, whose acr is one of: mfa.", acr_values="mfa", max_age="10""#)]
#[case(step_up(None, Some(&[])), r#"error_description="Log in again: this needs a login of a strength that no login has.""#)]
fn a_client_is_told_what_the_login_must_be_like(#[case] refusal: Refusal, #[case] says: &str) {
    let told = format!(r#"Bearer error="insufficient_user_authentication", {says}"#);
    assert_eq!(refusal.challenge(None), Some(told));
}

#[test]
fn a_blocked_user_is_told_until_when_and_the_log_alone_why() {
    let until = blocked(Some(Timestamp::from_millis(1_700_000_000_000)));
    assert_eq!(until.detail(), "Nobody can sign in as this user until 2023-11-14T22:13:20Z.");
    for refusal in [until, blocked(None)] {
        assert!(!serde_json::to_string(&refusal.problem()).unwrap().contains("spam"));
        assert_eq!(refusal.cause().as_deref(), Some("the user is blocked: spam"));
        assert!(refusal.is_shown_on_login_page() && !refusal.asks_for_login());
    }
}

#[test]
fn causes_stay_out_of_the_answer() {
    let refusal = Refusal::Misconfigured("SIGNING_KEYS is missing".into());
    assert!(!serde_json::to_string(&refusal.problem()).unwrap().contains("SIGNING_KEYS"));
    assert!(refusal.cause().unwrap().contains("SIGNING_KEYS"));
}

#[rstest]
#[case(0, "1")]
#[case(1, "1")]
#[case(1_000, "1")]
#[case(1_001, "2")]
fn who_waits_as_long_as_told_is_not_sent_away_again(#[case] millis: u64, #[case] seconds: &str) {
    let refusal = Refusal::TooManyAttempts { wait: Duration::from_millis(millis) };
    assert!(refusal.headers().contains(&("retry-after", seconds.to_owned())));
}

/// One of each variant, which the compiler counts: a new one is an error here until it is listed.
fn one_of_each() -> Vec<Refusal> {
    let scope = String::new();
    let wait = Duration::ZERO;
    let all = vec![
        Refusal::BadRequest("x"),
        Refusal::TokenMissing,
        Refusal::Token(TokenError::Signature),
        Refusal::Token(TokenError::Expired),
        Refusal::LogoutToken(TokenError::Signature),
        superseded(),
        revoked(),
        expired(),
        Refusal::Session(InvalidSession::Unknown),
        Refusal::CredentialsInvalid,
        Refusal::SessionLimit { live: Vec::new(), may_end: false },
        blocked(None),
        Refusal::KeyInvalid,
        Refusal::AccessDenied { scope: None },
        Refusal::RouteDenied { scope },
        Refusal::BadSession("x".into()),
        Refusal::BadBody("x".into()),
        Refusal::UserOfIssuer("x".into()),
        step_up(Some(300), None),
        Refusal::CrossSite,
        Refusal::TooManyAttempts { wait },
        Refusal::HttpsRequired,
        Refusal::UriTooLong,
        Refusal::NotFound,
        Refusal::MethodNotAllowed("GET"),
        Refusal::UpgradeRequired,
        Refusal::PushUnavailable,
        Refusal::StoreUnavailable(StoreError::Unreadable("x".into())),
        Refusal::AdmissionLimit(Vec::new()),
        Refusal::RefreshAtProvider,
        Refusal::OriginTimedOut,
        Refusal::OriginUnavailable("x".into()),
        Refusal::IssuerUnavailable("x".into()),
        too_large(ClaimsSource::Origin),
        Refusal::Misconfigured("x".into()),
        Refusal::Failed("x".into()),
    ];
    let sign_in = SignInFailure::one_of_each().into_iter().map(Refusal::from);
    let all = Vec::from_iter(all.into_iter().chain(sign_in));
    for refusal in &all {
        match refusal {
            Refusal::BadRequest(_) | Refusal::TokenMissing | Refusal::Token(_) => {}
            Refusal::LogoutToken(_) | Refusal::Session(_) | Refusal::CredentialsInvalid => {}
            Refusal::SessionLimit { .. }
            | Refusal::KeyInvalid
            | Refusal::ProxyKeyInvalid
            | Refusal::AccessDenied { .. } => {}
            Refusal::RouteDenied { .. } | Refusal::BadSession(_) | Refusal::UserOfIssuer(_) => {}
            Refusal::InsufficientAuthentication(_) | Refusal::BadBody(_) => {}
            Refusal::UserBlocked(_) => {}
            Refusal::CrossSite | Refusal::TooManyAttempts { .. } | Refusal::HttpsRequired => {}
            Refusal::UriTooLong | Refusal::NotFound | Refusal::MethodNotAllowed(_) => {}
            Refusal::UpgradeRequired | Refusal::PushUnavailable => {}
            Refusal::AdmissionLimit(_) | Refusal::RefreshAtProvider => {}
            Refusal::StoreUnavailable(_) | Refusal::OriginTimedOut => {}
            Refusal::OriginUnavailable(_) | Refusal::IssuerUnavailable(_) => {}
            Refusal::SignIn(_) => {}
            Refusal::ClaimsTooLarge { .. } | Refusal::Misconfigured(_) | Refusal::Failed(_) => {}
        }
    }
    all
}

#[test]
fn each_refusal_is_in_the_openapi_description_and_each_that_asks_for_a_login_has_words_for_its_page()
 {
    let description = include_str!("../../../docs/openapi.yaml");
    let names_codes = |line: &&str| line.starts_with("code:") || line.starts_with("- ");
    let lines = description.lines().map(str::trim).filter(names_codes);
    let is_between = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    let codes: Vec<&str> = lines.flat_map(|line| line.split(is_between)).collect();
    // Nobody was logged in before, or no person reads it.
    let without_notice = ["token_missing", "credentials_invalid", "key_invalid"];
    for refusal in one_of_each() {
        let code = refusal.code();
        assert!(codes.contains(&code), "docs/openapi.yaml lacks {code}");
        assert!(!refusal.problem().title.is_empty() && !refusal.detail().is_empty(), "{code}");
        let is_said = LoginNotice::of_reason(code).is_some();
        let leads_there = refusal.asks_for_login() || code == "user_blocked";
        assert_eq!(is_said, leads_there && !without_notice.contains(&code), "{code}");
    }
}

#[test]
fn each_topic_is_of_some_refusal_and_waiting_or_another_account_helps_where_it_may() {
    let topics: Vec<Topic> = one_of_each().iter().map(Refusal::topic).collect();
    for topic in Topic::ALL {
        assert!(topics.contains(&topic), "{topic:?}");
        assert!(!(topic.is_passing() && topic.is_of_the_user()), "{topic:?}");
    }
    for refusal in one_of_each() {
        let is_away = matches!(refusal.status(), 502..=504) && refusal.code() != "sign_in_refused";
        assert!(!is_away || refusal.topic().is_passing(), "{}", refusal.code());
    }
}
