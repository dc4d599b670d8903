//! `LOGIN_URL` is for the guard to ask. Forwarded, it would be a way to try passwords past the
//! guard's own login.

use crate::access::{PathForms, PathVariants};
use crate::http::Target;

/// What is closed to clients, on every host: the path of `LOGIN_URL`, and what is below it.
#[derive(Debug)]
pub struct LoginUrlPath(PathForms);

impl LoginUrlPath {
    /// Looks at `url` once.
    pub fn new(url: &str) -> Option<Self> {
        Target::of_url(url).map(|target| Self(PathForms::of(target.path())))
    }

    /// Does a path lead there, as an origin may read it?
    pub fn is_at(&self, path: &str, readings: &PathVariants) -> bool {
        self.0.begin(path) || readings.iter().any(|read| self.0.begin(read))
    }
}
