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

/// Is there a setting of this name? Asks the names alone, or the Worker would carry all the texts.
pub(super) fn is_setting(name: &str) -> bool {
    NAMES.contains(&name)
}

const NAMES: [&str; SETTINGS.len()] = {
    let mut names = [""; SETTINGS.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = SETTINGS[at].name;
        at += 1;
    }
    names
};

/// Every setting there is. The reference in the documentation is made from this table.
pub const SETTINGS: &[Setting] = &[
    setting(
        "ORIGIN_URL",
        "the zone's own origin",
        "Where requests go: `https://host` without a path, or `http` to this machine. Leave it empty if the Worker runs on a route of the origin's zone, or if the origin is another Worker, bound as `ORIGIN`. See [adopt.md](adopt.md).",
    ),
    setting("AUTH_PATH", "/_auth", "The prefix of the guard's own endpoints."),
    setting("ISSUER", "required", "The `iss` of the tokens that the guard issues and accepts."),
    setting("AUDIENCE", "required", "The `aud` of the tokens that the guard issues and accepts."),
    setting(
        "CLIENT_ID",
        "AUDIENCE",
        "The `client_id` of the tokens that the guard issues, which RFC 9068 requires. Nothing depends on it here. It is not your client id at an identity provider, which goes into `TRUSTED_ISSUERS`. See [tokens.md](tokens.md#what-is-in-a-token).",
    ),
    secret(
        "SIGNING_KEYS",
        "required",
        "A JWK Set; `npm run keys` makes one. The first key that can sign signs the tokens, and all keys verify, so keys rotate without logging anyone out. The first private ES256 or EdDSA key signs `X-Auth-Request-Assertion`. Each key has a `kid` and one algorithm: `oct` with `alg` HS256, HS384 or HS512; `EC` on P-256 (ES256); `OKP` on Ed25519 (EdDSA); and, to verify only, `RSA` with `alg` RS256 to RS512 or PS256 to PS512.",
    ),
    setting(
        "REQUIRE_HTTPS",
        "true",
        "Tokens and logins must come over `https`, unless the host is this machine (`localhost`, names below it, and loopback addresses). A browser that navigates is redirected to `https`, any other request is refused. `health`, and requests without a token for `public` and `optional` paths, may come over `http`. Set `false` if TLS ends before the guard and requests reach it as `http`; or better, with a `workerd` of your own, name your proxy in `TRUSTED_PROXIES`.",
    ),
    setting(
        "TRUSTED_PROXIES",
        "Cloudflare alone",
        "For a `workerd` of your own: the proxies before it, as a list of addresses and networks, like `127.0.0.1, 10.0.0.0/8`. They alone may say from which address a request comes, and by `X-Forwarded-Proto`, whether its client came over `https`. `none`: there is no proxy, and the client is whoever connects. At Cloudflare, leave it out. See [self-hosting.md](self-hosting.md#the-clients-address).",
    ),
    setting(
        "CLIENT_IP_HEADER",
        "X-Forwarded-For of TRUSTED_PROXIES",
        "The header in which `TRUSTED_PROXIES` say from which address a request comes. If it is a list, the last address that is not a proxy's counts.",
    ),
    setting(
        "MODE",
        "enforce",
        "`monitor`: every request goes to the origin, without an identity if it would have been refused, and the log says with which code. Use it to try the guard on a live site. See [adopt.md](adopt.md#watch-before-you-enforce).",
    ),
    setting(
        "ROUTES",
        "none",
        "A JSON list of rules: `{\"path\", \"access\", \"methods\", \"roles\", \"scopes\", \"max_age\", \"acr\", \"preflight\", \"login\", \"resource\"}`. The first rule that matches a request applies, and so does the first for each other way in which an origin may read its path. `access` is `public`, `optional` (with the identity if there is a session) or `session`. In `path`, `*` stands for any part of a segment, and at the end, after a slash, for all the rest. One of `roles` is needed, and all of `scopes`. `max_age` and `acr` ask for a [fresh or a strong login](routes.md#ask-for-a-fresh-or-a-strong-login). CORS preflights pass without a session, unless `preflight` is `false`. With `login`, the origin's responses may begin, end and change sessions: [own-login.md](own-login.md). With `resource`, the path is an OAuth resource of its own: [agents.md](agents.md#paths-that-are-resources). A path that no rule matches needs a session, and so does one that origins read in more than one way. A rule that can never match is an error. See [routes.md](routes.md).",
    ),
    setting(
        "ALLOWED_ORIGINS",
        "none",
        "Other origins whose scripts may use the guard's endpoints and read why a request was refused (CORS): a JSON list like `[\"https://spa.example.com\", {\"origin\": \"https://app.example.com\", \"credentials\": true}]`. With `credentials`, the origin's scripts may use the session cookie and count as this site's own. See [cors.md](cors.md).",
    ),
    setting(
        "LOGIN_URL",
        "none",
        "The origin's endpoint that checks passwords. `https`, or `http` to this machine. If the origin is bound as `ORIGIN`, it is asked there, whatever the host. Clients cannot reach its path, or paths below it, through the guard, on any host and in any spelling; only `MODE = monitor` leaves it open. The guard's own request carries [a proof](verify-requests.md#check-that-the-guard-is-asking). Without this setting, nobody can log in with a password through the guard. See [login.md](login.md).",
    ),
    setting(
        "TRUSTED_ISSUERS",
        "none",
        "Identity providers: a JSON list with an object for each. People [sign in](sign-in.md) there, its [ID tokens](identity-providers.md) begin sessions, or its [access tokens](provider-tokens.md) are credentials here. The members of an object: [of each](identity-providers.md#members-of-the-list), [for sign-in](sign-in.md#members), [for access tokens](provider-tokens.md#members-of-access_tokens). Examples: [each identity provider](guides/providers.md).",
    ),
    setting(
        "RESOURCE_METADATA",
        "by TRUSTED_ISSUERS",
        "What OAuth clients, like those of the Model Context Protocol, learn at `/.well-known/oauth-protected-resource` (RFC 9728) and from refusals: a JSON object `{\"authorization_servers\", \"name\"}`, or `off`. `authorization_servers` are the issuers of tokens for this site; if left out, those entries of `TRUSTED_ISSUERS` that have `access_tokens`. Without either, nothing is served, and the path is the origin's. See [agents.md](agents.md).",
    ),
    setting(
        "LOGIN_RATE",
        "10 per minute",
        "How many attempts to log in as one user are allowed, `N per SPAN`, or `off`. An attempt that succeeds is given back. If a rate limiter is bound as `LOGIN_RATE_LIMITER`, it counts instead, and cannot give back; the span must then be its period, `10 seconds` or `minute`. See [login.md](login.md#guessed-passwords).",
    ),
    setting(
        "LOGIN_RATE_PER_ADDRESS",
        "100 per minute",
        "The same for attempts from one client address, an IPv6 one by its /64, for any users. The rate limiter is bound as `LOGIN_RATE_PER_ADDRESS_LIMITER`.",
    ),
    setting(
        "PAGES",
        "none",
        "How the guard's own pages look, and what they say: a JSON object `{\"title\", \"logo\", \"accent\", \"accent_dark\", \"links\", \"languages\", \"words\"}`. `title` is the name of the site, `logo` its picture, `accent` the colour of buttons, `links` stand at the foot of each page. Pages are in English, German, Spanish and French, by what the browser asks for; `languages` says which of them are offered, and `words` changes texts or adds a language. See [pages.md](pages.md).",
    ),
    setting(
        "SESSION_LIMIT",
        "1",
        "Live sessions per user: a number, `0` for no limit, or a number for each class of device, like `mobile=1, desktop=2` (`mobile`, `tablet`, `desktop`, `agent`, `other`; a class that is not named may have one). See [session-limits.md](session-limits.md).",
    ),
    setting(
        "SESSION_LIMIT_POLICY",
        "evict-oldest",
        "What happens to a login beyond the limit. `evict-oldest`: it ends the oldest sessions. `deny`: it is refused. `ask`: it is refused with a list of the live sessions, and repeated with `end`, the `sid`s of those to end. The session that comes with a login is replaced in any case. A provider's session counts as a login with its first request. See [session-limits.md](session-limits.md).",
    ),
    setting(
        "SESSION_TTL",
        "7 days",
        "The absolute lifetime of a session that begins with a login; sessions of a provider's access tokens have [`session_ttl`](provider-tokens.md#members-of-access_tokens). Spans are written like `15 minutes` or `7 days`.",
    ),
    setting(
        "SESSION_TTL_SHORT",
        "none",
        "The same for a user who does not ask to stay signed in, no longer than `SESSION_TTL`. The login page then has a box \"Keep me signed in\", and JSON has `\"remember\": true`; without it, the session lives this long, and its cookie ends with the browser. Without this setting, everybody stays signed in. See [login.md](login.md#stay-signed-in).",
    ),
    setting(
        "SESSION_IDLE_TIMEOUT",
        "none",
        "A session that nobody uses for this long expires. Use moves its deadline at most once per tenth of the timeout. A change applies to sessions that begin later; one that began with a timeout keeps its deadline. Without it, a session of a provider's access tokens that nobody uses for seven days is [forgotten, and begins anew](provider-tokens.md#how-such-a-session-lives) with its next request.",
    ),
    setting("LOGOUT_ALL_SESSIONS", "false", "`true`: a logout ends every session of the user."),
    setting(
        "CLEAR_SITE_DATA",
        "storage",
        "What a logout tells the browser to forget of the site, in `Clear-Site-Data`: a list of `storage` (what scripts have stored, and service workers), `cache` (delays Chromium by seconds), `cookies` (all of the site's, not only the guard's), `executionContexts`, `clientHints`, `prefetchCache`, `prerenderCache` and `*` (everything); or `off`.",
    ),
    setting(
        "TOKEN_TTL",
        "SESSION_TTL",
        "The lifetime of a token, no longer than `SESSION_TTL`. If it is shorter, the guard [renews the cookie](tokens.md#the-guard-renews-the-cookie) once half of it is over, and clients with a bearer token [refresh](tokens.md#short-tokens-and-refresh). Who is away for longer logs in again.",
    ),
    setting(
        "TOKEN_EXPIRY_HEADER",
        "false",
        "`true`: responses to requests with a bearer token, or one in another place than the cookie, say in `X-Guard-Token-Expires-In` for how many seconds it is still good.",
    ),
    setting(
        "NOT_BEFORE",
        "none",
        "No token that was issued before this moment is good, nor any session that began before it: RFC 3339, like `2026-11-26T12:05:00Z`, and not in the future. It takes effect with the deployment and costs nothing. See [tokens.md](tokens.md#refuse-what-was-issued-before-a-moment).",
    ),
    setting(
        "TOKEN_SOURCES",
        "bearer, cookie",
        "Where a token may be: `bearer` (the `Authorization` header), `cookie`, `header:x-access-token`, `query:accessToken`, `body:accessToken` (a member of a JSON object or a field of a form, up to 64 KB), under names of your choice. Tokens of two live sessions in one request are a 400. The origin gets no header, cookie or query parameter that holds the guard's token; a body arrives as it was sent. A [provider's token](provider-tokens.md#what-the-origin-gets) goes on in `Authorization` and the cookie. Without `cookie`, the guard sets none. See [tokens.md](tokens.md).",
    ),
    setting(
        "COOKIE_NAME",
        "__Host-session",
        "The session cookie. It is always `HttpOnly`, `Secure`, `SameSite=Lax`, `Path=/`. With `COOKIE_DOMAIN`, `__Secure-session` is the default, and a name with `__Host-` an error.",
    ),
    setting(
        "COOKIE_DOMAIN",
        "none",
        "One session for several subdomains: the domain of the session cookie, like `example.com`. It needs `SITE_HOSTS`. See [subdomains.md](subdomains.md).",
    ),
    setting(
        "SITE_HOSTS",
        "required with `COOKIE_DOMAIN`",
        "The hosts that share the session, like `app.example.com, api.example.com`, each `COOKIE_DOMAIN` itself or below it, with its port if browsers show one. The cookie counts at these hosts only; their pages count as this site's own, and a login may lead to them. A subdomain that is not named is another site. See [subdomains.md](subdomains.md).",
    ),
    setting(
        "SESSION_STORE",
        "durable-object",
        "Where sessions are kept: `durable-object` or `redis`. See [redis.md](redis.md).",
    ),
    setting(
        "SESSION_STORE_BEFORE",
        "none",
        "While users move to another store: the store that they come from, `durable-object` or `redis`. See [moving-stores.md](moving-stores.md).",
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
        "`strong`: the primary answers the check. `nearest`: the nearest replica does. Its lag is the time for which a session that has ended may still pass, and one that has just begun may be unknown. Not together with `SESSION_IDLE_TIMEOUT`.",
    ),
    setting(
        "STORE_TIMEOUT",
        "1 second",
        "How long the store may take to answer. A login that fails for this may still have ended older sessions.",
    ),
    setting(
        "STORE_FAILURE",
        "deny",
        "What happens if the store does not answer. `deny`: a 503. `allow-recent: 60 seconds`: a token passes if this isolate saw its session live that recently; 15 minutes at most. See [failures.md](failures.md).",
    ),
    setting(
        "IDENTITY_HEADERS",
        "x-auth-request",
        "The names of the headers with the user's identity: `x-auth-request`, `x-forwarded` (as oauth2-proxy names them, like `X-Forwarded-User`) or `remote` (as Authelia names them, like `Remote-User`). The guard removes what a client sends under any of these names, whichever is chosen. See [identity-headers.md](identity-headers.md).",
    ),
    setting(
        "IDENTITY_ENCODING",
        "percent",
        "How these headers write what is not ASCII: `percent` (percent-encoded UTF-8, three characters for each byte) or `utf8` (UTF-8 as it is, for origins that read headers as UTF-8). Control characters, `%` and, within groups, `,` are percent-encoded with both. All these headers together have 8 KB at most; a user whose claims need more cannot log in, and the log names the claim.",
    ),
    setting(
        "FORWARD_SESSION_DATA",
        "false",
        "`true`: the origin gets the session's `data` in `X-Auth-Request-Data`: what the login, the origin itself and the admin API key have set, and nothing that the client has. Many servers accept no more than 8 KB of headers; data may have up to 16 KB. See [session-data.md](session-data.md).",
    ),
    setting(
        "FORWARD_CREDENTIAL",
        "false",
        "`true`: the origin gets the guard's own token as it was sent, in the `Authorization` header, the cookie or wherever it was. Somebody who reads the origin's logs may then be able to use it.",
    ),
    setting(
        "REWRITE_ORIGIN",
        "false",
        "`true`: if `Origin` and `Referer` of a request name the site, the origin at `ORIGIN_URL` gets its own address in their place, so that its checks pass. It then cannot tell the site's pages from its own: let nobody reach it past the guard. Other values pass as they came. See [adopt.md](adopt.md#the-origin-has-another-address).",
    ),
    setting(
        "ORIGIN_TIMEOUT",
        "30 seconds",
        "How long the origin may take to the first byte of its response, also at `LOGIN_URL`. The time runs from the end of the request's body. While the body is still coming in, it starts anew with each piece; bodies of up to 16 KB count as sent with the headers.",
    ),
    setting(
        "OVERLAP_SAFE_REQUESTS",
        "false",
        "`true`: for GET and HEAD, the guard asks the origin and the store at the same time. It holds the origin's response back until the session is known to be live, and drops it if it is not. So the origin works for requests of sessions that are over; use it where reading has no side effects. Not together with `FORWARD_SESSION_DATA`. See [cost.md](cost.md#what-saves-time).",
    ),
    setting(
        "REQUEST_LOG",
        "all",
        "Which requests get a line in the log: `all`, `refusals` or `off`. See [logs.md](logs.md).",
    ),
    setting(
        "LOG_IDENTITY",
        "hashed",
        "How the log names users and sessions: `hashed` (an HMAC with a key made from the signing key; `npm run log-identity` prints it) or `plain`.",
    ),
    setting(
        "SERVER_TIMING",
        "false",
        "`true`: responses say in `Server-Timing` how long the guard, the store and the origin took.",
    ),
    setting(
        "ANALYTICS_ACCOUNT_ID",
        "none",
        "Your Cloudflare account's id, by which the [admin console](admin-console.md#the-last-refusals) reads the last refusals from Analytics Engine.",
    ),
    secret(
        "ANALYTICS_API_TOKEN",
        "required with `ANALYTICS_ACCOUNT_ID`",
        "An API token of that account with the permission \"Account Analytics: Read\", and no other.",
    ),
    setting(
        "ANALYTICS_DATASET",
        "session_guard",
        "The dataset that is bound as `ANALYTICS`: see [logs.md](logs.md#analytics-engine).",
    ),
    setting(
        "ANALYTICS_API_URL",
        "https://api.cloudflare.com/client/v4",
        "Where Cloudflare's API is, for tests. `https`, or `http` to this machine.",
    ),
    secret(
        "ADMIN_API_KEY",
        "none",
        "Lets a backend of yours ask about any token, see and end sessions, and begin them: `introspect`, `revoke` and the [admin API](sessions.md#the-admin-api). At least 32 characters of visible ASCII; `openssl rand -hex 32` makes one.",
    ),
    secret(
        "INTROSPECTION_KEY",
        "none",
        "Lets your services ask about tokens at [`introspect`](introspection.md), and nothing else. At least 32 characters, and not the same as `ADMIN_API_KEY`.",
    ),
    secret(
        "FORWARD_AUTH_KEY",
        "none",
        "Lets a proxy of yours, like nginx, Traefik or Caddy, ask at [`verify`](forward-auth.md) whether a request of its client may pass, in `X-Guard-Proxy-Key`. At least 32 characters, and not the same as `ADMIN_API_KEY`. Whoever has it is believed about the host, the scheme and the address of its clients.",
    ),
    setting(
        "EVENTS_WEBHOOK_URL",
        "none",
        "Where [events](events.md) of sessions are posted, by Standard Webhooks 1.0. `https`, or `http` to this machine.",
    ),
    secret(
        "EVENTS_WEBHOOK_SECRET",
        "required with `EVENTS_WEBHOOK_URL`",
        "The key that signs the posts: `whsec_` and the base64 of 24 to 64 random bytes, as from `echo whsec_$(openssl rand -base64 32)`.",
    ),
];

/// The headings of the reference, and the first setting below each.
pub const GROUPS: &[(&str, &str)] = &[
    ("Where it stands", "ORIGIN_URL"),
    ("Who may reach what", "ROUTES"),
    ("Logging in", "LOGIN_URL"),
    ("Pages", "PAGES"),
    ("Sessions", "SESSION_LIMIT"),
    ("Tokens", "TOKEN_TTL"),
    ("The session store", "SESSION_STORE"),
    ("What the origin gets", "IDENTITY_HEADERS"),
    ("Logs", "REQUEST_LOG"),
    ("Backends and other services", "ADMIN_API_KEY"),
];
