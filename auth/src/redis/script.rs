//! The scripts, and the names by which Redis knows them.

use std::cell::OnceCell;

use sha1::{Digest, Sha1};

/// Upstash takes a global lock for a script unless its first line says this. Redis itself does
/// not know the flag; the project's bridge takes the line away.
pub const LOCKING: &str = "#!lua flags=allow-key-locking\n";

/// A script, by its parts.
#[derive(Clone, Debug)]
pub struct Script {
    parts: &'static [&'static str],
    sha1: OnceCell<String>,
}

impl Script {
    pub fn new(parts: &'static [&'static str]) -> Self {
        Self { parts, sha1: OnceCell::new() }
    }

    pub fn text(&self) -> String {
        format!("{LOCKING}{}", self.parts.join("\n"))
    }

    /// The name Redis knows it by. It is found when it is first needed, because the first request
    /// waits for all that is done at the start.
    pub fn sha1(&self) -> &str {
        self.sha1.get_or_init(|| base16ct::lower::encode_string(&Sha1::digest(self.text())))
    }
}
