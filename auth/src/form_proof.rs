//! What a form of the guard's pages carries in its hidden field `proof`: the guard made this form, for this session.
//! Another site can make a browser send a form, but cannot read a page of the guard to copy the proof.
//!
//! The proof stands beside the check of where a form comes from, which depends on headers that a browser sets.

use base64ct::{Base64UrlUnpadded, Encoding};

use crate::body_format::BodyFormat;
use crate::keys::KeySet;
use crate::refusal::Refusal;
use crate::session::{Sid, Subject};

/// The name of the field.
pub const FIELD: &str = "proof";

/// The proof that a form carries; `None` if there is not exactly one.
pub fn proof_in(form: &str) -> Option<String> {
    let mut all = BodyFormat::Form.texts(form, &[FIELD.to_owned()]);
    all.pop().filter(|_| all.is_empty())
}

/// What a form is for. The proof of one is none for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Ends sessions of one's own.
    Sessions,
    /// Acts in the admin console.
    Admin,
}

impl Form {
    fn name(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::Admin => "admin",
        }
    }
}

/// The proof for the form that acts for this session.
pub fn form_proof(keys: &KeySet, form: Form, sub: &Subject, sid: &Sid) -> String {
    let texts = texts(form, sub, sid);
    let signed = keys.form_keys().next().map(|key| key.sign(&texts));
    // The key that signs always has a private part.
    signed.map(|signed| Base64UrlUnpadded::encode_string(&signed)).unwrap_or_default()
}

/// Does a form that acts for this session carry its proof? Any of the keys may have made it.
///
/// # Errors
/// [`Refusal::CrossSite`].
pub fn check_form_proof(
    keys: &KeySet,
    form: Form,
    sub: &Subject,
    sid: &Sid,
    proof: Option<&str>,
) -> Result<(), Refusal> {
    let texts = texts(form, sub, sid);
    let signed = proof.and_then(|proof| Base64UrlUnpadded::decode_vec(proof).ok());
    let is_ours = signed.is_some_and(|it| keys.form_keys().any(|key| key.verifies(&texts, &it)));
    if is_ours { Ok(()) } else { Err(Refusal::CrossSite) }
}

fn texts<'a>(form: Form, sub: &'a Subject, sid: &'a Sid) -> [&'a [u8]; 3] {
    [form.name(), sub.as_str(), sid.as_str()].map(str::as_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::hs256_set;
    use rstest::rstest;

    fn sub(text: &str) -> Subject {
        Subject::try_from(text.to_owned()).unwrap()
    }

    fn sid(byte: u8) -> Sid {
        Sid::from_random([byte; 16])
    }

    fn proof(kids: &[&str]) -> String {
        form_proof(&hs256_set(kids), Form::Sessions, &sub("ada"), &sid(1))
    }

    #[rstest]
    #[case::the_same(&["a"], Form::Sessions, "ada", 1, true)]
    #[case::rotated(&["b", "a"], Form::Sessions, "ada", 1, true)]
    #[case::another_key(&["b"], Form::Sessions, "ada", 1, false)]
    #[case::another_form(&["a"], Form::Admin, "ada", 1, false)]
    #[case::another_session(&["a"], Form::Sessions, "ada", 2, false)]
    #[case::another_user(&["a"], Form::Sessions, "bob", 1, false)]
    fn a_proof_holds_for_its_form_and_session(
        #[case] kids: &[&str],
        #[case] form: Form,
        #[case] user: &str,
        #[case] session: u8,
        #[case] holds: bool,
    ) {
        let (keys, proof) = (hs256_set(kids), proof(&["a"]));
        let checked = check_form_proof(&keys, form, &sub(user), &sid(session), Some(&proof));
        assert_eq!(checked, if holds { Ok(()) } else { Err(Refusal::CrossSite) });
    }

    #[test]
    fn nothing_else_is_a_proof() {
        let (keys, good) = (hs256_set(&["a"]), proof(&["a"]));
        let log = keys.log_key().pseudonym("sessions");
        let others = ["", "AAAA", "=", &good[1..], &format!("{good}A"), &log, &"A".repeat(43)];
        for other in others.into_iter().map(Some).chain([None]) {
            let checked = check_form_proof(&keys, Form::Sessions, &sub("ada"), &sid(1), other);
            assert_eq!(checked, Err(Refusal::CrossSite), "{other:?}");
        }
    }

    #[rstest]
    #[case("proof=a%2Bb&end=c", Some("a+b"))]
    #[case("end=c", None)]
    #[case("proof=a&proof=a", None)]
    #[case("proof=a&proof=b", None)]
    fn a_form_carries_one_proof(#[case] form: &str, #[case] proof: Option<&str>) {
        assert_eq!(proof_in(form).as_deref(), proof);
    }

    #[test]
    fn where_a_name_ends_is_part_of_the_proof() {
        let keys = hs256_set(&["a"]);
        let [short, long] =
            ["ada", "adaA"].map(|user| form_proof(&keys, Form::Sessions, &sub(user), &sid(1)));
        assert_ne!(short, long);
    }
}
