use super::*;
use rstest::rstest;

#[rstest]
#[case("app.example.com", &["https://app.example.com"])]
#[case("app.example.com, example.com,a_b.example.com", &["https://app.example.com", "https://example.com", "https://a_b.example.com"])]
#[case("app.example.com:8443", &["https://app.example.com:8443"])]
#[case("xn--bcher-kva.example", &["https://xn--bcher-kva.example"])]
#[case("app.guard.localhost:8787", &["https://app.guard.localhost:8787", "http://app.guard.localhost:8787"])]
fn hosts_are_origins_over_https_and_to_this_machine_over_http(
    #[case] text: &str,
    #[case] origins: &[&str],
) {
    let hosts = SiteHosts::parse(text).unwrap();
    assert_eq!(hosts.origins().collect::<Vec<_>>(), origins);
}

#[rstest]
#[case::nothing("")]
#[case::a_gap("a.example,,b.example")]
#[case::twice("a.example, a.example")]
#[case::any("*.example.com")]
#[case::scheme("https://app.example.com")]
#[case::path("app.example.com/")]
#[case::leading_dot(".example.com")]
#[case::trailing_dot("app.example.com.")]
#[case::two_dots("app..example.com")]
#[case::upper_case("App.example.com")]
#[case::no_ascii("bücher.example")]
#[case::v4("192.0.2.1")]
#[case::short_v4("127.1")]
#[case::hexadecimal("a.0x7f")]
#[case::v6("[::1]")]
#[case::bare_v6("::1")]
#[case::user("user@app.example.com")]
#[case::port_of_https("app.example.com:443")]
#[case::port_of_http("app.guard.localhost:80")]
#[case::no_port("app.example.com:")]
#[case::large_port("app.example.com:65536")]
#[case::padded_port("app.example.com:08443")]
#[case::space("app.example.com api.example.com")]
#[case::hyphen("-app.example.com")]
#[case::percent("app%2eexample.com")]
fn whatever_no_browser_would_write_is_no_host(#[case] text: &str) {
    assert!(!SiteHosts::parse(text).unwrap_err().reason.is_empty());
}

#[rstest]
#[case("app.example.com, example.com", None)]
#[case("app.example.com, evilexample.com", Some(1))]
#[case("example.com.evil.com", Some(0))]
#[case("app.example.com:8443, com", Some(1))]
fn hosts_are_of_the_domain_or_below_it(#[case] text: &str, #[case] outside: Option<usize>) {
    assert_eq!(SiteHosts::parse(text).unwrap().outside("example.com"), outside);
}

#[rstest]
#[case("https://app.example.com/", true)]
#[case("http://app.example.com/x", true)]
#[case("https://dev.example.com:8443/", true)]
#[case::upper_case("https://APP.Example.com/", true)]
#[case::own_port("https://app.example.com:443/", true)]
#[case::own_port_of_http("http://app.example.com:80/", true)]
#[case::unnamed("https://evil.example.com/", false)]
#[case::port_of_http("https://app.example.com:80/", false)]
#[case::below("https://x.app.example.com/", false)]
#[case::domain("https://example.com/", false)]
#[case::port("https://app.example.com:8443/", false)]
#[case::no_port("https://dev.example.com/", false)]
#[case::trailing_dot("https://app.example.com./", false)]
#[case::suffix("https://app.example.com.evil.com/", false)]
#[case::in_the_path("https://evil.com/https://app.example.com/", false)]
#[case::nothing("", false)]
fn the_cookie_counts_at_named_hosts_only(#[case] url: &str, #[case] counts: bool) {
    let hosts = SiteHosts::parse("app.example.com, dev.example.com:8443").unwrap();
    assert_eq!(hosts.share_cookie_at(url), counts);
    assert!(SiteHosts::default().share_cookie_at(url));
}

#[rstest]
#[case("https://app.example.com/x", Some("https://app.example.com"))]
#[case::tls_ends_before("http://App.example.com/x", Some("https://app.example.com"))]
#[case("http://app.localhost:8787/x", Some("http://app.localhost:8787"))]
#[case("https://app.localhost:8787/x", Some("https://app.localhost:8787"))]
#[case("https://evil.example.com/x", None)]
fn browsers_know_a_host_by_an_origin(#[case] url: &str, #[case] origin: Option<&str>) {
    let hosts = SiteHosts::parse("app.example.com, app.localhost:8787").unwrap();
    assert_eq!(hosts.origin_at(url), origin);
}

#[rstest]
#[case("example.com", true)]
#[case("guard.localhost", true)]
#[case("xn--bcher-kva.example", true)]
#[case::leading_dot(".example.com", false)]
#[case::trailing_dot("example.com.", false)]
#[case::top_level("com", false)]
#[case::localhost("localhost", false)]
#[case::port("example.com:8443", false)]
#[case::scheme("https://example.com", false)]
#[case::upper_case("Example.com", false)]
#[case::no_ascii("bücher.example", false)]
#[case::v4("192.0.2.1", false)]
#[case::v6("[2001:db8::1]", false)]
#[case::any("*.example.com", false)]
#[case::attribute("example.com; Path=/", false)]
#[case::two("example.com, example.org", false)]
fn a_cookies_domain_is_one_that_browsers_take(#[case] text: &str, #[case] is_taken: bool) {
    assert_eq!(cookie_domain(text).is_ok(), is_taken);
}
