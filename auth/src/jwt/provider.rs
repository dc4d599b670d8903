//! Identity providers write the same thing in different ways. What their tokens say is brought into
//! one form here, so that whoever reads claims reads them strictly. Nothing that decides whether a
//! token is genuine is touched: the signature is over the text as it came.

use serde_json::{Map, Value};

/// Names that some providers write as numbers.
const NAMES: [&str; 4] = ["sub", "sid", "azp", "nonce"];

/// Moments, which may have fractions (RFC 7519, section 2).
const TIMES: [&str; 3] = ["iat", "nbf", "exp"];

/// Lists of which some providers write one item without the list.
const LISTS: [&str; 2] = ["groups", "roles"];

/// Brings header parameters into form: `null`, and a type that is empty, say nothing.
pub fn header(members: &mut Map<String, Value>) {
    members.retain(|name, value| !(value.is_null() || name == "typ" && value == ""));
    if let Some(kid) = members.get_mut("kid") {
        number_to_text(kid);
    }
}

/// Brings claims into form: `null` and empty texts say nothing, and an address is verified only if
/// `email_verified` says so (OpenID Connect Core 1.0, section 5.1), as a text, too, as Apple does.
pub fn claims(members: &mut Map<String, Value>) {
    if let Some(verified) = members.get_mut("email_verified") {
        *verified = (verified == true || verified == "true").into();
    }
    members.retain(|_, value| !value.is_null() && value != "");
    for (name, value) in members {
        match name.as_str() {
            name if NAMES.contains(&name) => number_to_text(value),
            name if TIMES.contains(&name) => whole_seconds(value),
            name if LISTS.contains(&name) => list(value),
            "aud" => audiences(value),
            _ => {}
        }
    }
}

/// An id that is a whole number, as a text. No text becomes a number, and fractions are no ids.
fn number_to_text(value: &mut Value) {
    if let Some(number) = value.as_u64() {
        *value = number.to_string().into();
    }
}

/// Without the fraction. What is no time at all stays, and is refused where it is read.
fn whole_seconds(value: &mut Value) {
    if let Some(seconds) = value.as_f64().filter(|at| (0.0..1e15).contains(at)) {
        *value = (seconds as u64).into();
    }
}

fn list(value: &mut Value) {
    if value.is_string() {
        *value = Value::Array(vec![value.take()]);
    }
}

fn audiences(value: &mut Value) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(number_to_text),
        one => number_to_text(one),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(json!({ "nonce": "", "azp": "", "sid": "", "name": "" }), json!({}))]
    #[case(json!({ "a": null, "b": { "c": null } }), json!({ "b": { "c": null } }))]
    #[case(json!({ "groups": "crew", "roles": "a b" }), json!({ "groups": ["crew"], "roles": ["a b"] }))]
    #[case(json!({ "groups": "", "roles": ["a"] }), json!({ "roles": ["a"] }))]
    #[case(json!({ "sub": 7, "sid": 8, "aud": [9, "a"] }), json!({ "sub": "7", "sid": "8", "aud": ["9", "a"] }))]
    #[case(json!({ "aud": 9 }), json!({ "aud": "9" }))]
    #[case(json!({ "sub": 7.5, "sid": -1 }), json!({ "sub": 7.5, "sid": -1 }))]
    #[case(json!({ "iat": 1.9, "nbf": 2.0, "exp": 3e3 }), json!({ "iat": 1, "nbf": 2, "exp": 3000 }))]
    #[case(json!({ "iat": -1.5, "exp": 1e20 }), json!({ "iat": -1.5, "exp": 1e20 }))]
    #[case(json!({ "exp": "3000" }), json!({ "exp": "3000" }))]
    fn claims_are_brought_into_one_form(#[case] mut sent: Value, #[case] read: Value) {
        claims(sent.as_object_mut().unwrap());
        assert_eq!(sent, read);
    }

    #[rstest]
    #[case(json!(true), true)]
    #[case(json!("true"), true)]
    #[case(json!(false), false)]
    #[case(json!("false"), false)]
    #[case(json!("False"), false)]
    #[case(json!("True"), false)]
    #[case(json!("TRUE"), false)]
    #[case(json!("yes"), false)]
    #[case(json!("pending"), false)]
    #[case(json!("0"), false)]
    #[case(json!("1"), false)]
    #[case(json!(""), false)]
    #[case(json!(0), false)]
    #[case(json!(1), false)]
    #[case(json!(null), false)]
    #[case(json!([]), false)]
    #[case(json!([true]), false)]
    #[case(json!({ "true": true }), false)]
    fn an_address_is_verified_only_if_it_says_true(#[case] sent: Value, #[case] read: bool) {
        let mut sent = json!({ "email_verified": sent });
        claims(sent.as_object_mut().unwrap());
        assert_eq!(sent, json!({ "email_verified": read }));
    }

    #[rstest]
    #[case(json!({ "typ": "", "kid": 7, "x5t": null }), json!({ "kid": "7" }))]
    #[case(json!({ "typ": "JWT", "kid": "", "alg": "RS256" }), json!({ "typ": "JWT", "kid": "", "alg": "RS256" }))]
    fn so_are_header_parameters(#[case] mut sent: Value, #[case] read: Value) {
        header(sent.as_object_mut().unwrap());
        assert_eq!(sent, read);
    }
}
