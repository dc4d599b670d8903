use std::borrow::Cow;

use super::*;
use rstest::rstest;

/// Headers as the runtime has them: several of one name are joined by commas.
struct Asking<'a>(&'a [(&'a str, &'a str)]);

impl Head for Asking<'_> {
    fn method(&self) -> &str {
        "GET"
    }
    fn url(&self) -> &str {
        "https://guard.example/_auth/verify?a=b"
    }
    fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        let all = self.0.iter().filter(|(sent, _)| sent.eq_ignore_ascii_case(name));
        let all: Vec<&str> = all.map(|(_, value)| *value).collect();
        (!all.is_empty()).then(|| all.join(", ").into())
    }
    fn has_body(&self) -> bool {
        false
    }
}

const PROXY: Recipient = Recipient::Proxy { shows_redirects: true };

fn read(headers: &[(&str, &str)]) -> Result<(String, String), Refusal> {
    let read = DescribedRequest::read(&Asking(headers), PROXY)?;
    Ok((read.method, read.url))
}

fn described(
    method: &str,
    proto: &str,
    host: &str,
    uri: &str,
) -> Result<(String, String), Refusal> {
    read(&[
        ("X-Forwarded-Method", method),
        ("X-Forwarded-Proto", proto),
        ("X-Forwarded-Host", host),
        ("X-Forwarded-Uri", uri),
    ])
}

#[rstest]
#[case("GET", "https", "app.example", "/a?b=c", "https://app.example/a?b=c")]
#[case("PATCH", "http", "app.example:8080", "/", "http://app.example:8080/")]
#[case::normal_form("GET", "https", "App.Example:443", "/", "https://app.example/")]
#[case::other_port("GET", "https", "app.example:80", "/", "https://app.example:80/")]
#[case::handshake("GET", "wss", "app.example", "/ws", "https://app.example/ws")]
#[case::ipv6("GET", "http", "[::1]:80", "/", "http://[::1]/")]
#[case::encoded(
    "GET",
    "https",
    "a.b",
    "/a%2F..%2fb;c/%20,d?%23&e=%zz",
    "https://a.b/a%2F..%2fb;c/%20,d?%23&e=%zz"
)]
#[case::two_slashes("GET", "https", "a.b", "//evil.example/", "https://a.b//evil.example/")]
#[case::url_as_path(
    "GET",
    "https",
    "a.b",
    "/https://evil.example/",
    "https://a.b/https://evil.example/"
)]
#[case::beyond_ascii("GET", "https", "a.b", "/é?é", "https://a.b/é?é")]
fn a_request_is_described_in_two_ways(
    #[case] method: &str,
    #[case] proto: &str,
    #[case] host: &str,
    #[case] uri: &str,
    #[case] url: &str,
) {
    let expected = Ok((method.to_owned(), url.to_owned()));
    assert_eq!(described(method, proto, host, uri), expected);
    let original = format!("{proto}://{host}{uri}");
    let mut headers = vec![("X-Original-Method", method), ("X-Original-URL", &original)];
    assert_eq!(read(&headers), expected);
    // Those of a proxy before, which say nothing of the path.
    headers.extend([("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Proto", "http")]);
    assert_eq!(read(&headers), expected);
}

#[rstest]
#[case::empty_method("", "https", "a.b", "/")]
#[case::two_methods("GET, POST", "https", "a.b", "/")]
#[case::method_with_more("GET /x", "https", "a.b", "/")]
#[case::lower_case_method("post", "https", "a.b", "/")]
#[case::method_of_both_cases("Post", "https", "a.b", "/")]
#[case::empty_scheme("GET", "", "a.b", "/")]
#[case::two_schemes("GET", "https, http", "a.b", "/")]
#[case::other_scheme("GET", "ftp", "a.b", "/")]
#[case::upper_case_scheme("GET", "HTTPS", "a.b", "/")]
#[case::no_host("GET", "https", "", "/")]
#[case::two_hosts("GET", "https", "a.b, c.d", "/")]
#[case::host_with_user("GET", "https", "evil@a.b", "/")]
#[case::host_with_path("GET", "https", "a.b/public", "/")]
#[case::host_with_query("GET", "https", "a.b?", "/")]
#[case::host_with_two_ports("GET", "https", "a.b:1:2", "/")]
#[case::bracket("GET", "https", "[::1]a", "/")]
#[case::brackets("GET", "https", "[[::1]", "/")]
#[case::host_beyond_ascii("GET", "https", "é.b", "/")]
#[case::no_path("GET", "https", "a.b", "")]
#[case::query_only("GET", "https", "a.b", "?/public")]
#[case::relative("GET", "https", "a.b", "public")]
#[case::asterisk("OPTIONS", "https", "a.b", "*")]
#[case::absolute("GET", "https", "a.b", "https://a.b/public")]
#[case::port_as_path("GET", "https", "a.b", ":8443/public")]
#[case::user_as_path("GET", "https", "a.b", "@evil.example/public")]
#[case::host_without_its_port("GET", "https", "a.b:", "/")]
#[case::fragment("GET", "https", "a.b", "/public#/../admin")]
#[case::fragment_of_query("GET", "https", "a.b", "/public?a#b")]
#[case::two_paths("GET", "https", "a.b", "/public, /admin")]
#[case::space("GET", "https", "a.b", "/a b")]
#[case::control("GET", "https", "a.b", "/a\tb")]
fn what_is_no_request_is_refused(
    #[case] method: &str,
    #[case] proto: &str,
    #[case] host: &str,
    #[case] uri: &str,
) {
    let refused = |it| matches!(it, Err(Refusal::BadRequest(_)));
    assert!(refused(described(method, proto, host, uri)));
    let original = format!("{proto}://{host}{uri}");
    // Between a scheme and a path there is no telling where a host ends.
    if !host.contains(['/', '?']) && !uri.starts_with(':') {
        assert!(refused(read(&[("X-Original-Method", method), ("X-Original-URL", &original)])));
    }
}

