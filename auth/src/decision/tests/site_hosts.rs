//! `COOKIE_DOMAIN`: one session at several hosts, and at no others.

use super::*;

const APP: &str = "https://app.example.com";
const API: &str = "https://api.example.com";
const DEV: &str = "http://dev.guard.localhost:8787";

fn site() -> Guard {
    guard_with(&[
        ("COOKIE_DOMAIN", "example.com"),
        ("SITE_HOSTS", "app.example.com, api.example.com"),
        ("LOGIN_URL", "https://origin.example.com/login"),
    ])
}

fn at(url: &str, method: &'static str, headers: &[(&'static str, &str)]) -> Request {
    Request { url: url.to_owned(), ..request(method, "", headers) }
}

fn cookie_of(guard: &Guard, user: &str) -> String {
    format!("__Secure-session={}", issue(guard.tokens(), user))
}

#[rstest]
#[case::a_page_of_another_host("POST", &[("origin", APP), ("sec-fetch-site", "same-site")], true)]
#[case::without_fetch_metadata("DELETE", &[("origin", APP)], true)]
#[case::its_own_page("POST", &[("origin", API), ("sec-fetch-site", "same-origin")], true)]
#[case::websocket("GET", &[("origin", APP), ("upgrade", "websocket")], true)]
#[case::another_subdomain("POST", &[("origin", "https://evil.example.com"), ("sec-fetch-site", "same-site")], false)]
#[case::a_subdomain_that_does_not_say("POST", &[("sec-fetch-site", "same-site")], false)]
#[case::the_domain_itself("POST", &[("origin", "https://example.com"), ("sec-fetch-site", "same-site")], false)]
#[case::below_a_named_host("POST", &[("origin", "https://x.app.example.com"), ("sec-fetch-site", "same-site")], false)]
#[case::over_http("POST", &[("origin", "http://app.example.com"), ("sec-fetch-site", "cross-site")], false)]
#[case::another_port("POST", &[("origin", "https://app.example.com:8443"), ("sec-fetch-site", "same-site")], false)]
#[case::trailing_dot("POST", &[("origin", "https://app.example.com.")], false)]
#[case::upper_case("POST", &[("origin", "https://APP.example.com")], false)]
#[case::suffix("POST", &[("origin", "https://app.example.com.evil.com")], false)]
#[case::prefix("POST", &[("origin", "https://evilapp.example.com")], false)]
#[case::user("POST", &[("origin", "https://app.example.com@evil.com")], false)]
#[case::null("POST", &[("origin", "null"), ("sec-fetch-site", "same-site")], false)]
#[case::two("POST", &[("origin", "https://app.example.com https://evil.com")], false)]
#[case::its_websocket("GET", &[("origin", "https://evil.example.com"), ("upgrade", "websocket")], false)]
#[case::nothing_said("POST", &[], false)]
fn pages_of_named_hosts_alone_are_the_sites_own(
    #[case] method: &'static str,
    #[case] headers: &[(&'static str, &str)],
    #[case] is_own: bool,
) {
    let guard = site();
    let cookie = cookie_of(&guard, "ada");
    let sent = at(&format!("{API}/boats"), method, &[headers, &[("cookie", &cookie)]].concat());
    let decision = guard.decide(&sent, NOW);
    let refused = matches!(&decision, Decision::Refuse(it) if it.refusal == Refusal::CrossSite);
    assert_eq!(refused, !is_own, "{decision:?}");
    // Programs say nothing, and are nobody's dupe.
    let logs_out = guard.refuse_other_origins(&at(&format!("{API}/_auth/logout"), "POST", headers));
    assert_eq!(logs_out.is_ok(), is_own || headers.is_empty());
    let credentials = ("access-control-allow-credentials", "true");
    let may_read = guard.cors(&sent).contains(&credentials);
    assert_eq!(may_read, is_own && headers.iter().any(|(name, _)| *name == "origin"));
}

