// Attacks: path confusion, header spoofing, request smuggling and the like. Each row is sent over a plain socket
// as it stands, and says what comes back and exactly what the origin gets of it.

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { bearer, startGuard, type Guard } from "../harness/guard.ts";
import { PASSWORD } from "../harness/origin.ts";
import { exchange, startRawOrigin, type Message, type RawOrigin } from "../harness/raw_http.ts";

const ROUTES = JSON.stringify([
  { path: "/admin/*", access: "session", roles: ["admin"] },
  { path: "/public/*", access: "public" },
  { path: "/home", access: "optional" },
]);

/** What is sent, with `{host}` and Ada's `{token}` in it. She is nobody's admin. */
type Sent = string;

interface Row {
  /** The statuses that come back. */
  answers: number[];
  /** The request lines that reach the origin, without the version; none, if it is left out. */
  reached?: string[];
  /** Does the origin hear that it is Ada? */
  isAda?: boolean;
  /** The headers that go on, beside those that the guard sets. */
  goOn?: string[];
  /** What else is to be seen. */
  also?: (answers: Message[], received: Message[]) => void;
}

const request = (line: string, ...lines: string[]): Sent => [`${line} HTTP/1.1`, "Host: {host}", ...lines, "", ""].join("\r\n");
const get = (target: string, ...lines: string[]) => request(`GET ${target}`, ...lines);
const ADA = "Authorization: Bearer {token}";
const COOKIE = "Cookie: __Host-session={token}";

const REFUSED: Row = { answers: [400] };
const UNKNOWN: Row = { answers: [401] };
const DENIED: Row = { answers: [403] };
const PUBLIC: Row = { answers: [200], reached: ["GET /public/x"] };
const MINE: Row = { answers: [200], reached: ["GET /mine"], isAda: true };
const POSTED: Row = { answers: [200], reached: ["POST /public/x"] };

