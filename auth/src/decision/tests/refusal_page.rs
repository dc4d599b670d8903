//! Who is shown a page in place of problem details, and what it says.

use super::*;
use crate::refusal::Topic;

const OPENED: &[(&str, &str)] = &[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];

fn page_at(settings: &[(&str, &str)], request: &Request) -> Option<RefusalPage> {
    let guard = guard_with(settings);
    guard.refused(Refusal::OriginTimedOut, request, None).page
}

#[rstest]
#[case::opened("GET", OPENED, true)]
#[case::form("POST", OPENED, true)]
#[case::old_browser("GET", &[("accept", "text/html,*/*")], true)]
#[case::script("GET", &[("sec-fetch-mode", "cors"), ("accept", "text/html")], false)]
#[case::program("GET", &[("accept", "*/*")], false)]
#[case::says_nothing("GET", &[], false)]
#[case::frame("GET", &[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")], false)]
#[case::script_that_changes("PUT", &[("accept", "text/html")], false)]
fn a_person_is_shown_a_page(
    #[case] method: &'static str,
    #[case] headers: &[(&'static str, &str)],
    #[case] shown: bool,
) {
    let page = page_at(&[], &request(method, "/x", headers));
    assert_eq!(page.is_some(), shown);
}

#[test]
fn a_proxy_and_a_site_that_is_only_watched_show_none() {
    let opened = || request("GET", "/x", OPENED);
    for shows_redirects in [true, false] {
        let recipient = Recipient::Proxy { shows_redirects };
        assert_eq!(page_at(&[], &Request { recipient, ..opened() }), None);
    }
    assert_eq!(page_at(&[("MODE", "monitor")], &opened()), None);
}

#[test]
fn who_is_sent_to_the_login_page_or_to_https_is_shown_none() {
    let refused = refusal(&guard(), &request("GET", "/x", OPENED));
    assert_eq!((refused.login.is_some(), refused.page), (true, None));
    let plain = Request { url: "http://app.example/x".into(), ..request("GET", "/x", OPENED) };
    let refused = guard().refused(Refusal::HttpsRequired, &plain, None);
    assert_eq!((refused.https.is_some(), refused.page), (true, None));
}

#[rstest]
#[case::unknown("GET", "/_auth/nothing", Topic::NotFound)]
#[case::method("GET", "/_auth/refresh", Topic::NoPage)]
#[case::url("TRACE", "/x", Topic::NoPage)]
fn what_the_guard_does_not_have_is_said_on_a_page(
    #[case] method: &'static str,
    #[case] path: &str,
    #[case] topic: Topic,
) {
    let page = refusal(&guard(), &request(method, path, OPENED)).page;
    assert_eq!(page.map(|page| page.topic), (method == "GET").then_some(topic));
}

#[rstest]
#[case::asked("GET", "/x?a=1&t=x.y.z", None, "/x?a=1")]
#[case::form("POST", "/save", Some("https://app.example/form?t=x.y.z"), "/form")]
#[case::form_of_another_site("POST", "/save", Some("https://evil.example/form"), "/")]
#[case::form_that_is_kept_quiet("POST", "/save", None, "/")]
#[case::no_path("GET", "//evil.example/", None, "/")]
fn trying_again_leads_to_the_page_itself_or_to_that_with_the_form(
    #[case] method: &'static str,
    #[case] path: &str,
    #[case] referer: Option<&str>,
    #[case] back: &str,
) {
    let headers: Vec<_> =
        OPENED.iter().copied().chain(referer.map(|from| ("referer", from))).collect();
    let settings = [("TOKEN_SOURCES", "bearer, cookie, query:t")];
    let page = page_at(&settings, &request(method, path, &headers));
    assert_eq!(page.map(|page| page.back.as_str().to_owned()).as_deref(), Some(back));
}
