use super::*;
use crate::body_format::BodyFormat;
use crate::issuer::tests::issuer;
use crate::limit::LimitPolicy;
use crate::limit::SessionLimit;
use crate::site_hosts::SiteHosts;
use rstest::rstest;
use serde_json::json;

fn parse(
    form: BodyFormat,
    body: &str,
    accepted: AcceptedFields,
) -> Result<LoginRequest, &'static str> {
    LoginRequest::parse(form, body, accepted, &SiteHosts::default())
}

const NONE: AcceptedFields = AcceptedFields { id_token: false, remember: false };
const ALL: AcceptedFields = AcceptedFields { id_token: true, remember: true };

const TERMS: LoginTerms<'_> =
    LoginTerms { longest: Duration::from_secs(7 * 24 * 60 * 60), issuers: &[] };

#[test]
fn both_forms_carry_the_same_credentials() {
    let json = r#"{"username":"ada","password":"p&w","redirect":"/a"}"#;
    let page = "username=ada&password=p%26w&redirect=%2Fa";
    let json = parse(BodyFormat::Json, json, NONE).unwrap();
    assert_eq!(json, parse(BodyFormat::Form, page, ALL).unwrap());
    let fields = json!({ "password": "p&w", "username": "ada" });
    assert!(
        matches!(&json.credentials, LoginCredentials::Fields(all) if fields.as_object() == Some(all))
    );
    assert_eq!(json.redirect.unwrap().as_str(), "/a");
}

#[rstest]
#[case(BodyFormat::Json, "[]", "JSON object")]
#[case(BodyFormat::Json, "{", "JSON object")]
#[case(BodyFormat::Json, "{}", "no credentials")]
#[case(BodyFormat::Form, "", "no credentials")]
#[case(BodyFormat::Form, "username=a&redirect=//evil.example", "`redirect`")]
#[case(BodyFormat::Json, r#"{"username":"a","redirect":7}"#, "`redirect`")]
#[case(BodyFormat::Json, r#"{"username":"a","end":"s"}"#, "`end`")]
#[case(BodyFormat::Form, "username=a&end=s&end=a:b", "`end`")]
#[case(BodyFormat::Json, r#"{"id_token":7}"#, "`id_token`")]
#[case(BodyFormat::Json, r#"{"id_token":"x.y.z","nonce":7}"#, "`nonce`")]
#[case(BodyFormat::Json, r#"{"id_token":"x.y.z","password":"p"}"#, "or credentials")]
#[case(BodyFormat::Json, r#"{"username":"a","remember":"on"}"#, "`remember`")]
#[case(BodyFormat::Json, r#"{"username":"a","remember":null}"#, "`remember`")]
fn a_bad_body_is_refused(#[case] form: BodyFormat, #[case] body: &str, #[case] says: &str) {
    let error = parse(form, body, ALL).unwrap_err();
    assert!(error.contains(says), "{error}");
}

#[test]
fn an_id_token_is_a_proof_in_json_and_where_issuers_are_trusted() {
    let json = r#"{"id_token":"x.y.z","nonce":"n","redirect":"/a"}"#;
    let expected = LoginCredentials::IdToken { token: "x.y.z".into(), nonce: Some("n".into()) };
    assert!(parse(BodyFormat::Json, json, ALL).unwrap().credentials == expected);
    for (form, body, accepted) in
        [(BodyFormat::Json, json, NONE), (BodyFormat::Form, "id_token=x.y.z", ALL)]
    {
        let attempt = parse(form, body, accepted).unwrap();
        assert!(
            matches!(attempt.credentials, LoginCredentials::Fields(all) if all.contains_key("id_token"))
        );
    }
}

#[test]
fn an_approval_brings_claims_roles_data_and_limit() {
    let body =
        r#"{"sub":"ada","claims":{"email":"a@b"},"data":{"b":[]},"roles":["x"],"session_limit":3}"#;
    let approval = AuthenticatedUser::parse(body, TERMS).unwrap();
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
    let approval = AuthenticatedUser::parse(body, TERMS).unwrap();
    assert_eq!(approval.session_limit, limit.map(|text| SessionLimit::parse(text).unwrap()));
    assert_eq!(approval.policy, policy);
}

