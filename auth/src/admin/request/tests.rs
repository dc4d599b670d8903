use super::*;
use crate::issuer::tests::issuer;
use rstest::rstest;
use serde_json::json;

fn sub(text: &str) -> Subject {
    Subject::try_from(text.to_owned()).unwrap()
}

fn sid(text: &str) -> Sid {
    Sid::try_from(text.to_owned()).unwrap()
}

#[rstest]
#[case("GET", "users", AdminRequest::Users)]
#[case("HEAD", "users", AdminRequest::Users)]
#[case("GET", "stats", AdminRequest::Stats)]
#[case("DELETE", "sessions", AdminRequest::EndEverybodys)]
#[case("POST", "move", AdminRequest::Move)]
#[case("GET", "export", AdminRequest::Export)]
#[case("POST", "import", AdminRequest::Import)]
#[case("GET", "users/ada/sessions", AdminRequest::List(sub("ada")))]
#[case("POST", "users/ada/sessions", AdminRequest::Begin(sub("ada")))]
#[case("DELETE", "users/ada/sessions", AdminRequest::EndAll(sub("ada")))]
#[case("DELETE", "users/ada/sessions/x-1", AdminRequest::End(sub("ada"), sid("x-1")))]
#[case("PATCH", "users/ada/sessions/x-1", AdminRequest::Change(sub("ada"), sid("x-1")))]
#[case("DELETE", "users/a%2Fb%3a%20%C3%A9+c/sessions", AdminRequest::EndAll(sub("a/b: é+c")))]
#[case("PATCH", "users/a%2Fb", AdminRequest::ChangeUser(sub("a/b")))]
#[case("GET", "users/ada/block", AdminRequest::ShowBlock(sub("ada")))]
#[case("PUT", "users/block/block", AdminRequest::Block(sub("block")))]
#[case("DELETE", "users/ada/block", AdminRequest::Unblock(sub("ada")))]
#[case("DELETE", "users/%25/sessions", AdminRequest::EndAll(sub("%")))]
#[case("DELETE", "users/%2e%2E/sessions", AdminRequest::EndAll(sub("..")))]
#[case("DELETE", "users/../sessions", AdminRequest::EndAll(sub("..")))]
#[case("DELETE", "users/sessions/sessions", AdminRequest::EndAll(sub("sessions")))]
#[case("GET", "users/a%2Fb", AdminRequest::UserPage(sub("a/b")))]
#[case("POST", "users/ada", AdminRequest::UserForm(sub("ada")))]
#[case("GET", "users/end", AdminRequest::UserPage(sub("end")))]
#[case("HEAD", "end", AdminRequest::EndManyPage)]
#[case("POST", "end", AdminRequest::EndManyForm)]
fn a_wish_is_read(#[case] method: &str, #[case] path: &str, #[case] wish: AdminRequest) {
    assert_eq!(AdminRequest::parse(method, path), Ok(wish));
}

#[rstest]
#[case("GET", "users", Permission::See)]
#[case("GET", "stats", Permission::See)]
#[case("POST", "move", Permission::Transfer)]
#[case("GET", "export", Permission::Transfer)]
#[case("POST", "import", Permission::Transfer)]
#[case("GET", "users/ada/sessions", Permission::See)]
#[case("POST", "users/ada/sessions", Permission::Begin)]
#[case("DELETE", "users/ada/sessions", Permission::End { of_admin: false })]
#[case("PATCH", "users/ada/sessions/x", Permission::Change)]
#[case("DELETE", "users/ada/sessions/x", Permission::End { of_admin: false })]
#[case("PATCH", "users/ada", Permission::Change)]
#[case("GET", "users/ada/block", Permission::See)]
#[case("PUT", "users/ada/block", Permission::Block { oneself: false })]
#[case("DELETE", "users/ada/block", Permission::Block { oneself: false })]
#[case("DELETE", "sessions", Permission::End { of_admin: false })]
#[case("GET", "users/ada", Permission::See)]
#[case::and_what_it_does("POST", "users/ada", Permission::See)]
#[case("GET", "end", Permission::See)]
#[case::and_to_end("POST", "end", Permission::See)]
fn a_wish_takes_a_right(#[case] method: &str, #[case] path: &str, #[case] act: Permission) {
    assert_eq!(AdminRequest::parse(method, path).unwrap().permission(), act);
}

#[rstest]
#[case("POST", "users", 405)]
#[case("DELETE", "users", 405)]
#[case("DELETE", "stats", 405)]
#[case("GET", "move", 405)]
#[case("GET", "import", 405)]
#[case("POST", "export", 405)]
#[case("GET", "sessions", 405)]
#[case("PUT", "users/ada/sessions", 405)]
#[case("GET", "users/ada/sessions/x", 405)]
#[case("DELETE", "users/%/sessions", 400)]
#[case("DELETE", "users/%4/sessions", 400)]
#[case("DELETE", "users/%zz/sessions", 400)]
#[case("DELETE", "users/%C3/sessions", 400)]
#[case("DELETE", "users/a%+f/sessions", 400)]
#[case("DELETE", "users//sessions", 400)]
#[case("DELETE", "users/ada/sessions/", 400)]
#[case("DELETE", "users/ada/sessions/a:b", 400)]
#[case("GET", "", 404)]
#[case("DELETE", "users/ada", 405)]
#[case("PUT", "users/ada", 405)]
#[case("PUT", "end", 405)]
#[case("GET", "end/", 404)]
#[case("POST", "users/ada/block", 405)]
#[case("PATCH", "users/%", 400)]
#[case("PATCH", "users/", 404)]
#[case("PUT", "users//block", 400)]
#[case("PUT", "users/ada/block/", 404)]
#[case("DELETE", "users/ada/", 404)]
#[case("DELETE", "users/a/b/sessions", 404)]
#[case("DELETE", "users/ada/sessions/x/y", 404)]
#[case("DELETE", "sessions/", 404)]
#[case("DELETE", "Sessions", 404)]
#[case("DELETE", "user%73/ada/sessions", 404)]
fn another_path_is_refused(#[case] method: &str, #[case] path: &str, #[case] status: u16) {
    assert_eq!(AdminRequest::parse(method, path).unwrap_err().status(), status);
}

