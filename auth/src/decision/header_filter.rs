//! The headers that a client sent, as far as it matters which of them go on.

use std::convert::Infallible;
use std::hash::BuildHasher;
use std::rc::Rc;

use rustc_hash::FxBuildHasher;

use crate::bounded_cache::{BoundedCache, Entry};
use crate::reserved_headers::{is_hop_by_hop, is_reserved, may_be_dropped, overrides_method};

/// What goes on only with some requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ConditionalHeaders {
    /// Another method for the origin to read than the decision was made about.
    pub overrides: bool,
    /// An upgrade to WebSocket, for which the runtime makes a GET of whatever it was.
    pub upgrade: bool,
}

/// Which of the headers that a client sent do not go on, by their names.
#[derive(Clone, Debug, Default)]
pub struct HeaderFilter {
    removed: Vec<String>,
    overrides: Vec<String>,
    upgrade: Vec<String>,
    to_websocket: bool,
}

impl HeaderFilter {
    /// Reads the value of `Connection`, that of `Upgrade`, then the names of all headers, a line
    /// each, because one text comes over from the platform faster than many.
    pub fn read(lines: &str) -> Self {
        let (connection, rest) = lines.split_once('\n').unwrap_or((lines, ""));
        let (upgrade, names) = rest.split_once('\n').unwrap_or((rest, ""));
        let to_websocket = upgrade.eq_ignore_ascii_case("websocket");
        let mut sent = Self { to_websocket, ..Self::default() };
        for name in names.lines() {
            let kind = match name {
                _ if is_reserved(name) || is_hop_by_hop(name) => &mut sent.removed,
                _ if is_option(connection, name) && may_be_dropped(name) => &mut sent.removed,
                _ if name.eq_ignore_ascii_case("upgrade") => &mut sent.upgrade,
                _ if overrides_method(name) => &mut sent.overrides,
                _ => continue,
            };
            kind.push(name.to_owned());
        }
        sent
    }

    /// How many bytes it holds, at most.
    pub fn bytes(&self) -> usize {
        let names = self.removed.iter().chain(&self.overrides).chain(&self.upgrade);
        // The lists have room for more.
        size_of::<Self>() + names.map(|name| name.len() + 3 * size_of::<String>()).sum::<usize>()
    }

    /// The names of those that do not go on.
    pub(super) fn removed(&self, passing: ConditionalHeaders) -> impl Iterator<Item = &str> {
        let upgrades = passing.upgrade && self.to_websocket;
        let overrides = if passing.overrides { &[][..] } else { &self.overrides };
        let upgrade = if upgrades { &[][..] } else { &self.upgrade };
        self.removed.iter().chain(overrides).chain(upgrade).map(String::as_str)
    }
}

/// What was read a while ago. A client sends the same names with most of its requests, and each name
/// takes longer to look at than all the rest of a request's way.
#[derive(Debug)]
pub(super) struct HeaderFilterCache(BoundedCache<Rc<Seen>>);

/// What was read of a text.
#[derive(Debug)]
struct Seen {
    lines: Box<str>,
    sent: Rc<HeaderFilter>,
}

impl Default for HeaderFilterCache {
    fn default() -> Self {
        Self(BoundedCache::new(Self::MOST_BYTES))
    }
}

impl Entry for Rc<Seen> {
    fn text(&self) -> &str {
        &self.lines
    }

    fn bytes(&self) -> usize {
        size_of::<Seen>() + self.lines.len() + self.sent.bytes()
    }
}

impl HeaderFilterCache {
    /// How many bytes they may hold.
    const MOST_BYTES: usize = 512 << 10;

    /// Longer texts are read each time.
    const LONGEST: usize = 1000;

    pub fn read(&self, lines: &str) -> Rc<HeaderFilter> {
        if lines.len() > Self::LONGEST {
            return Rc::new(HeaderFilter::read(lines));
        }
        let read = || {
            let sent = Rc::new(HeaderFilter::read(lines));
            Ok::<_, Infallible>(Rc::new(Seen { lines: lines.into(), sent }))
        };
        let Ok(seen) = self.0.get_or_insert_with(FxBuildHasher.hash_one(lines), lines, read);
        Rc::clone(&seen.sent)
    }
}

/// Is it among the options of a `Connection` (RFC 9110, section 7.6.1)?
fn is_option(connection: &str, name: &str) -> bool {
    let mut options = connection.split(',').take(MOST_OPTIONS);
    options.any(|option| option.trim().eq_ignore_ascii_case(name))
}

/// Nobody has more, and each is compared with each header.
const MOST_OPTIONS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn removed(lines: &str, overrides: bool, upgrade: bool) -> Vec<String> {
        let (seen, passing) =
            (HeaderFilterCache::default(), ConditionalHeaders { overrides, upgrade });
        let [first, again] = [(); 2].map(|()| seen.read(lines));
        let all = |sent: Rc<HeaderFilter>| sent.removed(passing).map(str::to_owned).collect();
        let names: Vec<String> = all(first);
        assert_eq!(names, all(again));
        names
    }

    #[rstest]
    #[case::nothing("", &[])]
    #[case::common("keep-alive\n\naccept\nconnection\nhost", &["connection"])]
    #[case::named("X-Hop, close\n\nx-hop\nx-other", &["x-hop"])]
    #[case::named_credentials("Cookie, authorization\n\ncookie\nauthorization", &[])]
    #[case::named_host("host,content-type\n\nhost\ncontent-type", &[])]
    #[case::websocket("Upgrade\nWebSocket\nconnection\nupgrade\nsec-websocket-key", &["connection"])]
    #[case::other_upgrade("Upgrade\nh2c\nupgrade\nhttp2-settings", &["http2-settings", "upgrade"])]
    #[case::hop_by_hop("\n\nTE\ntrailer\nkeep-alive\nproxy-authorization", &["TE", "trailer", "keep-alive", "proxy-authorization"])]
    #[case::forged("\n\nx_forwarded_for\naccept", &["x_forwarded_for"])]
    fn what_concerns_the_connection_only_stays_behind(
        #[case] lines: &str,
        #[case] expected: &[&str],
    ) {
        assert_eq!(removed(lines, true, true), expected);
    }

    #[test]
    fn what_was_read_is_remembered_within_bounds() {
        let seen = HeaderFilterCache::default();
        let often = seen.read("\n\nte");
        for n in 0..20_000 {
            seen.read(&format!("\n\nx-{n}"));
            seen.read(&format!("\n\nx-{n}{}", "a".repeat(HeaderFilterCache::LONGEST)));
            assert!(Rc::ptr_eq(&often, &seen.read("\n\nte")), "read again at {n}");
        }
        assert!(seen.0.len() * 100 < HeaderFilterCache::MOST_BYTES, "{} are held", seen.0.len());
    }

    #[test]
    fn many_headers_and_many_options_take_no_longer_than_their_length_says() {
        let names: Vec<String> = (0..200_000).map(|n| format!("x-{n}")).collect();
        let lines = format!("{}\n\n{}", names.join(","), names.join("\n"));
        // A look at each option for each header would be hours.
        assert_eq!(HeaderFilter::read(&lines).removed.len(), MOST_OPTIONS);
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