#[test]
fn a_login_may_name_the_sessions_that_it_ends() {
    let json = r#"{"username":"a","end":["s-1","s-2"]}"#;
    let page = "username=a&end=s-1&end=s-2";
    let json = parse(BodyFormat::Json, json, NONE).unwrap();
    assert_eq!(json.end.iter().map(Sid::as_str).collect::<Vec<_>>(), ["s-1", "s-2"]);
    assert_eq!(json, parse(BodyFormat::Form, page, NONE).unwrap());
}

#[rstest]
#[case(BodyFormat::Json, r#"{"username":"a"}"#, false)]
#[case(BodyFormat::Json, r#"{"username":"a","remember":true}"#, true)]
#[case(BodyFormat::Json, r#"{"username":"a","remember":false}"#, false)]
#[case(BodyFormat::Json, r#"{"id_token":"x.y.z","remember":true}"#, true)]
#[case(BodyFormat::Form, "username=a", false)]
#[case(BodyFormat::Form, "username=a&remember=true", true)]
#[case(BodyFormat::Form, "username=a&remember=on", true)]
#[case(BodyFormat::Form, "username=a&remember=1", true)]
#[case(BodyFormat::Form, "username=a&remember=false", false)]
#[case(BodyFormat::Form, "username=a&remember=", false)]
fn a_login_may_ask_to_stay_signed_in_and_keeps_that_from_the_origin(
    #[case] form: BodyFormat,
    #[case] body: &str,
    #[case] expected: bool,
) {
    let login = parse(form, body, ALL).unwrap();
    assert_eq!(login.remember, expected);
    if let LoginCredentials::Fields(fields) = &login.credentials {
        assert!(!fields.contains_key("remember"));
    }
}

#[test]
fn without_a_short_lifetime_remember_is_a_field_for_the_origin_like_any_other() {
    let body = r#"{"username":"a","remember":"on"}"#;
    let login = parse(BodyFormat::Json, body, NONE).unwrap();
    assert!(!login.remember);
    let expected = json!({ "username": "a", "remember": "on" });
    assert!(
        matches!(&login.credentials, LoginCredentials::Fields(all) if expected.as_object() == Some(all))
    );
}

#[rstest]
#[case("", "no JSON")]
#[case("<!doctype html>", "no JSON")]
#[case("[]", "no JSON object")]
#[case("null", "no JSON object")]
#[case(r#"{"sub":"a"} {"#, "no JSON")]
#[case("{}", "`sub` is missing")]
#[case(r#"{"sub":null}"#, "`sub` is missing")]
#[case(r#"{"sub":""}"#, "`sub` is empty")]
#[case(r#"{"sub":7}"#, "`sub` is of the wrong type")]
#[case(r#"{"sub":["a"]}"#, "`sub` is of the wrong type")]
#[case(&format!(r#"{{"sub":"{}"}}"#, "a".repeat(1025)), "`sub` is longer")]
#[case(r#"{"sub":"a","claims":"x"}"#, "`claims` is of the wrong type")]
#[case(r#"{"sub":"a","roles":"admin"}"#, "`roles` is of the wrong type")]
#[case(r#"{"sub":"a","roles":[1]}"#, "`roles` is of the wrong type")]
#[case(r#"{"sub":"a","end":"s"}"#, "`end` is of the wrong type")]
#[case(r#"{"sub":"a","claims":{"exp":1}}"#, "`exp`")]
#[case(r#"{"sub":"a","claims":{"sid":"x"}}"#, "`sid`")]
#[case(r#"{"sub":"a","data":[]}"#, "wrong type")]
#[case(r#"{"sub":"a","session_limit":-1}"#, "wrong type")]
#[case(r#"{"sub":"a","session_limit":"many"}"#, "wrong type")]
#[case(r#"{"sub":"a","session_limit_policy":"never"}"#, "wrong type")]
#[case(r#"{"sub":"a","session_ttl":900}"#, "`session_ttl` is of the wrong type")]
#[case(r#"{"sub":"a","session_ttl":"soon"}"#, "`session_ttl` must be a duration like")]
#[case(r#"{"sub":"a","session_ttl":"0 s"}"#, "`session_ttl` must be a duration like")]
#[case(
    r#"{"sub":"a","session_ttl":"8 days"}"#,
    "`session_ttl` must not be longer than SESSION_TTL"
)]
#[case(
    r#"{"sub":"a","idle_timeout":"8 days"}"#,
    "`idle_timeout` must not be longer than SESSION_TTL"
)]
#[case(r#"{"sub":"a","remember":"true"}"#, "`remember` is of the wrong type")]
fn an_unusable_approval_says_what_to_change(#[case] body: &str, #[case] says: &str) {
    let error = AuthenticatedUser::parse(body, TERMS).unwrap_err().to_string();
    assert!(error.contains(says), "{error}");
}

