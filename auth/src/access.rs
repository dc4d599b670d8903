//! `ROUTES`: which paths need a session at all, and step 5: whom they are for.

mod confusables;
mod path;
mod path_variants;
mod resource;
mod rule;
mod step_up;

use serde_json::{Map, Value};

pub use path::PathForms;
pub use path_variants::PathVariants;
pub use rule::{Access, Rule};

use crate::refusal::Refusal;
use crate::setting_value::{self, InvalidValue};
use crate::step_up::StepUp;
use rule::{ComparablePath, PathComparison};

/// The rules, in their order.
#[derive(Clone, Debug)]
pub struct Rules {
    rules: Vec<Rule>,
    /// What holds for a path that no rule names.
    otherwise: Rule,
}

/// A rule that holds for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleMatch<'a> {
    /// What it asks for.
    pub rule: &'a Rule,
    /// Its place in `ROUTES`, counted from 0; `None` if it is what holds for paths that no rule names.
    pub index: Option<usize>,
    /// Why it holds.
    pub why: MatchReason,
}

/// Why a rule holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MatchReason {
    /// It is the first that names the path as it was sent.
    Sent,
    /// It is the first that names what an origin may read the path as.
    Read(String),
    /// There is more than one way to read the path, so it is not for strangers.
    Ambiguous,
    /// The path can be read in more ways than are looked at.
    Unreadable,
}

/// The rules that hold for a request, which must all be satisfied: the one that names its path as it
/// was sent, and the one for each way in which an origin may read the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleMatches<'a> {
    first: RuleMatch<'a>,
    /// Mostly there are none.
    others: Vec<RuleMatch<'a>>,
}

impl<'a> RuleMatches<'a> {
    /// Each that holds, the one for the path as it was sent first.
    pub fn iter(&self) -> impl Iterator<Item = &RuleMatch<'a>> {
        std::iter::once(&self.first).chain(&self.others)
    }

    fn rules(&self) -> impl Iterator<Item = &'a Rule> {
        self.iter().map(|it| it.rule)
    }

    /// Who may pass, by the strictest.
    pub fn access(&self) -> Access {
        self.others.iter().fold(self.first.rule.access, |access, it| access.max(it.rule.access))
    }

    /// Their paths, for the log.
    pub fn route(&self) -> String {
        self.others.iter().fold(self.first.rule.path().to_owned(), |all, other| {
            let path = other.rule.path();
            if all.split(' ').any(|it| it == path) { all } else { all + " " + path }
        })
    }

    /// May somebody with these claims pass?
    ///
    /// # Errors
    /// [`Refusal::RouteDenied`] with the scopes that are missing.
    pub fn admits(&self, claims: &Map<String, Value>) -> Result<(), Refusal> {
        let (mut is_denied, mut missing) = (false, Vec::new());
        for scopes in self.rules().filter_map(|rule| rule.admits(claims).err()) {
            is_denied = true;
            for scope in scopes {
                if !missing.contains(&scope) {
                    missing.push(scope);
                }
            }
        }
        match is_denied {
            true => Err(Refusal::RouteDenied { scope: missing.join(" ") }),
            false => Ok(()),
        }
    }

    /// What all of them ask of the login behind the session; `None`: nothing.
    pub fn step_up(&self) -> Option<StepUp> {
        let mut all = self.rules().map(|rule| &rule.step_up).filter(|it| !it.is_nothing());
        let first = all.next()?.clone();
        Some(all.fold(first, StepUp::and))
    }

    /// Does a rule say that people log in here?
    pub fn is_login(&self) -> bool {
        self.rules().any(|rule| rule.login)
    }

    /// The scopes that are needed, each once.
    pub fn scopes(&self) -> Vec<&'a str> {
        resource::unique(self.rules())
    }

    fn let_preflight(&self) -> bool {
        self.rules().all(|rule| rule.preflight)
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self { rules: Vec::new(), otherwise: Rule::otherwise() }
    }
}

impl Rules {
    /// Reads the list.
    ///
    /// # Errors
    /// Which rule is at fault, and what to change.
    pub fn parse(json: &str) -> Result<Self, InvalidValue> {
        let mut rules: Vec<Rule> = Vec::new();
        for (index, item) in setting_value::items(json, "rules")?.into_iter().enumerate() {
            let rule = Rule::parse(item).map_err(|error| error.in_item(index))?;
            if rule.is_shadowed_by(&rules) {
                let reason = "can never hold, because earlier rules name all that it does; put it \
                              before them, or leave it out";
                return Err(InvalidValue::new(reason).in_item(index));
            }
            rules.push(rule);
        }
        Ok(Self { rules, ..Self::default() })
    }

    /// The rules, in their order.
    pub fn all(&self) -> &[Rule] {
        &self.rules
    }

    /// The first rule, counted from 0, that names nothing but paths that this pattern names.
    pub fn within(&self, pattern: &str) -> Option<usize> {
        self.rules.iter().position(|rule| path::covers(pattern, rule.path()))
    }

