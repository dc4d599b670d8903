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
    /// Its `exp` has passed.
    #[error("The token has expired.")]
    Expired,
}
