//! Several attempts of one browser.

use std::time::Duration;

use serde_json::Map;

use super::back::{begun, callback, pair};
use super::*;
use crate::id_token::IssuerSession;
use crate::login::AuthenticatedUser;
use crate::session::tests::session;
use crate::session::{Session, Sid, Subject};

fn subject(name: &str) -> Subject {
    Subject::try_from(name.to_owned()).unwrap()
}

#[test]
fn tabs_that_come_back_side_by_side_count_as_one_return_and_one_after_another_as_several() {
    let count = |sent: &str| ReturnCount::of(&format!("__Host-guard-sign-in-returns={sent}"));
    let (none, one, two) = (count("0"), count("1"), count("2"));
    let (first, second) = (one.after(none), one.after(none).after(none));
    assert_eq!((first, second), (one, one), "both began before any came back");
    assert_eq!(one.after(one), two, "it began when one had come back");
    assert_eq!(two.after(none), two, "a late one takes nothing back");
    assert!(!two.after(two).after(two).may_go_straight());
    let mut begun = SignInAttempt { returns: two, ..begun("", 1, 0) };
    let sent = pair(&begun.cookies(&keys(), SITE, "", [9; 24])[0]);
    let attempt = callback(&begun).attempt("staff", &keys(), SITE, &sent);
    assert_eq!(attempt.map(|it| it.returns), Ok(two), "an attempt keeps it");
}

#[test]
fn an_attempt_is_answered_by_a_session_of_the_same_login_that_began_after_it() {
    let issued = IssuerSession {
        issuer: "https://idp.example".into(),
        sub: "ada".into(),
        sid: Some("s1".into()),
        at: NOW,
    };
    let user = AuthenticatedUser::new(subject("ada"), Map::new());
    let user = AuthenticatedUser { issued: Some(issued), ..user };
    let session = Session {
        issuer: Some("https://idp.example".into()),
        issuer_sid: Some("s1".into()),
        ..session("live", NOW.millis(), NOW.millis() + 1000)
    };
    let attempt = begun("", 1, 0);
    type Change = fn(&mut Session, &mut AuthenticatedUser, &mut SignInAttempt);
    let cases: [(&str, Change, bool); 12] = [
        ("the same login", |_, _, _| {}, true),
        ("another user", |_, user, _| user.sub = subject("bob"), false),
        (
            "an older session",
            |session, _, _| session.created = Timestamp::from_millis(NOW.millis() - 1),
            false,
        ),
        (
            "of another issuer",
            |session, _, _| session.issuer = Some("https://other.example".into()),
            false,
        ),
        ("of a password", |session, _, _| session.issuer = None, false),
        (
            "another session at the provider",
            |session, _, _| session.issuer_sid = Some("s2".into()),
            false,
        ),
        ("a login by password", |_, user, _| user.issued = None, false),
        ("it is to end others", |_, _, attempt| attempt.end.push(Sid::from_random([7; 16])), false),
        (
            "it asks for a strong login",
            |_, _, attempt| attempt.asked.acr = Some(vec!["mfa".into()]),
            false,
        ),
        (
            "it asks for a fresh login",
            |_, _, attempt| attempt.asked.max_age = Some(Duration::ZERO),
            false,
        ),
        (
            "it is to be remembered",
            |session, _, attempt| {
                session.transient = true;
                attempt.remember = true
            },
            false,
        ),
        ("it is remembered as asked", |_, _, attempt| attempt.remember = true, true),
    ];
    for (case, change, expected) in cases {
        let (mut session, mut user, mut attempt) = (session.clone(), user.clone(), attempt.clone());
        let of = user.sub.clone();
        change(&mut session, &mut user, &mut attempt);
        assert_eq!(attempt.is_answered_by(&session, &of, &user), expected, "{case}");
    }
}
