use super::*;
use rstest::rstest;
use serde_json::json;

fn policy(allow: Value, deny: Value, trust_email: bool) -> SignInPolicy {
    let read = |value: Value| if value.is_null() { Vec::new() } else { rules(value).unwrap() };
    SignInPolicy { allow: read(allow), deny: read(deny), trust_email }
}

fn admits(policy: &SignInPolicy, claims: &Value) -> bool {
    policy.admit(claims.as_object().unwrap()).is_ok()
}

fn verified(email: &str) -> Value {
    json!({ "email": email, "email_verified": true })
}

#[rstest]
#[case("ada@example.com", true)]
#[case("Ada@EXAMPLE.com", true)]
#[case("ada+tag@example.com", true)]
#[case("ada@sub.example.com", false)]
#[case("ada@notexample.com", false)]
#[case("ada@example.com.evil.com", false)]
#[case("ada@evil.com@example.com", false)]
#[case("\"ada@evil.com\"@example.com", false)]
#[case("\"ada\"@example.com", false)]
#[case("@example.com", false)]
#[case("example.com", false)]
#[case("ada@example.com.", false)]
#[case("ada@.example.com", false)]
#[case("ada@example.com ", false)]
#[case(" ada@example.com", false)]
#[case("ada@example.com\n", false)]
#[case("ada@example.com\0", false)]
#[case("ada@example.com>", false)]
#[case("<ada@evil.com>ada@example.com", false)]
#[case("ada@evil.com,bob@example.com", false)]
#[case("ada@evil.com(@example.com", false)]
#[case::ideographic_full_stop("ada@example\u{3002}com", false)]
#[case::fullwidth_full_stop("ada@example\u{ff0e}com", false)]
#[case::fullwidth_letters("ada@\u{ff45}xample.com", false)]
#[case::kelvin_sign_folds_to_k("ada@\u{212a}example.com", false)]
#[case::cyrillic_a("ada@ex\u{430}mple.com", false)]
#[case::fullwidth_at("ada\u{ff20}example.com", false)]
#[case::no_break_space("ada@evil.com\u{a0}@example.com", false)]
fn a_domain_is_what_everybody_reads_behind_the_one_at(#[case] email: &str, #[case] fine: bool) {
    let policy = policy(json!({ "email_domain": "example.com" }), Value::Null, false);
    assert_eq!(admits(&policy, &verified(email)), fine);
}

#[rstest]
#[case(json!(true), true)]
#[case(json!(false), false)]
#[case(json!("true"), false)]
#[case(json!(1), false)]
#[case(Value::Null, false)]
fn an_address_that_is_not_verified_lets_nobody_in_unless_it_is_trusted(
    #[case] verified: Value,
    #[case] fine: bool,
) {
    for allow in [json!({ "email_domain": "a.example" }), json!({ "email": "ada@a.example" })] {
        let claims = json!({ "email": "ada@a.example", "email_verified": verified });
        assert_eq!(admits(&policy(allow.clone(), Value::Null, false), &claims), fine);
        assert!(admits(&policy(allow, Value::Null, true), &claims));
    }
}

#[rstest]
#[case("ada@evil.com", true)]
#[case("ada@EVIL.com", true)]
#[case("ada@sub.evil.com", false)]
#[case("ada@example.com", false)]
#[case::who_cannot_be_read_may_be_one("ada@example.com@evil.com", true)]
#[case("ada@evil.com.", true)]
#[case("ada@evil\u{3002}com", true)]
fn a_denied_domain_is_kept_out_verified_or_not(#[case] email: &str, #[case] out: bool) {
    let policy = policy(Value::Null, json!({ "email_domain": ["x.example", "evil.com"] }), false);
    for is_verified in [true, false] {
        let claims = json!({ "email": email, "email_verified": is_verified });
        assert_eq!(!admits(&policy, &claims), out);
    }
    assert!(admits(&policy, &json!({})), "who has no address has none of these");
}

