//! A token of each provider, in the form that it documents.

use serde_json::{Value, json};

use crate::id_token::tests::changed;
use crate::token::tests::NOW;

/// An entry of `TRUSTED_ISSUERS`, and a good token of that provider: its header, and its claims.
pub fn example(provider: &str) -> (Value, Value, Value) {
    let (entry, header, claims) = match provider {
        "auth0" => auth0(),
        "clerk" => clerk(),
        "supabase" => supabase(),
        "cognito" => cognito(),
        "keycloak" => keycloak(),
        "okta" => okta(),
        "entra" => entra(),
        "firebase" => firebase(),
        "workos" => workos(),
        _ => zitadel(),
    };
    let times = json!({ "iat": NOW.seconds(), "exp": NOW.seconds() + 300 });
    let entry = changed(json!({ "provider": provider, "subject_prefix": "p|" }), entry);
    (entry, header, changed(times, claims))
}

fn auth0() -> (Value, Value, Value) {
    let entry = json!({
        "issuer": "https://acme.eu.auth0.com/",
        "access_tokens": { "audience": "https://api.acme.example" },
    });
    let claims = json!({
        "iss": "https://acme.eu.auth0.com/", "sub": "auth0|65f1", "azp": "spa", "scope": "openid read:boats",
        "aud": ["https://api.acme.example", "https://acme.eu.auth0.com/userinfo"],
        "permissions": ["read:boats"], "https://session-guard/session_id": "s-1",
        "https://session-guard/roles": ["crew"],
    });
    (entry, json!({ "typ": "JWT" }), claims)
}

fn clerk() -> (Value, Value, Value) {
    let entry = json!({
        "issuer": "https://clerk.acme.example",
        "access_tokens": { "clients": ["https://www.acme.example"] },
    });
    let claims = json!({
        "iss": "https://clerk.acme.example", "sub": "user_2", "sid": "sess_1", "v": 2, "fva": [0, -1],
        "azp": "https://www.acme.example", "nbf": NOW.seconds() - 5,
        "o": { "id": "org_1", "slg": "acme", "rol": "admin", "per": "read", "fpm": "3" },
    });
    (entry, json!({ "typ": "JWT" }), claims)
}

fn supabase() -> (Value, Value, Value) {
    let claims = json!({
        "iss": "https://abcdefgh.supabase.co/auth/v1", "sub": "6a1f", "aud": "authenticated",
        "session_id": "0b5f", "role": "authenticated", "aal": "aal2", "email": "a@b.example", "phone": "",
        "amr": [{ "method": "totp", "timestamp": 1_500 }, { "method": "password", "timestamp": 1_000 }],
        "app_metadata": { "provider": "email" }, "user_metadata": { "role": "admin" },
        "is_anonymous": false,
    });
    (json!({ "project": "abcdefgh" }), json!({ "typ": "JWT" }), claims)
}

fn cognito() -> (Value, Value, Value) {
    let entry = json!({ "pool": "eu-west-1_AbC", "access_tokens": { "clients": "app-1" } });
    let claims = json!({
        "iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC", "sub": "aaaa", "token_use": "access",
        "client_id": "app-1", "origin_jti": "o-1", "jti": "j-1", "event_id": "e", "version": 2,
        "auth_time": 1_000, "scope": "openid", "cognito:groups": ["crew"], "username": "ada",
    });
    (entry, json!({}), claims)
}

fn keycloak() -> (Value, Value, Value) {
    let entry = json!({
        "issuer": "https://login.acme.example/realms/staff",
        "access_tokens": { "audience": ["account"], "clients": ["spa"] },
    });
    let claims = json!({
        "iss": "https://login.acme.example/realms/staff", "sub": "f:1", "aud": "account", "typ": "Bearer",
        "azp": "spa", "sid": "k-1", "jti": "onrtac:1", "acr": "1", "auth_time": 1_000,
        "realm_access": { "roles": ["crew", "offline_access"] }, "scope": "openid email",
        "resource_access": { "account": { "roles": ["view-profile"] } },
        "email": "a@b.example", "email_verified": true, "preferred_username": "ada",
    });
    (entry, json!({ "typ": "JWT" }), claims)
}

fn okta() -> (Value, Value, Value) {
    let entry = json!({
        "issuer": "https://acme.okta.com/oauth2/default",
        "access_tokens": { "audience": "api://default" },
    });
    let claims = json!({
        "ver": 1, "jti": "AT.x", "iss": "https://acme.okta.com/oauth2/default", "aud": "api://default",
        "cid": "0oa1", "uid": "00u1", "scp": ["openid", "boats"], "sub": "ada@acme.example",
        "auth_time": 1_000, "session_id": "102", "groups": ["crew"],
    });
    (entry, json!({}), claims)
}

pub const TENANT: &str = "12345678-abcd-abcd-abcd-1234567890ab";

fn entra() -> (Value, Value, Value) {
    let entry = json!({ "tenant": TENANT, "access_tokens": { "audience": "api-1" } });
    let claims = json!({
        "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"), "aud": "api-1", "ver": "2.0",
        "tid": TENANT, "oid": "o-1", "sub": "pairwise", "azp": "spa", "azpacr": "0", "scp": "boats.read",
        "sid": "s-1", "roles": ["crew"], "uti": "u", "rh": "r",
    });
    (entry, json!({ "typ": "JWT" }), claims)
}

fn firebase() -> (Value, Value, Value) {
    let claims = json!({
        "iss": "https://securetoken.google.com/acme", "aud": "acme", "sub": "u-1", "user_id": "u-1",
        "auth_time": 1_000, "email": "a@b.example", "email_verified": false, "role": "crew",
        "firebase": { "identities": {}, "sign_in_provider": "password" },
    });
    (json!({ "project": "acme" }), json!({ "typ": "JWT" }), claims)
}

fn workos() -> (Value, Value, Value) {
    let claims = json!({
        "iss": "https://api.workos.com", "sub": "user_1", "sid": "session_1", "jti": "j",
        "org_id": "org_1", "role": "member", "roles": ["member"], "permissions": ["boats:read"],
    });
    (json!({ "client_id": "client_1" }), json!({}), claims)
}

fn zitadel() -> (Value, Value, Value) {
    let entry = json!({
        "issuer": "https://acme.zitadel.cloud",
        "access_tokens": { "audience": "project-1", "clients": "spa" },
    });
    let claims = json!({
        "iss": "https://acme.zitadel.cloud", "sub": "2", "aud": ["spa", "project-1"], "azp": "spa",
        "client_id": "spa", "jti": "V2_31-at_32",
        "urn:zitadel:iam:org:project:roles": [{ "crew": { "7": "acme.example" } }, { "board": {} }],
    });
    (entry, json!({ "typ": "JWT" }), claims)
}