#[rstest]
#[case::named("https://api.example.com", true)]
#[case::tls_ends_before("http://api.example.com", true)]
#[case::unnamed("https://evil.example.com", false)]
#[case::domain("https://example.com", false)]
#[case::port("https://api.example.com:8443", false)]
#[case::trailing_dot("https://api.example.com.", false)]
#[case::elsewhere("https://guard.account.workers.dev", false)]
fn the_cookie_counts_at_named_hosts_alone_and_goes_on_from_none(
    #[case] origin: &str,
    #[case] counts: bool,
) {
    let guard = guard_with(&[
        ("COOKIE_DOMAIN", "example.com"),
        ("SITE_HOSTS", "app.example.com, api.example.com"),
        ("REQUIRE_HTTPS", "false"),
        ("ROUTES", ROUTES),
    ]);
    let cookie = format!("a=1; {}", cookie_of(&guard, "ada"));
    let headers = [("cookie", cookie.as_str()), ("sec-fetch-site", "same-origin")];
    let boats = format!("{origin}/boats");
    let decision = guard.decide(&at(&boats, "POST", &headers), NOW);
    assert_eq!(matches!(decision, Decision::CheckSession(_)), counts, "{decision:?}");
    let (get, post) = (at(&boats, "GET", &headers), at(&boats, "POST", &headers));
    assert_eq!(guard.sets_cookie(&get), counts);
    assert_eq!(guard.cookie_at(&get).is_some(), counts);
    assert_eq!(guard.has_cookie(&get), counts);
    assert_eq!(guard.presented_sessions(&post, NOW).is_ok(), counts);
    assert_eq!(guard.sessions_at_login(&post).len(), usize::from(counts));
    match guard.decide(&at(&format!("{origin}/open/x"), "GET", &headers), NOW) {
        Decision::Forward(plan) => assert_eq!(plan.withheld.set, [("Cookie", "a=1".to_owned())]),
        decision => panic!("{decision:?}"),
    }
    // A bearer token counts everywhere.
    let bearer = [("authorization", &*bearer(&guard))];
    check(&guard, &at(&format!("{origin}/boats"), "POST", &bearer));
}

#[test]
fn the_cookie_that_was_one_hosts_alone_counts_no_more_but_stays_here() {
    let guard = site();
    let token = issue(guard.tokens(), "ada");
    let both = format!("a=1; __Host-session={token}; __Secure-session={token}; __Host-session=own");
    let plan = check(&guard, &at(&format!("{API}/"), "GET", &[("cookie", &both)]));
    let rest = ("Cookie", "a=1; __Host-session=own".to_owned());
    assert_eq!(plan.principal().credential_removal.set, [rest]);
    let former = format!("__Host-session={token}");
    let refused = refusal(&guard, &at(&format!("{API}/"), "GET", &[("cookie", &former)]));
    assert_eq!(refused.refusal, Refusal::TokenMissing);
}

#[test]
fn two_cookies_of_the_name_count_if_they_are_of_one_session_or_one_is_over() {
    let guard = site();
    let [ada, eve] = ["ada", "eve"].map(|user| cookie_of(&guard, user));
    let same = format!("{ada}; {ada}");
    check(&guard, &at(&format!("{API}/"), "GET", &[("cookie", &same)]));
    let two = format!("{ada}; {eve}");
    let sent = || at(&format!("{API}/"), "GET", &[("cookie", &two)]);
    let Decision::ConflictingTokens(asked) = guard.decide(&sent(), NOW) else { panic!() };
    let mut users: Vec<_> = asked.iter().map(|it| it.sub().as_str()).collect();
    users.sort_unstable();
    assert_eq!(users, ["ada", "eve"]);
    // Whichever a neighbour has set, it is not taken for the user's.
    let refused = match guard.decide(&AfterEnds(sent(), Vec::new()), NOW) {
        Decision::Refuse(it) => it.refusal,
        decision => panic!("{decision:?}"),
    };
    assert!(matches!(refused, Refusal::BadRequest(detail) if detail.contains("log out")));
}

#[test]
fn the_cookie_of_another_guard_of_the_domain_keeps_nobody_out() {
    let guard = site();
    let keys = r#"{"keys":[{"kty":"oct","alg":"HS256","kid":"a","k":"BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA"}]}"#;
    let keys = crate::keys::KeySet::parse(keys).unwrap();
    let staging = crate::token::Tokens::new("https://staging".into(), "members".into(), keys);
    let theirs = format!("__Secure-session={}", issue(&staging, "ada"));
    let ours = cookie_of(&guard, "ada");
    for both in [format!("{theirs}; {ours}"), format!("{ours}; {theirs}")] {
        let plan = check(&guard, &at(&format!("{API}/"), "GET", &[("cookie", &both)]));
        assert_eq!(plan.principal().user().as_str(), "ada");
        let others = plan.principal().credential_removal.set.clone();
        assert_eq!(others, [("Cookie", theirs.clone())]);
    }
}

