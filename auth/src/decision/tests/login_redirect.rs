//! Who is redirected to the login page instead of being refused.

use super::*;

#[rstest]
#[case::navigation(&[("sec-fetch-mode", "navigate")], true)]
#[case::old_browser(&[("accept", "text/html,*/*")], true)]
#[case::fetch_that_likes_html(&[("sec-fetch-mode", "cors"), ("accept", "text/html")], false)]
#[case::program(&[("accept", "*/*")], false)]
fn only_a_person_navigating_is_sent_to_the_login_page(
    #[case] headers: &[(&'static str, &str)],
    #[case] sent: bool,
) {
    let refused = refusal(&guard(), &request("GET", "/x?a=1&b=%2F", headers));
    let login = "/_auth/login?redirect=/x?a=1%26b=%252F".to_owned();
    assert_eq!(refused.login, sent.then_some(login));
    let put = refusal(&guard(), &request("PUT", "/x", headers));
    assert_eq!(put.login, None);
}

#[rstest]
#[case::its_page(
    "navigate",
    Some("https://app.example/form?a=1&b=2#c"),
    Some("/form?a=1%26b=2%23c")
)]
#[case::page_of_another_site("navigate", Some("https://evil.example/form"), Some("/"))]
#[case::page_that_is_kept_quiet("navigate", None, Some("/"))]
#[case::page_of_which_the_site_is_told("navigate", Some("https://app.example/"), Some("/"))]
#[case::page_with_a_token(
    "navigate",
    Some("https://app.example/form?t=x.y.z&a=1"),
    Some("/form?a=1")
)]
#[case::script("cors", Some("https://app.example/form"), None)]
fn a_form_sent_after_the_session_is_over_leads_to_the_login_page_and_back_to_where_it_was(
    #[case] mode: &str,
    #[case] referer: Option<&str>,
    #[case] back: Option<&str>,
) {
    let guard = guard_with(&[("TOKEN_SOURCES", "bearer, cookie, query:t")]);
    let cookie = "__Host-session=x.y.z";
    for (cookie, reason) in [(None, ""), (Some(cookie), "&reason=token_invalid")] {
        let headers = [("referer", referer), ("cookie", cookie)];
        let headers = headers.iter().filter_map(|(name, value)| Some((*name, (*value)?)));
        let sent = [("sec-fetch-mode", mode), ("sec-fetch-site", "same-origin")];
        let headers: Vec<_> = sent.into_iter().chain(headers).collect();
        let refused = refusal(&guard, &request("POST", "/save?x=1", &headers));
        let login = back.map(|back| format!("/_auth/login?redirect={back}{reason}"));
        assert_eq!(refused.login, login, "{headers:?}");
    }
}

#[test]
fn a_stale_session_sends_a_person_to_login_with_the_reason_and_an_outage_does_not() {
    let guard = guard();
    let headers = [("authorization", &bearer(&guard) as &str), ("sec-fetch-mode", "navigate")];
    let request = request("GET", "/x", &headers);
    let check = check(&guard, &request);
    let told =
        |answer| guard.refused(guard.judge(&check, answer, NOW).unwrap_err(), &request, None);
    let login = "/_auth/login?redirect=/x&reason=session_unknown";
    assert_eq!(told(found(None)).login.as_deref(), Some(login));
    let down = StoreError::Unreachable("down".into());
    assert_eq!(told(Err(down)).login, None);
}
