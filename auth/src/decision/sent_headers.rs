//! The headers that a client sent, as far as it matters which of them go on.

use crate::reserved::{is_hop_by_hop, is_reserved, may_be_dropped, overrides_method};

/// What goes on only with some requests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passing {
    /// Another method for the origin to read than the decision was made about.
    pub overrides: bool,
    /// An upgrade to WebSocket, for which the runtime makes a GET of whatever it was.
    pub upgrade: bool,
}

/// The names of a request's headers, and what it says of its connection.
#[derive(Clone, Copy, Debug, Default)]
pub struct SentHeaders<'a> {
    connection: &'a str,
    upgrade: &'a str,
    names: &'a str,
}

impl<'a> SentHeaders<'a> {
    /// Reads the value of `Connection`, that of `Upgrade`, then the names of all headers, a line
    /// each, because one text comes over from the platform faster than many.
    pub fn read(lines: &'a str) -> Self {
        let (connection, rest) = lines.split_once('\n').unwrap_or((lines, ""));
        let (upgrade, names) = rest.split_once('\n').unwrap_or((rest, ""));
        Self { connection, upgrade, names }
    }

    /// The names of those that do not go on.
    pub(super) fn removed(&self, passing: Passing) -> impl Iterator<Item = &'a str> {
        let Self { connection, upgrade, names } = *self;
        let upgrades = passing.upgrade && upgrade.eq_ignore_ascii_case("websocket");
        names.lines().filter(move |name| {
            is_reserved(name)
                || is_hop_by_hop(name)
                || (!upgrades && name.eq_ignore_ascii_case("upgrade"))
                || (!passing.overrides && overrides_method(name))
                || (is_option(connection, name) && may_be_dropped(name))
        })
    }
}

/// Is it among the options of a `Connection` (RFC 9110, section 7.6.1)?
fn is_option(connection: &str, name: &str) -> bool {
    connection.split(',').any(|option| option.trim().eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn removed(lines: &str, overrides: bool, upgrade: bool) -> Vec<&str> {
        SentHeaders::read(lines).removed(Passing { overrides, upgrade }).collect()
    }

    #[rstest]
    #[case::nothing("", &[])]
    #[case::common("keep-alive\n\naccept\nconnection\nhost", &["connection"])]
    #[case::named("X-Hop, close\n\nx-hop\nx-other", &["x-hop"])]
    #[case::named_credentials("Cookie, authorization\n\ncookie\nauthorization", &[])]
    #[case::named_host("host,content-type\n\nhost\ncontent-type", &[])]
    #[case::websocket("Upgrade\nWebSocket\nconnection\nupgrade\nsec-websocket-key", &["connection"])]
    #[case::other_upgrade("Upgrade\nh2c\nupgrade\nhttp2-settings", &["upgrade", "http2-settings"])]
    #[case::hop_by_hop("\n\nTE\ntrailer\nkeep-alive\nproxy-authorization", &["TE", "trailer", "keep-alive", "proxy-authorization"])]
    #[case::forged("\n\nx_forwarded_for\naccept", &["x_forwarded_for"])]
    fn what_concerns_the_connection_only_stays_behind(
        #[case] lines: &str,
        #[case] expected: &[&str],
    ) {
        assert_eq!(removed(lines, true, true), expected);
    }

    #[test]
    fn an_override_of_the_method_goes_on_only_where_it_may() {
        let lines = "\n\nx-http-method-override\naccept";
        assert_eq!(removed(lines, true, true), [""; 0]);
        assert_eq!(removed(lines, false, true), ["x-http-method-override"]);
    }

    #[test]
    fn an_upgrade_goes_on_only_with_a_get() {
        let lines = "Upgrade\nwebsocket\nupgrade\nsec-websocket-key";
        assert_eq!(removed(lines, true, false), ["upgrade"]);
        assert_eq!(removed(lines, true, true), [""; 0]);
    }
}