/** Something before a public path's prefix, or after it, that leads elsewhere. */
const PATHS: [name: string, sent: Sent, row: Row][] = [
  ["dot segments", get("/public/../admin/x"), REFUSED],
  ["encoded dot segments", get("/public/%2e%2e/admin/x"), REFUSED],
  ["dot segments encoded by half", get("/public/.%2E/admin/x"), REFUSED],
  ["a dot segment before an encoded slash", get("/public/..%2fadmin/x"), UNKNOWN],
  ["dots and slashes encoded", get("/public/%2e%2e%2Fadmin%2Fx"), UNKNOWN],
  ["dots encoded twice", get("/public/%252e%252e/admin/x"), UNKNOWN],
  ["an empty segment", get("/public//admin/x"), UNKNOWN],
  ["an empty segment in front", get("//public/x"), UNKNOWN],
  ["a host in the path", get("//evil.example/public/x"), UNKNOWN],
  ["a parameter on dots", get("/public/..;/admin/x"), UNKNOWN],
  ["a parameter on the prefix", get("/public;a=b/x"), UNKNOWN],
  ["backslashes", get("/public\\..\\admin\\x"), REFUSED],
  ["encoded backslashes", get("/public/..%5cadmin%5cx"), UNKNOWN],
  ["an encoded NUL", get("/public/x%00.css"), UNKNOWN],
  ["an encoded line break with a header after it", get("/public/x%0d%0aX-Auth-Request-User:%20evil"), UNKNOWN],
  ["a NUL", get("/public/x\0"), REFUSED],
  ["a tab", get("/public/x\ty"), REFUSED],
  ["a space", get("/public/x y"), REFUSED],
  ["a dot at the end of a segment", get("/public./x"), UNKNOWN],
  ["an ellipsis of dots", get("/public/.../admin/x"), UNKNOWN],
  ["upper case", get("/PUBLIC/x"), UNKNOWN],
  ["an encoded letter", get("/%70ublic/x"), UNKNOWN],
  ["an encoded slash after the prefix", get("/public%2fx"), UNKNOWN],
  ["overlong dots", get("/public/%c0%ae%c0%ae/admin/x"), UNKNOWN],
  ["an overlong slash", get("/public/..%c0%afadmin/x"), UNKNOWN],
  ["dots overlong by three bytes", get("/public/%e0%80%ae%e0%80%ae/admin/x"), UNKNOWN],
  ["full-width dots", get("/public/%ef%bc%8e%ef%bc%8e/admin/x"), UNKNOWN],
  ["a full-width slash", get("/public/..%ef%bc%8fadmin/x"), UNKNOWN],
  ["a two-dot leader", get("/public/%e2%80%a5/admin/x"), UNKNOWN],
  ["overlong dots as bytes", get("/public/\xc0\xae\xc0\xae/admin/x"), REFUSED],
  ["full-width dots as bytes", get("/public/\xef\xbc\x8e\xef\xbc\x8e/admin/x"), REFUSED],
  ["a fragment that leads elsewhere", get("/public/x#/../../admin/x"), PUBLIC],
  ["an encoded fragment that leads elsewhere", get("/public/x%23/../../admin/x"), REFUSED],
  ["a public path as the fragment", get("/admin/x#/public/x"), UNKNOWN],
  ["a public path as the query", get("/admin/x?/public/x"), UNKNOWN],
  ["a public path behind an encoded question mark", get("/admin/x%3f/../../public/x"), REFUSED],
  ["a query that leads elsewhere", get("/public/x?/../../admin/x"), { ...PUBLIC, reached: ["GET /public/x?/../../admin/x"] }],
  ["a line break in the query", get("/public/x?a=%0d%0aX-Auth-Request-User:%20root"), { ...PUBLIC, reached: ["GET /public/x?a=%0d%0aX-Auth-Request-User:%20root"] }],
  ["a target without a slash", get("public/x"), REFUSED],
  ["a target that continues a host", get("@evil.example/public/x"), REFUSED],
  ["a target that is a star", request("OPTIONS *"), REFUSED],
  ["a whole URL", get("http://{host}/admin/x"), UNKNOWN],
  ["a whole URL of another host", get("http://evil.example/public/x"), PUBLIC],
  ["a whole URL of another scheme", get("https://evil.example/public/x"), PUBLIC],
  ["an optional path in another spelling", get("/HOME", "X-Auth-Request-User: evil"), UNKNOWN],
  ["a role's path behind an encoded slash", get("/admin%2fx", ADA), DENIED],
  ["a role's path behind an encoded backslash", get("/admin%5cx", ADA), DENIED],
  ["a role's path encoded twice", get("/%2561dmin/x", ADA), DENIED],
  ["a role's path with a space", get("/admin%20/x", ADA), DENIED],
  ["a role's path in overlong letters", get("/%c1%a1dmin/x", ADA), DENIED],
  ["a role's path in full-width letters", get("/%ef%bd%81dmin/x", ADA), DENIED],
  ["a role's path behind a full-width slash", get("/admin%ef%bc%8fx", ADA), DENIED],
  ["a role's path as a whole URL", get("http://{host}/admin/x", ADA), DENIED],
  ["the login endpoint with a parameter", request("POST /internal/login;a=b", ADA, "Content-Length: 0"), { answers: [404] }],
  ["the login endpoint behind dots", request("POST /x/..%2finternal/login", ADA, "Content-Length: 0"), { answers: [404] }],
  ["the login endpoint in full-width letters", request("POST /internal/%ef%bd%8cogin", ADA, "Content-Length: 0"), { answers: [404] }],
];

const FORGED_NAMES = [
  "X-Auth-Request-User", "x_auth_request_user", "X.Auth.Request.Email", "X-Auth-Request-Claim-Roles", "X-Auth-Request-Assertion",
  "X-Forwarded-User", "X_FORWARDED_USER", "x-forwarded_groups", "X-Forwarded-Email", "X-Forwarded-Preferred-Username", "X-Forwarded-Access-Token",
  "Remote-User", "REMOTE_USER", "remote.email", "Remote-Groups", "Remote_Name", "X-Remote-User",
  "X-Guard-Login", "X_Guard_Logout",
  "X-Forwarded-For", "X_Forwarded_For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "Forwarded", "X-Real-IP", "True-Client-IP",
  "X-Client-IP", "X-Cluster-Client-IP", "X-Original-Forwarded-For", "X-Host", "X-Original-Host", "CF_Connecting_IP", "Proxy",
  "X-Original-URL", "x_original_url", "X-Rewrite-URL", "X-Original-URI", "X-Override-URL", "X-Forwarded-Uri", "X-Forwarded-Prefix", "X-Forwarded-Path", "X-Envoy-Original-Path",
];
const FORGERIES = FORGED_NAMES.flatMap((name): typeof PATHS => [
  [`${name} on a public path`, get("/public/x", `${name}: evil`), PUBLIC],
  [`${name} with a session`, get("/mine", `${name}: evil`, ADA), MINE],
]);