#[rstest]
#[case::page_of_another_host(
    "https://app.example.com/form?a=b",
    "https%3A//app.example.com/form?a=b"
)]
#[case::its_host("https://app.example.com/", "https://app.example.com/")]
#[case::own_page("https://api.example.com/form", "/form")]
#[case::unnamed("https://evil.example.com/form", "/")]
#[case::suffix("https://app.example.com.evil.com/", "/")]
fn a_form_of_another_host_leads_back_to_its_page(#[case] referer: &str, #[case] back: &str) {
    let headers = [("sec-fetch-mode", "navigate"), ("referer", referer), ("origin", APP)];
    let refused = refusal(&site(), &at(&format!("{API}/boats"), "POST", &headers));
    let page = refused.login.unwrap();
    let redirect = page.strip_prefix("/_auth/login?redirect=").unwrap();
    assert_eq!(redirect, back.replace("%3A", ":"));
}

#[test]
fn on_this_machine_pages_over_http_are_the_sites_own() {
    let guard = guard_with(&[
        ("COOKIE_DOMAIN", "guard.localhost"),
        ("SITE_HOSTS", "dev.guard.localhost:8787, api.guard.localhost:8787"),
    ]);
    let cookie = cookie_of(&guard, "ada");
    let from = |origin: &str| {
        let headers = [("cookie", &*cookie), ("origin", origin), ("sec-fetch-site", "same-site")];
        let sent = at("http://api.guard.localhost:8787/boats", "POST", &headers);
        matches!(guard.decide(&sent, NOW), Decision::CheckSession(_))
    };
    assert!(
        from(DEV)
            && !from("http://dev.guard.localhost")
            && !from("http://evil.guard.localhost:8787")
    );
}

#[rstest]
#[case("https://app.example.com/a?b#c", Some("https://app.example.com/a?b#c"))]
#[case::no_path("https://app.example.com", Some("https://app.example.com/"))]
#[case::query_alone("https://app.example.com?a=b", Some("https://app.example.com/?a=b"))]
#[case::fragment_alone("https://app.example.com#/a", Some("https://app.example.com/#/a"))]
#[case::upper_case("HTTPS://App.Example.com/A", Some("https://app.example.com/A"))]
#[case::path("/a", Some("/a"))]
#[case::unnamed("https://evil.example.com/", None)]
#[case::the_domain("https://example.com/", None)]
#[case::http("http://app.example.com/", None)]
#[case::suffix("https://app.example.com.evil.com/", None)]
#[case::user("https://app.example.com@evil.com/", None)]
#[case::user_and_password("https://app.example.com:x@evil.com/", None)]
#[case::port("https://app.example.com:8443/", None)]
#[case::own_port("https://app.example.com:443/", None)]
#[case::trailing_dot("https://app.example.com./", None)]
#[case::backslash(r"https://app.example.com\@evil.com/", None)]
#[case::backslash_and_dot(r"https://app.example.com\.evil.com/", None)]
#[case::backslashes(r"https:\\app.example.com/", None)]
#[case::backslash_in_the_path(r"https://app.example.com/\evil.com", None)]
#[case::two_slashes("https://app.example.com//evil.com", None)]
#[case::one_slash("https:/app.example.com/", None)]
#[case::three_slashes("https:///app.example.com/", None)]
#[case::no_scheme("//app.example.com/", None)]
#[case::percent("https://app%2eexample.com/", None)]
#[case::percent_of_a_slash("https://app.example.com%2f@evil.com/", None)]
#[case::full_stop("https://app.example.com\u{3002}evil.com/", None)]
#[case::fullwidth("https://app.example\u{ff0e}com/", None)]
#[case::tab("https://app.example.com/\t/evil.com", None)]
#[case::newline("https://app.example.com\n.evil.com/", None)]
#[case::blank(" https://app.example.com/", None)]
#[case::script("javascript://app.example.com/%0aalert(1)", None)]
#[case::no_ascii("https://app.example.com/é", None)]
#[case::header("https://app.example.com/\r\nSet-Cookie: a=b", None)]
fn a_redirect_leads_to_named_hosts_alone(#[case] target: &str, #[case] expected: Option<&str>) {
    let guard = site();
    let hosts = &guard.settings().site_hosts;
    let of_page = LocalTarget::on(hosts, target);
    assert_eq!(of_page.as_ref().map(LocalTarget::as_str), expected);
    let query: String =
        form_urlencoded::Serializer::new(String::new()).append_pair("redirect", target).finish();
    assert_eq!(crate::redirect::read_query(&query, hosts).0, of_page);
    let redirect = SignInRequest::of_query(&query, hosts).redirect;
    assert_eq!(redirect, of_page.clone().unwrap_or(LocalTarget::root()));
    let form = LoginRequest::parse(
        BodyFormat::Form,
        &format!("username=a&{query}"),
        crate::login::AcceptedFields::default(),
        hosts,
    );
    assert_eq!(form.ok().and_then(|it| it.redirect), of_page);
    // Without hosts, paths alone.
    let elsewhere = LocalTarget::on(&Default::default(), target);
    assert_eq!(elsewhere.is_some(), target.starts_with("/a"));
}

