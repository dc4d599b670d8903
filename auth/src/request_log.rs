//! What the log says of each request: what was decided about it, and whose it was. Never a token, a
//! cookie, a query or a body.

use std::fmt;

use hmac::{Hmac, Mac};
use serde_json::json;
use sha2::Sha256;

use crate::session::{Sid, Subject};

/// Which requests are logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequestLog {
    /// All of them.
    #[default]
    All,
    /// Those that were refused, or would have been.
    Refusals,
    /// None.
    Off,
}

impl RequestLog {
    /// The setting's text.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Refusals => "refusals",
            Self::Off => "off",
        }
    }
}

/// How the log names users and sessions, as it is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogIdentity {
    /// By a keyed hash: who has the log, and not the key, can neither read a name nor try one.
    #[default]
    Hashed,
    /// As they are.
    Plain,
}

/// How the log names users and sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogNames {
    /// By the first half of an HMAC-SHA-256, in hexadecimal.
    Hashed(LogKey),
    /// As they are.
    Plain,
}

/// What names are hashed with: an HMAC-SHA-256 of a label, by the secret part of one of the guard's keys, so
/// that it says nothing of that.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LogKey([u8; 32]);

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogKey(_)")
    }
}

impl LogKey {
    /// The key that is made of this secret.
    pub fn from_secret(secret: &[u8]) -> Self {
        Self(hmac(secret, "session-guard: names in the log"))
    }

    /// What the log calls a user or a session.
    pub fn pseudonym(&self, text: &str) -> String {
        base16ct::lower::encode_string(&hmac(&self.0, text)[..16])
    }
}

impl LogNames {
    /// What the log calls a user or a session.
    pub fn of(&self, text: &str) -> String {
        match self {
            Self::Hashed(key) => key.pseudonym(text),
            Self::Plain => text.to_owned(),
        }
    }

    /// The members that say whose a request is.
    pub fn members(&self, user: &Subject, sid: &Sid) -> String {
        let (user, sid) = (self.of(user.as_str()), self.of(sid.as_str()));
        format!(r#","user":{},"session":{}"#, json!(user), json!(sid))
    }
}

fn hmac(key: &[u8], text: &str) -> [u8; 32] {
    // A key of any length is good: the `Result` is for algorithms that are choosier.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { unreachable!() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// It went to the origin.
    Forwarded,
    /// It went to the origin, because nothing is enforced; this code would have been the answer.
    WouldRefuse(&'a str),
    /// It ended at the guard; the code is that of its answer.
    Refused,
    /// It was for the guard itself.
    Answered,
}

/// What the log says of a decision: the members of a JSON object, without its braces and the rest,
/// which is known later. `route` is the path of the rule that holds, or the endpoint's name; `whose`
/// is of [`LogNames::members`].
pub fn log_fields(outcome: Outcome<'_>, route: Option<&str>, whose: &str) -> String {
    let decision = match outcome {
        Outcome::Forwarded => r#""decision":"forward""#.into(),
        Outcome::WouldRefuse(code) => format!(r#""decision":"would_refuse","code":"{code}""#),
        Outcome::Refused => r#""decision":"refuse""#.into(),
        Outcome::Answered => r#""decision":"answer""#.into(),
    };
    match route {
        Some(route) => format!(r#"{decision},"route":{}{whose}"#, json!(route)),
        None => decision,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::Value;

    fn key() -> LogKey {
        LogKey::from_secret(b"a secret of more than thirty-two bytes")
    }

    fn whose(how: LogNames) -> String {
        let user = Subject::try_from("m-\"001\"".to_owned()).unwrap();
        how.members(&user, &Sid::from_random([7; 16]))
    }

    #[rstest]
    #[case(Outcome::Forwarded, Some("/a/*"), json!({ "decision": "forward", "route": "/a/*" }))]
    #[case(Outcome::Forwarded, Some("/a\"b"), json!({ "decision": "forward", "route": "/a\"b" }))]
    #[case(Outcome::Refused, None, json!({ "decision": "refuse" }))]
    #[case(Outcome::Answered, Some("login"), json!({ "decision": "answer", "route": "login" }))]
    #[case(
        Outcome::WouldRefuse("token_missing"),
        Some("/*"),
        json!({ "decision": "would_refuse", "code": "token_missing", "route": "/*" })
    )]
    fn a_decision_is_said_in_members_of_an_object(
        #[case] outcome: Outcome<'_>,
        #[case] route: Option<&str>,
        #[case] expected: Value,
    ) {
        let text = format!("{{{}}}", log_fields(outcome, route, ""));
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
    }

    #[test]
    fn a_user_is_named_by_a_hash_that_can_be_looked_for() {
        // By Python's hmac.
        assert_eq!(LogNames::Hashed(key()).of("m-001"), "4b44540d7e8ac90f45867622402b4e5c");
        assert_eq!(LogNames::Plain.of("m-001"), "m-001");
        let other = LogKey::from_secret(b"another secret of thirty-two bytes");
        assert_ne!(other.pseudonym("m-001"), key().pseudonym("m-001"));
        assert_eq!(format!("{:?}", LogNames::Hashed(other)), "Hashed(LogKey(_))");
    }

    #[rstest]
    #[case(LogNames::Plain, "m-\"001\"", "BwcHBwcHBwcHBwcHBwcHBw")]
    #[case(
        LogNames::Hashed(key()),
        "84bd14c9d189400d4cb00bbf1c74d58f",
        "558a91469066da62bbbb3329ce6c7f5f"
    )]
    fn whose_it_is_fits_into_an_object(
        #[case] how: LogNames,
        #[case] user: &str,
        #[case] session: &str,
    ) {
        let text = format!(r#"{{"a":0{}}}"#, whose(how));
        let object: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(object, json!({ "a": 0, "user": user, "session": session }));
    }
}
