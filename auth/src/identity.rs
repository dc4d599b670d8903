//! Who the user is, told to the origin in headers that no client can set.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::Value;

use crate::token::Verified;

/// The user's `sub`.
pub const USER: &str = "X-Auth-Request-User";
/// The user's `email` claim.
pub const EMAIL: &str = "X-Auth-Request-Email";
/// The `groups` claim, or else the `roles` claim, separated by commas.
pub const GROUPS: &str = "X-Auth-Request-Groups";
/// The `sid`.
pub const SESSION: &str = "X-Auth-Request-Session";

/// What would end or forge a header, or make the encoding ambiguous.
const UNSAFE: &AsciiSet = &CONTROLS.add(b'%');
const UNSAFE_IN_LIST: &AsciiSet = &UNSAFE.add(b',');

/// The headers for a verified token. Values are UTF-8, percent-encoded (RFC 3986, section 2.1)
/// where they are not printable ASCII, so any `sub` fits into a header and none is ambiguous.
pub fn headers(token: &Verified) -> Vec<(&'static str, String)> {
    let claim = |name: &str| token.public().get(name);
    let mut headers =
        vec![(USER, encode(token.sub().as_str(), UNSAFE)), (SESSION, token.sid().to_string())];
    if let Some(Value::String(email)) = claim("email") {
        headers.push((EMAIL, encode(email, UNSAFE)));
    }
    if let Some(Value::Array(groups)) = claim("groups").or_else(|| claim("roles")) {
        let groups = groups.iter().filter_map(Value::as_str);
        let groups: Vec<String> = groups.map(|group| encode(group, UNSAFE_IN_LIST)).collect();
        headers.push((GROUPS, groups.join(",")));
    }
    headers
}

/// Would an origin read this header as one of ours? Servers fold `-`, `_` and other marks into
/// one, so only letters and digits are compared.
pub fn is_reserved(name: &str) -> bool {
    let folded = name.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_lowercase());
    folded.take(RESERVED.len()).eq(RESERVED.bytes())
}

const RESERVED: &str = "xauthrequest";

/// Leading and trailing spaces would be lost on the way, so they are encoded too.
fn encode(text: &str, unsafe_bytes: &'static AsciiSet) -> String {
    if text.starts_with(' ') || text.ends_with(' ') {
        let inner = text.trim_matches(' ');
        let leading = text.len() - text.trim_start_matches(' ').len();
        let trailing = text.len() - leading - inner.len();
        let encoded = utf8_percent_encode(inner, unsafe_bytes);
        return format!("{}{encoded}{}", "%20".repeat(leading), "%20".repeat(trailing));
    }
    utf8_percent_encode(text, unsafe_bytes).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::tests::{NOW, issue, tokens};
    use proptest::prelude::*;
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
    fn every_variant_of_an_identity_header_is_reserved(#[case] name: &str) {
        assert!(is_reserved(name));
    }

    #[rstest]
    #[case("Authorization")]
    #[case("X-Auth")]
    #[case("X-Request-Id")]
    #[case("Not-X-Auth-Request-User")]
    fn other_headers_are_the_clients_own(#[case] name: &str) {
        assert!(!is_reserved(name));
    }

    #[test]
    fn the_claims_become_headers() {
        let tokens = tokens(&["a"]);
        let headers = headers(&tokens.verify(&issue(&tokens, "ada"), NOW).unwrap());
        let expected = [
            (USER, "ada".to_owned()),
            (SESSION, "BwcHBwcHBwcHBwcHBwcHBw".to_owned()),
            (EMAIL, "ada@example.com".to_owned()),
        ];
        assert_eq!(headers, expected);
    }

    proptest! {
        #[test]
        fn any_text_becomes_printable_ascii_and_can_be_read_back(text in ".*") {
            let encoded = encode(&text, UNSAFE_IN_LIST);
            prop_assert!(encoded.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b','));
            prop_assert_eq!(encoded.trim(), &encoded);
            let read = percent_encoding::percent_decode_str(&encoded).decode_utf8().unwrap();
            prop_assert_eq!(read, text);
        }
    }
}
