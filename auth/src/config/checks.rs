//! Checks of settings against each other.

use std::time::Duration;

use super::{Origin, Reader, StoreSettings};
use crate::access::Rules;
use crate::http::Target;
use crate::issuer::{ClientAuthentication, TrustedIssuer};
use crate::keys::KeySet;
use crate::redis::ReadConsistency;
use crate::resource_metadata::{ResourceMetadata, WELL_KNOWN};
use crate::route::KEY_SET;
use crate::secret::Secret;
use crate::setting_value::InvalidValue;
use crate::time::Timestamp;

/// No other lifetime is longer than the session's.
pub fn lifetimes(
    reader: &mut Reader<'_>,
    session_ttl: Duration,
    others: [(&'static str, Option<Duration>); 3],
) {
    for (name, other) in others {
        if other.is_some_and(|other| other > session_ttl) {
            reader.wrong(name, InvalidValue::new("must not be longer than SESSION_TTL"));
        }
    }
}

/// How far a moment may lie ahead, because clocks differ.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);

/// `NOT_BEFORE`, and `not_before` of each issuer, are not in the future.
pub fn moments_ahead(
    reader: &mut Reader<'_>,
    of_all: Option<Timestamp>,
    issuers: &[TrustedIssuer],
    now: Timestamp,
) {
    let error = |moment: Option<Timestamp>| {
        let moment = moment.filter(|moment| *moment > now.plus(CLOCKS_DIFFER))?;
        let reason =
            format!("{moment} lies in the future, so every token would be refused until then");
        Some(InvalidValue::new(reason))
    };
    if let Some(error) = error(of_all) {
        reader.wrong("NOT_BEFORE", error);
    }
    for (index, issuer) in issuers.iter().enumerate() {
        if let Some(error) = error(issuer.not_before) {
            reader.wrong("TRUSTED_ISSUERS", error.in_member("not_before").in_item(index));
        }
    }
}

/// `READ_CONSISTENCY = nearest`: a replica cannot extend a session.
pub fn reads_of_replicas(
    reader: &mut Reader<'_>,
    store: Option<&StoreSettings>,
    idle_timeout: Option<Duration>,
) {
    let nearest =
        matches!(store, Some(StoreSettings::Redis { consistency: ReadConsistency::Nearest, .. }));
    if nearest && idle_timeout.is_some() {
        let reason = "must be `strong` when SESSION_IDLE_TIMEOUT is set, because extending a \
                      session is a write";
        reader.wrong("READ_CONSISTENCY", InvalidValue::new(reason));
    }
}

/// `REWRITE_ORIGIN` has an effect only with `ORIGIN_URL`.
pub fn rewritten_origin(reader: &mut Reader<'_>, rewrites: bool, origin: &Origin) {
    if rewrites && !matches!(origin, Origin::Url(_)) {
        let reason = "needs ORIGIN_URL; without it the origin sees the site's own host";
        reader.wrong("REWRITE_ORIGIN", InvalidValue::new(reason));
    }
}

/// A user of an issuer must not be taken for one of the origin's.
pub fn users_of_issuers(
    reader: &mut Reader<'_>,
    issuers: &[TrustedIssuer],
    login_url: Option<&str>,
    routes: &Rules,
) {
    let has_own_login = login_url.is_some() || routes.let_anybody_log_in();
    let without = issuers.iter().position(|it| it.subject_prefix.is_none());
    if let Some(index) = without.filter(|_| has_own_login) {
        let reason = "is required beside LOGIN_URL or a rule of ROUTES with `\"login\": true`, so \
                      that no user of the issuer is taken for one of yours; if they are the same, an \
                      empty one";
        let error = InvalidValue::new(reason).in_member("subject_prefix").in_item(index);
        reader.wrong("TRUSTED_ISSUERS", error);
    }
}

/// Providers send browsers back to where the guard is, and can verify that it is their client.
pub fn sign_in(
    reader: &mut Reader<'_>,
    issuers: &[TrustedIssuer],
    auth_path: &str,
    keys: Option<&KeySet>,
) {
    for (index, issuer) in issuers.iter().enumerate() {
        let Some(sign_in) = &issuer.sign_in else { continue };
        let by_key = sign_in.client_authentication == ClientAuthentication::PrivateKeyJwt;
        if by_key && keys.is_some_and(|keys| keys.vouching().is_none()) {
            let reason = "`private_key_jwt` needs an asymmetric key with its private part in SIGNING_KEYS, like \
                          one of ES256";
            let error = InvalidValue::new(reason).in_member("client_authentication").in_item(index);
            reader.wrong("TRUSTED_ISSUERS", error);
        }
        let path = format!("{auth_path}/callback/{}", sign_in.name);
        let at = |url: &String| Target::of_url(url).map(|it| it.as_str().to_owned());
        if let Some(url) =
            sign_in.redirect_uri.as_ref().filter(|url| at(url).as_ref() != Some(&path))
        {
            let what = format!("a URL of this site with the path `{path}`");
            let error = InvalidValue::expected(&what, url).in_member("redirect_uri").in_item(index);
            reader.wrong("TRUSTED_ISSUERS", error);
        }
    }
}

/// Rules for paths that are never forwarded have no effect.
pub fn rules_that_never_hold(
    reader: &mut Reader<'_>,
    routes: &Rules,
    auth_path: &str,
    login_url: Option<&str>,
) {
    let login =
        login_url.and_then(Target::of_url).map(|target| target.path().trim_end_matches('/'));
    let own = [auth_path.to_owned(), format!("{auth_path}/*"), KEY_SET.to_owned()];
    let closed = login.into_iter().flat_map(|path| [path.to_owned(), format!("{path}/*")]);
    let own = own.into_iter().map(|path| (path, "the guard answers there by itself"));
    let closed = closed.map(|path| (path, "LOGIN_URL is there, which is closed to clients"));
    for (pattern, why) in own.chain(closed) {
        if let Some(index) = routes.within(&pattern) {
            let error = InvalidValue::new(format!("can never hold, because {why}"));
            reader.wrong("ROUTES", error.in_item(index));
        }
    }
}

/// Paths that are resources need an authorization server, and their metadata are the guard's.
pub fn resources(reader: &mut Reader<'_>, routes: &Rules, metadata: Option<&ResourceMetadata>) {
    let marked = routes.all().iter().position(|rule| rule.resource);
    if metadata.is_none() {
        if let Some(index) = marked {
            let reason = "needs an entry of TRUSTED_ISSUERS with `access_tokens`, or \
                          `authorization_servers` in RESOURCE_METADATA";
            let error = InvalidValue::new(reason).in_member("resource").in_item(index);
            reader.wrong("ROUTES", error);
        }
        return;
    }
    let own = routes.resources().chain([""]).map(|path| format!("{WELL_KNOWN}{path}"));
    for index in own.filter_map(|path| routes.within(&path)).collect::<Vec<_>>() {
        let reason = "can never hold, because the guard answers there by itself";
        reader.wrong("ROUTES", InvalidValue::new(reason).in_item(index));
    }
}

/// A service that may introspect tokens, and a proxy, must not be able to end sessions.
pub fn keys_of_services(
    reader: &mut Reader<'_>,
    admin: Option<&Secret>,
    others: [(&'static str, &Option<Secret>); 2],
) {
    for (name, key) in others {
        if key.is_some() && key.as_ref() == admin {
            let reason = "must not be ADMIN_API_KEY: whoever has it could begin and end sessions";
            reader.wrong(name, InvalidValue::new(reason));
        }
    }
}
