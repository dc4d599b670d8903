//! `LOGIN_URL` is for the guard to ask. Forwarded, it would be a way to try passwords past the
//! guard's own login.

use super::host;
use crate::access::as_read_leniently;
use crate::config::Origin;
use crate::route::Target;

/// Where `LOGIN_URL` is, if a client's request could reach it through the guard.
#[derive(Debug)]
pub struct LoginUrl {
    /// Its path, as the most lenient origin reads it.
    path: String,
    /// The host a request must be for; `None` if all go to the origin that has it.
    host: Option<String>,
}

impl LoginUrl {
    /// Looks at `url` once; `None` if it is on another host than `origin`.
    pub fn new(url: &str, origin: &Origin) -> Option<Self> {
        let path = as_read_leniently(Target::of_url(url)?.path());
        match origin {
            Origin::Url(origin) => (host(origin) == host(url)).then_some(Self { path, host: None }),
            Origin::Zone => Some(Self { path, host: Some(host(url).to_owned()) }),
            // It is asked there, too, so every request for its path would reach it.
            Origin::Worker => Some(Self { path, host: None }),
        }
    }

    /// Does a request lead there, as the most lenient origin would read its path?
    pub fn is_at(&self, url: &str, target: Target<'_>) -> bool {
        let path = target.path();
        // Every request comes past here, and hardly any path can be read in more than one way.
        let is_odd = path.contains(['%', ';']) || path.contains("//") || path.contains("./");
        let is_it = match is_odd || path.ends_with('.') {
            true => as_read_leniently(path) == self.path,
            false => path.strip_suffix('/').unwrap_or(path).eq_ignore_ascii_case(&self.path),
        };
        is_it && self.host.as_ref().is_none_or(|own| own == host(url))
    }
}
