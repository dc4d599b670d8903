use std::collections::HashMap;

use rstest::rstest;

use super::*;

fn proxies(networks: &str, header: Option<&str>) -> AddressSource {
    let networks = TrustedProxies::parse(networks).unwrap();
    AddressSource::Proxies(TrustedProxies::new(networks, header.map(str::to_owned)))
}

fn sender(source: &AddressSource, peer: &str, headers: &[(&str, &str)]) -> Sender {
    let headers: HashMap<_, _> = headers.iter().copied().collect();
    source.sender(Some(peer), |name| headers.get(name).map(|it| (*it).to_owned())).unwrap()
}

fn address_of(source: &AddressSource, peer: &str, headers: &[(&str, &str)]) -> String {
    sender(source, peer, headers).address.map(|it| it.to_string()).unwrap_or_default()
}

/// What a client may send to look like somebody else.
const FORGED: [(&str, &str); 4] = [
    ("cf-connecting-ip", "6.6.6.6"),
    ("x-forwarded-for", "6.6.6.6"),
    ("x-real-ip", "6.6.6.6"),
    ("x-forwarded-proto", "https"),
];

#[test]
fn at_cloudflare_the_request_says_it_itself() {
    assert_eq!(AddressSource::Cloudflare.sender(Some("1.2.3.4:5"), |_| None), None);
}

#[test]
fn elsewhere_no_header_counts_unless_a_proxy_is_named() {
    let source = AddressSource::Cloudflare.outside_cloudflare();
    let expected = Sender { address: Some([203, 0, 113, 7].into()), ..Sender::default() };
    assert_eq!(sender(&source, "203.0.113.7:4711", &FORGED), expected);
    assert_eq!(source.sender(None, |_| Some("6.6.6.6".into())), Some(Sender::default()));
}

#[test]
fn settings_that_name_proxies_hold_everywhere() {
    let named = proxies("10.0.0.0/8", None);
    assert_eq!(named.clone().outside_cloudflare(), named);
}

#[rstest]
#[case("203.0.113.7:1", "203.0.113.7")]
#[case("11.0.0.1:1", "11.0.0.1")]
#[case("[2001:db8::1]:1", "2001:db8::1")]
#[case("[::ffff:203.0.113.7]:1", "203.0.113.7")]
fn who_is_no_named_proxy_speaks_only_for_itself(#[case] peer: &str, #[case] expected: &str) {
    let seen = sender(&proxies("10.0.0.0/8, ::1", None), peer, &FORGED);
    assert_eq!(seen.address.unwrap().to_string(), expected);
    assert_eq!((seen.is_https, seen.keeps_cloudflare), (None, false));
}

#[rstest]
#[case("203.0.113.7", "203.0.113.7")]
#[case("203.0.113.7:51234", "203.0.113.7")]
#[case("2001:db8::7", "2001:db8::7")]
#[case("[2001:db8::7]", "2001:db8::7")]
#[case("[2001:db8::7]:443", "2001:db8::7")]
#[case("::ffff:203.0.113.7", "203.0.113.7")]
// What stands before the last address that is no proxy's is the client's invention.
#[case("6.6.6.6, 203.0.113.7", "203.0.113.7")]
#[case("6.6.6.6,203.0.113.7,10.0.0.2 , 10.0.0.3", "203.0.113.7")]
#[case("10.0.0.9, 203.0.113.7", "203.0.113.7")]
// Nothing is guessed: the nearest that is known counts.
#[case("", "10.0.0.1")]
#[case("unknown", "10.0.0.1")]
#[case("203.0.113.7, unknown", "10.0.0.1")]
#[case("unknown, 10.0.0.2", "10.0.0.2")]
#[case("203.0.113.7,", "10.0.0.1")]
#[case("203.0.113.7 198.51.100.1", "10.0.0.1")]
#[case("203.0.113.7:99999", "10.0.0.1")]
#[case("for=203.0.113.7", "10.0.0.1")]
#[case("010.0.0.1", "10.0.0.1")]
#[case("fe80::1%eth0", "10.0.0.1")]
// All are proxies: somebody in the own network.
#[case("10.0.0.5, 10.0.0.2", "10.0.0.5")]
fn a_named_proxys_list_is_read_from_its_end(#[case] list: &str, #[case] expected: &str) {
    let source = proxies("10.0.0.0/8", None);
    assert_eq!(address_of(&source, "10.0.0.1:9", &[("x-forwarded-for", list)]), expected);
    // A proxy that connects over IPv6 to a socket of both kinds is the same.
    let peer = "[::ffff:10.0.0.1]:9";
    assert_eq!(address_of(&source, peer, &[("x-forwarded-for", list)]), expected);
}

#[rstest]
#[case("::ffff:10.0.0.1")]
#[case("::ffff:10.0.0.0/104")]
#[case("10.0.0.0/8")]
#[case("10.1.2.3/8")]
fn a_network_may_be_written_as_ipv6(#[case] networks: &str) {
    for peer in ["10.0.0.1:9", "[::ffff:10.0.0.1]:9"] {
        let headers = [("x-forwarded-for", "203.0.113.7")];
        assert_eq!(address_of(&proxies(networks, None), peer, &headers), "203.0.113.7");
    }
}

#[test]
fn only_the_header_that_the_settings_name_is_read() {
    let source = proxies("::1", Some("x-real-ip"));
    let headers = [("x-forwarded-for", "6.6.6.6"), ("x-real-ip", "203.0.113.7")];
    assert_eq!(address_of(&source, "[::1]:9", &headers), "203.0.113.7");
    assert_eq!(address_of(&source, "[::1]:9", &headers[..1]), "::1");
}

#[test]
fn cloudflare_before_a_workerd_of_ones_own_is_a_proxy_like_others() {
    let source = proxies("173.245.48.0/20", Some(CLOUDFLARE));
    let seen = sender(&source, "173.245.48.9:9", &[(CLOUDFLARE, "203.0.113.7")]);
    assert_eq!((seen.address, seen.keeps_cloudflare), (Some([203, 0, 113, 7].into()), true));
    let seen = sender(&source, "198.51.100.1:9", &[(CLOUDFLARE, "203.0.113.7")]);
    assert_eq!((seen.address, seen.keeps_cloudflare), (Some([198, 51, 100, 1].into()), false));
}

#[rstest]
#[case("https", Some(true))]
#[case("HTTPS", Some(true))]
#[case("wss", Some(true))]
#[case("http", Some(false))]
#[case("https, https", Some(true))]
#[case("https, http", Some(false))]
#[case("http,https", Some(false))]
#[case("ftp", None)]
#[case("", None)]
#[case("https, nonsense", None)]
fn one_hop_over_http_is_one_too_many(#[case] proto: &str, #[case] expected: Option<bool>) {
    let seen = sender(&proxies("::1", None), "[::1]:9", &[("x-forwarded-proto", proto)]);
    assert_eq!(seen.is_https, expected);
}

#[rstest]
#[case("0.0.0.0/0")]
#[case("::/0")]
#[case("::ffff:0.0.0.0/96")]
#[case("10.0.0.0/33")]
#[case("10.0.0")]
#[case("10.0.0.1,")]
#[case("loopback")]
#[case("10.0.0.1 10.0.0.2")]
#[case("10.0.0.1:80")]
fn what_names_no_proxies_is_refused(#[case] text: &str) {
    TrustedProxies::parse(text).unwrap_err();
}
