//! What the guard itself sends to a provider, and how it proves to be the client (RFC 6749, section 2.3; RFC 7523,
//! section 2.2).

use std::time::Duration;

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use form_urlencoded::byte_serialize;
use serde_json::{Map, Value};

use super::attempt::SignInAttempt;
use super::token_response::TokenResponse;
use crate::issuer::{
    ClientAuthentication, ProviderMetadata, SignInSettings, TrustedIssuer, UserInfo,
};
use crate::keys::KeySet;
use crate::refusal::SignInFailure;
use crate::secret::Secret;
use crate::time::Timestamp;

/// How long an assertion is good.
const ASSERTION_LIFETIME: Duration = Duration::from_secs(60);

/// The `type` of an assertion (RFC 7523, section 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Some providers refuse requests that do not say by whom they are.
const USER_AGENT: &str = "session-guard";

/// The guard, as a client of a provider.
pub struct Client<'a> {
    /// The provider.
    pub issuer: &'a TrustedIssuer,
    /// What it says of itself.
    pub metadata: &'a ProviderMetadata,
    /// The guard's keys.
    pub keys: &'a KeySet,
    /// Names an assertion. Must come from a cryptographic source.
    pub jti: [u8; 16],
    /// The present moment.
    pub now: Timestamp,
}

/// A request to a provider. It holds secrets.
pub struct ProviderRequest {
    /// The method.
    pub method: &'static str,
    /// The URL.
    pub url: String,
    /// The headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Option<String>,
}

impl Client<'_> {
    fn settings(&self) -> Result<&SignInSettings, SignInFailure> {
        let none = || SignInFailure::Refused("nobody is signed in at this issuer".into());
        self.issuer.sign_in.as_ref().ok_or_else(none)
    }

    /// A form, by the client.
    pub(super) fn post(
        &self,
        url: String,
        mut form: Vec<(String, String)>,
    ) -> Result<ProviderRequest, SignInFailure> {
        let settings = self.settings()?;
        let mut headers = vec![
            ("accept", "application/json".to_owned()),
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ("user-agent", USER_AGENT.to_owned()),
        ];
        let mut put = |name: &str, value: String| match form.iter_mut().find(|(it, _)| it == name) {
            Some((_, known)) => *known = value,
            None => form.push((name.to_owned(), value)),
        };
        match settings.client_authentication {
            ClientAuthentication::Basic => {
                headers.push(("authorization", basic(&settings.client_id, secret(settings)?)));
            }
            ClientAuthentication::Post => {
                put("client_id", settings.client_id.clone());
                put("client_secret", secret(settings)?.expose().to_owned());
            }
            ClientAuthentication::PrivateKeyJwt => {
                put("client_id", settings.client_id.clone());
                put("client_assertion_type", ASSERTION_TYPE.to_owned());
                put("client_assertion", self.assertion(settings)?);
            }
            ClientAuthentication::None => put("client_id", settings.client_id.clone()),
        }
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&form).finish();
        Ok(ProviderRequest { method: "POST", url, headers, body: Some(body) })
    }

    fn assertion(&self, settings: &SignInSettings) -> Result<String, SignInFailure> {
        let audience = settings.client_assertion_audience.as_ref().unwrap_or(&self.issuer.issuer);
        let claims: [(&str, &str); 4] = [
            ("iss", &settings.client_id),
            ("sub", &settings.client_id),
            ("aud", audience),
            ("jti", &Base64UrlUnpadded::encode_string(&self.jti)),
        ];
        let claims: Map<String, Value> =
            claims.into_iter().map(|(name, text)| (name.to_owned(), text.into())).collect();
        let key = self.keys.vouching();
        let signed = key.and_then(|key| key.sign("JWT", claims, self.now, ASSERTION_LIFETIME));
        signed.ok_or_else(|| {
            SignInFailure::Refused("SIGNING_KEYS has no key that others could verify".into())
        })
    }
}

fn secret(settings: &SignInSettings) -> Result<&Secret, SignInFailure> {
    let none = || SignInFailure::Refused("the client's secret is not set".into());
    settings.client_secret.as_ref().ok_or_else(none)
}

/// Both are encoded as in forms first (RFC 6749, section 2.3.1), because an id may have a colon.
fn basic(id: &str, secret: &Secret) -> String {
    let [id, secret] =
        [id, secret.expose()].map(|text| byte_serialize(text.as_bytes()).collect::<String>());
    format!("Basic {}", Base64::encode_string(format!("{id}:{secret}").as_bytes()))
}

/// The request that exchanges a code (OpenID Connect Core 1.0, section 3.1.3.1; RFC 7636, section 4.5).
///
/// # Errors
/// The guard cannot prove to be the client.
pub fn token_request(
    client: &Client<'_>,
    attempt: &SignInAttempt,
    code: &str,
) -> Result<ProviderRequest, SignInFailure> {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &attempt.redirect_uri),
        ("code_verifier", &attempt.verifier),
    ];
    let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
    client.post(client.metadata.token_endpoint.clone(), form.into())
}

/// The request for more about the user; `None` if that is not wanted.
///
/// # Errors
/// It is wanted and cannot be asked for.
pub fn user_info_request(
    client: &Client<'_>,
    tokens: &TokenResponse,
) -> Result<Option<ProviderRequest>, SignInFailure> {
    if client.settings()?.user_info == UserInfo::Unused {
        return Ok(None);
    }
    let refused = |cause: &str| SignInFailure::Refused(cause.into());
    let endpoint = client.metadata.userinfo_endpoint.clone();
    let url = endpoint.ok_or_else(|| {
        refused("the provider names no `userinfo_endpoint`; set `userinfo` in `endpoints`")
    })?;
    let token = tokens.access_token.as_ref();
    let token = token.ok_or_else(|| refused("the provider's answer has no access token"))?;
    let headers = vec![
        ("accept", "application/json".to_owned()),
        ("authorization", format!("Bearer {}", token.expose())),
        ("user-agent", USER_AGENT.to_owned()),
    ];
    Ok(Some(ProviderRequest { method: "GET", url, headers, body: None }))
}
