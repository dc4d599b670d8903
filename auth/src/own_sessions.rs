//! What `POST sessions` is asked for: the form by which users end sessions of their own.

use crate::form_proof;
use crate::redirect::LocalTarget;
use crate::refusal::Refusal;
use crate::session::Sid;
use crate::site_hosts::SiteHosts;
use crate::store::{SessionCriteria, SessionSelector};

/// A form that ends sessions of the caller's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndOwnForm {
    /// Which. `None`: the user has chosen none.
    pub which: Option<OwnSessions>,
    /// The proof that a page of the guard's had the form: see [`form_proof`].
    pub proof: Option<String>,
    /// Where to go afterwards; `None`: to the page of the sessions.
    pub redirect: Option<LocalTarget>,
}

/// Some of the caller's sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnSessions {
    /// These, at least one.
    Named(Vec<Sid>),
    /// All but the caller's own.
    Others,
    /// All.
    All,
}

const EITHER: Refusal = Refusal::BadRequest(
    "Send `end` with the `sid` of each session, or `scope` as `others` or `global`; not both.",
);

impl EndOwnForm {
    /// Reads a form, of the content type `application/x-www-form-urlencoded`. A target on another site is left out.
    ///
    /// # Errors
    /// That it does not say which sessions.
    pub fn parse(form: &str, hosts: &SiteHosts) -> Result<Self, Refusal> {
        let texts = |name: &'static str| {
            let pairs = form_urlencoded::parse(form.as_bytes());
            pairs.filter(move |(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        let one = |name| texts(name).next();
        let named: Result<Vec<Sid>, _> = texts("end").map(Sid::try_from).collect();
        let which = match (named.map_err(|_| EITHER)?, one("scope").as_deref()) {
            (named, None) => (!named.is_empty()).then_some(OwnSessions::Named(named)),
            (named, Some("others")) if named.is_empty() => Some(OwnSessions::Others),
            (named, Some("global")) if named.is_empty() => Some(OwnSessions::All),
            _ => return Err(EITHER),
        };
        if texts("scope").count() > 1 {
            return Err(EITHER);
        }
        let redirect = one("redirect").and_then(|target| LocalTarget::on(hosts, &target));
        Ok(Self { which, proof: form_proof::proof_in(form), redirect })
    }
}

impl OwnSessions {
    /// The same for the store. `own` is the caller's session.
    pub fn selector(&self, own: &Sid) -> SessionSelector {
        match self {
            Self::Named(sids) if sids.len() == 1 => SessionSelector::One(sids[0].clone()),
            Self::Named(sids) => {
                let sids = sids.iter().map(Sid::to_string).collect();
                SessionSelector::Matching(Box::new(SessionCriteria { sids, ..Default::default() }))
            }
            Self::Others => SessionSelector::Others(own.clone()),
            Self::All => SessionSelector::All,
        }
    }

    /// Is the caller's own among them?
    pub fn include_own(&self, own: &Sid) -> bool {
        match self {
            Self::Named(sids) => sids.contains(own),
            Self::Others => false,
            Self::All => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::session;
    use rstest::rstest;

    fn named(sids: &[&str]) -> Option<OwnSessions> {
        let sid = |sid: &&str| Sid::try_from((*sid).to_owned()).unwrap();
        Some(OwnSessions::Named(sids.iter().map(sid).collect()))
    }

    #[rstest]
    #[case::one("end=a", named(&["a"]))]
    #[case::several("end=a&end=b&proof=x", named(&["a", "b"]))]
    #[case::others("scope=others", Some(OwnSessions::Others))]
    #[case::all("scope=global&proof=", Some(OwnSessions::All))]
    #[case::none_chosen("proof=x", None)]
    #[case::nothing("", None)]
    fn a_form_says_which_sessions_end(#[case] form: &str, #[case] which: Option<OwnSessions>) {
        let read = EndOwnForm::parse(form, &SiteHosts::default()).unwrap();
        assert_eq!(read.which, which);
    }

    #[rstest]
    #[case::both("end=a&scope=others")]
    #[case::one_and_all("end=a&scope=global")]
    #[case::an_unknown_scope("scope=local")]
    #[case::a_scope_in_capitals("scope=Global")]
    #[case::an_empty_scope("scope=")]
    #[case::two_scopes("scope=others&scope=global")]
    #[case::no_sid("end=")]
    #[case::what_is_no_sid("end=a%2Fb")]
    #[case::one_sid_and_what_is_none("end=a&end=%00")]
    fn a_form_that_says_it_otherwise_ends_nothing(#[case] form: &str) {
        assert_eq!(EndOwnForm::parse(form, &SiteHosts::default()), Err(EITHER));
    }

    #[rstest]
    #[case("end=a&redirect=/next%3Fa=1&proof=p%2Bq", Some("/next?a=1"), Some("p+q"))]
    #[case::another_site("end=a&redirect=https://evil.example/", None, None)]
    #[case::another_site_without_a_scheme("end=a&redirect=//evil.example", None, None)]
    fn a_form_leads_to_a_page_of_this_site_only(
        #[case] form: &str,
        #[case] redirect: Option<&str>,
        #[case] proof: Option<&str>,
    ) {
        let read = EndOwnForm::parse(form, &SiteHosts::default()).unwrap();
        assert_eq!(read.redirect.as_ref().map(LocalTarget::as_str), redirect);
        assert_eq!(read.proof.as_deref(), proof);
    }

    #[rstest]
    #[case("end=own", &["own"], true)]
    #[case("end=a", &["a"], false)]
    #[case("end=a&end=own", &["a", "own"], true)]
    #[case("scope=others", &["a", "b"], false)]
    #[case("scope=global", &["a", "b", "own"], true)]
    fn the_store_ends_what_the_form_says_and_no_more(
        #[case] form: &str,
        #[case] ended: &[&str],
        #[case] own_too: bool,
    ) {
        let own = Sid::try_from("own".to_owned()).unwrap();
        let which = EndOwnForm::parse(form, &SiteHosts::default()).unwrap().which.unwrap();
        let selector = which.selector(&own);
        let all = ["a", "b", "own"].map(|sid| session(sid, 0, 10));
        let chosen = all.iter().filter(|it| selector.includes(it)).map(|it| it.sid.as_str());
        assert_eq!(chosen.collect::<Vec<_>>(), ended);
        assert_eq!(which.include_own(&own), own_too);
    }
}
