//! The credential a request carries, and where it may carry it.
//!
//! Each source is one file with a function `find`, which says whether the request carries nothing there,
//! a token, or a credential without one. [`PresentedTokens::of`] is the list of them, [`TokenSources::parse`] what
//! the setting calls them.

mod bearer;
mod body;
mod cookie;
mod header;
mod query;
mod removal;

use std::borrow::Cow;

pub use removal::{CredentialRemoval, OwnTokens};

use crate::body_format::BodyFormat;
use crate::cookie::SessionCookie;
use crate::http::Head;
use crate::setting_value::InvalidValue;

/// Where the token was found. Cookies are sent by the browser whoever asks it to, so they need
/// a proof of the asking site; what a program must put there itself does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// `Authorization: Bearer` (RFC 6750, section 2.1).
    Bearer,
    /// A header, a parameter of the query or a field of the body.
    Named,
    /// The session cookie.
    Cookie,
}

/// What a request carries in one source.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Finding<'h> {
    /// Nothing.
    NotPresent,
    /// A text where a token may be, not yet verified.
    Found(Cow<'h, str>),
    /// Several of them. Blank ones are no credentials.
    FoundSeveral(Vec<String>),
    /// A credential of this kind, without a token in it.
    Malformed,
}

impl<'h> Finding<'h> {
    /// What `find` says of a header's value.
    fn within(value: Cow<'h, str>, find: impl for<'a> Fn(&'a str) -> Finding<'a>) -> Self {
        match value {
            Cow::Borrowed(value) => find(value),
            Cow::Owned(value) => match find(&value) {
                Finding::Found(text) => Self::Found(text.into_owned().into()),
                Finding::FoundSeveral(texts) => Self::FoundSeveral(texts),
                Finding::NotPresent => Self::NotPresent,
                Finding::Malformed => Self::Malformed,
            },
        }
    }

    /// The same, and this text.
    fn and(self, text: &'h str) -> Self {
        match self {
            Self::Found(first) => Self::FoundSeveral(vec![first.into(), text.into()]),
            Self::FoundSeveral(mut all) => {
                all.push(text.into());
                Self::FoundSeveral(all)
            }
            Self::NotPresent | Self::Malformed => Self::Found(text.into()),
        }
    }

    /// The values that stand under names of the settings.
    fn of_values(mut values: Vec<String>) -> Self {
        values.retain(|value| !value.is_empty());
        values.iter_mut().for_each(|value| *value = value.trim().to_owned());
        if values.is_empty() { Self::NotPresent } else { Self::FoundSeveral(values) }
    }
}

/// A credential that was not verified yet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Credential<'a> {
    /// Where it was found.
    pub source: Source,
    /// The token as it was sent; `None` if the credential is malformed.
    pub token: Option<&'a str>,
}

/// Everything a request carries where a token may be, in the order of precedence.
pub struct PresentedTokens<'h>([(Source, Finding<'h>); 5]);

impl<'h> PresentedTokens<'h> {
    /// Looks wherever the settings say, and nowhere else; without a name, in no cookie.
    pub fn of(head: &'h dyn Head, sources: &TokenSources, cookie_name: Option<&str>) -> Self {
        Self([
            (Source::Bearer, bearer::find(head, sources.bearer)),
            (Source::Named, header::find(head, &sources.headers)),
            (Source::Named, query::find(head, &sources.query)),
            (Source::Named, body::find(head, &sources.body)),
            (Source::Cookie, cookie::find(head, cookie_name.filter(|_| sources.cookie))),
        ])
    }

    /// Passes on every credential, in the order of the sources.
    pub fn each<'a>(&'a self, mut look: impl FnMut(Credential<'a>)) {
        for (source, finding) in &self.0 {
            let mut credential = |token| look(Credential { source: *source, token });
            match finding {
                Finding::NotPresent => {}
                Finding::Malformed => credential(None),
                Finding::Found(text) => credential(Some(text)),
                Finding::FoundSeveral(texts) => {
                    let texts = texts.iter().filter(|text| !text.is_empty());
                    texts.for_each(|text| credential(Some(text)));
                }
            }
        }
    }

    /// Does anything stand where a token may be, but in `Authorization`?
    pub(crate) fn is_found_outside_authorization(&self) -> bool {
        let mut others = self.0.iter().filter(|(source, _)| *source != Source::Bearer);
        others.any(|(_, finding)| *finding != Finding::NotPresent)
    }
}

/// `TOKEN_SOURCES`: where the guard looks for tokens. Never nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSources {
    /// `Authorization: Bearer`?
    pub bearer: bool,
    /// The session cookie?
    pub cookie: bool,
    /// Headers, in lower case.
    pub headers: Vec<String>,
    /// Parameters of the query.
    pub query: Vec<String>,
    /// Fields of a JSON object or form in the body.
    pub body: Vec<String>,
}

impl Default for TokenSources {
    fn default() -> Self {
        Self { bearer: true, cookie: true, ..Self::none() }
    }
}

impl TokenSources {
    fn none() -> Self {
        let (headers, query, body) = (Vec::new(), Vec::new(), Vec::new());
        Self { bearer: false, cookie: false, headers, query, body }
    }

    /// Reads a list like `bearer, cookie, header:x-access-token`.
    ///
    /// # Errors
    /// What to change.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let mut sources = Self::none();
        for (index, source) in text.split(',').map(str::trim).enumerate() {
            sources.add(source).map_err(|error| error.in_item(index))?;
        }
        Ok(sources)
    }

    fn add(&mut self, source: &str) -> Result<(), InvalidValue> {
        match source.split_once(':') {
            None if source == "bearer" => self.bearer = true,
            None if source == "cookie" => self.cookie = true,
            Some(("header", name)) => self.headers.push(header::name(name)?),
            Some(("query", name)) if is_name(name) => self.query.push(name.into()),
            Some(("body", name)) if is_name(name) => self.body.push(name.into()),
            _ => {
                let what = "`bearer`, `cookie`, `header:x-access-token`, `query:accessToken` or \
                            `body:accessToken`";
                return Err(InvalidValue::expected(what, source));
            }
        }
        Ok(())
    }

    /// The form of a body that is to be searched for a token; `None` if it need not be read.
    pub fn body_of(&self, head: &dyn Head) -> Option<BodyFormat> {
        body::form(head, &self.body)
    }

    /// Is there a text in `Authorization` that some server may take for a bearer token, and `is` says
    /// yes to?
    pub fn any_possible_bearer(&self, head: &dyn Head, is: impl Fn(&str) -> bool) -> bool {
        let authorization = if self.bearer { head.header("authorization") } else { None };
        authorization.is_some_and(|text| bearer::possible(&text).any(is))
    }

    /// A URL, or part of one, without the query parameters that hold tokens. Every other
    /// character stays as it is.
    pub fn without_tokens<'a>(&self, url: &'a str) -> Cow<'a, str> {
        query::without(url, &self.query)
    }

    /// What keeps the guard's own tokens from the origin.
    pub fn withhold(
        &self,
        head: &dyn Head,
        own: &OwnTokens<'_>,
        session_cookie: &SessionCookie,
    ) -> CredentialRemoval {
        let mut removal = CredentialRemoval::default();
        header::withhold(&self.headers, &mut removal);
        bearer::withhold(head, self.bearer, own, &mut removal);
        cookie::withhold(head, self.cookie, session_cookie, own, &mut removal);
        query::withhold(head, &self.query, &mut removal);
        removal
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests;
