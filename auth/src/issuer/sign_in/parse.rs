//! The members, read.

use std::time::Duration;

use serde_json::{Map, Value};

use super::names;
use super::{ClientAuthentication, ProviderEndpoints, SignInSettings, UserInfo};
use crate::http::web_url;
use crate::issuer::access_tokens::{ClaimPath, variable};
use crate::jwt::REGISTERED;
use crate::setting_value::{InvalidValue, flag, object, other, text, text_or_texts};
use crate::time::parse_span;

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

/// Parameters that the guard sets itself, or that would take the answer where it cannot read it.
const OWN_PARAMETERS: [&str; 8] = [
    "state",
    "nonce",
    "redirect_uri",
    "client_id",
    "response_type",
    "response_mode",
    "scope",
    "dpop_jkt",
];

/// Claims of user information that are the ID token's or the guard's.
const NOT_MAPPED: [&str; 3] = ["auth_time", "acr", "nonce"];

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
        user_info: UserInfo::No,
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

fn filled(value: Value) -> Result<String, InvalidValue> {
    match text(value)? {
        text if text.trim().is_empty() => {
            Err(InvalidValue::new("expected a text, got an empty one"))
        }
        text => Ok(text),
    }
}

fn provider_name(value: Value) -> Result<String, InvalidValue> {
    let name = text(value)?;
    let what = "a name of at most 32 lower-case letters, digits and `-`, like `staff`";
    if names::is_name(&name) { Ok(name) } else { Err(InvalidValue::expected(what, &name)) }
}

fn client_authentication(value: Value) -> Result<ClientAuthentication, InvalidValue> {
    match text(value)?.as_str() {
        "client_secret_basic" => Ok(ClientAuthentication::Basic),
        "client_secret_post" => Ok(ClientAuthentication::Post),
        "private_key_jwt" => Ok(ClientAuthentication::PrivateKeyJwt),
        "none" => Ok(ClientAuthentication::None),
        other => Err(InvalidValue::expected(
            "`client_secret_basic`, `client_secret_post`, `private_key_jwt` or `none`",
            other,
        )),
    }
}

fn scope(value: Value) -> Result<String, InvalidValue> {
    let all = text_or_texts(value)?.join(" ");
    Ok(all.split_whitespace().collect::<Vec<_>>().join(" "))
}

type Authorization = (Vec<(String, String)>, Option<Duration>);

fn authorization(value: Value) -> Result<Authorization, InvalidValue> {
    let (mut all, mut max_age) = (Vec::new(), None);
    for (name, value) in object(value)? {
        let in_it = |error: InvalidValue| error.in_member(&name);
        let is_own = OWN_PARAMETERS.contains(&name.as_str())
            || name.starts_with("request")
            || name.starts_with("code_challenge");
        if is_own {
            let reason =
                "is not to be set here: the guard sets it itself, or could not read the answer";
            return Err(in_it(InvalidValue::new(reason)));
        }
        match name.as_str() {
            "max_age" => max_age = Some(seconds(value).map_err(in_it)?),
            _ => {
                let value = parameter(value).map_err(in_it)?;
                all.push((name, value));
            }
        }
    }
    Ok((all, max_age))
}

/// A number of seconds, or a duration as all settings have it.
fn seconds(value: Value) -> Result<Duration, InvalidValue> {
    let span = match &value {
        Value::String(text) => parse_span(text)?,
        value => {
            value.as_u64().map(Duration::from_secs).ok_or_else(|| other("a duration", value))?
        }
    };
    match span.subsec_nanos() {
        0 => Ok(span),
        _ => Err(other("whole seconds", &value)),
    }
}

/// Lists are separated by spaces, as `acr_values`; objects are JSON, as `claims`.
fn parameter(value: Value) -> Result<String, InvalidValue> {
    match value {
        Value::Array(_) => text_or_texts(value).map(|all| all.join(" ")),
        Value::String(text) => Ok(text),
        Value::Null => Err(other("a text", &value)),
        value => Ok(value.to_string()),
    }
}

fn url(value: Value) -> Result<String, InvalidValue> {
    let url = text(value)?;
    match url.is_ascii() {
        true => web_url(&url).map(|_| url),
        false => Err(InvalidValue::new(
            "expected a URL in ASCII: percent-encode the path, and write the host as `xn--…`",
        )),
    }
}

fn endpoints(value: Value) -> Result<ProviderEndpoints, InvalidValue> {
    let mut read = ProviderEndpoints::default();
    for (name, value) in object(value)? {
        let endpoint = match name.as_str() {
            "authorization" => &mut read.authorization,
            "token" => &mut read.token,
            "userinfo" => &mut read.userinfo,
            "end_session" => &mut read.end_session,
            "pushed_authorization_request" => &mut read.pushed_authorization_request,
            _ => {
                let reason = "unknown member; expected `authorization`, `token`, `userinfo`, `end_session` and \
                              `pushed_authorization_request`";
                return Err(InvalidValue::new(reason).in_member(&name));
            }
        };
        *endpoint = Some(url(value).map_err(|error| error.in_member(&name))?);
    }
    Ok(read)
}

fn user_info(value: Value) -> Result<UserInfo, InvalidValue> {
    let members = match value {
        Value::Bool(true) => return Ok(UserInfo::Also),
        Value::Bool(false) => return Ok(UserInfo::No),
        Value::Object(members) => members,
        value => {
            return Err(other("true, or an object of claims and where they are found", &value));
        }
    };
    let mut all = Vec::with_capacity(members.len());
    for (name, path) in members {
        let is_mapped = name == "sub"
            || !REGISTERED.contains(&name.as_str()) && !NOT_MAPPED.contains(&name.as_str());
        let path = match is_mapped {
            true => ClaimPath::parse(path),
            false => Err(InvalidValue::new("is no claim that user information can set")),
        };
        all.push((name.clone(), path.map_err(|error| error.in_member(&name))?));
    }
    match all.iter().any(|(name, _)| name == "sub") {
        true => Ok(UserInfo::Instead(all)),
        false => {
            Err(InvalidValue::new("is required: what never changes of a user").in_member("sub"))
        }
    }
}