#[test]
fn a_member_that_is_null_says_nothing() {
    let body = r#"{"sub":"a","claims":null,"data":null,"roles":null,"session_limit":null,"session_limit_policy":null,"session_ttl":null,"idle_timeout":null,"remember":null,"end":null}"#;
    assert!(
        AuthenticatedUser::parse(body, TERMS).unwrap()
            == AuthenticatedUser::parse(r#"{"sub":"a"}"#, TERMS).unwrap()
    );
}

#[rstest]
#[case::an_issuers_user("idp|u1", false)]
#[case::whoever_has_the_prefix("idp|", false)]
#[case::below_it("idp|u1|x", false)]
#[case::the_beginning_of_it("idp", true)]
#[case::in_the_middle("u1idp|", true)]
#[case::another_case("IDP|u1", true)]
#[case::ones_own("u1", true)]
fn the_origin_cannot_log_in_an_issuers_users(#[case] sub: &str, #[case] fine: bool) {
    let one = issuer(json!({ "subject_prefix": "idp|" }));
    let other = issuer(json!({ "issuer": "https://same.example", "subject_prefix": "" }));
    let terms = LoginTerms { issuers: &[other, one], ..TERMS };
    let approval = AuthenticatedUser::parse(&json!({ "sub": sub }).to_string(), terms);
    assert_eq!(approval.is_ok(), fine, "{sub}");
    if let Err(error) = approval {
        let error = error.to_string();
        assert!(error.contains("https://idp.example"), "{error}");
        assert!(!error.contains("u1"), "{error}");
    }
}

#[rstest]
#[case(200, None, r#"{"sub":"a"}"#, Ok("a"))]
#[case(200, None, "", Err((502, "answered 200, but a login cannot be made of it: it is no JSON")))]
#[case(200, None, "<!doctype html>", Err((502, "no JSON object (line 1, column 1)")))]
#[case(200, None, r#"{"sub":5}"#, Err((502, "`sub` is of the wrong type")))]
#[case(201, None, r#"{"sub":"a"}"#, Err((502, "answered 201; it must answer 200")))]
#[case(204, None, "", Err((502, "answered 204; it must answer 200")))]
#[case(302, None, r#"{"sub":"a"}"#, Err((502, "answered 302, and redirects are not followed")))]
#[case(400, None, "{}", Err((502, "answered 400; it must answer 200")))]
#[case(401, None, "<html>", Err((401, "")))]
#[case(403, None, "{}", Err((502, "answered 403; it must answer 200")))]
#[case(404, None, "{}", Err((502, "answered 404; it must answer 200")))]
#[case(422, None, "{}", Err((502, "answered 422; it must answer 200")))]
#[case(429, Some("7"), "", Err((429, "Wait 7 seconds")))]
#[case(429, Some("0"), "", Err((429, "Wait 1 seconds")))]
#[case(429, Some("99999999999"), "", Err((429, "Wait 86400 seconds")))]
#[case(429, Some("Wed, 21 Oct 2026 07:28:00 GMT"), "", Err((429, "Wait 60 seconds")))]
#[case(429, None, "", Err((429, "Wait 60 seconds")))]
#[case(500, None, r#"{"sub":"a"}"#, Err((502, "LOGIN_URL answered 500")))]
#[case(503, Some("7"), "", Err((502, "LOGIN_URL answered 503")))]
fn an_answer_of_the_login_endpoint_means_one_thing(
    #[case] status: u16,
    #[case] retry_after: Option<&str>,
    #[case] body: &str,
    #[case] expected: Result<&str, (u16, &str)>,
) {
    let read = LoginUrlResponse { status, retry_after, body }.read(TERMS);
    let read = read
        .as_ref()
        .map(|approval| approval.sub.as_str())
        .map_err(|refusal| (refusal.status(), refusal.cause().unwrap_or_else(|| refusal.detail())));
    match (read, expected) {
        (Ok(sub), Ok(expected)) => assert_eq!(sub, expected),
        (Err((status, told)), Err((expected, says))) => {
            assert_eq!(status, expected, "{told}");
            assert!(told.contains(says), "{told}");
        }
        (read, expected) => panic!("{status} {body}: {read:?}, expected {expected:?}"),
    }
}

#[test]
fn claims_are_limited_to_four_kilobytes_in_all() {
    let body = |size| json!({ "sub": "a", "claims": { "pad": "x".repeat(size) } }).to_string();
    let frame = r#"{"pad":""}"#.len();
    assert!(AuthenticatedUser::parse(&body(4096 - frame), TERMS).is_ok());
    let error = AuthenticatedUser::parse(&body(4096 - frame + 1), TERMS).unwrap_err();
    assert!(error.to_string().contains("4 KB; `pad` is the largest"), "{error}");
}

#[test]
fn a_session_begins_with_what_is_known_of_its_client() {
    let approval = AuthenticatedUser::parse(r#"{"sub":"ada"}"#, TERMS).unwrap();
    let client = ClientInfo {
        user_agent: Some("é".repeat(200) + " Mozilla/5.0 (iPad)"),
        hints: ClientHints::default(),
        city: Some("Berlin".into()),
        country: Some("DE".into()),
    };
    let lifetimes = SessionLifetimes {
        session: Duration::from_secs(10),
        idle: Some(Duration::from_secs(1)),
        has_own_idle: false,
        persistent: true,
    };
    let now = Timestamp::from_millis(5);
    let session = new_session(&approval, client, lifetimes, [[1; 16], [2; 16]], now);
    assert_eq!(session.expires, Timestamp::from_millis(10_005));
    assert_eq!(session.idle_expires, Some(Timestamp::from_millis(1_005)));
    assert_eq!(session.place.as_deref(), Some("Berlin, DE"));
    assert_eq!(session.user_agent.len(), 256);
    assert_eq!(session.device, DeviceClass::Tablet, "by what is not kept, too");
    assert_ne!(session.sid.as_str(), session.jti);
    assert_eq!((session.idle_timeout, session.transient), (None, false));
}

#[test]
fn a_session_keeps_what_its_own_login_said_of_it() {
    let user = AuthenticatedUser::parse(r#"{"sub":"ada"}"#, TERMS).unwrap();
    let lifetimes = SessionLifetimes {
        session: Duration::from_secs(10),
        idle: Some(Duration::from_secs(1)),
        has_own_idle: true,
        persistent: false,
    };
    let (client, now) = (ClientInfo::default(), Timestamp::from_millis(0));
    let session = new_session(&user, client, lifetimes, [[1; 16], [2; 16]], now);
    assert_eq!(session.idle_timeout, Some(1000));
    assert_eq!(session.cookie_max_age(Duration::from_secs(5)), None);
}
