//! Headers that a client may send and an origin must not take from it, by their names.

/// Would an origin take this header for the word of a proxy before it: who asks, from where, by
/// which address? Servers fold `-`, `_` and other marks into one, so only letters and digits are
/// compared.
pub fn is_reserved(name: &str) -> bool {
    let folded = Folded::of(name);
    WHOLE.iter().any(|it| it.as_bytes() == folded.as_bytes())
        || folded.begins_with_one_of(PREFIXES)
        || imitates_cloudflare(name)
}

/// Would an origin take another method from it than the request has?
pub fn overrides_method(name: &str) -> bool {
    Folded::of(name).begins_with_one_of(METHODS)
}

/// What concerns one connection only (RFC 9110, section 7.6.1; RFC 9113, section 3.1, for
/// `HTTP2-Settings`). `Upgrade` is not among them: see
/// [`HeaderFilter`](crate::decision::HeaderFilter).
pub fn is_hop_by_hop(name: &str) -> bool {
    HOP_BY_HOP.iter().any(|it| it.eq_ignore_ascii_case(name))
}

/// May a client's `Connection` have this header removed on the way? Not what was there before the
/// client had a say, nor what makes the request what it is.
pub fn may_be_dropped(name: &str) -> bool {
    !Folded::of(name).begins_with_one_of(LASTING)
}

/// Who is asking, by what an origin tells of logins, and what a proxy says of its client, in the
/// spellings of those there are. Then what asks an origin to read another URL than the request has.
const PREFIXES: &[&str] = &[
    "xauthrequest",
    "xguard",
    "xforward",
    "forwarded",
    "remote",
    "xremote",
    "xreal",
    "trueclient",
    "xtrueclient",
    "clientip",
    "xclientip",
    "xcluster",
    "xoriginating",
    "xproxy",
    "xenvoy",
    "fastlyclient",
    "xazureclient",
    "xazuresocket",
    "xappengineuser",
    "proxyclient",
    "wlproxy",
    "frontendhttps",
    "xscheme",
    "xurlscheme",
    "xoriginalforward",
    "xoriginalhost",
    "xoriginalmethod",
    "xoriginalpath",
    "xoriginalproto",
    "xoriginalremote",
    "xoriginaluri",
    "xoriginalurl",
    "xrewrite",
    "xoverride",
    "xhttphost",
    "xhttpdestination",
    "xhost",
    "xrequesturi",
    "xscriptname",
    "requesturi",
];

/// `Proxy` becomes `HTTP_PROXY` where headers become environment variables, which sends a program's
/// own requests through whoever is named there.
const WHOLE: &[&str] = &["proxy"];

const METHODS: &[&str] = &["xhttpmethod", "xmethod", "httpmethodoverride", "methodoverride"];

const HOP_BY_HOP: &[&str] = &[
    "connection",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
];

const LASTING: &[&str] = &[
    "accept",
    "age",
    "auth",
    "cache",
    "cdnloop",
    "cf",
    "content",
    "cookie",
    "date",
    "expect",
    "from",
    "host",
    "if",
    "maxforwards",
    "origin",
    "pragma",
    "prefer",
    "range",
    "referer",
    "sec",
    "trace",
    "upgrade",
    "useragent",
    "via",
    "xcsrf",
    "xrequest",
    "xxsrf",
];

/// Cloudflare sets `CF-Connecting-IP` and its kin; `CF_Connecting_IP` is somebody else's.
fn imitates_cloudflare(name: &str) -> bool {
    let bytes = name.as_bytes();
    let begins = bytes.len() > 2 && bytes[..2].eq_ignore_ascii_case(b"cf");
    begins
        && !bytes[2].is_ascii_alphanumeric()
        && bytes.iter().any(|byte| !byte.is_ascii_alphanumeric() && *byte != b'-')
}

/// The letters and digits of a name, in lower case, as many as matter.
struct Folded {
    bytes: [u8; 24],
    len: usize,
}

