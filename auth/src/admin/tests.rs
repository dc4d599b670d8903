use super::*;
use rstest::rstest;
use serde_json::json;

const KEY: &str = "0123456789abcdef0123456789abcdef";
const OTHER_KEY: &str = "fedcba9876543210fedcba9876543210";

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
#[case::no_key(Service::Introspect, &[], KEY, "not_found")]
#[case::no_key(Service::Revoke, &[], KEY, "not_found")]
#[case::no_key_for_it(Service::Revoke, &["INTROSPECTION_KEY"], OTHER_KEY, "not_found")]
#[case::its_own(Service::Introspect, &["INTROSPECTION_KEY"], OTHER_KEY, "")]
#[case::its_own(Service::Introspect, &["INTROSPECTION_KEY", "ADMIN_API_KEY"], OTHER_KEY, "")]
#[case::the_other(Service::Introspect, &["INTROSPECTION_KEY", "ADMIN_API_KEY"], KEY, "")]
#[case::the_other(Service::Introspect, &["INTROSPECTION_KEY"], KEY, "key_invalid")]
#[case::too_little(Service::Revoke, &["INTROSPECTION_KEY", "ADMIN_API_KEY"], OTHER_KEY, "key_invalid")]
#[case::admin(Service::Revoke, &["INTROSPECTION_KEY", "ADMIN_API_KEY"], KEY, "")]
#[case::none_sent(Service::Introspect, &["INTROSPECTION_KEY"], "", "key_invalid")]
fn who_may_ask_about_tokens_may_not_end_sessions(
    #[case] service: Service,
    #[case] set: &[&str],
    #[case] sent: &str,
    #[case] code: &str,
) {
    let keys = r#"{"keys":[{"kty":"oct","alg":"HS256","kid":"a","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}"#;
    let read = |name: &str| match name {
        "ISSUER" | "AUDIENCE" => Some("https://guard".into()),
        "SIGNING_KEYS" => Some(keys.into()),
        "ADMIN_API_KEY" if set.contains(&name) => Some(KEY.into()),
        "INTROSPECTION_KEY" if set.contains(&name) => Some(OTHER_KEY.into()),
        _ => None,
    };
    let settings = Settings::read(read).unwrap();
    let verdict = service.admit(&settings, &format!("Bearer {sent}"));
    assert_eq!(verdict.err().map_or("", |refusal| refusal.code()), code);
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

const SCOPES: [&str; 3] = ["sessions:read", "sessions:revoke", "sessions:revoke-admins"];

fn rights(scope: &str) -> AdminScopes {
    AdminScopes::of(json!({ "scope": scope }).as_object().unwrap())
}

/// What is allowed, in the order of `ACTS`; `-` is not.
#[rstest]
#[case("", "-----")]
#[case("sessions:read", "s----")]
#[case("sessions:revoke", "---e-")]
#[case("sessions:revoke-admins", "---ea")]
#[case("sessions:read sessions:revoke", "s--e-")]
#[case("sessions:read sessions:revoke-admins", "s--ea")]
#[case("sessions:revoke sessions:revoke-admins", "---ea")]
#[case("sessions:read sessions:revoke sessions:revoke-admins", "s--ea")]
#[case("openid sessions sessions:reads SESSIONS:REVOKE sessions:* *", "-----")]
fn each_scope_allows_its_acts_and_no_others(#[case] scope: &str, #[case] allowed: &str) {
    let power = AdminCredential::Token(rights(scope));
    assert_eq!(table(power), allowed, "{scope}");
    assert_eq!(
        rights(scope).is_admin(),
        SCOPES.iter().any(|it| scope.split(' ').any(|s| s == *it))
    );
}

#[test]
fn the_key_allows_everything() {
    assert_eq!(table(AdminCredential::Key), "sbcea");
}

const ACTS: [(char, Permission); 5] = [
    ('s', Permission::See),
    ('b', Permission::Begin),
    ('c', Permission::Change),
    ('e', Permission::End { of_admin: false }),
    ('a', Permission::End { of_admin: true }),
];

fn table(power: AdminCredential) -> String {
    ACTS.map(|(mark, act)| if power.require(act).is_ok() { mark } else { '-' }).iter().collect()
}

#[rstest]
#[case(Permission::See, Some("sessions:read"))]
#[case(Permission::Begin, None)]
#[case(Permission::Change, None)]
#[case(Permission::Transfer, None)]
#[case(Permission::End { of_admin: false }, Some("sessions:revoke"))]
#[case(Permission::End { of_admin: true }, Some("sessions:revoke-admins"))]
fn who_lacks_a_scope_is_told_which(#[case] act: Permission, #[case] scope: Option<&'static str>) {
    let refused = AdminCredential::Token(AdminScopes::default()).require(act);
    assert_eq!(refused, Err(Refusal::AccessDenied { scope }));
}
