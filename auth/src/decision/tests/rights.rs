//! The rights of a session: they count instead of what its token says, on every way that a request can take.

use super::*;
use crate::decision::tests::assertion::guard_that_asserts;
use crate::identity::ASSERTION;
use crate::jwt::UnverifiedJwt;
use crate::session::{LiveSession, Sid};
use crate::token::TokenGrant;
use serde_json::{Value, json};

const ROUTES: &str = r#"[
    {"path": "/admin/*", "access": "session", "roles": ["admin"]},
    {"path": "/reports", "access": "session", "scopes": ["reports:read"]},
    {"path": "/either", "access": "optional"}
]"#;

/// A request with a token that says this.
fn request_with(guard: &Guard, path: &str, public: &Value) -> Request {
    let grant = TokenGrant {
        sub: &"ada".to_owned().try_into().unwrap(),
        sid: &Sid::from_random([7; 16]),
        jti: "jti",
        public: public.as_object().unwrap(),
        now: NOW,
        lifetime: Duration::from_secs(600),
    };
    let bearer = format!("Bearer {}", guard.tokens().issue(&grant).unwrap());
    request("GET", path, &[("authorization", &bearer)])
}

fn live(rights: Option<&Value>) -> Session {
    let sid = Sid::from_random([7; 16]);
    let rights = rights.map(Value::to_string);
    Session { jti: "jti".into(), rights, ..session(sid.as_str(), 0, NOW.millis() + 600_000) }
}

fn answered(rights: Option<&Value>) -> Result<CommandResult, StoreError> {
    found(Some(live(rights)))
}

fn down() -> Result<CommandResult, StoreError> {
    Err(StoreError::Unreachable("down".into()))
}

/// Steps 4 and 5 as the platform takes them, with the plan that the request then follows.
fn follow(
    guard: &Guard,
    plan: &ForwardPlan,
    request: &Request,
    answer: Result<CommandResult, StoreError>,
) -> Result<(ForwardPlan, Option<LiveSession>), Refusal> {
    let plan = match guard.token_with_rights(plan.principal(), &answer)? {
        None => plan.clone(),
        Some(token) => guard.plan_with_rights(plan, token, request)?,
    };
    let live = guard.judge(&plan, answer, NOW)?;
    Ok((plan, live))
}

fn identity(plan: &ForwardPlan, name: &str) -> Option<String> {
    let sent = HeaderFilter::default();
    let headers = plan.header_changes(&sent).identity;
    headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.clone())
}

#[rstest]
#[case::no_change("/admin/x", None, true)]
#[case::taken("/admin/x", Some(json!({ "roles": [] })), false)]
#[case::another("/admin/x", Some(json!({ "roles": ["admin", "x"] })), true)]
#[case::another_member("/admin/x", Some(json!({ "scopes": [] })), true)]
#[case::not_given("/reports", None, false)]
#[case::given("/reports", Some(json!({ "scopes": ["reports:read"] })), true)]
#[case::given_another("/reports", Some(json!({ "scopes": ["reports:write"] })), false)]
#[case::for_everybody("/either", Some(json!({ "roles": [] })), true)]
fn a_rule_is_judged_by_the_rights_that_the_session_has_now(
    #[case] path: &str,
    #[case] rights: Option<Value>,
    #[case] passes: bool,
) {
    let guard = guard_with(&[("ROUTES", ROUTES)]);
    let request = request_with(&guard, path, &json!({ "roles": ["admin"], "scope": "a" }));
    let plan = check(&guard, &request);
    let verdict = follow(&guard, &plan, &request, answered(rights.as_ref()));
    assert_eq!(verdict.as_ref().err().map(Refusal::code), (!passes).then_some("access_denied"));
}

