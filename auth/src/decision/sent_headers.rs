//! The headers that a client sent, as far as it matters which of them go on.

use std::cell::RefCell;
use std::hash::BuildHasher;
use std::rc::Rc;

use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::reserved::{is_hop_by_hop, is_reserved, may_be_dropped, overrides_method};
use crate::same::same;

/// What goes on only with some requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Passing {
    /// Another method for the origin to read than the decision was made about.
    pub overrides: bool,
    /// An upgrade to WebSocket, for which the runtime makes a GET of whatever it was.
    pub upgrade: bool,
}

/// Which of the headers that a client sent do not go on, by their names.
#[derive(Clone, Debug, Default)]
pub struct SentHeaders {
    removed: Vec<String>,
    overrides: Vec<String>,
    upgrade: Vec<String>,
    to_websocket: bool,
}

impl SentHeaders {
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

    /// The names of those that do not go on.
    pub(super) fn removed(&self, passing: Passing) -> impl Iterator<Item = &str> {
        let upgrades = passing.upgrade && self.to_websocket;
        let overrides = if passing.overrides { &[][..] } else { &self.overrides };
        let upgrade = if upgrades { &[][..] } else { &self.upgrade };
        self.removed.iter().chain(overrides).chain(upgrade).map(String::as_str)
    }
}

/// What was read a while ago. A client sends the same names with most of its requests, and each name
/// takes longer to look at than all the rest of a request's way.
#[derive(Debug, Default)]
pub(super) struct SeenHeaders(RefCell<FxHashMap<u64, Seen>>);

/// What was read of a text, under a hash that only finds it.
#[derive(Debug)]
struct Seen {
    lines: Box<str>,
    sent: Rc<SentHeaders>,
}

impl SeenHeaders {
    /// Beyond this many, all are forgotten.
    const MOST: usize = 500;

    /// Longer texts are read each time.
    const MOST_BYTES: usize = 1000;

    pub fn read(&self, lines: &str) -> Rc<SentHeaders> {
        let hash = FxBuildHasher.hash_one(lines);
        if let Some(seen) = self.0.borrow().get(&hash).filter(|seen| same(&seen.lines, lines)) {
            return Rc::clone(&seen.sent);
        }
        let sent = Rc::new(SentHeaders::read(lines));
        if lines.len() <= Self::MOST_BYTES {
            let mut all = self.0.borrow_mut();
            if all.len() >= Self::MOST {
                all.clear();
            }
            all.insert(hash, Seen { lines: lines.into(), sent: Rc::clone(&sent) });
        }
        sent
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
        let (seen, passing) = (SeenHeaders::default(), Passing { overrides, upgrade });
        let [first, again] = [(); 2].map(|()| seen.read(lines));
        let all = |sent: Rc<SentHeaders>| sent.removed(passing).map(str::to_owned).collect();
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
        let seen = SeenHeaders::default();
        for n in 0..=SeenHeaders::MOST {
            seen.read(&format!("\n\nx-{n}"));
            seen.read(&format!("\n\nx-{n}{}", "a".repeat(SeenHeaders::MOST_BYTES)));
        }
        assert_eq!(seen.0.borrow().len(), 1);
        assert!(Rc::ptr_eq(&seen.read("\n\nte"), &seen.read("\n\nte")));
    }

    #[test]
    fn many_headers_and_many_options_take_no_longer_than_their_length_says() {
        let names: Vec<String> = (0..200_000).map(|n| format!("x-{n}")).collect();
        let lines = format!("{}\n\n{}", names.join(","), names.join("\n"));
        // A look at each option for each header would be hours.
        assert_eq!(SentHeaders::read(&lines).removed.len(), MOST_OPTIONS);
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
