//! What goes on to the origin, and how its headers change on the way.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use super::header_filter::ConditionalHeaders;
use super::{HeaderFilter, Principal};
use crate::credential::CredentialRemoval;
use crate::identity;
use crate::refusal::Refusal;
use crate::request_log::{Outcome, log_fields};
use crate::step_up::StepUp;
use crate::time::Timestamp;
use crate::token::Verified;

/// A request for the origin, once its caller's session is known to be live.
#[derive(Clone)]
pub struct ForwardPlan {
    pub(super) principal: Principal,
    pub(super) target: ForwardTarget,
    /// The path of the rule that holds.
    pub(super) route: String,
    /// What is said when the session is live, but the path is not for this user.
    pub(super) denied: Option<Refusal>,
    /// What the path asks of the login behind the session.
    pub(super) step_up: Option<StepUp>,
    pub(super) on_invalid_session: OnInvalidSession,
    pub(super) overlaps_store: bool,
    pub(super) conditional_headers: ConditionalHeaders,
    /// What stays at the guard if the request goes on without a session; `None`: the same as with one.
    pub(super) removal_without_session: Option<CredentialRemoval>,
    /// What proves to the origin who it is.
    pub(super) assertion: Option<Rc<str>>,
    /// From when on the request renews its cookie.
    pub(super) renews_from: Cell<Timestamp>,
}

/// Says nothing of what is withheld, nor of what is told to the origin alone.
impl fmt::Debug for ForwardPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForwardPlan")
            .field("caller", &self.principal)
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

/// What becomes of a request that is refused only now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnInvalidSession {
    /// It ends here.
    Refuse,
    /// It goes on without an identity.
    Forward,
    /// It goes on without an identity, and that it should not have is noted.
    Note,
}

impl ForwardPlan {
    /// Who makes it.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Path and query, as the decision was made about them, without a token.
    pub fn target(&self) -> &ForwardTarget {
        &self.target
    }

    /// The path of the rule that holds.
    pub fn route(&self) -> &str {
        &self.route
    }

    /// May the origin be asked at the same time as the store, and its answer be held back? There is
    /// no other way for the request to go on then than with the caller's identity.
    pub fn overlaps_store(&self) -> bool {
        self.overlaps_store
    }

    /// Is the same to be asked for a request that says the same at this moment? Not if its token's
    /// time is over, or that of the proof that goes along, or if its cookie is to be renewed.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        let token = &self.principal.token;
        let proof = self.assertion.as_ref();
        let others = self.principal.other_tokens.iter().all(|other| other.is_valid_at(now));
        token.is_valid_at(now)
            && now < self.renews_from.get()
            && others
            && proof.is_none_or(|proof| token.has_cached_assertion(proof, now))
    }

    /// How many bytes it holds beside its token, at most.
    pub fn bytes(&self) -> usize {
        let Self { principal: caller, target, route, assertion, .. } = self;
        let instead = target.instead.as_ref().map_or(0, String::len);
        let assertion = assertion.as_ref().map_or(0, |text| text.len());
        let others: usize = caller.other_tokens.iter().map(Verified::bytes).sum();
        2 * size_of::<Self>()
            + self.step_up.as_ref().map_or(0, StepUp::bytes)
            + caller.credential_removal.bytes()
            + self.removal_without_session.as_ref().map_or(0, CredentialRemoval::bytes)
            + others
            + instead
            + route.len()
            + assertion
    }

    /// Does it ask and go on as another one, for the same caller, but for its target?
    pub(super) fn is_equivalent(&self, other: &Self) -> bool {
        let of = |it: &Self| {
            (it.on_invalid_session, it.overlaps_store, it.conditional_headers, it.target.start)
        };
        let has_same_proof = match (&self.assertion, &other.assertion) {
            (None, None) => true,
            (Some(one), Some(other)) => Rc::ptr_eq(one, other),
            _ => false,
        };
        of(self) == of(other)
            && self.route == other.route
            && self.denied == other.denied
            && self.step_up == other.step_up
            && has_same_proof
            && self.target.instead.is_none()
            && other.target.instead.is_none()
    }

    /// The same, asked at this moment, at which it must hold.
    pub fn asked_at(&self, now: Timestamp) -> Self {
        let check = self.clone();
        Self { principal: Principal { now, ..check.principal }, ..check }
    }

    /// Does the request go on, without an identity, although it was refused?
    pub fn forwards_without_identity(&self) -> bool {
        self.on_invalid_session != OnInvalidSession::Refuse
    }

    /// What the log says: see [`log_fields`]. `refusal` is why the session does not serve, if it does not.
    pub fn log_fields(&self, refusal: Option<&Refusal>) -> String {
        let outcome = match (refusal, self.on_invalid_session) {
            (None, _) | (Some(_), OnInvalidSession::Forward) => Outcome::Forwarded,
            (Some(refusal), OnInvalidSession::Note) => Outcome::WouldRefuse(refusal.code()),
            (Some(_), OnInvalidSession::Refuse) => Outcome::Refused,
        };
        log_fields(outcome, Some(&self.route), self.principal.token.log_members())
    }

    /// How the headers change on the way to the origin.
    pub fn header_changes<'a>(&'a self, sent: &'a HeaderFilter) -> HeaderChanges<'a> {
        let mut changes =
            changes(&self.principal.credential_removal, sent.removed(self.conditional_headers));
        changes.set.extend(self.assertion.as_deref().map(|text| (identity::ASSERTION, text)));
        HeaderChanges { identity: self.principal.token.identity(), ..changes }
    }

    /// The same without an identity.
    pub fn header_changes_without_identity<'a>(
        &'a self,
        sent: &'a HeaderFilter,
    ) -> HeaderChanges<'a> {
        let removal = self.removal_without_session.as_ref();
        let removal = removal.unwrap_or(&self.principal.credential_removal);
        changes(removal, sent.removed(self.conditional_headers))
    }
}

