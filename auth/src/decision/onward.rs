//! What goes on to the origin, and how its headers change on the way.

use std::fmt;

use super::Caller;
use crate::identity;
use crate::refusal::Refusal;

/// A request for the origin, once its caller's session is known to be live.
#[derive(Debug)]
pub struct Check {
    pub(super) caller: Caller,
    pub(super) target: String,
    /// What is said when the session is live, but the path is not for this user.
    pub(super) denied: Option<Refusal>,
    pub(super) is_optional: bool,
}

impl Check {
    /// Who makes it.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Path and query, as the decision was made about them, without a token.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Does the request go on, without an identity, if the session is not live?
    pub fn is_optional(&self) -> bool {
        self.is_optional
    }

    /// How the headers change on the way to the origin. `names` are those the client sent.
    pub fn forward<'a>(&'a self, names: impl Iterator<Item = &'a str>) -> HeaderChanges<'a> {
        self.caller.withheld.changes(names, self.caller.token.identity())
    }

    /// The same without an identity.
    pub fn forward_anonymously<'a>(
        &'a self,
        names: impl Iterator<Item = &'a str>,
    ) -> HeaderChanges<'a> {
        self.caller.withheld.changes(names, &[])
    }
}

/// A request for the origin whose path is for everybody.
pub struct Anonymous {
    pub(super) target: String,
    pub(super) withheld: Withheld,
}

/// Says nothing of what is withheld.
impl fmt::Debug for Anonymous {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Anonymous").field("target", &self.target).finish_non_exhaustive()
    }
}

impl Anonymous {
    /// Path and query, as the decision was made about them, without a token.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// How the headers change on the way to the origin. `names` are those the client sent.
    pub fn forward<'a>(&'a self, names: impl Iterator<Item = &'a str>) -> HeaderChanges<'a> {
        self.withheld.changes(names, &[])
    }
}

/// What keeps the guard's own credential from the origin.
#[derive(Default)]
pub(super) struct Withheld {
    pub(super) remove: Vec<String>,
    pub(super) set: Vec<(&'static str, String)>,
}

impl Withheld {
    fn changes<'a>(
        &'a self,
        names: impl Iterator<Item = &'a str>,
        identity: &'a [identity::Header],
    ) -> HeaderChanges<'a> {
        let remove = self.remove.iter().map(String::as_str);
        let set = self.set.iter().map(|(name, value)| (*name, value.as_str()));
        let identity = identity.iter().map(|(name, value)| (&**name, value.as_str()));
        HeaderChanges {
            remove: remove.chain(names.filter(|name| identity::is_reserved(name))).collect(),
            set: set.chain(identity).collect(),
        }
    }
}

/// How the headers change on the way to the origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderChanges<'a> {
    /// Headers that the origin does not get: forged identities, and the guard's own credential.
    pub remove: Vec<&'a str>,
    /// Headers that are set.
    pub set: Vec<(&'a str, &'a str)>,
}
