// Shared by all peers: the session check, the identity headers, and the headers for the origin.

/**
 * The reason why a session is invalid for a token; `undefined` if it is valid. Same rules as `session::judge_token` in the
 * guard's core.
 * @param {any} session the record, `null` if there is none
 * @param {any} claims the token's claims
 * @param {number} now milliseconds
 */
export function refusal(session, claims, now) {
  if (session === null) return "session_unknown";
  if (session.ended !== undefined) return `session_${session.ended.why}`;
  if (now >= session.expires || now >= session.idle_expires) return "session_expired";
  if (session.refreshed === undefined || claims.jti === session.jti) return undefined;
  if (claims.iat > Math.floor(session.refreshed / 1000)) return undefined;
  const isPrevious = claims.jti === session.previous_jti && now < session.refreshed + 30_000;
  return isPrevious ? undefined : "session_revoked";
}

/**
 * The identity headers for the origin.
 * @param {any} claims
 * @returns {[string, string][]}
 */
export function identity({ iss, aud, exp, nbf, iat, jti, sub, sid, ...rest }) {
  /** @type {[string, string][]} */
  const headers = [["X-Auth-Request-User", encode(sub)], ["X-Auth-Request-Session", sid]];
  if (typeof rest.email === "string") headers.push(["X-Auth-Request-Email", encode(rest.email)]);
  const groups = rest.groups ?? rest.roles;
  if (Array.isArray(groups)) headers.push(["X-Auth-Request-Groups", groups.map((group) => encode(group).replaceAll(",", "%2C")).join(",")]);
  for (const [name, value] of Object.entries(rest)) {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    headers.push([`X-Auth-Request-Claim-${name.toLowerCase().replaceAll(/[^a-z0-9]/g, "-")}`, encode(text)]);
  }
  return headers;
}

/** @param {string} text */
function encode(text) {
  return /[^ -~]|%|^ | $/.test(text) ? encodeURIComponent(text) : text;
}

/** Prefixes of headers that an origin would trust as a proxy's; the same as in the guard's core. */
const PREFIXES = [
  "xauthrequest", "xguard", "xforward", "forwarded", "remote", "xremote", "xreal", "trueclient", "xtrueclient", "clientip", "xclientip",
  "xcluster", "xoriginating", "xproxy", "xenvoy", "xoriginal", "xrewrite", "xoverride", "xhttp", "xhost", "xrequesturi", "xscriptname",
];

/** Matches names, in lower case, that an origin may read as one of these, and hop-by-hop headers. */
export const RESERVED = new RegExp(`^[^a-z0-9]*(?:${PREFIXES.map((name) => [...name].join("[^a-z0-9]*")).join("|")})|^(?:connection|keep-alive|te|trailer|transfer-encoding|upgrade|http2-settings|proxy-.*)$`);

/**
 * The headers for the origin: without the credential and forged identity headers.
 * @param {string} url
 * @param {Headers} sent
 * @param {[string, string][]} identity
 */
export function originHeaders(url, sent, identity) {
  const headers = new Headers(sent);
  headers.delete("authorization");
  for (const name of sent.keys()) if (RESERVED.test(name)) headers.delete(name);
  for (const [name, value] of identity) headers.set(name, value);
  setForwarded(url, sent, headers);
  return headers;
}

/**
 * Sets `X-Forwarded-*`.
 * @param {string} url
 * @param {Headers} sent
 * @param {Headers} headers
 */
export function setForwarded(url, sent, headers) {
  const [scheme = "", , host = ""] = url.split("/", 3);
  const address = sent.get("cf-connecting-ip");
  if (address !== null) headers.set("x-forwarded-for", address);
  headers.set("x-forwarded-proto", scheme.slice(0, -1));
  headers.set("x-forwarded-host", host);
}

/**
 * The same as `originHeaders`, but reuses the headers of the last request if the names are the same, because mostly only a
 * few values differ.
 */
export class OriginHeaders {
  /** @type {string[]} */
  #names = [];
  /** @type {string[]} */
  #values = [];
  #url = "";
  /** @type {Headers | undefined} */
  #headers;

  /**
   * @param {string} url
   * @param {Headers} sent
   * @param {[string, string][]} identity
   */
  headers(url, sent, identity) {
    /** @type {string[]} */
    const names = [];
    /** @type {string[]} */
    const values = [];
    sent.forEach((value, name) => {
      names.push(name);
      values.push(value);
    });
    const cached = this.#headers;
    const isReusable = cached !== undefined && url === this.#url && names.length === this.#names.length && names.every((name, at) => name === this.#names[at]);
    /** @type {[string, string][]} */
    const changed = [];
    if (isReusable) values.forEach((value, at) => value === this.#values[at] || changed.push([names[at] ?? "", value]));
    const isPlain = changed.every(([name, value]) => name !== "authorization" && name !== "cf-connecting-ip" && !value.includes(",") && !RESERVED.test(name));
    if (cached !== undefined && isReusable && isPlain) {
      for (const [name, value] of changed) {
        cached.set(name, value);
        this.#values[names.indexOf(name)] = value;
      }
      return cached;
    }
    this.#names = names;
    this.#values = values;
    this.#url = url;
    this.#headers = originHeaders(url, sent, identity);
    return this.#headers;
  }
}

/**
 * A refusal, as problem details (RFC 9457).
 * @param {string} code
 * @param {number} status
 */
export function refused(code, status = 401) {
  const problem = { type: `urn:session-guard:problem:${code}`, title: code, status, code };
  const headers = { "content-type": "application/problem+json", "cache-control": "no-store", "www-authenticate": "Bearer" };
  return new Response(JSON.stringify(problem), { status, headers });
}