#[test]
fn the_origin_is_told_of_the_rights_and_of_nothing_else() {
    let guard = guard_that_asserts(&[]);
    let token = json!({ "email": "old@a.example", "roles": ["admin"], "scp": ["a"], "plan": "x" });
    let request = request_with(&guard, "/x", &token);
    let claims = json!({ "email": "new@a.example", "plan": null });
    let rights = json!({ "roles": ["member"], "scopes": ["b"], "claims": claims });
    let (plan, _) =
        follow(&guard, &check(&guard, &request), &request, answered(Some(&rights))).unwrap();
    let told = ["Email", "Groups", "Claim-roles", "Claim-scope", "Claim-scp", "Claim-plan"];
    let told = told.map(|name| identity(&plan, &format!("X-Auth-Request-{name}")));
    let [new, member, list] = ["new@a.example", "member", r#"["member"]"#];
    assert_eq!(
        told.each_ref().map(Option::as_deref),
        [Some(new), Some(member), Some(list), Some("b"), None, None]
    );
    let sent = HeaderFilter::default();
    let set = plan.header_changes(&sent).set;
    let (_, assertion) = set.iter().find(|(name, _)| *name == ASSERTION).unwrap();
    let key = &guard.tokens().keys().signing().material;
    let claims = UnverifiedJwt::parse(assertion).unwrap().verify(key).unwrap().claims.into_rest();
    assert_eq!(claims["email"], new);
}

#[test]
fn a_plan_with_rights_serves_until_they_change_and_the_token_counts_again_without_them() {
    let guard = guard_with(&[("ROUTES", ROUTES)]);
    let request = request_with(&guard, "/x", &json!({ "roles": ["admin"] }));
    let other = request_with(&guard, "/admin/x", &json!({ "roles": ["admin"] }));
    let [taken, renamed] = [json!({ "roles": [] }), json!({ "roles": ["x"] })];
    let by_token = check(&guard, &request);
    let next = |plan: &ForwardPlan, rights: Option<&Value>| {
        follow(&guard, plan, &request, answered(rights)).unwrap().0
    };
    let first = next(&by_token, Some(&taken));
    assert_eq!(identity(&first, "X-Auth-Request-Groups").as_deref(), Some(""));
    assert!(!guard.plan_applies_to(&first, &other, NOW), "the path is not for this user now");
    let again = guard.token_with_rights(first.principal(), &answered(Some(&taken)));
    assert_eq!(again, Ok(None), "nothing is made anew");
    let second = next(&first, Some(&renamed));
    assert_eq!(identity(&second, "X-Auth-Request-Groups").as_deref(), Some("x"));
    let third = next(&second, None);
    assert_eq!(identity(&third, "X-Auth-Request-Groups").as_deref(), Some("admin"));
    let (again, token) = (third.principal().token(), by_token.principal().token());
    assert_eq!(again.identity(), token.identity());
    assert_eq!(second.principal().token().own_claims(), token.own_claims());
}

#[test]
fn a_plan_with_other_rights_decides_nothing() {
    let guard = guard();
    let request = request_with(&guard, "/x", &json!({ "roles": ["admin"] }));
    let by_token = check(&guard, &request);
    let rights = json!({ "roles": [] });
    let with_rights = follow(&guard, &by_token, &request, answered(Some(&rights))).unwrap().0;
    for (plan, answer) in [(&by_token, answered(Some(&rights))), (&with_rights, answered(None))] {
        assert!(matches!(guard.judge(plan, answer, NOW), Err(Refusal::Failed(_))));
    }
}

#[test]
fn a_request_is_not_sent_ahead_with_rights_that_may_have_changed() {
    let guard = guard_with(&[("OVERLAP_SAFE_REQUESTS", "true")]);
    let request = request_with(&guard, "/x", &json!({}));
    let by_token = check(&guard, &request);
    assert!(by_token.overlaps_store());
    let rights = json!({ "claims": { "plan": "paid" } });
    let with_rights = follow(&guard, &by_token, &request, answered(Some(&rights))).unwrap().0;
    assert!(!with_rights.overlaps_store());
}

#[rstest]
#[case::none(None, None, true)]
#[case::these(Some(json!({ "roles": [] })), None, true)]
#[case::others_in_the_meantime(Some(json!({ "roles": [] })), Some(json!({ "roles": ["x"] })), true)]
fn in_an_outage_the_rights_hold_that_the_session_had_last(
    #[case] first: Option<Value>,
    #[case] then: Option<Value>,
    #[case] passes: bool,
) {
    let guard = guard_with(&[("STORE_FAILURE", "allow-recent: 60 seconds")]);
    let request = request_with(&guard, "/x", &json!({ "roles": ["admin"] }));
    let plan = check(&guard, &request);
    assert!(follow(&guard, &plan, &request, down()).is_err(), "never seen");
    follow(&guard, &plan, &request, answered(first.as_ref())).unwrap();
    let last = then.as_ref().or(first.as_ref());
    follow(&guard, &plan, &request, answered(last)).unwrap();
    let outage = follow(&guard, &plan, &request, down());
    assert_eq!(outage.is_ok(), passes);
    let expected = last.map_or("admin".into(), |rights| rights["roles"].clone());
    let expected = expected
        .as_array()
        .map_or("admin", |roles| roles.first().and_then(Value::as_str).unwrap_or_default());
    let told = identity(&outage.unwrap().0, "X-Auth-Request-Groups");
    assert_eq!(told.as_deref(), Some(expected));
}

#[test]
fn in_an_outage_nobody_passes_by_rights_that_were_changed_elsewhere_or_are_forgotten() {
    let settings = [("STORE_FAILURE", "allow-recent: 60 seconds")];
    let guard = guard_with(&settings);
    let request = request_with(&guard, "/x", &json!({ "roles": ["admin"] }));
    let plan = check(&guard, &request);
    follow(&guard, &plan, &request, answered(None)).unwrap();
    // A late response saw the session with rights that no request had yet.
    let rights = live(Some(&json!({ "roles": [] })));
    guard.recheck(plan.principal().sid(), Ok(Some(Rc::new(rights))), NOW).unwrap();
    let refused = follow(&guard, &plan, &request, down()).unwrap_err();
    assert_eq!(refused.code(), "store_unavailable");
}

#[rstest]
#[case::no_json("{", "store_unavailable")]
#[case::of_another_version(r#"{"groups":[]}"#, "store_unavailable")]
fn rights_that_cannot_be_read_let_nobody_in(#[case] rights: &str, #[case] code: &str) {
    let guard = guard();
    let request = request_with(&guard, "/x", &json!({}));
    let plan = check(&guard, &request);
    let session = Session { rights: Some(rights.into()), ..live(None) };
    let refused = follow(&guard, &plan, &request, found(Some(session.clone()))).unwrap_err();
    assert_eq!(refused.code(), code);
    let ended = Session { ended: Some(SessionEnd::Revoked { at: NOW }), ..session };
    let refused = follow(&guard, &plan, &request, found(Some(ended))).unwrap_err();
    assert_eq!(refused.code(), "session_revoked", "whatever its rights");
}

#[test]
fn rights_too_large_for_the_origin_let_nobody_in_and_the_log_names_the_claim() {
    let guard = guard();
    let request = request_with(&guard, "/x", &json!({ "name": "x".repeat(4000) }));
    let rights = json!({ "claims": { "notes": "é".repeat(900) } });
    let plan = check(&guard, &request);
    let refused = follow(&guard, &plan, &request, answered(Some(&rights))).unwrap_err();
    assert_eq!(refused.code(), "internal_error");
    assert!(refused.cause().unwrap().contains("`notes`"), "{refused:?}");
}

#[rstest]
#[case::taken(json!({ "scopes": [] }), json!({ "scope": "sessions:read" }), false)]
#[case::given(json!({ "scopes": ["sessions:read"] }), json!({}), true)]
fn a_caller_of_the_guards_own_endpoints_has_the_rights_too(
    #[case] rights: Value,
    #[case] token: Value,
    #[case] is_admin: bool,
) {
    let guard = guard();
    let request = request_with(&guard, "/_auth/session", &token);
    let caller = guard.authenticate(&request, NOW).unwrap();
    let caller = guard.principal_with_rights(caller, &live(Some(&rights))).unwrap();
    assert_eq!(caller.admin_scopes().is_admin(), is_admin);
    let claims = token.as_object().unwrap().clone();
    let claims = guard.claims_with_rights(claims, &live(Some(&rights))).unwrap();
    assert_eq!(claims.contains_key("scope"), is_admin);
}

#[test]
fn a_change_that_the_origin_could_not_be_told_of_is_refused() {
    let guard = guard();
    let user = "ada".to_owned().try_into().unwrap();
    let check = |roles: Vec<String>| {
        let rights = json!({ "roles": roles, "claims": { "a": "é".repeat(1000) } });
        guard.check_rights_change(&user, &crate::rights::change(rights).unwrap())
    };
    assert!(check(vec![]).is_ok());
    let refused = check(vec!["é".repeat(500)]).unwrap_err();
    assert!(refused.code() == "bad_request" && refused.detail().contains("`a`"), "{refused:?}");
}

#[test]
fn a_blocked_users_first_request_with_a_providers_token_is_refused_and_no_login_helps() {
    let guard = guard();
    let request = request_with(&guard, "/x", &json!({}));
    let block = crate::session::Block { reason: None, until: None, at: NOW };
    let answer = Ok(CommandResult::Blocked(block));
    let refused = follow(&guard, &check(&guard, &request), &request, answer).unwrap_err();
    assert_eq!((refused.code(), refused.asks_for_login()), ("user_blocked", false));
}
