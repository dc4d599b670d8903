//! The cookies of attempts: one each, so that tabs do not take another's away, and not too many.

use super::attempt::SignInAttempt;
use crate::cookie::{self, ATTRIBUTES};
use crate::keys::KeySet;
use crate::time::Timestamp;

/// What the names begin with. The prefix keeps other sites, and subdomains, from setting one.
const PREFIX: &str = "__Host-guard-sign-in-";

/// How much of `state` is in the name, in characters.
const NAMED_BY: usize = 8;

/// The most attempts that a browser keeps.
const MOST: usize = 8;

/// The most that they take together, names included, in bytes: origins refuse requests with more than some 8 KB of
/// headers.
const MOST_BYTES: usize = 5 * 1024;

/// A day, so that a page that was left open overnight still leads to its target.
const MAX_AGE: u32 = 24 * 60 * 60;

fn name_of(state: &str) -> Option<String> {
    let start = state.get(..NAMED_BY)?;
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    start.bytes().all(legal).then(|| format!("{PREFIX}{start}"))
}

fn clear(name: &str) -> String {
    format!("{name}=; {ATTRIBUTES}; Max-Age=0")
}

/// What a cookie's value is bound to: a cookie of another name, or another site, does not open.
fn context(name: &str, site: &str) -> String {
    format!("{name} {}", site.to_ascii_lowercase())
}

impl SignInAttempt {
    /// The `Set-Cookie` lines that keep it in the browser, whose `Cookie` header is `sent`, and that take away the oldest
    /// others if there are too many. `site` is scheme and authority of the request. Nothing if it cannot be kept.
    pub fn cookies(
        &mut self,
        keys: &KeySet,
        site: &str,
        sent: &str,
        nonce: [u8; 24],
    ) -> Vec<String> {
        let Some(name) = name_of(&self.state) else { return Vec::new() };
        let Some(sealed) = self.seal(keys, &context(&name, site), nonce) else { return Vec::new() };
        let mut left = MOST_BYTES.saturating_sub(name.len() + sealed.len());
        let mut lines = vec![format!("{name}={sealed}; {ATTRIBUTES}; Max-Age={MAX_AGE}")];
        for (index, (other, bytes)) in newest_first(keys, site, sent).into_iter().enumerate() {
            match index + 1 < MOST && bytes <= left {
                true => left -= bytes,
                false => {
                    left = 0;
                    lines.push(clear(other));
                }
            }
        }
        lines
    }

    /// The `Set-Cookie` line that takes away the attempt of this `state`.
    pub(super) fn clear_cookie(state: &str) -> Option<String> {
        name_of(state).map(|name| clear(&name))
    }

    /// The attempt of this `state`, among the cookies that were sent.
    pub(super) fn find(keys: &KeySet, site: &str, sent: &str, state: &str) -> Option<Self> {
        let name = name_of(state)?;
        let context = context(&name, site);
        let mut found = cookie::values(sent, &name)
            .filter_map(|sealed| Self::open(keys, &context, sealed))
            .filter(|attempt| attempt.state == state);
        found.next()
    }

    /// Does the browser whose `Cookie` header is `sent` keep several? Then one that is gone may be of the oldest of many
    /// tabs.
    pub fn are_several_kept(keys: &KeySet, site: &str, sent: &str) -> bool {
        let opens = |(name, sealed): &(&str, &str)| {
            Self::open(keys, &context(name, site), sealed).is_some()
        };
        candidates(sent).filter(opens).nth(1).is_some()
    }
}

/// What could be attempts in a `Cookie` header: names and values.
fn candidates(sent: &str) -> impl Iterator<Item = (&str, &str)> {
    let pairs = sent.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(name, _)| {
        name.strip_prefix(PREFIX).and_then(name_of).is_some_and(|it| it == *name)
    })
}

/// The names of the attempts that a browser has, and their sizes. Those that do not open are the oldest.
fn newest_first<'a>(keys: &KeySet, site: &str, sent: &'a str) -> Vec<(&'a str, usize)> {
    let began = |name: &str, sealed: &str| {
        let attempt = SignInAttempt::open(keys, &context(name, site), sealed);
        attempt.map_or(Timestamp::from_millis(0), |attempt| attempt.began)
    };
    let mut all = Vec::from_iter(
        candidates(sent)
            .map(|(name, sealed)| (began(name, sealed), name, name.len() + sealed.len())),
    );
    all.sort_by_key(|(began, _, _)| std::cmp::Reverse(*began));
    all.into_iter().map(|(_, name, bytes)| (name, bytes)).collect()
}