const M: (&str, &str) = ("X-Forwarded-Method", "GET");
const P: (&str, &str) = ("X-Forwarded-Proto", "https");
const H: (&str, &str) = ("X-Forwarded-Host", "a.b");
const U: (&str, &str) = ("X-Forwarded-Uri", "/admin");
const OM: (&str, &str) = ("X-Original-Method", "GET");
const OU: (&str, &str) = ("X-Original-URL", "https://a.b/public");

#[rstest]
#[case::nothing(&[], INCOMPLETE)]
#[case::no_method(&[P, H, U], INCOMPLETE)]
#[case::no_scheme(&[M, H, U], INCOMPLETE)]
#[case::no_host(&[M, P, U], INCOMPLETE)]
#[case::no_uri(&[M, P, H], INCOMPLETE)]
#[case::no_original_method(&[OU], INCOMPLETE)]
#[case::no_original_url(&[OM], INCOMPLETE)]
#[case::only_an_original_method(&[OM, P, H, U], INCOMPLETE)]
#[case::only_a_forwarded_method(&[M, OU], INCOMPLETE)]
#[case::the_clients_original_url(&[M, P, H, U, OU], TWICE)]
#[case::the_clients_original_method(&[M, P, H, U, OM], TWICE)]
#[case::the_clients_original_both(&[M, P, H, U, OM, OU], TWICE)]
#[case::the_clients_uri(&[OM, OU, U], TWICE)]
#[case::the_clients_method(&[OM, OU, M], TWICE)]
#[case::other_spellings(&[("X_Forwarded_Method", "GET"), P, H, U], INCOMPLETE)]
fn nothing_is_guessed(#[case] headers: &[(&str, &str)], #[case] expected: Refusal) {
    assert_eq!(read(headers), Err(expected));
}

#[test]
fn a_header_that_comes_twice_is_refused() {
    for header in [M, P, H, U] {
        assert!(read(&[M, P, H, U, header]).is_err(), "{header:?}");
    }
    for header in [OM, OU] {
        assert!(read(&[OM, OU, header]).is_err(), "{header:?}");
    }
}

#[rstest]
#[case(&[], false)]
#[case(&[("Upgrade", "websocket")], true)]
#[case(&[("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")], true)]
fn a_handshake_is_known_by_what_proxies_leave_of_it(
    #[case] more: &[(&str, &str)],
    #[case] upgrades: bool,
) {
    let read = DescribedRequest::read(&Asking(&[&[OM, OU], more].concat()), PROXY).unwrap();
    assert_eq!(read.upgrades, upgrades);
}

#[test]
fn no_tunnel_opens_in_which_requests_are_asked_about_by_nobody() {
    for settings in ["AAMAAABkAAQAAP__", ""] {
        assert_eq!(read(&[OM, OU, ("HTTP2-Settings", settings)]), Err(H2C_ILLEGAL));
    }
}

#[rstest]
#[case(&[OU], Ok("https://a.b/_auth/verify?a=b"))]
#[case(&[P, ("X-Forwarded-Host", "App.example:443")], Ok("https://app.example/_auth/verify?a=b"))]
#[case(&[OU, H], Err(TWICE))]
#[case(&[H], Err(INCOMPLETE))]
#[case(&[], Err(INCOMPLETE))]
#[case(&[P, ("X-Forwarded-Host", "a.b, c.d")], Err(HOST_ILLEGAL))]
#[case(&[OU, ("X-Guard-Client-IP", "203.0.113.7, 10.0.0.1")], Err(CLIENT_IP_ILLEGAL))]
#[case(&[OU, ("X-Guard-Client-IP", "203.0.113.7:80")], Err(CLIENT_IP_ILLEGAL))]
fn what_a_proxy_passes_on_is_at_its_clients_host(
    #[case] headers: &[(&str, &str)],
    #[case] expected: Result<&str, Refusal>,
) {
    let read = ProxiedRequest::read(&Asking(headers)).map(|read| read.url);
    assert_eq!(read, expected.map(str::to_owned));
}

#[test]
fn a_proxy_says_its_clients_address() {
    let headers = [OU, ("X-Guard-Client-IP", "2001:db8::7")];
    let read = ProxiedRequest::read(&Asking(&headers)).unwrap();
    assert_eq!(read.client_ip, Some("2001:db8::7".to_owned()));
}

#[rstest]
#[case("", Some(true))]
#[case("?redirect=off", Some(false))]
#[case("?a=b&redirect=off", Some(false))]
#[case("?redirect=on", None)]
#[case("?redirect=off&redirect=off", None)]
fn the_query_says_whether_redirects_are_shown(#[case] query: &str, #[case] shows: Option<bool>) {
    let read = recipient(&format!("https://guard.example/_auth/verify{query}")).ok();
    assert_eq!(read, shows.map(|shows_redirects| Recipient::Proxy { shows_redirects }));
}
