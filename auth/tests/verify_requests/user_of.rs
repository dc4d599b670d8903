use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};

#[derive(serde::Deserialize)]
struct Claims {
    sub: String,
}

/// Whose request it is; an error if it did not come through the guard. `keys` are those at
/// `/.well-known/jwks.json`, to be fetched anew when one is not among them.
pub fn user_of(assertion: &str, keys: &JwkSet) -> Result<String, Error> {
    let Header { typ, kid, .. } = decode_header(assertion)?;
    let key = kid.filter(|_| typ.as_deref() == Some("guard-assertion+jwt"));
    let key = key.and_then(|kid| keys.find(&kid)).ok_or(ErrorKind::InvalidToken)?;
    let mut rules = Validation::new(Algorithm::ES256); // or EdDSA, as the key is
    rules.set_issuer(&["https://app.example.com"]);
    rules.set_audience(&["https://origin.example.com"]);
    rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    rules.leeway = 5;
    let token = decode::<Claims>(assertion, &DecodingKey::from_jwk(key)?, &rules)?;
    Ok(token.claims.sub)
}
