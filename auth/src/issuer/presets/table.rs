//! The providers. Sources stand beside what they say; docs/provider-tokens.md explains them.

use super::Preset;

pub const ALL: [&Preset; 11] = [
    &AUTH0, &CLERK, &SUPABASE, &COGNITO, &KEYCLOAK, &OKTA, &ENTRA, &FIREBASE, &WORKOS, &ZITADEL,
    &GITHUB,
];

/// Forms: <https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles>. No claim names the
/// session, and `sid` is reserved:
/// <https://auth0.com/docs/secure/tokens/json-web-tokens/create-custom-claims>. An ID token has the
/// client's id as `aud`, never the API's.
const AUTH0: Preset = Preset {
    name: "auth0",
    title: "Auth0",
    issuer: None,
    made_of: None,
    needs_value: false,
    form: ("Auth0's `iss`, which ends with a slash", |issuer| issuer.ends_with('/')),
    members: r#"{
        "jwks_uri": "{issuer}.well-known/jwks.json",
        "access_tokens": {
            "typ": ["at+jwt", "JWT"],
            "session_claim": ["https://session-guard/session_id", "session_id"],
            "roles_claim": "https://session-guard/roles",
            "scope_claim": "scope",
            "claims": { "permissions": "permissions", "email": "https://session-guard/email" }
        }
    }"#,
    is_of_one_application: false,
    no_session: "An Action at Auth0 must add it as `https://session-guard/session_id`.",
};

/// Claims: <https://clerk.com/docs/guides/sessions/session-tokens>; `azp` is the page's origin. A pending
/// session has `sts`: <https://clerk.com/docs/guides/sessions/manual-jwt-verification>. Tokens of JWT
/// templates have no `sid`: <https://clerk.com/docs/guides/sessions/jwt-templates>. Tokens for OAuth
/// applications are `at+jwt`: <https://clerk.com/changelog/2026-01-08-jwt-oauth-access-tokens>. Issuer and
/// keys are one application's.
const CLERK: Preset = Preset {
    name: "clerk",
    title: "Clerk",
    issuer: None,
    made_of: None,
    needs_value: false,
    form: ("Clerk's Frontend API URL, without a slash at its end", |it| !it.ends_with('/')),
    members: r#"{
        "jwks_uri": "{issuer}/.well-known/jwks.json",
        "access_tokens": {
            "typ": "JWT",
            "audience": null,
            "require": { "sts": [null, "active"] },
            "session_claim": "sid",
            "roles_claim": ["/o/rol", "org_role"],
            "claims": { "org_id": "/o/id", "org_slug": "/o/slg" },
            "clock_tolerance": "5 seconds"
        }
    }"#,
    is_of_one_application: true,
    no_session: "Clerk's session tokens have it; tokens of JWT templates do not.",
};

/// Claims: <https://supabase.com/docs/guides/auth/jwt-fields>. Keys:
/// <https://supabase.com/docs/guides/auth/signing-keys>. `session_id` stays over refresh:
/// <https://supabase.com/docs/guides/auth/sessions>. `amr` has the times of the logins, which a refresh
/// does not change: supabase/auth, `internal/tokens/service.go`.
const SUPABASE: Preset = Preset {
    name: "supabase",
    title: "Supabase",
    issuer: None,
    made_of: Some(("project", "https://{value}.supabase.co/auth/v1")),
    needs_value: false,
    form: ("Supabase's `iss`, which ends with `/auth/v1`", |issuer| issuer.ends_with("/auth/v1")),
    members: r#"{
        "jwks_uri": "{issuer}/.well-known/jwks.json",
        "algorithms": ["ES256", "RS256", "EdDSA"],
        "access_tokens": {
            "typ": "JWT",
            "audience": "authenticated",
            "session_claim": "session_id",
            "roles_claim": "role",
            "scope_claim": "scope",
            "auth_time_claim": "amr",
            "acr_claim": "aal",
            "claims": ["email", "is_anonymous"]
        }
    }"#,
    is_of_one_application: false,
    no_session: "Tokens of Supabase's users have it; its API keys `anon` and `service_role` do not.",
};

