//! Why a token is refused.

use thiserror::Error;

/// Why a token is refused. The messages are for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TokenError {
    /// It is not a JWT in compact form, or a claim is missing.
    #[error("The token is malformed.")]
    Malformed,
    /// The set has no key of its `kid`.
    #[error("The token names no key that is known here.")]
    UnknownKey,
    /// It was not signed with the key it names.
    #[error("The token's signature does not match.")]
    Signature,
    /// Its claims are too large for the identity headers.
    #[error("The token's claims are too large for the headers that tell the origin.")]
    TooLarge,
    /// Its `typ` is not accepted here.
    #[error("The token is of another type.")]
    Type,
    /// Its `iss` is another issuer.
    #[error("The token was issued by somebody else.")]
    Issuer,
    /// It says nothing of the session that it is of. Holds how its provider is brought to say it.
    #[error("The token does not say of which session it is. {0}")]
    NoSession(&'static str),
    /// It was issued to an application whose tokens are not accepted.
    #[error("The token was issued to another application.")]
    Client,
    /// A claim does not say what the settings require.
    #[error("The token lacks a claim that is required here, or the claim says something else.")]
    Requirement,
    /// It is bound to a key of its holder, who must prove that they have it (RFC 7800).
    #[error("The token is bound to a key, and the proof of that key cannot be checked here.")]
    Bound,
    /// The provider's keys are not known and could not be fetched. Says nothing of the token.
    #[error("The keys of the token's issuer could not be fetched.")]
    KeysUnavailable,
    /// Its `aud`, or `azp`, is somebody else.
    #[error("The token is meant for another audience.")]
    Audience,
    /// Its `nonce` is not the one of this login.
    #[error("The token's nonce is another.")]
    Nonce,
    /// It can be used once, and was used before.
    #[error("The token was used before.")]
    Used,
    /// Its `nbf` or `iat` lies ahead.
    #[error("The token is not valid yet.")]
    NotYet,
    /// It is older than `NOT_BEFORE` allows, for all tokens or for its issuer's.
    #[error(
        "The token is from before the moment since when tokens are accepted here. Log in again."
    )]
    TooOld,
    /// Its `exp` has passed.
    #[error("The token has expired.")]
    Expired,
}
