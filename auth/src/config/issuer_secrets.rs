//! The secrets of identity providers that sign with HS256, each in a variable of its own.

use super::Reader;
use super::reference::is_setting;
use crate::issuer::{AccessTokenRules, TrustedIssuer};
use crate::secret::Secret;
use crate::setting_value::InvalidValue;

/// As many bytes as the hash has (RFC 7518, section 3.2).
const MIN_BYTES: usize = 32;

/// Reads the secrets that the issuers name.
pub fn read_secrets(reader: &mut Reader<'_>, issuers: &mut [TrustedIssuer]) {
    for (index, issuer) in issuers.iter_mut().enumerate() {
        let Some(rules) = &mut issuer.access_tokens else { continue };
        if let Err(error) = read_secret(reader, rules) {
            let error = error.in_member("secret").in_member("access_tokens").in_item(index);
            reader.wrong("TRUSTED_ISSUERS", error);
        }
    }
}

fn read_secret(reader: &Reader<'_>, rules: &mut AccessTokenRules) -> Result<(), InvalidValue> {
    let Some(name) = &rules.secret_name else { return Ok(()) };
    if is_setting(name) {
        return Err(InvalidValue::expected("a variable that is no setting of the guard", name));
    }
    match reader.text(name) {
        None => Err(InvalidValue::new(format!("names {name}, which is not set"))),
        Some(secret) if secret.len() < MIN_BYTES => {
            let reason = format!("names {name}, which has fewer than {MIN_BYTES} bytes");
            Err(InvalidValue::new(reason))
        }
        Some(secret) => {
            rules.secret = Some(Secret::new(&secret));
            Ok(())
        }
    }
}
