use super::*;
use rstest::rstest;
use serde_json::json;

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn basic(text: &str) -> String {
    format!("Basic {}", Base64::encode_string(text.as_bytes()))
}

#[rstest]
#[case(format!("Bearer {KEY}"), true)]
#[case(format!("bearer  {KEY} "), true)]
#[case(basic(&format!("backend:{KEY}")), true)]
#[case(basic(&format!(":{KEY}")).replacen("Basic", "basic", 1), true)]
#[case(format!("Bearer {KEY}0"), false)]
#[case(format!("Bearer {}", &KEY[1..]), false)]
#[case("Bearer".into(), false)]
#[case("Bearer ".into(), false)]
#[case(KEY.into(), false)]
#[case(format!("Token {KEY}"), false)]
#[case(format!("Basic {KEY}"), false)]
#[case(basic(KEY), false)]
#[case(basic(&format!("{KEY}:")), false)]
#[case(basic(&format!("a:b:{KEY}")), false)]
#[case("Basic \u{e9}".into(), false)]
#[case(String::new(), false)]
fn the_key_comes_as_a_bearer_token_or_a_password(#[case] sent: String, #[case] bears: bool) {
    assert_eq!(bears_key(&sent, &Secret::new(KEY)), bears);
}

#[rstest]
#[case(json!({}), &[])]
#[case(json!({ "scope": "a  b" }), &["a", "b"])]
#[case(json!({ "scopes": ["a", 7, "b c"] }), &["a", "b c"])]
#[case(json!({ "scp": "a", "scope": "b" }), &["b", "a"])]
#[case(json!({ "scope": 7, "scopes": { "a": true }, "scp": null }), &[])]
fn scopes_are_words_or_a_list(#[case] claims: Value, #[case] expected: &[&str]) {
    assert_eq!(scopes(claims.as_object().unwrap()), expected);
}

#[test]
fn an_introspection_tells_the_claims_and_cannot_be_told_otherwise_by_them() {
    let claims = json!({ "sub": "ada", "scp": ["a", "b"], "active": false, "token_type": "x" });
    let told = introspection(claims.as_object().unwrap().clone());
    let expected = json!({
        "sub": "ada", "scp": ["a", "b"], "scope": "a b", "active": true, "token_type": "Bearer",
    });
    assert_eq!(Value::Object(told), expected);
}
