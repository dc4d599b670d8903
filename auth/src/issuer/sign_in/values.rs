//! The values of the members of sign-in, each read by itself. Every error says what to change.

use std::time::Duration;

use serde_json::Value;

use super::names;
use super::{ClientAuthentication, ProviderEndpoints, UserInfo};
use crate::http::web_url;
use crate::issuer::access_tokens::ClaimPath;
use crate::jwt::REGISTERED;
use crate::setting_value::{InvalidValue, object, other, text, text_or_texts};
use crate::time::parse_span;

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

/// A text that is not blank.
pub(super) fn filled(value: Value) -> Result<String, InvalidValue> {
    match text(value)? {
        text if text.trim().is_empty() => {
            Err(InvalidValue::new("expected a text, got an empty one"))
        }
        text => Ok(text),
    }
}

/// `name`: what stands in the paths `login/{name}` and `callback/{name}`.
pub(super) fn provider_name(value: Value) -> Result<String, InvalidValue> {
    let name = text(value)?;
    let what = "a name of at most 32 lower-case letters, digits and `-`, like `staff`";
    if names::is_name(&name) { Ok(name) } else { Err(InvalidValue::expected(what, &name)) }
}

/// `client_authentication`, by the names of OpenID Connect Core 1.0, section 9.
pub(super) fn client_authentication(value: Value) -> Result<ClientAuthentication, InvalidValue> {
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

/// `scope`: a text of scopes between spaces, or a list.
pub(super) fn scope(value: Value) -> Result<String, InvalidValue> {
    let all = text_or_texts(value)?.join(" ");
    Ok(all.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The parameters, and `max_age`.
type Authorization = (Vec<(String, String)>, Option<Duration>);

/// `authorization`: the further parameters, and `max_age` by itself.
pub(super) fn authorization(value: Value) -> Result<Authorization, InvalidValue> {
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

/// A URL that can be sent to: `https`, or `http` to this machine.
pub(super) fn url(value: Value) -> Result<String, InvalidValue> {
    let url = text(value)?;
    match url.is_ascii() {
        true => web_url(&url).map(|_| url),
        false => Err(InvalidValue::new(
            "expected a URL in ASCII: percent-encode the path, and write the host as `xn--…`",
        )),
    }
}

/// `endpoints`.
pub(super) fn endpoints(value: Value) -> Result<ProviderEndpoints, InvalidValue> {
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

/// `userinfo`: true, false, or the path of each claim.
pub(super) fn user_info(value: Value) -> Result<UserInfo, InvalidValue> {
    let members = match value {
        Value::Bool(true) => return Ok(UserInfo::Merged),
        Value::Bool(false) => return Ok(UserInfo::Unused),
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
        true => Ok(UserInfo::Mapped(all)),
        false => {
            Err(InvalidValue::new("is required: what never changes of a user").in_member("sub"))
        }
    }
}