#[rstest]
#[case(json!("eve@a.example"), true)]
#[case(json!("EVE@a.example"), true)]
#[case(json!("eve@a.example "), true)]
#[case(json!(["eve@a.example"]), true)]
#[case(json!({ "a": 1 }), true)]
#[case(json!("ada@a.example"), false)]
fn a_denied_address_is_kept_out_and_so_is_what_may_be_one(#[case] email: Value, #[case] out: bool) {
    let policy = policy(Value::Null, json!({ "email": "eve@a.example" }), false);
    assert_eq!(!admits(&policy, &json!({ "email": email })), out);
}

#[rstest]
#[case(json!({ "groups": "crew" }), json!({ "groups": ["board", "crew"] }), true)]
#[case(json!({ "groups": "crew" }), json!({ "groups": "crew" }), true)]
#[case(json!({ "groups": "crew" }), json!({ "groups": "crew, board" }), false)]
#[case(json!({ "groups": "crew" }), json!({ "groups": ["Crew"] }), false)]
#[case(json!({ "groups": "crew" }), json!({ "groups": [] }), false)]
#[case(json!({ "groups": "crew" }), json!({ "groups": [["crew"]] }), false)]
#[case(json!({ "groups": "crew" }), json!({}), false)]
#[case(json!({ "groups": "crew" }), json!({ "groups": null }), false)]
#[case(json!({ "groups": ["crew", "board"] }), json!({ "groups": ["board"] }), true)]
#[case(json!({ "/realm_access/roles": "boats" }), json!({ "realm_access": { "roles": ["boats"] } }), true)]
#[case(json!({ "/realm_access/roles": "boats" }), json!({ "realm_access/roles": ["boats"] }), false)]
#[case(json!({ "https://a.example/roles": "boats" }), json!({ "https://a.example/roles": ["boats"] }), true)]
#[case(json!({ "urn:zitadel:iam:org:project:roles": "boats" }), json!({ "urn:zitadel:iam:org:project:roles": { "boats": { "7": "a" } } }), true)]
#[case(json!({ "hd": "a.example" }), json!({ "hd": "a.example" }), true)]
#[case(json!({ "mfa": true }), json!({ "mfa": true }), true)]
#[case(json!({ "mfa": true }), json!({ "mfa": 1 }), false)]
#[case(json!({ "tier": 3 }), json!({ "tier": 3.0 }), true)]
#[case(json!({ "tier": 3 }), json!({ "tier": 3.5 }), false)]
#[case(json!({ "id": 9007199254740993u64 }), json!({ "id": 9007199254740992u64 }), false)]
#[case(json!({ "roles": "boats" }), json!({ "roles": { "boats": true } }), true)]
#[case(json!({ "roles": "boats" }), json!({ "roles": { "boats": false } }), false)]
#[case(json!({ "roles": "boats" }), json!({ "roles": { "boats": null } }), false)]
#[case(json!({ "tier": 3 }), json!({ "tier": 3 }), true)]
#[case(json!({ "id": "42" }), json!({ "id": 42 }), true)]
#[case(json!({ "id": 42 }), json!({ "id": "42" }), true)]
#[case::every_member_of_an_object(json!({ "groups": "crew", "hd": "a.example" }), json!({ "groups": ["crew"] }), false)]
#[case::any_object_of_a_list(json!([{ "groups": "crew" }, { "hd": "a.example" }]), json!({ "hd": "a.example" }), true)]
fn claims_are_compared_by_their_values(
    #[case] allow: Value,
    #[case] claims: Value,
    #[case] fine: bool,
) {
    assert_eq!(admits(&policy(allow.clone(), Value::Null, false), &claims), fine);
    assert_eq!(admits(&policy(Value::Null, allow, false), &claims), !fine);
}

