//! The members of sign-in, read and checked against each other.

use serde_json::{Map, Value};

use super::names;
use super::values::{
    authorization, client_authentication, endpoints, filled, provider_name, scope, url, user_info,
};
use super::{ClientAuthentication, ProviderEndpoints, SignInSettings, UserInfo};
use crate::issuer::access_tokens::variable;
use crate::setting_value::{InvalidValue, flag};

/// The members there may be.
pub const MEMBERS: [&str; 13] = [
    "client_id",
    "name",
    "title",
    "client_secret_name",
    "client_authentication",
    "client_assertion_audience",
    "scope",
    "authorization",
    "endpoints",
    "redirect_uri",
    "pushed_authorization_requests",
    "userinfo",
    "frontchannel_logout",
];

/// Reads the members of an issuer that has this name and title in a preset.
///
/// # Errors
/// Which is wrong, and what to change.
pub fn parse(
    members: Map<String, Value>,
    issuer: &str,
    preset: Option<(&str, &str)>,
) -> Result<SignInSettings, InvalidValue> {
    let mut settings = like_most();
    let mut authentication = None;
    for (name, value) in members {
        let read = match name.as_str() {
            "client_authentication" => {
                client_authentication(value).map(|it| authentication = Some(it))
            }
            _ => settings.read_member(&name, value),
        };
        read.map_err(|error| error.in_member(&name))?;
    }
    settings.is_whole()?;
    settings.authenticate_by(authentication)?;
    settings.ask_for_scope()?;
    settings.call_it(issuer, preset)?;
    Ok(settings)
}

fn like_most() -> SignInSettings {
    SignInSettings {
        client_id: String::new(),
        name: String::new(),
        title: String::new(),
        client_secret_name: None,
        client_secret: None,
        client_authentication: ClientAuthentication::None,
        client_assertion_audience: None,
        scope: String::new(),
        authorization: Vec::new(),
        max_age: None,
        endpoints: ProviderEndpoints::default(),
        redirect_uri: None,
        pushed_authorization_requests: None,
        user_info: UserInfo::Unused,
        frontchannel_logout: false,
    }
}

impl SignInSettings {
    fn read_member(&mut self, name: &str, value: Value) -> Result<(), InvalidValue> {
        match name {
            "client_id" => self.client_id = filled(value)?,
            "name" => self.name = provider_name(value)?,
            "title" => self.title = filled(value)?,
            "client_secret_name" => self.client_secret_name = Some(variable(value)?),
            "client_assertion_audience" => self.client_assertion_audience = Some(filled(value)?),
            "scope" => self.scope = scope(value)?,
            "authorization" => (self.authorization, self.max_age) = authorization(value)?,
            "endpoints" => self.endpoints = endpoints(value)?,
            "redirect_uri" => self.redirect_uri = Some(url(value)?),
            "pushed_authorization_requests" => {
                self.pushed_authorization_requests = Some(flag(value)?);
            }
            "userinfo" => self.user_info = user_info(value)?,
            _ => self.frontchannel_logout = flag(value)?,
        }
        Ok(())
    }

    fn is_whole(&self) -> Result<(), InvalidValue> {
        if self.client_id.is_empty() {
            let reason = "is required, to sign people in at the provider";
            return Err(InvalidValue::new(reason).in_member("client_id"));
        }
        let ProviderEndpoints { authorization, token, userinfo, .. } = &self.endpoints;
        let by_hand = [("authorization", authorization), ("token", token), ("userinfo", userinfo)];
        match by_hand.into_iter().find(|(_, it)| it.is_none() && self.is_plain_oauth()) {
            None => Ok(()),
            Some((name, _)) => {
                let reason = "is required where `userinfo` is a mapping, because plain OAuth has no discovery";
                Err(InvalidValue::new(reason).in_member(name).in_member("endpoints"))
            }
        }
    }

    /// With a secret it is sent, by the way that every provider must know (RFC 6749, section 2.3.1).
    fn authenticate_by(&mut self, how: Option<ClientAuthentication>) -> Result<(), InvalidValue> {
        use ClientAuthentication::{Basic, None as Public, Post};
        let has_secret = self.client_secret_name.is_some();
        let how = how.unwrap_or(if has_secret { Basic } else { Public });
        let error = match (how, has_secret) {
            (Basic | Post, false) => {
                ("client_secret_name", "is required with this `client_authentication`")
            }
            (Basic | Post, true) | (_, false) => {
                self.client_authentication = how;
                return Ok(());
            }
            (_, true) => (
                "client_secret_name",
                "is of no use with this `client_authentication`; leave it out",
            ),
        };
        Err(InvalidValue::new(error.1).in_member(error.0))
    }

    fn ask_for_scope(&mut self) -> Result<(), InvalidValue> {
        if self.scope.is_empty() && !self.is_plain_oauth() {
            self.scope = "openid profile email".into();
        }
        match self.is_plain_oauth() || self.scope.split(' ').any(|it| it == "openid") {
            true => Ok(()),
            false => {
                let reason = "needs `openid` among the scopes, or there is no ID token";
                Err(InvalidValue::new(reason).in_member("scope"))
            }
        }
    }

    fn call_it(&mut self, issuer: &str, preset: Option<(&str, &str)>) -> Result<(), InvalidValue> {
        if self.title.is_empty() {
            self.title = preset.map_or_else(|| names::title_of(issuer), |(_, title)| title.into());
        }
        if self.name.is_empty() {
            let found = preset.map(|(name, _)| name.to_owned());
            let none = || {
                let reason =
                    "is required: the name of the provider in `login/{name}`, like `staff`";
                InvalidValue::new(reason).in_member("name")
            };
            self.name = found.or_else(|| names::of_issuer(issuer)).ok_or_else(none)?;
        }
        Ok(())
    }
}