    /// Does any rule hold for some methods only?
    pub fn depend_on_methods(&self) -> bool {
        self.rules.iter().any(|rule| !rule.methods.is_empty())
    }

    /// Does any rule let the origin begin sessions?
    pub fn let_anybody_log_in(&self) -> bool {
        self.rules.iter().any(|rule| rule.login)
    }

    /// The rules that hold for a request: the first that names its path as it was sent, and the first
    /// that names it to an origin which reads it in another way, without regard to case, or to a slash
    /// at its end.
    pub fn find(&self, method: &str, path: &str, readings: &PathVariants) -> RuleMatches<'_> {
        let sent = self.first(|rule| rule.is_about(method) && rule.names(path));
        let mut matches =
            RuleMatches { first: self.matched(sent, MatchReason::Sent), others: Vec::new() };
        if self.rules.is_empty() {
            return matches;
        }
        self.add(&mut matches, method, path);
        for read in readings.iter() {
            let exact = self.first(|rule| {
                rule.is_about(method)
                    && rule.may_name(&ComparablePath::new(read), PathComparison::Nothing)
            });
            self.hold(&mut matches, exact, || MatchReason::Read(read.to_owned()));
            self.add(&mut matches, method, read);
        }
        if *readings == PathVariants::TooMany {
            let all = (0..self.rules.len()).filter(|index| self.rules[*index].is_about(method));
            all.for_each(|index| self.hold(&mut matches, Some(index), || MatchReason::Unreadable));
        }
        if matches.access() < Access::Session && !path::is_plain(path) {
            self.hold(&mut matches, None, || MatchReason::Ambiguous);
        }
        matches
    }

    /// Adds the rules that name a text to origins that know no difference of some kind. Whatever
    /// matches exactly matches in each of these ways, too, and what matches in one matches in the last:
    /// so where the first rules of both are the same, there is no other.
    fn add<'a>(&'a self, matches: &mut RuleMatches<'a>, method: &str, read: &str) {
        let text = ComparablePath::new(read);
        let first = |regardless| {
            self.first(|rule| rule.is_about(method) && rule.may_name(&text, regardless))
        };
        let last = first(PathComparison::Both);
        if matches.others.is_empty() && matches.first.index == last {
            return;
        }
        for regardless in [PathComparison::Case, PathComparison::Slash, PathComparison::Both] {
            let found = first(regardless);
            self.hold(matches, found, || MatchReason::Read(self.spelled(found, &text, regardless)));
        }
    }

    /// How an origin spells what it reads, by the rule that names it then.
    fn spelled(
        &self,
        index: Option<usize>,
        text: &ComparablePath<'_>,
        regardless: PathComparison,
    ) -> String {
        let rule = index.map_or(&self.otherwise, |index| &self.rules[index]);
        let read = match regardless {
            PathComparison::Case | PathComparison::Both => text.lower(),
            PathComparison::Slash | PathComparison::Nothing => text.exact,
        };
        let is_named = rule.may_name(&ComparablePath::new(read), PathComparison::Case);
        match (is_named, read.strip_suffix('/')) {
            (true, _) => read.to_owned(),
            (false, Some(bare)) if !bare.is_empty() => bare.to_owned(),
            (false, _) => format!("{read}/"),
        }
    }

    /// Notes that a rule holds, unless that is known.
    fn hold<'a>(
        &'a self,
        matches: &mut RuleMatches<'a>,
        index: Option<usize>,
        why: impl FnOnce() -> MatchReason,
    ) {
        if matches.iter().all(|it| it.index != index) {
            matches.others.push(self.matched(index, why()));
        }
    }

    fn matched(&self, index: Option<usize>, why: MatchReason) -> RuleMatch<'_> {
        let rule = index.map_or(&self.otherwise, |index| &self.rules[index]);
        RuleMatch { rule, index, why }
    }

    fn first(&self, names: impl Fn(&Rule) -> bool) -> Option<usize> {
        self.rules.iter().position(names)
    }

    /// May the origin's answer to such a request begin, end and change sessions? All rules that hold
    /// for it must say so.
    ///
    /// # Errors
    /// The path of one that does not.
    pub fn lets_log_in(
        &self,
        method: &str,
        path: &str,
        readings: &PathVariants,
    ) -> Result<(), &str> {
        let found = self.find(method, path, readings);
        let other = found.rules().find(|rule| !rule.login).map(Rule::path);
        match other.or((!path::is_plain(path)).then(|| found.first.rule.path())) {
            None => Ok(()),
            Some(path) => Err(path),
        }
    }

    /// May a CORS preflight that asks about this method pass without a session? All rules that hold for
    /// the request it asks about must say so.
    pub fn lets_preflight(&self, asked: &str, path: &str, readings: &PathVariants) -> bool {
        path::is_parted_alike(path) && self.find(asked, path, readings).let_preflight()
    }
}

#[cfg(test)]
mod tests;
