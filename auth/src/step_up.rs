//! What a rule asks of the login behind a session: that it is fresh, or strong, enough (RFC 9470).

use std::time::Duration;

use crate::time::Timestamp;

/// What is asked of the login behind a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepUp {
    /// How long ago it may have been.
    pub max_age: Option<Duration>,
    /// Its strength, as the token's `acr` says it, is one of these. `None`: it does not matter; empty: none is
    /// enough, because several rules hold that agree on none.
    pub acr: Option<Vec<String>>,
}

impl StepUp {
    /// Is nothing asked?
    pub fn is_nothing(&self) -> bool {
        self.max_age.is_none() && self.acr.is_none()
    }

    /// What satisfies this and another one.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        let max_age = self.max_age.into_iter().chain(other.max_age).min();
        let acr = match (self.acr, &other.acr) {
            (Some(ours), Some(theirs)) => {
                Some(ours.into_iter().filter(|it| theirs.contains(it)).collect())
            }
            (ours, theirs) => ours.or_else(|| theirs.clone()),
        };
        Self { max_age, acr }
    }

    /// Is a login at this moment, of this strength, enough now? What is not known is not enough.
    pub fn is_satisfied_by(
        &self,
        login: Option<Timestamp>,
        acr: Option<&str>,
        now: Timestamp,
    ) -> bool {
        let is_fresh =
            self.max_age.is_none_or(|most| login.is_some_and(|login| now.since(login) <= most));
        let is_strong = self
            .acr
            .as_ref()
            .is_none_or(|all| acr.is_some_and(|acr| all.iter().any(|it| it == acr)));
        is_fresh && is_strong
    }

    /// The values of `acr_values` and `max_age` in the challenge (RFC 9470, section 3); empty if nothing is asked.
    pub fn challenge(&self) -> [String; 2] {
        let max_age = self.max_age.map_or(String::new(), |most| most.as_secs().to_string());
        [self.acr.iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" "), max_age]
    }

    /// What is asked, as it follows the word "login".
    pub fn in_words(&self) -> String {
        let [acr, seconds] = self.challenge();
        let age = format!("of the last {seconds} seconds");
        let strength = match acr.is_empty() {
            true => "of a strength that no login has".to_owned(),
            false => format!("whose acr is one of: {acr}"),
        };
        match (&self.max_age, &self.acr) {
            (Some(_), Some(_)) => format!("{age}, {strength}"),
            (Some(_), None) => age,
            (None, _) => strength,
        }
    }

    /// How many bytes it holds beside itself, at most.
    pub fn bytes(&self) -> usize {
        self.acr.iter().flatten().map(|acr| size_of::<String>() + acr.len()).sum()
    }
}
