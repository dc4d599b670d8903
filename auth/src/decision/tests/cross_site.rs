//! Requests from other sites that the browser sends with the session cookie.

use super::*;

#[rstest]
#[case::no_word("POST", &[], false)]
#[case::same_origin("POST", &[("sec-fetch-site", "same-origin")], true)]
#[case::typed_in("POST", &[("sec-fetch-site", "none")], true)]
#[case::same_site("POST", &[("sec-fetch-site", "same-site")], false)]
#[case::cross_site("DELETE", &[("sec-fetch-site", "cross-site")], false)]
#[case::own_origin("POST", &[("origin", "https://app.example")], true)]
#[case::other_origin("POST", &[("origin", "https://evil.example")], false)]
#[case::prefix_of_origin("POST", &[("origin", "https://app.exam")], false)]
#[case::null_origin("POST", &[("origin", "null")], false)]
#[case::empty_origin("POST", &[("origin", "")], false)]
#[case::both_disagree("POST", &[("sec-fetch-site", "cross-site"), ("origin", "https://app.example")], false)]
#[case::same_origin_decides_alone("POST", &[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")], true)]
#[case::same_origin_of_a_sandbox("POST", &[("sec-fetch-site", "same-origin"), ("origin", "null")], true)]
#[case::the_user_on_this_site("POST", &[("sec-fetch-site", "none"), ("origin", "https://app.example")], true)]
#[case::the_user_by_another_site("POST", &[("sec-fetch-site", "none"), ("origin", "https://evil.example")], false)]
#[case::the_user_by_another_scheme("PUT", &[("sec-fetch-site", "none"), ("origin", "http://app.example")], false)]
#[case::the_user_by_another_port("DELETE", &[("sec-fetch-site", "none"), ("origin", "https://app.example:8443")], false)]
#[case::the_user_by_nobody("PATCH", &[("sec-fetch-site", "none"), ("origin", "null")], false)]
#[case::the_user_by_an_extension("POST", &[("sec-fetch-site", "none"), ("origin", "chrome-extension://abc")], false)]
#[case::the_user_by_two("POST", &[("sec-fetch-site", "none"), ("origin", "https://app.example, https://evil.example")], false)]
#[case::the_user_by_an_empty_origin("POST", &[("sec-fetch-site", "none"), ("origin", "")], false)]
#[case::a_neighbour_as_this_site("POST", &[("sec-fetch-site", "same-site"), ("origin", "https://app.example")], false)]
#[case::two_words("POST", &[("sec-fetch-site", "same-origin, same-origin"), ("origin", "https://app.example")], false)]
#[case::an_empty_word("POST", &[("sec-fetch-site", ""), ("origin", "https://app.example")], false)]
#[case::another_case("POST", &[("sec-fetch-site", "None")], false)]
#[case::websocket_by_the_user("GET", &[("upgrade", "websocket"), ("sec-fetch-site", "none"), ("origin", "https://evil.example")], false)]
#[case::safe_method("GET", &[("sec-fetch-site", "cross-site")], true)]
#[case::websocket("GET", &[("upgrade", "websocket"), ("origin", "https://evil.example")], false)]
fn a_cookie_on_an_unsafe_method_needs_a_proof_of_its_site(
    #[case] method: &'static str,
    #[case] headers: &[(&'static str, &str)],
    #[case] passes: bool,
) {
    let guard = guard();
    let cookie = cookie(&guard);
    let with_cookie = [headers, &[("cookie", &cookie as &str)]].concat();
    let decision = guard.decide(&request(method, "/x", &with_cookie), NOW);
    let refused = matches!(&decision, Decision::Refuse(r) if r.refusal == Refusal::CrossSite);
    assert_eq!(refused, !passes, "{decision:?}");
    let bearer = bearer(&guard);
    let with_bearer = [headers, &[("authorization", &bearer as &str)]].concat();
    check(&guard, &request(method, "/x", &with_bearer));
}

#[rstest]
#[case::a_program(&[], true)]
#[case::same_origin(&[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")], true)]
#[case::the_user(&[("sec-fetch-site", "none")], true)]
#[case::own_origin(&[("origin", "https://app.example")], true)]
#[case::the_user_by_another_site(&[("sec-fetch-site", "none"), ("origin", "https://evil.example")], false)]
#[case::the_user_by_nobody(&[("sec-fetch-site", "none"), ("origin", "null")], false)]
#[case::other_origin(&[("origin", "https://evil.example")], false)]
#[case::cross_site(&[("sec-fetch-site", "cross-site"), ("origin", "https://app.example")], false)]
fn login_and_logout_are_this_sites_or_a_programs(
    #[case] headers: &[(&'static str, &str)],
    #[case] passes: bool,
) {
    let verdict = guard().refuse_other_origins(&request("POST", "/_auth/logout", headers));
    assert_eq!(verdict, if passes { Ok(()) } else { Err(Refusal::CrossSite) });
}
