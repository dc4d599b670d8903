use super::*;
use rstest::rstest;
use std::time::Duration;

/// The pair of a `Set-Cookie` line, as browsers send it back.
pub(super) fn pair(line: &str) -> String {
    line.split(';').next().unwrap().to_owned()
}

pub(super) fn begun(query: &str, state: u8, second: u64) -> SignInAttempt {
    let issuer = issuer(json!({}));
    let settings = issuer.sign_in.as_ref().unwrap();
    let random = [[state; 16], [2; 16], [3; 16], [4; 16]];
    let at = NOW.plus(Duration::from_secs(second));
    let redirect_uri = settings.callback_url(SITE, "/_auth");
    SignInAttempt::begin(
        settings,
        SignInRequest::of_query(query, &SiteHosts::default()),
        StepUp::default(),
        redirect_uri,
        random,
        (at, ReturnCount::default()),
    )
}

pub(super) fn callback(attempt: &SignInAttempt) -> Callback {
    Callback::read(&format!("code=c&state={}", attempt.state)).unwrap()
}

#[test]
fn an_attempt_comes_back_to_its_browser_site_and_provider_and_to_no_other() {
    let keys = keys();
    let mut begun = begun("redirect=/a%3Fb%23c&remember=true", 1, 0);
    begun.asked = StepUp { max_age: Some(Duration::from_secs(60)), acr: Some(vec!["mfa".into()]) };
    let lines = begun.cookies(&keys, SITE, "", [9; 24]);
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert!(line.starts_with("__Host-guard-sign-in-AQEBAQEB="), "{line}");
    assert!(line.ends_with("; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=86400"), "{line}");
    assert!(!line.contains(&begun.verifier) && !format!("{begun:?}").contains(&begun.verifier));
    let (sent, callback) = (pair(line), callback(&begun));
    let find =
        |provider: &str, site: &str, sent: &str| callback.attempt(provider, &keys, site, sent);
    assert_eq!(find("staff", SITE, &sent), Ok(begun.clone()));
    assert_eq!(find("staff", "https://APP.example", &format!("a=1; {sent}; b=2")), Ok(begun));
    assert!(matches!(find("other", SITE, &sent), Err(SignInFailure::MixedUp(_))));
    let unknown = Err(SignInFailure::Unknown);
    assert_eq!(find("staff", "https://other.example", &sent), unknown);
    assert_eq!(find("staff", SITE, ""), unknown);
    assert_eq!(find("staff", SITE, &sent.replace("AQEBAQEB=", "AQEBAQEC=")), unknown);
    let elsewhere = callback.attempt("staff", &hs256_set(&["b"]), SITE, &sent);
    assert_eq!(elsewhere, unknown, "it is sealed with another key");
}

#[test]
fn the_cookie_of_one_state_does_not_serve_another_that_begins_alike() {
    let keys = keys();
    let mut one = begun("", 1, 0);
    let sent = pair(&one.cookies(&keys, SITE, "", [9; 24])[0]);
    let query = format!("code=c&state={}x", &one.state[..21]);
    let other = Callback::read(&query).unwrap();
    assert_eq!(other.attempt("staff", &keys, SITE, &sent), Err(SignInFailure::Unknown));
}

/// A browser's cookies after it was sent these lines.
fn kept(before: &str, lines: &[String]) -> String {
    let mut all: Vec<String> =
        before.split("; ").filter(|it| !it.is_empty()).map(Into::into).collect();
    for line in lines {
        let pair = pair(line);
        let name = pair.split('=').next().unwrap();
        all.retain(|it| it.split('=').next().unwrap() != name);
        if !line.ends_with("Max-Age=0") {
            all.push(pair);
        }
    }
    all.join("; ")
}

#[test]
fn of_many_tabs_the_latest_eight_can_come_back_and_a_request_stays_small() {
    let keys = keys();
    let mut sent = "other=1".to_owned();
    let mut all = Vec::from_iter((1..=12).map(|tab| begun("redirect=/a/page", tab, tab.into())));
    for attempt in &mut all {
        sent = kept(&sent, &attempt.cookies(&keys, SITE, &sent, [9; 24]));
        assert!(sent.len() < 6 * 1024 && sent.contains("other=1"), "{}", sent.len());
    }
    let comes_back =
        |it: &SignInAttempt| callback(it).attempt("staff", &keys, SITE, &sent) == Ok(it.clone());
    let found = Vec::from_iter(all.iter().map(comes_back));
    assert_eq!(found, [[false; 4].as_slice(), &[true; 8]].concat());
    let line = callback(&all[11]).clear_cookie().unwrap();
    assert!(line.ends_with("; Max-Age=0"), "{line}");
    let rest = kept(&sent, &[line]);
    assert_eq!(rest.matches("__Host-guard-sign-in-").count(), 7);
}

