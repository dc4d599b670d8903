//! What people read of a refusal.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Section;

/// What people read of a refusal, by its code.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Refusals(BTreeMap<String, RefusalWords>);

/// What people read of a refusal.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusalWords {
    /// What happened, in a few words.
    pub title: String,
    /// What it means, and what to do.
    pub text: String,
}

impl Section for Refusals {
    const NAME: &'static str = "refusals";
}

impl Refusals {
    /// The words for this code; `internal_error` has them for a code without its own.
    pub fn of(&self, code: &str) -> Option<&RefusalWords> {
        self.0.get(code).or_else(|| self.0.get("internal_error"))
    }

    /// Are there words for this code?
    pub fn has(&self, code: &str) -> bool {
        self.0.contains_key(code)
    }
}
