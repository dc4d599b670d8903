//! What the client sends to log in.

use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::body_format::BodyFormat;
use crate::redirect::LocalTarget;
use crate::session::Sid;
use crate::site_hosts::SiteHosts;

/// What a client sent to log in.
#[derive(Clone, PartialEq)]
pub struct LoginRequest {
    /// By what it says who it is.
    pub credentials: LoginCredentials,
    /// Where to go after the login.
    pub redirect: Option<LocalTarget>,
    /// Sessions that this login is to end.
    pub end: Vec<Sid>,
    /// Does the user wish to stay signed in?
    pub remember: bool,
}

/// The fields of a login that have a meaning of their own only by the settings. Otherwise they are `LOGIN_URL`'s, like
/// any other.
#[derive(Clone, Copy, Debug, Default)]
pub struct AcceptedFields {
    /// `id_token`: are there trusted issuers?
    pub id_token: bool,
    /// `remember`: is `SESSION_TTL_SHORT` set?
    pub remember: bool,
}

/// By what a client says who it is.
#[derive(Clone, PartialEq)]
pub enum LoginCredentials {
    /// The fields for `LOGIN_URL`.
    Fields(Map<String, Value>),
    /// A trusted issuer's ID token.
    IdToken {
        /// The token.
        token: String,
        /// The nonce that the client sent to the issuer, if it tells.
        nonce: Option<String>,
    },
}

impl LoginCredentials {
    /// The nonce that the client told.
    pub fn nonce(&self) -> Option<&str> {
        match self {
            Self::Fields(_) => None,
            Self::IdToken { nonce, .. } => nonce.as_deref(),
        }
    }
}

/// Leaves out the proof.
impl fmt::Debug for LoginRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginRequest").field("redirect", &self.redirect).finish_non_exhaustive()
    }
}

impl LoginRequest {
    /// The name that the user entered on the login page, to stand there again.
    pub fn username(&self) -> Option<&str> {
        match &self.credentials {
            LoginCredentials::Fields(fields) => fields.get("username")?.as_str(),
            LoginCredentials::IdToken { .. } => None,
        }
    }

    /// Reads the body of a login. `id_token` has a meaning of its own only in JSON.
    ///
    /// # Errors
    /// What is wrong with it, for the client.
    pub fn parse(
        form: BodyFormat,
        body: &str,
        accepted: AcceptedFields,
        hosts: &SiteHosts,
    ) -> Result<Self, &'static str> {
        let mut fields = match form {
            BodyFormat::Json => serde_json::from_str::<Map<String, Value>>(body)
                .map_err(|_| "The body must be a JSON object.")?,
            BodyFormat::Form => form_urlencoded::parse(body.as_bytes())
                .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
                .collect(),
        };
        let end = match (fields.remove("end"), form) {
            (Some(end), BodyFormat::Json) => Vec::<Sid>::deserialize(end).map_err(|_| END)?,
            // A page has a field for each.
            (Some(_), BodyFormat::Form) => sids(BodyFormat::Form.texts(body, &["end".into()]))?,
            (None, _) => Vec::new(),
        };
        let redirect = match fields.remove("redirect") {
            None => None,
            Some(target) => Some(
                target
                    .as_str()
                    .and_then(|target| LocalTarget::on(hosts, target))
                    .ok_or_else(|| bad_redirect(hosts))?,
            ),
        };
        let remember = accepted.remember && remember(fields.remove("remember"), form)?;
        let is_json = form == BodyFormat::Json;
        let by_token = accepted.id_token && is_json && fields.contains_key("id_token");
        let proof = if by_token { id_token(fields)? } else { LoginCredentials::Fields(fields) };
        match &proof {
            LoginCredentials::Fields(fields) if fields.is_empty() => {
                Err("The body holds no credentials.")
            }
            _ => Ok(Self { credentials: proof, redirect, end, remember }),
        }
    }
}

fn bad_redirect(hosts: &SiteHosts) -> &'static str {
    match hosts.are_named() {
        true => "`redirect` must be a path of this site, or a URL on one of its hosts.",
        false => "`redirect` must be a path of this site.",
    }
}

/// Does the user wish to stay signed in? A form has the field if its box is checked.
fn remember(field: Option<Value>, form: BodyFormat) -> Result<bool, &'static str> {
    match (field, form) {
        (None, _) => Ok(false),
        (Some(Value::Bool(remember)), _) => Ok(remember),
        (Some(Value::String(text)), BodyFormat::Form) => Ok(!matches!(&*text, "" | "false" | "0")),
        (Some(_), _) => Err("`remember` must be `true` or `false`."),
    }
}

const END: &str = "`end` must be a list of `sid`s.";

fn sids(texts: Vec<String>) -> Result<Vec<Sid>, &'static str> {
    texts.into_iter().map(|text| Sid::try_from(text).map_err(|_| END)).collect()
}

fn id_token(mut fields: Map<String, Value>) -> Result<LoginCredentials, &'static str> {
    let Some(Value::String(token)) = fields.remove("id_token") else {
        return Err("`id_token` must be a text.");
    };
    let nonce = match fields.remove("nonce") {
        None => None,
        Some(Value::String(nonce)) => Some(nonce),
        Some(_) => return Err("`nonce` must be a text."),
    };
    // Without a short lifetime, everybody stays signed in.
    fields.retain(|name, value| name != "remember" || !value.is_boolean());
    match fields.is_empty() {
        true => Ok(LoginCredentials::IdToken { token, nonce }),
        false => Err(
            "Send `id_token`, with `nonce`, `redirect`, `end` and `remember` if you like, or credentials.",
        ),
    }
}