#[test]
fn garbage_of_our_name_goes_first_and_what_is_not_ours_stays() {
    let keys = keys();
    let mut sent = String::new();
    for tab in 1..=7 {
        sent = kept(&sent, &begun("", tab, 10).cookies(&keys, SITE, &sent, [9; 24]));
    }
    sent += "; __Host-guard-sign-in-garbage1=x; __Host-guard-sign-in-returns=2; __Host-guard-sign-in-toolongname=x";
    let lines = begun("", 8, 11).cookies(&keys, SITE, &sent, [9; 24]);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[1].starts_with("__Host-guard-sign-in-garbage1=; "), "{lines:?}");
}

#[test]
fn several_attempts_are_kept_if_two_open_here() {
    let keys = keys();
    let others = "a=b; __Host-guard-sign-in-garbage1=x; __Host-guard-sign-in-returns=2";
    let one = kept(others, &begun("", 1, 10).cookies(&keys, SITE, "", [9; 24]));
    let two = kept(&one, &begun("", 2, 10).cookies(&keys, SITE, "", [9; 24]));
    assert!(SignInAttempt::are_several_kept(&keys, SITE, &two));
    assert!(!SignInAttempt::are_several_kept(&keys, SITE, &one));
    assert!(!SignInAttempt::are_several_kept(&keys, "https://other.example", &two));
}

#[rstest]
#[case::short("/a?b#c", "/a?b#c")]
#[case::long_fragment(&format!("/a?b#{}", "c".repeat(3000)), "/a?b")]
#[case::long_query(&format!("/a?{}#c", "b".repeat(3000)), "/a")]
#[case::long_path(&format!("/{}?b", "a".repeat(3000)), "/")]
#[case::much_to_escape(&format!("/a?{}", "\"".repeat(1500)), "/a")]
fn of_a_long_target_is_kept_what_a_cookie_has_room_for(#[case] target: &str, #[case] left: &str) {
    let keys = keys();
    let mut attempt = begun("", 1, 0);
    attempt.redirect = crate::redirect::LocalTarget::new(target).unwrap();
    let lines = attempt.cookies(&keys, SITE, "", [9; 24]);
    assert!(lines[0].len() < 4096);
    let found = callback(&attempt).attempt("staff", &keys, SITE, &pair(&lines[0])).unwrap();
    assert_eq!(found.redirect.as_str(), left);
}

#[test]
fn a_target_on_another_host_of_the_site_is_kept() {
    let hosts = SiteHosts::parse("app.example.com, www.example.com").unwrap();
    let query = "redirect=https%3A%2F%2Fwww.example.com%2Fa%3Fb";
    let redirect = SignInRequest::of_query(query, &hosts).redirect;
    let mut attempt = SignInAttempt { redirect, ..begun("", 1, 0) };
    let lines = attempt.cookies(&keys(), SITE, "", [9; 24]);
    let found = callback(&attempt).attempt("staff", &keys(), SITE, &pair(&lines[0])).unwrap();
    assert_eq!(found.redirect.as_str(), "https://www.example.com/a?b");
    for evil in
        ["https://evil.example/", "https://www.example.com.evil.example/", "//www.example.com/"]
    {
        let request = SignInRequest::of_query(&format!("redirect={evil}"), &hosts);
        assert_eq!(request.redirect.as_str(), "/", "{evil}");
    }
}

#[test]
fn an_attempt_that_ends_too_many_sessions_is_not_begun() {
    let mut attempt = begun("", 1, 0);
    attempt.end = (0..200_u8).map(|n| crate::session::Sid::from_random([n; 16])).collect();
    assert_eq!(attempt.cookies(&keys(), SITE, "", [9; 24]), Vec::<String>::new());
}

#[rstest]
#[case("")]
#[case("code=c")]
#[case("state=s")]
#[case("code=&state=s")]
#[case("code=c&state=")]
#[case("code=c&code=c&state=s")]
#[case("code=c&code=d&state=s")]
#[case("code=c&state=s&state=t")]
#[case("code=c&state=s&iss=a&iss=b")]
#[case("code=c&state=s&error=a&error=b")]
#[case("code=c&state=s&error=access_denied")]
#[case("code=c&st%61te=s&state=t")]
#[case(&format!("code={}&state=s", "c".repeat(5000)))]
#[case("CODE=c&STATE=s")]
#[case("code[]=c&state[]=s")]
fn an_answer_that_can_be_read_in_two_ways_is_not_read(#[case] query: &str) {
    let read = Callback::read(query);
    assert!(matches!(read, Err(SignInFailure::Malformed(_))), "{read:?}");
}

