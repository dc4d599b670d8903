//! Rules whose paths are OAuth resources of their own: see [`crate::resource_metadata`].

use super::{Rule, Rules, path};

impl Rules {
    /// The paths of the rules that mark a resource, without a slash or star at their end.
    pub fn resources(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().filter(|rule| rule.resource).map(Rule::base)
    }

    /// The scopes that rules for a resource's paths need.
    pub fn scopes_below(&self, resource: &str) -> Vec<&str> {
        let all = format!("{resource}/*");
        let is_below = |rule: &&Rule| rule.path() == resource || path::covers(&all, rule.path());
        unique(self.rules.iter().filter(is_below))
    }
}

/// The scopes of these rules, each once.
pub(super) fn unique<'a>(rules: impl Iterator<Item = &'a Rule>) -> Vec<&'a str> {
    let mut all = Vec::new();
    for scope in rules.flat_map(|rule| &rule.scopes) {
        if !all.contains(&scope.as_str()) {
            all.push(scope.as_str());
        }
    }
    all
}
