//! `LOGIN_URL` is for the guard to ask. Forwarded, it would be a way to try passwords past the
//! guard's own login.

use percent_encoding::percent_decode_str;

use super::host;
use crate::access::as_read_leniently;
use crate::config::Origin;
use crate::route::Target;

/// Where `LOGIN_URL` is, if a client's request could reach it through the guard.
#[derive(Debug)]
pub struct LoginUrl {
    /// Its path, folded, without a slash at its end.
    path: Vec<u8>,
    /// The same as the most lenient origin reads it.
    read: String,
    /// The host a request must be for; `None` if all go to the origin that has it.
    host: Option<String>,
}

impl LoginUrl {
    /// Looks at `url` once; `None` if it is on another host than `origin`.
    pub fn new(url: &str, origin: &Origin) -> Option<Self> {
        let read = as_read_leniently(Target::of_url(url)?.path());
        let mut path: Vec<u8> = folded(Target::of_url(url)?.path()).collect();
        if path.ends_with(b"/") {
            path.pop();
        }
        match origin {
            Origin::Url(origin) => {
                (host(origin) == host(url)).then_some(Self { path, read, host: None })
            }
            Origin::Zone => Some(Self { path, read, host: Some(host(url).to_owned()) }),
            // It is asked there, too, so every request for its path would reach it.
            Origin::Worker => Some(Self { path, read, host: None }),
        }
    }

    /// Does a request lead there, as the most lenient origin would read its path?
    pub fn is_at(&self, url: &str, target: Target<'_>) -> bool {
        let mut path = folded(target.path());
        let begins = self.path.iter().all(|byte| path.next() == Some(*byte));
        let ends = begins && matches!(path.next(), None | Some(b'/')) && path.next().is_none();
        let path = target.path();
        let is_odd = path.contains(['%', ';']) || path.contains("./") || path.ends_with('.');
        let is_it = ends || is_odd && as_read_leniently(path) == self.read;
        is_it && self.host.as_ref().is_none_or(|own| own == host(url))
    }
}

/// A path without its first slash, and with no regard to case, empty segments and
/// percent-encoding. Byte by byte, because every request comes past here.
fn folded(path: &str) -> impl Iterator<Item = u8> {
    let mut last = b'/';
    percent_decode_str(path).filter_map(move |byte| {
        let is_empty = byte == b'/' && last == b'/';
        last = byte;
        (!is_empty).then_some(byte.to_ascii_lowercase())
    })
}