#[rstest]
#[case::a_flag_in_a_text(json!({ "suspended": true }), json!({ "suspended": "true" }))]
#[case::in_another_case(json!({ "active": false }), json!({ "active": "False" }))]
#[case::too_many_groups(json!({ "groups": "guests" }), json!({ "_claim_names": { "groups": "src1" } }))]
#[case::a_group_by_its_place(json!({ "/groups/0": "guests" }), json!({ "_claim_names": { "groups": "src1" } }))]
#[case::groups_that_are_not_listed(json!({ "groups": "guests" }), json!({ "hasgroups": true }))]
#[case::said_elsewhere(json!({ "country": "XX" }), json!({ "_claim_names": { "country": "src1" } }))]
#[case::an_address_said_elsewhere(json!({ "email_domain": "evil.com" }), json!({ "_claim_names": { "email": "src1" } }))]
fn what_cannot_be_read_keeps_out_where_it_is_denied_and_lets_nobody_in(
    #[case] of: Value,
    #[case] claims: Value,
) {
    assert!(!admits(&policy(Value::Null, of.clone(), true), &claims));
    assert!(!admits(&policy(of, Value::Null, true), &claims));
}

#[rstest]
#[case(json!({ "suspended": "false" }))]
#[case(json!({ "hasgroups": false, "_claim_names": { "country": "src1" } }))]
#[case(json!({ "groups": ["crew"], "_claim_names": { "groups": "src1" } }))]
fn what_says_no_keeps_nobody_out(#[case] claims: Value) {
    let denied = json!([{ "suspended": true }, { "groups": "guests" }]);
    assert!(admits(&policy(Value::Null, denied, false), &claims));
}

#[test]
fn deny_wins_and_without_either_everybody_may_sign_in() {
    let both = policy(json!({ "groups": "crew" }), json!({ "sub": "7" }), false);
    assert!(admits(&both, &json!({ "groups": ["crew"] })));
    assert!(!admits(&both, &json!({ "groups": ["crew"], "sub": "7" })));
    assert!(admits(&SignInPolicy::default(), &json!({})));
}

#[rstest]
#[case(json!({ "email_domain": "a.example" }), json!({ "email": "ada@a.example" }), "trust_email")]
#[case(json!({ "groups": "crew" }), json!({ "hasgroups": true }), "more groups than the token has room for")]
#[case(json!({ "groups": "crew" }), json!({ "_claim_names": { "groups": "src1" } }), "more groups than the token has room for")]
#[case(json!({ "groups": "crew" }), json!({ "email": "ada@a.example" }), "no object of `allow` holds")]
fn the_log_says_what_is_missing_and_no_value(
    #[case] allow: Value,
    #[case] claims: Value,
    #[case] says: &str,
) {
    let policy = policy(allow, Value::Null, false);
    let NotAllowed(why) = policy.admit(claims.as_object().unwrap()).unwrap_err();
    assert!(why.contains(says) && !why.contains("ada"), "{why}");
}

#[rstest]
#[case(json!("crew"), "expected an object, got \"crew\"")]
#[case(json!([]), "is empty")]
#[case(json!({}), "is empty; name a claim")]
#[case(json!([{ "groups": "a" }, {}]), "[1]: is empty; name a claim")]
#[case(json!({ "groups": [] }), "groups: is empty")]
#[case(json!({ "groups": ["a", ""] }), "groups[1]: expected a value, got an empty text")]
#[case(json!({ "groups": null }), "groups[0]: expected a text, a number, true or false, got null")]
#[case(json!({ "groups": [{}] }), "groups[0]: expected a text, a number, true or false, got an object")]
#[case(json!({ "email_domain": "@a.example" }), "email_domain[0]: expected a domain like")]
#[case(json!({ "email_domain": "*.a.example" }), "email_domain[0]: expected a domain like")]
#[case(json!({ "email_domain": "b\u{fc}cher.example" }), "email_domain[0]: expected a domain like")]
#[case(json!({ "email_domain": true }), "email_domain[0]: expected a domain like")]
#[case(json!({ "email": "a.example" }), "email[0]: expected an address like")]
#[case(json!({ "/a~": "b" }), "/a~: expected a claim's name")]
fn what_would_hold_for_nobody_or_everybody_is_refused(#[case] value: Value, #[case] says: &str) {
    let error = rules(value).unwrap_err().to_string();
    assert!(error.trim_start_matches('.').starts_with(says), "{error}");
}
