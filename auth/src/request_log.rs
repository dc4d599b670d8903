//! What the log says of each request: what was decided about it, and whose it was. Never a token, a
//! cookie, a query or a body.

use serde_json::json;
use sha2::{Digest, Sha256};

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

/// How the log names users and sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogIdentity {
    /// By the first half of a SHA-256, in hexadecimal: one can be looked for, but not read off.
    #[default]
    Hashed,
    /// As they are.
    Plain,
}

impl LogIdentity {
    /// What the log calls a user or a session.
    pub fn of(self, text: &str) -> String {
        match self {
            Self::Hashed => Sha256::digest(text)[..16].iter().fold(String::new(), hex),
            Self::Plain => text.to_owned(),
        }
    }

    /// The members that say whose a request is.
    pub fn members(self, user: &Subject, sid: &Sid) -> String {
        let (user, sid) = (self.of(user.as_str()), self.of(sid.as_str()));
        format!(r#","user":{},"session":{}"#, json!(user), json!(sid))
    }
}

fn hex(all: String, byte: &u8) -> String {
    all + &format!("{byte:02x}")
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
/// is of [`LogIdentity::members`].
pub fn said(outcome: Outcome<'_>, route: Option<&str>, whose: &str) -> String {
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

    fn whose(how: LogIdentity) -> String {
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
        let text = format!("{{{}}}", said(outcome, route, ""));
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
    }

    #[test]
    fn a_user_is_named_by_a_hash_that_can_be_looked_for() {
        assert_eq!(LogIdentity::Hashed.of("m-001"), "b1bfdd3b4c37456104550561e181b284");
        assert_eq!(LogIdentity::Plain.of("m-001"), "m-001");
    }

    #[rstest]
    #[case(LogIdentity::Plain, "m-\"001\"", "BwcHBwcHBwcHBwcHBwcHBw")]
    #[case(
        LogIdentity::Hashed,
        "3f6d474be6b5f4b288de7b6943b631d4",
        "53479c57115bd14b55343fbce239d953"
    )]
    fn whose_it_is_fits_into_an_object(
        #[case] how: LogIdentity,
        #[case] user: &str,
        #[case] session: &str,
    ) {
        let text = format!(r#"{{"a":0{}}}"#, whose(how));
        let object: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(object, json!({ "a": 0, "user": user, "session": session }));
    }
}