#[rstest]
#[case("access_denied", "sign_in_denied")]
#[case("login_required", "sign_in_denied")]
#[case("interaction_required", "sign_in_denied")]
#[case("consent_required", "sign_in_denied")]
#[case("user_cancelled_login", "sign_in_denied")]
#[case("unmet_authentication_requirements", "sign_in_denied")]
#[case("temporarily_unavailable", "sign_in_unavailable")]
#[case("server_error", "sign_in_unavailable")]
#[case("invalid_scope", "sign_in_refused")]
#[case("unauthorized_client", "sign_in_refused")]
#[case("redirect_uri_mismatch", "sign_in_refused")]
#[case("<script>", "sign_in_denied")]
fn what_the_provider_refuses_with_is_logged_and_never_shown(
    #[case] error: &str,
    #[case] code: &str,
) {
    let issuer = issuer(json!({}));
    let description = format!("<b>call%0a 555</b>{}", "x".repeat(500));
    let attempt = begun("", 1, 0);
    let query = format!("error={error}&error_description={description}&state={}", attempt.state);
    let read = Callback::read(&query).unwrap();
    let failure = read.code(&attempt, &issuer, &metadata(&issuer, json!({})), NOW).unwrap_err();
    assert_eq!(failure.code(), code);
    let cause = failure.cause().unwrap();
    assert!(cause.contains(error) && !cause.contains('\n') && cause.len() < 300, "{cause}");
    let shown = [failure.title(), &failure.detail()].concat();
    assert!(!shown.contains("555") && !shown.contains(error), "{shown}");
    let without_state = Callback::read(&format!("error={error}")).unwrap_err();
    assert_eq!(without_state.code(), code);
}

#[rstest]
#[case::same("&iss=https%3A%2F%2Fidp.example", true, true)]
#[case::same_though_not_said("&iss=https%3A%2F%2Fidp.example", false, true)]
#[case::none("", false, true)]
#[case::none_though_said("", true, false)]
#[case::empty_though_said("&iss=", true, false)]
#[case::another("&iss=https%3A%2F%2Fevil.example", false, false)]
#[case::with_a_slash("&iss=https%3A%2F%2Fidp.example%2F", false, false)]
fn an_answer_of_another_provider_is_a_mix_up(
    #[case] iss: &str,
    #[case] sends_iss: bool,
    #[case] fine: bool,
) {
    let issuer = issuer(json!({}));
    let says = json!({ "authorization_response_iss_parameter_supported": sends_iss });
    let (attempt, metadata) = (begun("", 1, 0), metadata(&issuer, says));
    for answer in ["code=c", "error=access_denied"] {
        let read = Callback::read(&format!("{answer}&state={}{iss}", attempt.state)).unwrap();
        let outcome = read.code(&attempt, &issuer, &metadata, NOW);
        let is_mixed_up = matches!(outcome, Err(SignInFailure::MixedUp(_)));
        assert_eq!(!is_mixed_up, fine, "{outcome:?}");
    }
}

#[test]
fn an_attempt_can_be_completed_for_an_hour() {
    let issuer = issuer(json!({}));
    let (attempt, metadata) = (begun("", 1, 0), metadata(&issuer, json!({})));
    let after = |seconds| {
        let at = NOW.plus(Duration::from_secs(seconds));
        callback(&attempt).code(&attempt, &issuer, &metadata, at)
    };
    assert_eq!(after(3600), Ok("c".into()));
    assert_eq!(after(3601), Err(SignInFailure::Expired));
}

#[test]
fn three_returns_within_a_minute_each_are_the_end_of_going_straight_on() {
    let mut sent = String::new();
    for _ in 0..3 {
        let returns = ReturnCount::of(&sent);
        assert!(returns.may_go_straight(), "{sent}");
        let line = returns.after(returns).set_cookie();
        assert!(line.ends_with("; Max-Age=60"));
        sent = pair(&line);
    }
    assert!(!ReturnCount::of(&sent).may_go_straight());
    assert!(!ReturnCount::of("__Host-guard-sign-in-returns=250").may_go_straight());
    for garbage in [
        "",
        "__Host-guard-sign-in-returns=x",
        "guard-sign-in-returns=3",
        "__Host-guard-sign-in-returns=-3",
    ] {
        assert!(ReturnCount::of(garbage).may_go_straight(), "{garbage}");
    }
    assert!(ReturnCount::clear_cookie().ends_with("; Max-Age=0"));
    let clear = [ReturnCount::of(&sent).set_cookie(), ReturnCount::clear_cookie()];
    assert!(clear.iter().all(|line| line.contains("; Path=/; HttpOnly; Secure; SameSite=Lax")));
}