#[test]
fn of_a_long_url_at_least_the_host_stays() {
    let guard = site();
    let long = format!("{APP}/{}", "a".repeat(9000));
    let kept = LocalTarget::on(&guard.settings().site_hosts, &long).unwrap();
    assert_eq!(kept.as_str(), format!("{APP}/"));
}

#[test]
fn what_a_page_of_another_host_asks_of_a_login_is_asked_and_a_long_one_is_cut_within_its_host() {
    let routes = r#"[{"path": "/pay", "access": "session", "max_age": "5 minutes"}]"#;
    let guard = guard_with(&[
        ("COOKIE_DOMAIN", "example.com"),
        ("SITE_HOSTS", "app.example.com"),
        ("ROUTES", routes),
    ]);
    let page = LocalTarget::on(&guard.settings().site_hosts, &format!("{APP}/pay?a#b")).unwrap();
    let asked = guard.step_up_for(&page);
    assert_eq!(asked.max_age, Some(Duration::from_secs(300)));
    let shorter = |page: &LocalTarget| page.shorter().map(|it| it.as_str().to_owned());
    let mut cut = vec![];
    let mut left = Some(page);
    while let Some(page) = left {
        cut.extend(shorter(&page));
        left = page.shorter();
    }
    let all = ["/pay?a", "/pay", "/"].map(|local| format!("{APP}{local}"));
    assert_eq!(cut, all);
}

#[rstest]
#[case::another_host_of_the_site(
    API,
    "login/idp?redirect=%2Fa%3Fb&prompt=login&end=s",
    Some("login/idp?redirect=https%3A%2F%2Fapi.example.com%2Fa%3Fb&prompt=login&elsewhere=true")
)]
#[case::a_whole_url(
    API,
    "login/idp?redirect=https%3A%2F%2Fapp.example.com%2Fa",
    Some("login/idp?redirect=https%3A%2F%2Fapp.example.com%2Fa&elsewhere=true")
)]
#[case::elsewhere(
    API,
    "login/idp?redirect=https%3A%2F%2Fevil.example%2Fa",
    Some("login/idp?redirect=https%3A%2F%2Fapi.example.com%2F&elsewhere=true")
)]
#[case::without_a_target(
    API,
    "login?remember=true&login_hint=a%26b",
    Some(
        "login?redirect=https%3A%2F%2Fapi.example.com%2F&remember=true&login_hint=a%26b&elsewhere=true"
    )
)]
#[case::unnamed(
    "https://old.example.com",
    "login/idp?redirect=%2Fa",
    Some("login/idp?redirect=%2Fa&elsewhere=true")
)]
#[case::once(API, "login/idp?redirect=%2Fa&elsewhere=true", None)]
#[case::its_own(APP, "login/idp?redirect=%2Fa", None)]
#[case::tls_ends_before("http://app.example.com", "login/idp", None)]
fn a_sign_in_begins_at_the_host_of_its_callback_and_leads_back(
    #[case] origin: &str,
    #[case] path: &str,
    #[case] expected: Option<&str>,
) {
    let issuers = r#"[{"issuer": "https://idp.example", "client_id": "c", "name": "idp", "subject_prefix": "", "redirect_uri": "https://app.example.com/_auth/callback/idp"}]"#;
    let guard = guard_with(&[
        ("COOKIE_DOMAIN", "example.com"),
        ("SITE_HOSTS", "app.example.com, api.example.com"),
        ("TRUSTED_ISSUERS", issuers),
    ]);
    let (_, settings) = guard.sign_in_provider("idp").unwrap();
    let sent = at(&format!("{origin}/_auth/{path}"), "GET", &[]);
    let query = Target::of_url(sent.url()).unwrap().query();
    let request = SignInRequest::of_query(query, &guard.settings().site_hosts);
    let url = guard.sign_in_elsewhere(&sent, settings, &request);
    assert_eq!(url, expected.map(|path| format!("{APP}/_auth/{path}")));
}
