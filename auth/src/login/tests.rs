use super::*;
use rstest::rstest;
use serde_json::json;
use std::time::Duration;

#[test]
fn both_forms_carry_the_same_credentials() {
    let json = r#"{"username":"ada","password":"p&w","redirect":"/a"}"#;
    let page = "username=ada&password=p%26w&redirect=%2Fa";
    let json = Attempt::parse(Form::Json, json, false).unwrap();
    assert_eq!(json, Attempt::parse(Form::Page, page, true).unwrap());
    let fields = json!({ "password": "p&w", "username": "ada" });
    assert!(matches!(&json.proof, Proof::Credentials(all) if fields.as_object() == Some(all)));
    assert_eq!(json.redirect.unwrap().as_str(), "/a");
}

#[rstest]
#[case(Form::Json, "[]", "JSON object")]
#[case(Form::Json, "{", "JSON object")]
#[case(Form::Json, "{}", "no credentials")]
#[case(Form::Page, "", "no credentials")]
#[case(Form::Page, "username=a&redirect=//evil.example", "`redirect`")]
#[case(Form::Json, r#"{"username":"a","redirect":7}"#, "`redirect`")]
#[case(Form::Json, r#"{"username":"a","end":"s"}"#, "`end`")]
#[case(Form::Page, "username=a&end=s&end=a:b", "`end`")]
#[case(Form::Json, r#"{"id_token":7}"#, "`id_token`")]
#[case(Form::Json, r#"{"id_token":"x.y.z","nonce":7}"#, "`nonce`")]
#[case(Form::Json, r#"{"id_token":"x.y.z","password":"p"}"#, "or credentials")]
fn a_bad_body_is_refused(#[case] form: Form, #[case] body: &str, #[case] says: &str) {
    let error = Attempt::parse(form, body, true).unwrap_err();
    assert!(error.contains(says), "{error}");
}

#[test]
fn an_id_token_is_a_proof_in_json_and_where_issuers_are_trusted() {
    let json = r#"{"id_token":"x.y.z","nonce":"n","redirect":"/a"}"#;
    let expected = Proof::IdToken { token: "x.y.z".into(), nonce: Some("n".into()) };
    assert!(Attempt::parse(Form::Json, json, true).unwrap().proof == expected);
    for (form, body, with_issuers) in
        [(Form::Json, json, false), (Form::Page, "id_token=x.y.z", true)]
    {
        let attempt = Attempt::parse(form, body, with_issuers).unwrap();
        assert!(matches!(attempt.proof, Proof::Credentials(all) if all.contains_key("id_token")));
    }
}

#[test]
fn an_approval_brings_claims_roles_data_and_limit() {
    let body =
        r#"{"sub":"ada","claims":{"email":"a@b"},"data":{"b":[]},"roles":["x"],"session_limit":3}"#;
    let approval = Approval::parse(body).unwrap();
    assert_eq!(approval.sub.as_str(), "ada");
    assert_eq!(approval.claims["email"], "a@b");
    assert_eq!(approval.claims["roles"][0], "x");
    assert_eq!(approval.data.as_deref(), Some(r#"{"b":[]}"#));
    assert_eq!(approval.session_limit, SessionLimit::parse("3").ok());
}

#[rstest]
#[case(r#"{"sub":"a"}"#, None, None)]
#[case(r#"{"sub":"a","session_limit":2}"#, Some("2"), None)]
#[case(r#"{"sub":"a","session_limit":"mobile=2"}"#, Some("mobile=2"), None)]
#[case(r#"{"sub":"a","session_limit_policy":"ask"}"#, None, Some(LimitPolicy::Ask))]
fn the_origin_may_set_limit_and_policy_of_a_user(
    #[case] body: &str,
    #[case] limit: Option<&str>,
    #[case] policy: Option<LimitPolicy>,
) {
    let approval = Approval::parse(body).unwrap();
    assert_eq!(approval.session_limit, limit.map(|text| SessionLimit::parse(text).unwrap()));
    assert_eq!(approval.policy, policy);
}

#[test]
fn a_login_may_name_the_sessions_that_it_ends() {
    let json = r#"{"username":"a","end":["s-1","s-2"]}"#;
    let page = "username=a&end=s-1&end=s-2";
    let json = Attempt::parse(Form::Json, json, false).unwrap();
    assert_eq!(json.end.iter().map(Sid::as_str).collect::<Vec<_>>(), ["s-1", "s-2"]);
    assert_eq!(json, Attempt::parse(Form::Page, page, false).unwrap());
}

#[rstest]
#[case("", "no JSON")]
#[case("{}", "wrong type")]
#[case(r#"{"sub":""}"#, "wrong type")]
#[case(r#"{"sub":7}"#, "wrong type")]
#[case(r#"{"sub":"a","claims":{"exp":1}}"#, "`exp`")]
#[case(r#"{"sub":"a","claims":{"sid":"x"}}"#, "`sid`")]
#[case(r#"{"sub":"a","data":[]}"#, "wrong type")]
#[case(r#"{"sub":"a","session_limit":-1}"#, "wrong type")]
#[case(r#"{"sub":"a","session_limit":"many"}"#, "wrong type")]
#[case(r#"{"sub":"a","session_limit_policy":"never"}"#, "wrong type")]
fn an_unusable_approval_says_what_to_change(#[case] body: &str, #[case] says: &str) {
    let error = Approval::parse(body).unwrap_err().to_string();
    assert!(error.contains(says), "{error}");
}

#[test]
fn claims_are_limited_to_four_kilobytes_in_all() {
    let body = |size| json!({ "sub": "a", "claims": { "pad": "x".repeat(size) } }).to_string();
    let frame = r#"{"pad":""}"#.len();
    assert!(Approval::parse(&body(4096 - frame)).is_ok());
    let error = Approval::parse(&body(4096 - frame + 1)).unwrap_err();
    assert!(error.to_string().contains("4 KB"), "{error}");
}

#[test]
fn a_session_begins_with_what_is_known_of_its_client() {
    let approval = Approval::parse(r#"{"sub":"ada"}"#).unwrap();
    let client = Client {
        user_agent: Some("é".repeat(200)),
        city: Some("Berlin".into()),
        country: Some("DE".into()),
    };
    let lifetimes =
        Lifetimes { session: Duration::from_secs(10), idle: Some(Duration::from_secs(1)) };
    let now = Timestamp::from_millis(5);
    let session = begin(&approval, client, lifetimes, [[1; 16], [2; 16]], now);
    assert_eq!(session.expires, Timestamp::from_millis(10_005));
    assert_eq!(session.idle_expires, Some(Timestamp::from_millis(1_005)));
    assert_eq!(session.place.as_deref(), Some("Berlin, DE"));
    assert_eq!(session.user_agent.len(), 256);
    assert_ne!(session.sid.as_str(), session.jti);
}
