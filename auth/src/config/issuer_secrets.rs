//! The secrets of identity providers, each in a variable of its own: those that they sign with (HS256), and those by
//! which the guard is their client.

use super::Reader;
use super::reference::is_setting;
use crate::issuer::{AccessTokenRules, SignInSettings, TrustedIssuer};
use crate::secret::Secret;
use crate::setting_value::InvalidValue;

/// As many bytes as the hash has (RFC 7518, section 3.2).
const MIN_BYTES: usize = 32;

/// Reads the secrets that the issuers name.
pub fn read_secrets(reader: &mut Reader<'_>, issuers: &mut [TrustedIssuer]) {
    for (index, issuer) in issuers.iter_mut().enumerate() {
        if let Some(rules) = &mut issuer.access_tokens
            && let Err(error) = of_tokens(reader, rules)
        {
            let error = error.in_member("secret").in_member("access_tokens").in_item(index);
            reader.wrong("TRUSTED_ISSUERS", error);
        }
        if let Some(sign_in) = &mut issuer.sign_in
            && let Err(error) = of_client(reader, sign_in)
        {
            let error = error.in_member("client_secret_name").in_item(index);
            reader.wrong("TRUSTED_ISSUERS", error);
        }
    }
}

fn of_tokens(reader: &Reader<'_>, rules: &mut AccessTokenRules) -> Result<(), InvalidValue> {
    let Some(name) = &rules.secret_name else { return Ok(()) };
    let secret = read_secret(reader, name)?;
    if secret.len() < MIN_BYTES {
        let reason = format!("names {name}, which has fewer than {MIN_BYTES} bytes");
        return Err(InvalidValue::new(reason));
    }
    rules.secret = Some(Secret::new(&secret));
    Ok(())
}

fn of_client(reader: &Reader<'_>, sign_in: &mut SignInSettings) -> Result<(), InvalidValue> {
    let Some(name) = &sign_in.client_secret_name else { return Ok(()) };
    sign_in.client_secret = Some(Secret::new(&read_secret(reader, name)?));
    Ok(())
}

fn read_secret(reader: &Reader<'_>, name: &str) -> Result<String, InvalidValue> {
    if is_setting(name) {
        return Err(InvalidValue::expected("a variable that is no setting of the guard", name));
    }
    let none = || InvalidValue::new(format!("names {name}, which is not set"));
    reader.text(name).ok_or_else(none)
}