/// Claims:
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html>.
/// `origin_jti` stays over refresh, and is there if the client has token revocation:
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/token-revocation.html>.
const COGNITO: Preset = Preset {
    name: "cognito",
    title: "Amazon Cognito",
    issuer: None,
    made_of: Some(("pool", "https://cognito-idp.{region}.amazonaws.com/{value}")),
    needs_value: false,
    form: ("Cognito's `iss`, which ends with the pool's id like `eu-west-1_AbCdEf123`", |issuer| {
        issuer.rsplit_once('/').is_some_and(|(_, pool)| pool.contains('_'))
    }),
    members: r#"{
        "jwks_uri": "{issuer}/.well-known/jwks.json",
        "access_tokens": {
            "typ": [null, "JWT"],
            "audience": null,
            "require": { "token_use": "access" },
            "session_claim": "origin_jti",
            "roles_claim": "cognito:groups",
            "groups_claim": "cognito:groups",
            "scope_claim": "scope",
            "claims": ["username"]
        }
    }"#,
    is_of_one_application: false,
    no_session: "Enable token revocation for the app client at Cognito.",
};

/// Claims and `typ`: keycloak/keycloak, `services/src/main/java/org/keycloak/protocol/oidc/TokenManager.java`
/// (`Bearer`; ID tokens have `ID`, those bound to a key `DPoP`). Service accounts without a session have
/// an empty `sid`: <https://www.keycloak.org/docs/latest/server_admin/#transient-session>.
const KEYCLOAK: Preset = Preset {
    name: "keycloak",
    title: "Keycloak",
    issuer: None,
    made_of: None,
    needs_value: false,
    form: ("a realm's `iss`, like `https://login.example.com/realms/staff`", |issuer| {
        issuer.split_once("/realms/").is_some_and(|(_, realm)| !realm.ends_with('/'))
    }),
    members: r#"{
        "jwks_uri": "{issuer}/protocol/openid-connect/certs",
        "access_tokens": {
            "typ": ["JWT", "at+jwt"],
            "require": { "typ": "Bearer" },
            "session_claim": "sid",
            "roles_claim": "/realm_access/roles",
            "groups_claim": "groups",
            "scope_claim": "scope"
        }
    }"#,
    is_of_one_application: false,
    no_session: "Keycloak adds it as `sid` for users, not for service accounts.",
};

/// Claims: <https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/>; `sub` is a login name,
/// `uid` the user. Tokens of the org server are Okta's alone to verify:
/// <https://developer.okta.com/docs/guides/validate-access-tokens/>. The session's id comes by a token
/// inline hook: <https://developer.okta.com/docs/reference/token-hook/>.
const OKTA: Preset = Preset {
    name: "okta",
    title: "Okta",
    issuer: None,
    made_of: None,
    needs_value: false,
    form: (
        "a custom authorization server's `iss`, like `https://example.okta.com/oauth2/default`, because \
         tokens of Okta's org server cannot be verified by others",
        |issuer| issuer.split_once("/oauth2/").is_some_and(|(_, id)| super::is_word(id)),
    ),
    members: r#"{
        "jwks_uri": "{issuer}/v1/keys",
        "access_tokens": {
            "typ": [null, "JWT", "at+jwt"],
            "require": { "cid": { "present": true }, "scp": { "present": true } },
            "subject_claim": "uid",
            "session_claim": "session_id",
            "roles_claim": "groups",
            "groups_claim": "groups",
            "scope_claim": "scp"
        }
    }"#,
    is_of_one_application: false,
    no_session: "A token inline hook at Okta must add it as `session_id`.",
};

/// Claims: <https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference>; `sub`
/// differs by application, `oid` is the user. `iss` by version:
/// <https://learn.microsoft.com/entra/identity-platform/access-tokens>. `sid` is an optional claim:
/// <https://learn.microsoft.com/entra/identity-platform/optional-claims-reference>. Only tokens for a user
/// have `scp`; ID tokens have none.
const ENTRA: Preset = Preset {
    name: "entra",
    title: "Microsoft",
    issuer: None,
    made_of: Some(("tenant", "https://login.microsoftonline.com/{value}/v2.0")),
    needs_value: true,
    form: (
        "`https://login.microsoftonline.com/TENANT/v2.0` with the id of one tenant, which has the form \
         of `12345678-abcd-abcd-abcd-1234567890ab`",
        |issuer| issuer.split('/').nth(3).is_some_and(is_guid),
    ),
    members: r#"{
        "jwks_uri": "https://login.microsoftonline.com/{value}/discovery/v2.0/keys",
        "access_tokens": {
            "typ": "JWT",
            "issuers": ["https://sts.windows.net/{value}/"],
            "require": { "tid": "{value}", "scp": { "present": true } },
            "subject_claim": "oid",
            "session_claim": "sid",
            "roles_claim": "roles",
            "groups_claim": "groups",
            "scope_claim": "scp"
        }
    }"#,
    is_of_one_application: false,
    no_session: "Add the optional claim `sid` to the access tokens of the API at Entra.",
};

