//! Sign-in at an identity provider by redirect: authorization code with PKCE (OpenID Connect Core 1.0, section 3.1;
//! RFC 6749; RFC 7636), from the first request to the user.
//!
//! [`SignInAttempt`] is what a browser keeps of it between the two requests, [`authorization_request`] sends it away,
//! [`Callback`] is how it comes back, [`token_request`] and [`user_info_request`] are sent by the guard itself, and
//! [`user_of_id_token`] says who it was. [`SignInFailure`] is everything that can go wrong.

mod attempt;
mod authorization;
mod callback;
mod client;
mod cookies;
mod logout;
mod provider_answer;
mod request;
mod returns;
mod token_response;
mod user;
mod user_info;

pub use crate::issuer::{
    MAX_METADATA, MetadataLookup, ProviderMetadata, ProviderMetadataCache, SignInSettings,
};
pub use crate::refusal::{ProviderError, SignInFailure, WaysOn};
pub use attempt::SignInAttempt;
pub use authorization::{AuthorizationRequest, authorization_request};
pub use callback::Callback;
pub use client::{Client, ProviderRequest, token_request, user_info_request};
pub use logout::{FrontchannelLogout, MAX_ID_TOKEN_HINT, end_session_url};
pub use provider_answer::{MAX_ANSWER, PROVIDER_TIMEOUT};
pub use request::{SignInHints, SignInRequest};
pub use returns::ReturnCount;
pub use token_response::{TokenResponse, read_token_response};
pub use user::{user_of_id_token, user_of_plain_oauth, with_login};
pub use user_info::{UserInfoClaims, read_user_info};

#[cfg(test)]
mod tests;