impl Folded {
    fn of(name: &str) -> Self {
        let mut folded = Self { bytes: [0; 24], len: 0 };
        let kept = name.bytes().filter(u8::is_ascii_alphanumeric);
        for (place, byte) in folded.bytes.iter_mut().zip(kept) {
            *place = byte.to_ascii_lowercase();
            folded.len += 1;
        }
        folded
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn begins_with_one_of(&self, prefixes: &[&str]) -> bool {
        prefixes.iter().any(|prefix| self.as_bytes().starts_with(prefix.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("X-Auth-Request-User")]
    #[case("x-auth-request-user")]
    #[case("X_AUTH_REQUEST_USER")]
    #[case("x-auth_request-Email")]
    #[case("x.auth.request.user")]
    #[case("X-Auth-Request-Assertion")]
    #[case("X-Auth-Request-Preferred-Username")]
    #[case("xauthrequestuser")]
    #[case("X-Guard-Login")]
    #[case("x_guard_logout")]
    #[case("X-Guard-Session-Data")]
    #[case("X.Guard.Anything")]
    #[case("XGuardSessionData")]
    #[case("X-Forwarded-User")]
    #[case("X_Forwarded_Groups")]
    #[case("X-Forwarded-For")]
    #[case("x_forwarded_for")]
    #[case("X-Forwarded-Anything")]
    #[case("X-Forwarded")]
    #[case("X-Forward-For")]
    #[case("Forwarded")]
    #[case("Forwarded-For")]
    #[case("Remote-User")]
    #[case("REMOTE_USER")]
    #[case("Remote.Groups")]
    #[case("X-Remote-User")]
    #[case("X-Real-IP")]
    #[case("True-Client-IP")]
    #[case("X-Client-IP")]
    #[case("X-Cluster-Client-IP")]
    #[case("X-Original-Forwarded-For")]
    #[case("X-Original-Host")]
    #[case("X-Host")]
    #[case("X-Original-URL")]
    #[case("x_original_url")]
    #[case("X-Original-URI")]
    #[case("X-Rewrite-URL")]
    #[case("X-Override-URL")]
    #[case("X-Forwarded-Prefix")]
    #[case("X-Envoy-Original-Path")]
    #[case("Proxy")]
    #[case("CF_Connecting_IP")]
    #[case("cf-connecting_ip")]
    #[case("cf.ipcountry")]
    fn every_variant_of_a_proxys_header_is_reserved(#[case] name: &str) {
        assert!(is_reserved(name));
    }

    #[rstest]
    #[case("Authorization")]
    #[case("X-Auth")]
    #[case("X-Gua")]
    #[case("X-Request-Id")]
    #[case("Not-X-Auth-Request-User")]
    #[case("X-Original-Filename")]
    #[case("X-Requested-With")]
    #[case("Proxy-Status")]
    #[case("CF-Connecting-IP")]
    #[case("CF-IPCountry")]
    #[case("cffi_version")]
    #[case("X-HTTP-Method-Override")]
    #[case("")]
    fn other_headers_are_the_clients_own(#[case] name: &str) {
        assert!(!is_reserved(name));
    }

    #[rstest]
    #[case("X-HTTP-Method-Override", true)]
    #[case("X_HTTP_Method_Override", true)]
    #[case("X-HTTP-Method", true)]
    #[case("X-Method-Override", true)]
    #[case("x.method.override", true)]
    #[case("X-HTTP-Something", false)]
    #[case("Method", false)]
    fn what_overrides_the_method_is_known(#[case] name: &str, #[case] yes: bool) {
        assert_eq!(overrides_method(name), yes);
    }

    #[rstest]
    #[case("X-Hop", true)]
    #[case("X-Auth-Request-User", true)]
    #[case("Cookie", false)]
    #[case("authorization", false)]
    #[case("Host", false)]
    #[case("Content-Length", false)]
    #[case("CF-Connecting-IP", false)]
    #[case("Sec-Fetch-Site", false)]
    #[case("Origin", false)]
    fn what_makes_a_request_what_it_is_stays(#[case] name: &str, #[case] yes: bool) {
        assert_eq!(may_be_dropped(name), yes);
    }
}