#[test]
fn a_page_has_a_limit_and_a_cursor() {
    assert_eq!(page("", 20), Ok((20, Cursor::default())));
    let asked = page("limit=40&cursor=YWRh&other=1", 20).unwrap();
    assert_eq!(asked, (40, Cursor::at(&sub("ada"))));
    for query in ["limit=0", "limit=41", "limit=", "limit=x", "cursor=%2A"] {
        assert_eq!(page(query, 20).unwrap_err().status(), 400, "{query}");
    }
}

const TERMS: SessionTerms<'_> = SessionTerms {
    longest: Duration::from_secs(3600),
    issuers: &[],
    now: Timestamp::from_millis(7000),
};

#[test]
fn a_new_session_has_what_the_body_says() {
    let body = r#"{"claims":{"email":"a@b"},"roles":["x"],"data":{"k":1},"session_ttl":"15 minutes","user_agent":"phone"}"#;
    let new = NewSession::parse(sub("ada"), body, TERMS).unwrap();
    assert_eq!(new.approval.sub.as_str(), "ada");
    assert_eq!(new.approval.claims["email"], "a@b");
    assert_eq!(new.approval.data.as_deref(), Some(r#"{"k":1}"#));
    assert_eq!(new.approval.session_ttl, Some(Duration::from_secs(900)));
    assert_eq!(new.user_agent.as_deref(), Some("phone"));
}

#[rstest]
#[case("")]
#[case("{}")]
fn a_new_session_needs_no_body(#[case] body: &str) {
    let new = NewSession::parse(sub("ada"), body, TERMS).unwrap();
    assert_eq!((new.approval.session_ttl, new.user_agent), (None, None));
}

#[rstest]
#[case("[]", "JSON object")]
#[case("{", "JSON object")]
#[case(r#"{"sub":"eve"}"#, "members")]
#[case(r#"{"sesion_ttl":"1 day"}"#, "members")]
#[case(r#"{"session_ttl":900}"#, "`session_ttl` is of the wrong type")]
#[case(r#"{"session_ttl":"soon"}"#, "`session_ttl`")]
#[case(r#"{"session_ttl":"61 minutes"}"#, "SESSION_TTL")]
#[case(r#"{"idle_timeout":"61 minutes"}"#, "`idle_timeout` must not be longer than SESSION_TTL")]
#[case(r#"{"remember":"no"}"#, "`remember` is of the wrong type")]
#[case(r#"{"user_agent":7}"#, "`user_agent`")]
#[case(r#"{"claims":{"exp":1}}"#, "`exp`")]
#[case(r#"{"claims":[]}"#, "wrong type")]
#[case(r#"{"issuer":7}"#, "`issuer` must be a text")]
#[case(r#"{"issuer":"https://idp.example"}"#, "TRUSTED_ISSUERS")]
fn a_bad_body_says_what_to_change(#[case] body: &str, #[case] says: &str) {
    let refusal = NewSession::parse(sub("ada"), body, TERMS).unwrap_err();
    assert_eq!(refusal.status(), 400);
    assert!(refusal.detail().contains(says), "{}", refusal.detail());
}

#[rstest]
#[case("idp|u1", json!({}), Err("\"issuer\": \"https://idp.example\""))]
#[case("idp|u1", json!({ "issuer": "https://other.example" }), Err("TRUSTED_ISSUERS"))]
#[case("idp|u1", json!({ "issuer": "https://same.example" }), Ok(Some(("https://same.example", "idp|u1"))))]
#[case("idp|u1", json!({ "issuer": "https://idp.example" }), Ok(Some(("https://idp.example", "u1"))))]
#[case("idp|", json!({ "issuer": "https://idp.example" }), Err("must begin with"))]
#[case("u1", json!({ "issuer": "https://idp.example" }), Err("must begin with"))]
#[case("u1", json!({ "issuer": null }), Err("must be a text"))]
#[case("u1", json!({}), Ok(None))]
fn an_issuers_users_are_logged_in_only_in_its_name(
    #[case] user: &str,
    #[case] body: Value,
    #[case] expected: Result<Option<(&str, &str)>, &str>,
) {
    let issuers = [
        issuer(json!({ "subject_prefix": "idp|" })),
        issuer(json!({ "issuer": "https://same.example", "subject_prefix": "" })),
    ];
    let terms = SessionTerms { issuers: &issuers, ..TERMS };
    let new = NewSession::parse(sub(user), &body.to_string(), terms);
    match (new, expected) {
        (Ok(new), Ok(expected)) => {
            let issued = new.approval.issued;
            let told = issued.as_ref().map(|it| (&*it.issuer, &*it.sub));
            assert_eq!((told, new.approval.sub), (expected, sub(user)));
            assert!(issued.is_none_or(|it| it.sid.is_none() && it.at == TERMS.now));
        }
        (Err(refusal), Err(says)) => {
            assert_eq!(refusal.status(), 400);
            assert!(refusal.detail().contains(says), "{}", refusal.detail());
        }
        (new, expected) => panic!("{user} {body}: {new:?}, expected {expected:?}"),
    }
}