const HEADERS: typeof PATHS = [
  ["an identity on an optional path", get("/home", "X-Auth-Request-User: evil"), { answers: [200], reached: ["GET /home"] }],
  ["an identity on two lines", get("/mine", "X-Auth-Request-User: evil", "x-auth-request-user: evil", ADA), MINE],
  ["an identity on a folded line", get("/public/x", "X-A: 1", " X-Auth-Request-User: evil"), REFUSED],
  ["an identity before a space", get("/public/x", "X-Auth-Request-User : evil"), REFUSED],
  ["an identity after a tab", get("/public/x", "\tX-Auth-Request-User: evil"), REFUSED],
  ["an identity after a bare CR", get("/public/x", "X-A: 1\rX-Auth-Request-User: evil"), REFUSED],
  ["an identity after a NUL", get("/public/x", "X-A: 1\0X-Auth-Request-User: evil"), REFUSED],
  ["an identity after a bare LF", get("/public/x", "X-A: 1\nX-Auth-Request-User: evil"), { ...PUBLIC, goOn: ["x-a: 1"] }],
  ["an address that Cloudflare has not seen", get("/public/x", "CF-Connecting-IP: 203.0.113.7", "X-Forwarded-For: evil"), { ...PUBLIC, goOn: ["x-forwarded-for: 203.0.113.7"] }],
  ["Connection: the identity", get("/mine", "Connection: X-Auth-Request-User, X-Auth-Request-Session", ADA), MINE],
  ["Connection: what Cloudflare says", get("/public/x", "Connection: X-Forwarded-For, CF-Ray, close", "CF-Connecting-IP: 203.0.113.7", "CF-Ray: ray"), { ...PUBLIC, goOn: ["x-forwarded-for: 203.0.113.7", "cf-ray: ray"] }],
  ["Connection: credentials and host", get("/mine", "Connection: Cookie, Authorization, Host", "Cookie: a=1; __Host-session={token}"), { ...MINE, goOn: ["cookie: a=1"] }],
  ["Connection: what protects from other sites", get("/public/x", "Connection: Origin, Sec-Fetch-Site, X-Requested-With", "Sec-Fetch-Site: cross-site"), { ...PUBLIC, goOn: ["sec-fetch-site: cross-site"] }],
  ["Connection: a header of the connection's own", get("/public/x", "Connection: X-Hop", "X-Hop: evil"), PUBLIC],
  ["headers that concern one hop", get("/public/x", "Keep-Alive: evil", "TE: evil", "Trailer: evil", "Proxy-Authorization: evil", "Proxy-Connection: evil", "Proxy-Authenticate: evil"), PUBLIC],
  ["an upgrade to HTTP/2", get("/public/x", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: evil"), PUBLIC],
  ["an override of a public path's method", request("POST /public/x", "X-HTTP-Method-Override: DELETE", "Content-Length: 0"), POSTED],
  ["an override by another name", request("POST /public/x", "X_Method_Override: DELETE", "Content-Length: 0"), POSTED],
  ["an override on an optional path", request("POST /home", "X-HTTP-Method: DELETE", "Content-Length: 0"), { answers: [200], reached: ["POST /home"] }],
  ["an override that makes a safe method unsafe", get("/mine", "X-HTTP-Method-Override: DELETE", "Sec-Fetch-Site: cross-site", COOKIE), { ...MINE, goOn: ["sec-fetch-site: cross-site"] }],
];

const UPGRADE = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="];
const PREFLIGHT = ["Origin: https://other.example", "Access-Control-Request-Method: GET"];
const GOES_ON = ["origin: https://other.example", "access-control-request-method: GET"];
const ASKED: Row = { answers: [200], reached: ["OPTIONS /admin/x"], goOn: GOES_ON };

const METHODS: typeof PATHS = [
  ["a preflight that names somebody", request("OPTIONS /admin/x", ...PREFLIGHT, "X-Auth-Request-User: evil", "Content-Length: 0"), ASKED],
  ["a preflight that is to be taken for a DELETE", request("OPTIONS /admin/x", ...PREFLIGHT, "X-HTTP-Method-Override: DELETE", "Content-Length: 0"), ASKED],
  ["a preflight that opens a WebSocket", request("OPTIONS /admin/x", ...PREFLIGHT, ...UPGRADE), UNKNOWN],
  ["a preflight without an origin", request("OPTIONS /admin/x", "Access-Control-Request-Method: GET", "Content-Length: 0"), UNKNOWN],
  ["a preflight by another method", request("POST /admin/x", ...PREFLIGHT, "Content-Length: 0"), UNKNOWN],
  ["a POST that opens a WebSocket", request("POST /public/x", ...UPGRADE, "Content-Length: 0"), { ...POSTED, goOn: ["sec-websocket-version: 13", "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=="] }],
  ["TRACE on a public path", request("TRACE /public/x"), { answers: [405], also: ([answer]) => expect(answer?.body).toContain('"method_not_allowed"') }],
  ["TRACE with a session", request("TRACE /mine", ADA), { answers: [405] }],
  ["TRACE on an endpoint of the guard", request("TRACE /_auth/login"), { answers: [405] }],
  ["CONNECT", request("CONNECT evil.example:443"), { answers: [500] }],
  ["TRACK", request("TRACK /public/x"), { answers: [501] }],
  ["a method in lower case", request("get /public/x"), { answers: [501] }],
];

const SMUGGLED = "GET /admin/evil HTTP/1.1\r\nHost: a\r\n\r\n";
const post = (body: string, ...lines: string[]) => request("POST /public/x", ...lines) + body;
/** The one request that the origin gets has this body. */
const withBody = (body: string): Row => ({ ...POSTED, also: (_, received) => expect(received[0]?.body).toBe(body) });
const SMUGGLING: typeof PATHS = [
  ["a length beside chunks, which end early", post(`0\r\n\r\n${SMUGGLED}`, `Content-Length: ${5 + SMUGGLED.length}`, "Transfer-Encoding: chunked"), { ...withBody(""), answers: [200] }],
  ["a length beside chunks, which end late", post(`${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`, "Content-Length: 4", "Transfer-Encoding: chunked"), withBody(SMUGGLED)],
  ["two lengths", post(`abc${SMUGGLED}`, "Content-Length: 3", `Content-Length: ${3 + SMUGGLED.length}`), REFUSED],
  ["a list of lengths", post("abc", "Content-Length: 3, 3"), REFUSED],
  ["a length with a sign", post("abc", "Content-Length: +3"), REFUSED],
  ["a negative length", post("abc", "Content-Length: -3"), REFUSED],
  ["a length in hexadecimal", post("abc", "Content-Length: 0x3"), REFUSED],
  ["an unknown coding", post("3\r\nabc\r\n0\r\n\r\n", "Transfer-Encoding: xchunked"), REFUSED],
  ["chunks that are not the last coding", post("3\r\nabc\r\n0\r\n\r\n", "Transfer-Encoding: chunked, identity"), REFUSED],
  ["two codings on two lines", post("3\r\nabc\r\n0\r\n\r\n", "Transfer-Encoding: chunked", "Transfer-Encoding: identity"), REFUSED],
  ["a coding before a space", post("3\r\nabc\r\n0\r\n\r\n", "Transfer-Encoding : chunked"), REFUSED],
  ["a coding on a folded line", post("3\r\nabc\r\n0\r\n\r\n", "Transfer-Encoding:", " chunked"), REFUSED],
  ["a coding after a vertical tab", post("3\r\nabc\r\n0\r\n\r\n", "Transfer-Encoding: \x0bchunked"), REFUSED],
  ["a coding with an underscore", post("abc", "Transfer_Encoding: chunked", "Content-Length: 3"), { ...withBody("abc"), goOn: ["transfer_encoding: chunked"] }],
  ["chunks with an extension", post("3;a=b\r\nabc\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), withBody("abc")],
  ["chunks with a trailer that is an identity", post("3\r\nabc\r\n0\r\nX-Auth-Request-User: evil\r\n\r\n", "Transfer-Encoding: chunked"), withBody("abc")],
  ["a chunk whose size is no number", post("0x3\r\nabc\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), { answers: [502] }],
  ["a chunk whose size overflows", post("10000000000000003\r\nabc\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), { answers: [502] }],
  ["a GET with a request as its body", get("/public/x", `Content-Length: ${SMUGGLED.length}`) + SMUGGLED, { ...PUBLIC, also: (_, received) => expect(received[0]?.body).toBe(SMUGGLED) }],
  ["a second request on the connection", get("/public/x") + get("/admin/evil"), { ...PUBLIC, answers: [200, 401] }],
  ["a second request with somebody else's session before it", get("/mine", ADA) + get("/mine"), { ...MINE, answers: [200, 401] }],
];

const HOSTS: typeof PATHS = [
  ["two hosts", get("/public/x", "Host: evil.example"), REFUSED],
  ["a user in the host", "GET /public/x HTTP/1.1\r\nHost: evil@{host}\r\n\r\n", REFUSED],
  ["a space in the host", "GET /public/x HTTP/1.1\r\nHost: evil example\r\n\r\n", REFUSED],
  ["no host", "GET /public/x HTTP/1.1\r\n\r\n", REFUSED],
  ["a path in the host", "GET /x HTTP/1.1\r\nHost: {host}/admin\r\n\r\n", UNKNOWN],
  ["a public path in the host, which makes a query of the other", "GET /admin/x HTTP/1.1\r\nHost: {host}/public/x?\r\n\r\n", { ...PUBLIC, reached: ["GET /public/x?/admin/x"] }],
  ["a public path in the host, which makes a fragment of the other", "GET /admin/x HTTP/1.1\r\nHost: {host}/public/x#\r\n\r\n", PUBLIC],
  ["another host, which is where its sender is redirected to https", "GET /mine HTTP/1.1\r\nHost: evil.example\r\nAccept: text/html\r\n\r\n", { answers: [308], also: ([answer]) => expect(location(answer)).toBe("https://evil.example/mine") }],
  ["a protocol of another version", "GET /public/x HTTP/2.0\r\nHost: {host}\r\n\r\n", REFUSED],
];

const submit = (cookie: string, ...lines: string[]) => request("POST /mine", cookie, ...lines, "Content-Length: 0");

const CREDENTIALS: typeof PATHS = [
  ["two bearer tokens", get("/mine", "Authorization: Bearer evil", ADA), UNKNOWN],
  ["a bearer token and another cookie", get("/mine", ADA, "Cookie: __Host-session=evil"), { ...MINE, goOn: ["cookie: __Host-session=evil"] }],
  ["two cookies of the name", get("/mine", "Cookie: __Host-session=evil; __Host-session={token}"), { ...MINE, goOn: ["cookie: __Host-session=evil"] }],
  ["another bearer token and the cookie", get("/mine", "Authorization: Bearer evil", COOKIE), { ...MINE, goOn: ["authorization: Bearer evil"] }],
  ["two lines of Authorization, of which one is the token", get("/mine", "Authorization: Bearer evil", ADA, COOKIE), MINE],
  ["another bearer token and another site's form", submit(COOKIE, "Authorization: Bearer evil", "Sec-Fetch-Site: cross-site"), DENIED],
  ["two cookies of the name on two lines", get("/mine", "Cookie: __Host-session=evil", COOKIE), UNKNOWN],
  ["two cookies of the name, one in front of a comma", get("/mine", "Cookie: __Host-session=evil, __Host-session={token}"), UNKNOWN],
  ["a cookie of the name in other case", get("/mine", "Cookie: __host-session={token}"), UNKNOWN],
  ["a cookie in quotation marks", get("/mine", 'Cookie: __Host-session="{token}"'), UNKNOWN],
  ["a cookie inside another", get("/mine", "Cookie: a=__Host-session={token}"), UNKNOWN],
  ["a token in the query", get("/mine?access_token={token}"), UNKNOWN],
  ["a token without a scheme", get("/mine", "Authorization: {token}"), UNKNOWN],
  ["a token under another scheme", get("/mine", "Authorization: Basic {token}"), UNKNOWN],
  ["a user agent that names the guard", get("/mine", "User-Agent: session-guard", "CF-Worker: session-guard"), UNKNOWN],
];

/** Spellings of the cookie's name that some origins' parsers take for it, as bytes. */
const SPELLINGS: [name: string, cookie: string][] = [
  ["behind a comma", "theme=dark,__Host-session="],
  ["behind a comma and a space", "theme=dark, __Host-session="],
  ["on a second line", "theme=dark\r\nCookie: __Host-session="],
  ["behind a space", "a=1 __Host-session="],
  ["behind U+00A0", "\xc2\xa0__Host-session="],
  ["behind U+00A0 in Latin-1", "\xa0__Host-session="],
  ["behind U+2000", "\xe2\x80\x80__Host-session="],
  ["behind U+3000", "\xe3\x80\x80__Host-session="],
  ["behind U+FEFF", "\xef\xbb\xbf__Host-session="],
  ["behind U+0085", "\xc2\x85__Host-session="],
  ["behind a vertical tab", "\x0b__Host-session="],
  ["before U+00A0", "__Host-session\xc2\xa0="],
  ["in quotation marks", '"__Host-session"='],
  ["behind nothing", "=__Host-session="],
  ["in small letters", "__host-session="],
  ["in capitals", "__HOST-SESSION="],
  ["in percent-encoding", "__%48ost-session="],
  ["with dots", "..Host-session="],
  ["as a list", "__Host-session[]="],
];
const COOKIES: typeof PATHS = SPELLINGS.flatMap(([name, cookie]): typeof PATHS => [
  [`the session cookie's name ${name} is nobody's`, get("/mine", `Cookie: ${cookie}{token}`), UNKNOWN],
  [`the session cookie's name ${name} does not go on`, get("/mine", ADA, `Cookie: ${cookie}{token}; evil=1`), { ...MINE, goOn: [cookie.startsWith("theme") ? "cookie: theme=dark; evil=1" : "cookie: evil=1"] }],
  [`the session cookie's name ${name} does not go on a public path`, get("/public/x", `Cookie: ${cookie}{token}`), cookie.startsWith("theme") ? { ...PUBLIC, goOn: ["cookie: theme=dark"] } : PUBLIC],
]);

const SITES: typeof PATHS = [
  ["another site's form", submit(COOKIE, "Sec-Fetch-Site: cross-site"), DENIED],
  ["another site's form, by its origin", submit(COOKIE, "Origin: https://evil.example"), DENIED],
  ["a form of nobody knows where", submit(COOKIE), DENIED],
  ["a form of a sandbox", submit(COOKIE, "Origin: null"), DENIED],
  ["a site that begins like this one", submit(COOKIE, "Origin: http://{host}.evil.example"), DENIED],
  ["a neighbour's form", submit(COOKIE, "Sec-Fetch-Site: same-site", "Origin: http://{host}"), DENIED],
  ["two words about the site", submit(COOKIE, "Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"), DENIED],
  ["two origins", submit(COOKIE, "Origin: http://{host}", "Origin: https://evil.example"), DENIED],
  ["another site's form, for the user", submit(COOKIE, "Sec-Fetch-Site: none", "Origin: https://evil.example"), DENIED],
  ["a sandbox's form, for the user", submit(COOKIE, "Sec-Fetch-Site: none", "Origin: null"), DENIED],
  ["another site's logout, for the user", request("POST /_auth/logout", COOKIE, "Sec-Fetch-Site: none", "Origin: https://evil.example", "Content-Length: 0"), DENIED],
  ["another site's logout of everybody, for the user", request("POST /_auth/logout?scope=global", COOKIE, "Sec-Fetch-Site: none", "Origin: https://evil.example", "Content-Length: 0"), DENIED],
  ["another site's refresh, for the user", request("POST /_auth/refresh", COOKIE, "Sec-Fetch-Site: none", "Origin: https://evil.example", "Content-Length: 0"), DENIED],
  ["another site's WebSocket, for the user", get("/mine", COOKIE, ...UPGRADE, "Sec-Fetch-Site: none", "Origin: https://evil.example"), DENIED],
  ["this site's form, with a word from another", submit(COOKIE, "Sec-Fetch-Site: same-origin", "Origin: https://evil.example"), { answers: [200], reached: ["POST /mine"], isAda: true, goOn: ["sec-fetch-site: same-origin", "origin: https://evil.example"] }],
  ["another site's form on an optional path", request("POST /home", COOKIE, "Sec-Fetch-Site: cross-site", "Content-Length: 0"), { answers: [200], reached: ["POST /home"], goOn: ["sec-fetch-site: cross-site"] }],
  ["another site's WebSocket", get("/mine", COOKIE, ...UPGRADE, "Origin: https://evil.example"), DENIED],
];

/** A login by form, which leads on to `redirect`. */
function logIn(redirect: string, ...lines: string[]): Sent {
  const form = `username=ada&password=${PASSWORD.replace(" ", "+")}&redirect=${redirect}`;
  return request("POST /_auth/login", "Content-Type: application/x-www-form-urlencoded", `Content-Length: ${form.length}`, ...lines) + form;
}
const LOGINS: typeof PATHS = [
  ["a redirect to another host", logIn("//evil.example"), REFUSED],
  ["a redirect to another host by a backslash", logIn("/%5cevil.example"), REFUSED],
  ["a redirect to another URL", logIn("https://evil.example/"), REFUSED],
  ["a redirect to a script", logIn("javascript:evil()"), REFUSED],
  ["a redirect to another host by a tab", logIn("/%09/evil.example"), REFUSED],
  ["a redirect with a line break", logIn("/%0d%0aSet-Cookie:evil=1"), REFUSED],
  ["a redirect by a parser's tolerance", logIn("%20//evil.example"), REFUSED],
  ["a redirect from a path that looks like a host", get("//evil.example/x", "Accept: text/html"), { answers: [302], also: ([answer]) => expect(location(answer)).toBe("/_auth/login?redirect=/") }],
  ["another site's login", logIn("/", "Origin: https://evil.example"), DENIED],
  ["another site's login, for the user", logIn("/", "Sec-Fetch-Site: none", "Origin: https://evil.example"), DENIED],
];

const location = (answer?: Message) => answer?.lines.find((line) => /^location:/i.test(line))?.slice(10);

let origin: RawOrigin;
let guard: Guard;
let ada: { token: string; sid: string };
beforeAll(async () => {
  origin = await startRawOrigin();
  const answer = (body: string) => `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
  origin.reply = (socket, { start }) => socket.end(answer(start.startsWith("POST /internal/login ") ? '{"sub":"ada"}' : ""));
  guard = await startGuard({ ORIGIN_URL: origin.url, LOGIN_URL: `${origin.url}/internal/login`, ROUTES, SESSION_LIMIT: "0" });
  const { access_token, session } = await guard.login("ada");
  ada = { token: access_token, sid: session.sid };
});
beforeEach(() => {
  origin.received.length = 0;
});
afterAll(async () => {
  await guard[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
});

/** What each hop has of its own, and the mark of a Worker's requests. */
const HOPS = /^(host|cf-worker|content-length|transfer-encoding): /i;

const ALL = [...PATHS, ...FORGERIES, ...HEADERS, ...METHODS, ...SMUGGLING, ...HOSTS, ...CREDENTIALS, ...COOKIES, ...SITES, ...LOGINS];

test.each(ALL)("%s", async (_, sent, { answers, reached = [], isAda = false, goOn = [], also }) => {
  const host = new URL(guard.url).host;
  const got = await exchange(guard.url, sent.replaceAll("{host}", host).replaceAll("{token}", ada.token));
  expect(got.map(({ start }) => Number(start.split(" ")[1]))).toEqual(answers);
  expect(origin.received.map(({ start }) => start)).toEqual(reached.map((line) => `${line} HTTP/1.1`));
  for (const { lines, trailers } of origin.received) {
    const identity = isAda ? ["x-auth-request-user: ada", `x-auth-request-session: ${ada.sid}`] : [];
    const expected = [...identity, "x-forwarded-proto: http", `x-forwarded-host: ${host}`, ...goOn];
    const others = lines.filter((line) => !HOPS.test(line)).map((line) => line.replace(/^[^:]+/, (name) => name.toLowerCase()));
    expect(others.sort()).toEqual(expected.sort());
    expect(trailers).toEqual([]);
  }
  also?.(got, origin.received);
});

test("there are at least sixty requests, and their names are unique", () => {
  expect(ALL.length).toBeGreaterThanOrEqual(60);
  expect(new Set(ALL.map(([name]) => name)).size).toBe(ALL.length);
});

test("the client's host goes into X-Forwarded-Host, and Host stays the origin's", async () => {
  await exchange(guard.url, "GET /public/x HTTP/1.1\r\nHost: other.example:8080\r\n\r\n");
  const { lines = [] } = origin.received[0] ?? {};
  expect(lines.filter((line) => /host/i.test(line))).toEqual([`Host: ${new URL(origin.url).host}`, expect.stringMatching(/^x-forwarded-host: other.example:8080$/i)]);
});