/// Claims and header: <https://firebase.google.com/docs/auth/admin/verify-id-tokens>. `auth_time` stays over
/// refresh: firebase/firebase-admin-node, `src/auth/token-verifier.ts`. Users of two tenants may have one
/// id: <https://cloud.google.com/identity-platform/docs/multi-tenancy>.
const FIREBASE: Preset = Preset {
    name: "firebase",
    title: "Firebase",
    issuer: None,
    made_of: Some(("project", "https://securetoken.google.com/{value}")),
    needs_value: true,
    form: ("`https://securetoken.google.com/PROJECT`", |_| true),
    members: r#"{
        "jwks_uri": "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com",
        "access_tokens": {
            "typ": "JWT",
            "audience": "{value}",
            "subject_claim": [{ "parts": ["/firebase/tenant", "sub"] }, "sub"],
            "session_claim": {
                "parts": ["auth_time", { "claim": "/firebase/tenant", "optional": true }]
            },
            "roles_claim": ["roles", "role"],
            "claims": {
                "email": "email",
                "email_verified": "email_verified",
                "name": "name",
                "phone_number": "phone_number",
                "sign_in_provider": "/firebase/sign_in_provider"
            }
        }
    }"#,
    is_of_one_application: false,
    no_session: "Firebase's tokens have it as `auth_time`.",
};

/// Claims and keys: <https://workos.com/docs/reference/authkit/session-tokens>. `iss` was
/// `https://api.workos.com` until 2025: workos/workos-node, pull request 1694. The keys are one
/// application's.
const WORKOS: Preset = Preset {
    name: "workos",
    title: "WorkOS",
    issuer: None,
    made_of: Some(("client_id", "https://api.workos.com/user_management/{value}")),
    needs_value: true,
    form: (
        "`https://api.workos.com/user_management/CLIENT_ID`, or another `iss` with `client_id` beside it",
        |_| true,
    ),
    members: r#"{
        "jwks_uri": "https://api.workos.com/sso/jwks/{value}",
        "access_tokens": {
            "typ": [null, "JWT"],
            "issuers": [
                "https://api.workos.com/user_management/{value}",
                "https://api.workos.com",
                "https://api.workos.com/"
            ],
            "audience": [null, "{value}"],
            "session_claim": "sid",
            "roles_claim": ["roles", "role"],
            "claims": ["email", "org_id", "permissions", "entitlements"]
        }
    }"#,
    is_of_one_application: true,
    no_session: "Tokens of AuthKit's sessions have it; those of WorkOS Connect do not.",
};

/// Claims: <https://zitadel.com/docs/apis/openidoauth/claims>; ID tokens have no `jti`. Its part before
/// `-at_` is the session of one login: zitadel/zitadel, `internal/command/oidc_session.go`. It is not the
/// `sid` of ID tokens and of logouts.
const ZITADEL: Preset = Preset {
    name: "zitadel",
    title: "Zitadel",
    issuer: None,
    made_of: None,
    needs_value: false,
    form: ("the instance's domain, like `https://login.example.com`", |it| !it.ends_with('/')),
    members: r#"{
        "jwks_uri": "{issuer}/oauth/v2/keys",
        "access_tokens": {
            "typ": [null, "JWT", "at+jwt"],
            "session_claim": { "claim": "jti", "before": "-at_" },
            "roles_claim": "urn:zitadel:iam:org:project:roles",
            "scope_claim": "scope",
            "logout_by_sub": true
        }
    }"#,
    is_of_one_application: false,
    no_session: "Zitadel's access tokens have it in `jti`; its ID tokens do not.",
};

/// Endpoints: <https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps>. It issues no
/// ID tokens. `id` never changes, `login` may: <https://docs.github.com/rest/users/users>. The address in a profile
/// may be missing, and nothing says that it is verified.
const GITHUB: Preset = Preset {
    name: "github",
    title: "GitHub",
    issuer: Some("https://github.com"),
    made_of: None,
    needs_value: false,
    form: ("GitHub's address without a slash at its end", |it| !it.ends_with('/')),
    members: r#"{
        "scope": "read:user",
        "endpoints": {
            "authorization": "{issuer}/login/oauth/authorize",
            "token": "{issuer}/login/oauth/access_token",
            "userinfo": "https://api.github.com/user"
        },
        "userinfo": { "sub": "id", "preferred_username": "login", "name": "name", "email": "email" }
    }"#,
    is_of_one_application: true,
    no_session: "GitHub issues no tokens that can be verified.",
};

/// The form of RFC 9562, section 4.
fn is_guid(text: &str) -> bool {
    let groups = Vec::from_iter(text.split('-').map(str::len));
    groups == [8, 4, 4, 4, 12]
        && text
            .bytes()
            .all(|byte| byte == b'-' || byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
}