/// A request for the origin whose path is for everybody.
pub struct AnonymousPlan {
    pub(super) target: ForwardTarget,
    pub(super) route: String,
    pub(super) withheld: CredentialRemoval,
    /// The code of the refusal, if it goes on only because nothing is enforced.
    pub(super) would_refuse: Option<&'static str>,
    pub(super) passing: ConditionalHeaders,
    /// Is its path public and begins no sessions, and does nothing of the guard's go along?
    pub(super) is_bare: bool,
}

/// Says nothing of what is withheld.
impl fmt::Debug for AnonymousPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnonymousPlan").field("target", &self.target).finish_non_exhaustive()
    }
}

impl AnonymousPlan {
    /// Path and query, as the decision was made about them, without a token.
    pub fn target(&self) -> &ForwardTarget {
        &self.target
    }

    /// May a cache stand between? Only where the answer is the same for everybody as far as the guard
    /// knows: the path is public and logs nobody in, and neither an identity nor the guard's credential
    /// goes along.
    pub fn is_cacheable(&self) -> bool {
        self.is_bare && self.would_refuse.is_none()
    }

    /// What the log says: see [`log_fields`].
    pub fn log_fields(&self) -> String {
        let outcome = self.would_refuse.map_or(Outcome::Forwarded, Outcome::WouldRefuse);
        log_fields(outcome, Some(&self.route), "")
    }

    /// How the headers change on the way to the origin.
    pub fn header_changes<'a>(&'a self, sent: &'a HeaderFilter) -> HeaderChanges<'a> {
        changes(&self.withheld, sent.removed(self.passing))
    }
}

/// Path and query as they go on: mostly as they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardTarget {
    /// Where in the request's URL they begin, in bytes. Nothing before is outside of ASCII.
    pub start: usize,
    /// What goes on instead, if they hold a token.
    pub instead: Option<String>,
}

/// What keeps the guard's own credential from the origin, and what else does not go on.
fn changes<'a>(
    credentials: &'a CredentialRemoval,
    removed: impl Iterator<Item = &'a str>,
) -> HeaderChanges<'a> {
    let remove = credentials.remove.iter().map(Cow::as_ref);
    let set = credentials.set.iter().map(|(name, value)| (*name, value.as_str()));
    HeaderChanges { remove: remove.chain(removed).collect(), set: set.collect(), identity: &[] }
}

/// How the headers change on the way to the origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderChanges<'a> {
    /// Headers that the origin does not get: what only a proxy may say, what concerns the connection
    /// to the client, and the guard's own credential.
    pub remove: Vec<&'a str>,
    /// Headers that are set.
    pub set: Vec<(&'a str, &'a str)>,
    /// Headers that are set, too: who it is, the same for each request with one token.
    pub identity: &'a [identity::Header],
}
