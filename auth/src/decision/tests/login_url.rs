//! `LOGIN_URL` is hidden from clients in every spelling.

use super::*;

#[rstest]
#[case::itself("/internal/login", true)]
#[case::with_a_query("/internal/login?a=b", true)]
#[case::slash("/internal/login/", true)]
#[case::below("/internal/login/x", true)]
#[case::far_below("/internal/login/x/y%20z", true)]
#[case::case("/Internal/LOGIN", true)]
#[case::doubled("//internal//login", true)]
#[case::behind_a_host("//x/internal/login", true)]
#[case::encoded("/internal/%6cogin", true)]
#[case::encoded_twice("/internal/%256cogin", true)]
#[case::encoded_by_16_bits("/internal/%u006cogin", true)]
#[case::overlong("/internal/%c1%acogin", true)]
#[case::parameter("/internal/login;a=b", true)]
#[case::parameter_before("/internal;a=b/login", true)]
#[case::parameter_of_dots("/x/..;/internal/login", true)]
#[case::dots("/internal/x/..%2flogin", true)]
#[case::dot("/internal/login.", true)]
#[case::space("/internal/login%20", true)]
#[case::line("/internal/login%0a", true)]
#[case::nothing("/internal/login%00", true)]
#[case::query_encoded("/internal/login%3fx", true)]
#[case::fragment_encoded("/internal/login%23x", true)]
#[case::format("/internal/login.json", true)]
#[case::format_of_another_case("/internal/LOGIN.JSON", true)]
#[case::backslash("/internal%5clogin", true)]
#[case::not_an_escape("/internal/login%", true)]
#[case::full_width("/internal/%ef%bd%8cogin", true)]
#[case::invisible("/internal/lo%c2%adgin", true)]
#[case::another("/internal/logins", false)]
#[case::one_more("/internal/login-page", false)]
#[case::above("/internal", false)]
#[case::elsewhere("/x/internal/login", false)]
fn the_login_url_is_no_path_for_clients(#[case] path: &str, #[case] hidden: bool) {
    let login_urls = [
        ("", "https://app.example/internal/login"),
        ("", "https://App.Example/internal/login/"),
        ("", "https://login.example/internal/login?a=b"),
        ("https://origin.example", "https://origin.example:8443/internal/login"),
        ("https://origin.example", "https://login.example/internal/LOGIN"),
        ("https://origin.example", "https://origin.example/internal/%6cogin"),
    ];
    for (origin, login) in login_urls {
        let guard = guard_with(&[("ORIGIN_URL", origin), ("LOGIN_URL", login)]);
        for method in ["GET", "POST", "OPTIONS"] {
            let request = request(method, path, &[("authorization", &bearer(&guard))]);
            let decision = guard.decide(&request, NOW);
            let found = matches!(&decision, Decision::Refuse(r) if r.refusal == Refusal::NotFound);
            assert_eq!(found, hidden, "{login}: {decision:?}");
        }
    }
    let bound = [("ORIGIN", BOUND), ("LOGIN_URL", "https://login.example/internal/login")];
    let bound = guard_with(&bound);
    let decision = bound.decide(&request("GET", path, &[("authorization", &bearer(&bound))]), NOW);
    assert_eq!(matches!(&decision, Decision::Refuse(_)), hidden, "{decision:?}");
}
