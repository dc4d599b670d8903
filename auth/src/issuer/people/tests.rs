use super::*;
use serde_json::json;

#[test]
fn an_address_counts_if_it_is_verified() {
    let allow = groups(json!({ "email_domain": "example.com" })).unwrap();
    let people = People { allow, ..People::default() };
    let admits = |claims: Value| people.admit(claims.as_object().unwrap()).is_ok();
    assert!(admits(json!({ "email": "ada@example.com", "email_verified": true })));
    assert!(!admits(json!({ "email": "ada@example.com" })));
}
