//! Every setting there is, as people read about it.

/// A setting, as the reference documents it.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name in `[vars]` or among the secrets.
    pub name: &'static str,
    /// What holds without it, as people read it.
    pub default: &'static str,
    /// Does it belong among the secrets?
    pub secret: bool,
    /// What it means.
    pub meaning: &'static str,
}

const fn setting(name: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting { name, default, secret: false, meaning }
}

const fn secret(name: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting { name, default, secret: true, meaning }
}

/// Every setting there is. The reference in the documentation is made from this table.
pub const SETTINGS: &[Setting] = &[
    setting(
        "ORIGIN_URL",
        "the zone's own origin",
        "Where requests go, as `https://host` without a path, or `http` to this machine. Leave it empty when the Worker runs on a route of the origin's zone, and when the origin is another Worker, bound as `ORIGIN`.",
    ),
    setting("AUTH_PATH", "/_auth", "The prefix of the guard's own endpoints."),
    setting("ISSUER", "required", "The `iss` of the tokens the guard issues and accepts."),
    setting("AUDIENCE", "required", "The `aud` of the tokens the guard issues and accepts."),
    secret(
        "SIGNING_KEYS",
        "required",
        "A JWK Set. The first key that can sign does, all verify, so keys rotate without logging anyone out. The first private ES256 or EdDSA key signs `X-Auth-Request-Assertion`. Each has a `kid` and one algorithm: `oct` with `alg` HS256, HS384 or HS512; `EC` on P-256 (ES256); `OKP` on Ed25519 (EdDSA); and, to verify only, `RSA` with `alg` RS256 to RS512 or PS256 to PS512. `npm run keys` makes one.",
    ),
    setting(
        "TRUSTED_ISSUERS",
        "none",
        "OpenID Connect providers whose ID tokens may be exchanged for a session: a JSON list of `{\"issuer\", \"audience\", \"jwks_uri\", \"algorithms\", \"subject_prefix\", \"claims\", \"clock_tolerance\"}`. `audience` is your client id there, or a list of them. `algorithms` are `[\"RS256\"]` if left out. `subject_prefix` stands before the provider's `sub` in yours; it is needed where users can log in by more than one way. `claims` are those that go into your token: `email`, `email_verified`, `name`, `preferred_username`, `groups` and `roles` if left out. `clock_tolerance` is how far the provider's clock may be from yours, up to 10 minutes: `60 seconds` if left out. See [identity-providers.md](identity-providers.md).",
    ),
    setting(
        "TOKEN_SOURCES",
        "bearer, cookie",
        "Where a token may be: `bearer` (the `Authorization` header), `cookie`, `header:x-access-token`, `query:accessToken`, `body:accessToken` (a member of a JSON object or a field of a form, up to 64 KB), under names of your choice. Those of two live sessions are a 400. The origin gets no header, cookie or query parameter that holds a token of the guard's; a body arrives as it was sent. Without `cookie`, none is set.",
    ),
    setting(
        "COOKIE_NAME",
        "__Host-session",
        "The session cookie. It is always `HttpOnly`, `Secure`, `SameSite=Lax`, `Path=/`.",
    ),
    setting(
        "ALLOWED_ORIGINS",
        "none",
        "Applications on other origins, whose scripts may use the guard's endpoints and read why a request was refused (CORS): a JSON list like `[\"https://spa.example.com\", {\"origin\": \"https://app.example.com\", \"credentials\": true}]`. With `credentials`, the origin's scripts may use the session cookie and count as this site's own; browsers send the cookie for those of the same site only. The origin's own answers say by themselves who may read them. See [cors.md](cors.md).",
    ),
    setting(
        "SESSION_STORE",
        "durable-object",
        "Where sessions are kept: `durable-object` or `redis`.",
    ),
    setting(
        "UPSTASH_REDIS_REST_URL",
        "required with `redis`",
        "The REST endpoint, as Upstash names it. `https`, or `http` to this machine.",
    ),
    secret(
        "UPSTASH_REDIS_REST_TOKEN",
        "required with `redis`",
        "Its token. It must be allowed to write.",
    ),
    setting("REDIS_KEYSPACE", "guard:", "The prefix of every key in Redis."),
    setting(
        "READ_CONSISTENCY",
        "strong",
        "`strong`: the primary answers the check. `nearest`: the nearest replica does, and its lag is the revocation window, in which a session that has just begun may be unknown, too; not together with `SESSION_IDLE_TIMEOUT`.",
    ),
    setting(
        "SESSION_LIMIT",
        "1",
        "Live sessions per user: a number, or one for each class of device, like `mobile=1, desktop=2` (`mobile`, `tablet`, `desktop`, `other`; a class that is not named may have one). `0`: no limit.",
    ),
    setting(
        "SESSION_LIMIT_POLICY",
        "evict-oldest",
        "What happens to a login beyond the limit. `evict-oldest`: it ends the oldest sessions. `deny`: it is refused. `ask`: it is refused with a list of the live sessions, and repeated with `end`, the `sid`s of those to end. The session that a login comes with is replaced in any case.",
    ),
    setting(
        "SESSION_TTL",
        "7 days",
        "The absolute lifetime of a session. Spans read like `15 minutes` or `7 days`.",
    ),
    setting(
        "SESSION_IDLE_TIMEOUT",
        "none",
        "A session unused for this long expires. It is extended at most once per tenth of it. A change concerns sessions that begin later; one that began with a timeout keeps its deadline.",
    ),
    setting("TOKEN_TTL", "SESSION_TTL", "The lifetime of a token. No longer than `SESSION_TTL`."),
    setting(
        "IDENTITY_HEADERS",
        "x-auth-request",
        "The names of the headers with the user's identity: `x-auth-request`, `x-forwarded` (as oauth2-proxy names them, like `X-Forwarded-User`) or `remote` (as Authelia names them, like `Remote-User`); see [identity-headers.md](identity-headers.md). The guard removes what a client sends under any of these names, whichever is chosen.",
    ),
    setting(
        "IDENTITY_ENCODING",
        "percent",
        "How these headers write what is not ASCII: `percent` (percent-encoded UTF-8, three characters for each byte) or `utf8` (UTF-8 as it is, for origins that read headers as UTF-8). Control characters, `%` and, within groups, `,` are percent-encoded with both. All these headers together have 8 KB at most; a user whose claims need more cannot log in, and the log names the claim.",
    ),
    setting(
        "FORWARD_SESSION_DATA",
        "false",
        "`true`: the origin gets the session's `data` in `X-Auth-Request-Data`: what the login, the origin itself and the admin API key have said, and nothing that the client has. Many servers take no more than 8 KB of headers; data may have up to 16 KB.",
    ),
    setting(
        "REWRITE_ORIGIN",
        "false",
        "`true`: where `Origin` and `Referer` of a request name the site, the origin at `ORIGIN_URL` gets its own address there, so that its checks of them hold. It then cannot tell the site's pages from its own: let nobody reach it past the guard. Other values pass as they came.",
    ),
    setting(
        "FORWARD_CREDENTIAL",
        "false",
        "`true`: the origin gets the guard's own token as it was sent, in the `Authorization` header, the cookie or wherever else. Somebody who reads the origin's logs may then be able to use it.",
    ),
    setting("LOGOUT_ALL_SESSIONS", "false", "`true`: logging out ends every session of the user."),
    setting(
        "CLEAR_SITE_DATA",
        "storage",
        "What a logout tells the browser to forget of the site, in `Clear-Site-Data`: a list of `storage` (what scripts have stored, and service workers), `cache` (holds Chromium up for seconds), `cookies` (all of the site's, not only the guard's), `executionContexts`, `clientHints`, `prefetchCache`, `prerenderCache` and `*` (everything); or `off`.",
    ),
    setting(
        "LOGIN_URL",
        "none",
        "The origin's endpoint that checks credentials. `https`, or `http` to this machine. If the origin is bound as `ORIGIN`, it is asked there, whatever the host. Clients cannot reach its path, or paths below it, through the guard, on any host and in any spelling; only `MODE = monitor` leaves it open. The guard's own request carries [a proof](verify-requests.md#check-that-the-guard-is-asking). Without the setting, nobody can log in with a password through the guard. See [login.md](login.md).",
    ),
    setting(
        "REQUIRE_HTTPS",
        "true",
        "Tokens and logins must come over `https`, unless the host is this machine (`localhost`, names below it, and loopback addresses). A browser that navigates is redirected to it, any other request is refused. `health`, and requests without a token for `public` and `optional` paths, may come over `http`. Set `false` where TLS ends before the guard and its requests say `http`.",
    ),
    setting(
        "LOGIN_RATE",
        "10 per minute",
        "How many attempts to log in as one user are allowed, `N per SPAN`, or `off`. One that succeeds gives its attempt back. If there is a rate-limit binding named `LOGIN_RATE_LIMITER`, it counts instead, and cannot give back; the span must be its period, `10 seconds` or `minute`: see [login.md](login.md#let-cloudflare-count).",
    ),
    setting(
        "LOGIN_RATE_PER_ADDRESS",
        "100 per minute",
        "The same for attempts from one client address, an IPv6 one by its /64, for any users. The binding is named `LOGIN_RATE_PER_ADDRESS_LIMITER`.",
    ),
    setting(
        "ROUTES",
        "none",
        "Who may reach which paths: a JSON list of `{\"path\", \"access\", \"methods\", \"roles\", \"scopes\", \"preflight\", \"login\"}`, of which the first that matches a request applies, and with it the first for each way in which an origin may read its path. `access` is `public`, `optional` (the origin is told who it is, if there is a session) or `session`. In `path`, `*` stands for any part of a segment, and at the end, after a slash, for all the rest. One of `roles` is needed, and all of `scopes`. CORS preflights about these requests pass without a session, unless `preflight` is `false`. With `login`, the origin's answers to them may begin, end and change sessions: see [own-login.md](own-login.md). A path that no rule matches needs a session, and so does one that origins read in more than one way: with empty segments, `;`, dots or spaces at an end, slashes, dots and the like in percent-encoding, or percent-encoding that is none. A rule that can never match is an error. See [routes.md](routes.md).",
    ),
    setting(
        "STORE_TIMEOUT",
        "1 second",
        "How long the store may take to answer. A login that fails so may still have ended older sessions.",
    ),
    setting(
        "ORIGIN_TIMEOUT",
        "30 seconds",
        "How long the origin may take to the first byte of its answer, also at `LOGIN_URL`. The time runs from the end of the request's body, and while that comes in, anew with each piece that moves; bodies of up to 16 KB count as sent with their heads.",
    ),
    setting(
        "STORE_FAILURE",
        "deny",
        "When the store cannot be asked: `deny` answers 503; `allow-recent: 60 seconds` honours a token whose session this isolate saw live that recently, 15 minutes at most.",
    ),
    setting(
        "OVERLAP_SAFE_REQUESTS",
        "false",
        "`true`: for GET and HEAD, the origin is asked at the same time as the store. Its answer is held back until the session is known to be live, and dropped if it is not. So the origin sees requests of sessions that are over; use it where reading has no effect there. Not with `FORWARD_SESSION_DATA`.",
    ),
    setting(
        "MODE",
        "enforce",
        "`monitor`: every request goes to the origin, without an identity where it would have been refused, and the log says with which code. To try the guard on a live site before it decides anything.",
    ),
    setting(
        "REQUEST_LOG",
        "all",
        "Which requests get a line in the log: `all`, `refusals` or `off`. See [logs.md](logs.md).",
    ),
    setting(
        "LOG_IDENTITY",
        "hashed",
        "How the log names users and sessions: `hashed` (by an HMAC with a key made of the key that signs; `npm run log-identity` says what one is called) or `plain`.",
    ),
    setting(
        "SERVER_TIMING",
        "false",
        "`true`: answers say in `Server-Timing` what the guard, the store and the origin took.",
    ),
    secret(
        "ADMIN_API_KEY",
        "none",
        "Lets a backend of yours ask about any token, see and end sessions, and begin them: `introspect`, `revoke` and the admin API. At least 32 characters of visible ASCII; `openssl rand -hex 32` makes one.",
    ),
    secret(
        "INTROSPECTION_KEY",
        "none",
        "Lets your services ask about tokens at `introspect`, and nothing else. As long as `ADMIN_API_KEY`, and another.",
    ),
    setting(
        "EVENTS_WEBHOOK_URL",
        "none",
        "Where the beginnings and ends of sessions are posted, by Standard Webhooks 1.0. `https`, or `http` to this machine.",
    ),
    secret(
        "EVENTS_WEBHOOK_SECRET",
        "required with `EVENTS_WEBHOOK_URL`",
        "The key that signs the posts: `whsec_` and the base64 of 24 to 64 random bytes, as from `echo whsec_$(openssl rand -base64 32)`.",
    ),
];
