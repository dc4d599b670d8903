use super::*;
use crate::request_log::LogKey;
use rstest::rstest;

const AT: Timestamp = Timestamp::from_millis(1_700_000_000_123);

fn session(ended: Option<SessionEnd>) -> Session {
    Session {
        data: Some(r#"{"private":true}"#.into()),
        ended,
        ..crate::session::tests::session("sid-1", AT.millis(), AT.millis() + 60_000)
    }
}

fn user() -> Subject {
    Subject::try_from("a\"d\na".to_owned()).unwrap()
}

fn ended(ending: SessionEnd) -> Event {
    Event::ended(&session(Some(ending))).remove(0)
}

#[rstest]
#[case(Event::created(&session(None)), "session.created", false)]
#[case(ended(SessionEnd::Superseded { at: AT, by: DeviceClass::Mobile }), "session.superseded", true)]
#[case(ended(SessionEnd::Revoked { at: AT }), "session.revoked", true)]
#[case(Event::expired(&session(None).sid, AT), "session.expired", true)]
#[case(Event::refreshed(&session(None), AT), "session.refreshed", false)]
#[case(ended(SessionEnd::Reused { at: AT }), "token.reused", false)]
fn every_event_has_its_name_and_says_whether_the_session_is_over(
    #[case] event: Event,
    #[case] name: &str,
    #[case] is_end: bool,
) {
    let json: serde_json::Value = serde_json::from_str(&event.json(&user())).unwrap();
    assert_eq!((json["type"].as_str(), event.is_end()), (Some(name), is_end), "{json}");
    assert_eq!(json["timestamp"], "2023-11-14T22:13:20Z");
    assert!(!json.to_string().contains("private"), "{json}");
}

#[rstest]
#[case(LogNames::Plain, "a\"d\na", "sid-1")]
#[case(
    LogNames::Hashed(LogKey::from_secret(b"a secret of more than thirty-two bytes")),
    "540c66d24595ae381ce6f1da80bb4561",
    "057403201b7dfd517f75f2612e79d402"
)]
fn the_log_names_users_and_sessions_as_it_is_told_to(
    #[case] how: LogNames,
    #[case] user_name: &str,
    #[case] session_name: &str,
) {
    let line = Event::created(&session(None)).line(&user(), &how);
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["level"], "info");
    assert_eq!([&line["data"]["sub"], &line["data"]["sid"]], [user_name, session_name]);
}

#[test]
fn the_payload_says_whose_session_and_by_what_device_it_was_superseded() {
    let json = ended(SessionEnd::Superseded { at: AT, by: DeviceClass::Mobile }).json(&user());
    let expected = r#"{"type":"session.superseded","timestamp":"2023-11-14T22:13:20Z","data":{"sub":"a\"d\na","sid":"sid-1","device":"desktop","at":"2023-11-14T22:13:20Z","by":"mobile"}}"#;
    assert_eq!(json, expected);
}

#[test]
fn a_reused_token_makes_two_events_of_which_one_is_the_end() {
    let events = Event::ended(&session(Some(SessionEnd::Reused { at: AT })));
    let told: Vec<_> = events.iter().map(|event| (event.what.name(), event.is_end())).collect();
    assert_eq!(told, [("token.reused", false), ("session.revoked", true)]);
}

#[test]
fn a_session_that_was_not_ended_makes_no_event_of_it() {
    assert_eq!(Event::ended(&session(None)), []);
}

#[test]
fn an_id_is_the_same_whoever_notices_and_another_for_everything_else() {
    let revoked = ended(SessionEnd::Revoked { at: AT });
    assert_eq!(revoked.id(), "msg_sid-1_session_revoked_1700000000123");
    assert_eq!(revoked.id(), ended(SessionEnd::Revoked { at: AT }).id());
    assert_ne!(revoked.id(), Event::created(&session(None)).id());
}

#[test]
fn an_expiry_is_told_once() {
    let noticed = ReportedEnds::default();
    let [one, other] = ["one", "other"].map(|sid| Sid::try_from(sid.to_owned()).unwrap());
    let first = |sid: &Sid| {
        let mut is_first = false;
        noticed.report_once(sid, || is_first = true);
        is_first
    };
    let told = [first(&one), first(&one), first(&other)];
    assert_eq!(told, [true, false, true]);
}

// The example of the specification's own libraries.
#[test]
fn a_signature_is_that_of_standard_webhooks() {
    let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let body = r#"{"test": 2432232314}"#;
    let signature = secret.sign(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        Timestamp::from_millis(1_614_265_330_999),
        body,
    );
    assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[rstest]
#[case("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
#[case("whsec_")]
#[case("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
#[case("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS")]
#[case("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_")]
fn a_secret_that_is_short_or_no_base64_is_refused_and_not_repeated(#[case] text: &str) {
    let error = WebhookSecret::parse(text).unwrap_err().reason;
    assert!(error.contains("whsec_") && !error.contains("AAAA"), "{error}");
}

#[test]
fn a_secret_does_not_reach_debug_output() {
    let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    assert_eq!(format!("{secret:?}"), "WebhookSecret(_)");
}
