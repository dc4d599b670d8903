//! `ROUTES`: which paths need a session at all, and step 5: whom they are for.

mod lookalikes;
mod path;
mod rule;

pub(crate) use path::as_read_leniently;
pub use rule::{Access, Rule};

/// The rules, in their order.
#[derive(Clone, Debug)]
pub struct Rules {
    rules: Vec<Rule>,
    /// What holds for a path that no rule names.
    otherwise: Rule,
}

/// The rule that holds for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// What it asks for.
    pub rule: &'a Rule,
    /// Why it holds.
    pub why: Why,
}

/// Why a rule holds. Rules are counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is the first that names the request.
    First(usize),
    /// An origin may read the path as one of its own, and it is stricter than the first that names
    /// the request.
    Stricter(usize),
    /// The first that names the request is open to strangers, but there is more than one way to read
    /// the path: a session is needed.
    Odd(usize),
    /// No rule names the request: a session is needed.
    Unnamed,
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
    pub fn parse(json: &str) -> Result<Self, String> {
        let rules: Vec<Rule> =
            serde_json::from_str(json).map_err(|error| format!("is no list of rules: {error}"))?;
        let checked = rules.into_iter().enumerate().map(|(index, rule)| {
            rule.checked().map_err(|why| format!("rule {}: {why}", index + 1))
        });
        Ok(Self { rules: checked.collect::<Result<_, _>>()?, ..Self::default() })
    }

    /// The rules, in their order.
    pub fn all(&self) -> &[Rule] {
        &self.rules
    }

    /// Does any rule hold for some methods only?
    pub fn depend_on_methods(&self) -> bool {
        self.rules.iter().any(|rule| !rule.methods.is_empty())
    }

    /// The rule for a request: the first that names it. But if an origin may read the path as another
    /// one, and an earlier rule is stricter about that, it is the earlier one.
    pub fn find(&self, method: &str, path: &str) -> Found<'_> {
        let is_stricter =
            |other: &Rule, first: &Rule| other.access > first.access || other.is_restricted();
        self.found(method, path, &is_stricter)
    }

    /// May a CORS preflight that asks about this method pass without a session? The rule of the
    /// request it asks about says so, and every earlier one of a path that this may be read as.
    pub fn lets_preflight(&self, asked: &str, path: &str) -> bool {
        path::is_plain(path)
            && self.find(asked, path).rule.preflight
            && self.found(asked, path, &|other, _| !other.preflight).rule.preflight
    }

    /// May the origin's answer to such a request begin, end and change sessions? The rule that holds
    /// says so, and every earlier one of a path that this may be read as.
    pub fn lets_log_in(&self, method: &str, path: &str) -> bool {
        path::is_plain(path)
            && self.find(method, path).rule.login
            && self.found(method, path, &|other, _| !other.login).rule.login
    }

    /// Does any rule let the origin begin sessions?
    pub fn let_anybody_log_in(&self) -> bool {
        self.rules.iter().any(|rule| rule.login)
    }

    /// The rule that names a request first, or an earlier one that is stricter in this way and is
    /// about the path as an origin may read it.
    fn found(
        &self,
        method: &str,
        path: &str,
        is_stricter: &dyn Fn(&Rule, &Rule) -> bool,
    ) -> Found<'_> {
        let (first, before) = self.first(method, path);
        let is_wanted = |other: &Rule| other.is_about(method) && is_stricter(other, first.rule);
        if !before.iter().any(is_wanted) {
            return first;
        }
        let as_folder = path::as_read_leniently(path) + "/";
        let read = &as_folder[..as_folder.len() - 1];
        let holds = |other: &Rule| is_wanted(other) && other.may_name(read, &as_folder);
        match before.iter().position(holds) {
            Some(index) => Found { rule: &before[index], why: Why::Stricter(index) },
            None => first,
        }
    }

    /// The rule that names a request first, and those before it.
    fn first(&self, method: &str, path: &str) -> (Found<'_>, &[Rule]) {
        let names = |it: &Rule| it.is_about(method) && it.names(path);
        let Some(index) = self.rules.iter().position(names) else {
            return (Found { rule: &self.otherwise, why: Why::Unnamed }, &self.rules);
        };
        let rule = &self.rules[index];
        let found = match rule.access == Access::Session || path::is_plain(path) {
            true => Found { rule, why: Why::First(index) },
            false => Found { rule: &self.otherwise, why: Why::Odd(index) },
        };
        (found, &self.rules[..index])
    }
}

#[cfg(test)]
mod tests;
