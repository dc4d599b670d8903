// Verifies tokens with WebCrypto and caches them, for the two hand-written peers.

import { OriginHeaders, identity } from "./common.js";

/**
 * A token whose signature is verified: its claims, its identity headers, the key of its user in the store, and what most
 * of its requests share.
 * @typedef {{ claims: any, identity: [string, string][], key: string, originHeaders: OriginHeaders, reply: string, session: any }} VerifiedToken
 */

/** Half the size of the cache, which consists of two generations, as in the guard. */
const GENERATION_SIZE = 1000;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
const encoder = new TextEncoder();

/** Verifies the HS256 tokens of one issuer for one audience; with `CACHE` "off", verifies each token every time. */
export class Tokens {
  /** @type {Map<string, VerifiedToken>} */
  #young = new Map();
  /** @type {Map<string, VerifiedToken>} */
  #old = new Map();
  /** @type {Map<string, Promise<CryptoKey>>} */
  #keys;
  #issuer;
  #audience;
  #isUncached;

  /** @param {Record<string, string>} env */
  constructor(env) {
    this.#issuer = env.ISSUER;
    this.#audience = env.AUDIENCE;
    this.#isUncached = env.CACHE === "off";
    const { keys } = JSON.parse(env.SIGNING_KEYS ?? "");
    const read = (/** @type {any} */ jwk) => crypto.subtle.importKey("jwk", jwk, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
    this.#keys = new Map(keys.filter((/** @type {any} */ key) => key.alg === "HS256").map((/** @type {any} */ key) => [key.kid, read(key)]));
  }

  /**
   * A cached token.
   * @param {string} token
   */
  cached(token) {
    const young = this.#young.get(token);
    if (young !== undefined) return young;
    const old = this.#old.get(token);
    if (old !== undefined) this.#cache(token, old);
    return old;
  }

  /**
   * Verifies a token; `undefined` if it is not verified. Its times are checked on each use.
   * @param {string} token
   * @returns {Promise<VerifiedToken | undefined>}
   */
  async verify(token) {
    try {
      const claims = await this.#read(token);
      if (claims === undefined) return undefined;
      const key = encodeURIComponent(`guard:${base64url(claims.sub)}`);
      const verified = { claims, identity: identity(claims), key, originHeaders: new OriginHeaders(), reply: "", session: undefined };
      this.#cache(token, verified);
      return verified;
    } catch {
      return undefined;
    }
  }

  /** @param {string} token */
  async #read(token) {
    const [head = "", payload = "", signature = "", ...more] = token.split(".");
    const { alg, typ, kid, crit } = JSON.parse(text(head));
    const key = this.#keys.get(kid);
    if (more.length > 0 || alg !== "HS256" || typ !== "at+jwt" || crit !== undefined || key === undefined) return undefined;
    const signed = encoder.encode(token.slice(0, head.length + 1 + payload.length));
    if (!(await crypto.subtle.verify("HMAC", await key, bytes(signature), signed))) return undefined;
    const claims = JSON.parse(text(payload));
    const audiences = Array.isArray(claims.aud) ? claims.aud : [claims.aud];
    const isOurs = claims.iss === this.#issuer && audiences.includes(this.#audience);
    const isComplete = [claims.sub, claims.sid, claims.jti].every((claim) => typeof claim === "string" && claim !== "");
    return isOurs && isComplete && Number.isSafeInteger(claims.exp) && Number.isSafeInteger(claims.iat) ? claims : undefined;
  }

  /**
   * @param {string} token
   * @param {VerifiedToken} verified
   */
  #cache(token, verified) {
    if (this.#isUncached) return;
    if (this.#young.size >= GENERATION_SIZE) [this.#old, this.#young] = [this.#young, new Map()];
    this.#young.set(token, verified);
  }
}

/**
 * Why the token is outside its validity period; `undefined` if it is within.
 * @param {any} claims
 * @param {number} now seconds
 */
export function timeError({ exp, nbf, iat }, now) {
  if (now >= exp + 5) return "token_expired";
  return now < (nbf ?? iat) - 5 || now < iat - 5 ? "token_invalid" : undefined;
}

/**
 * The token of a request: `Authorization: Bearer`, or else the cookie.
 * @param {Headers} headers
 */
export function presentedToken(headers) {
  const authorization = headers.get("authorization");
  if (authorization !== null) return authorization.startsWith("Bearer ") ? authorization.slice(7) : /^bearer +(\S+)$/i.exec(authorization)?.[1];
  return /(?:^|; *)__Host-session=([^;]+)/.exec(headers.get("cookie") ?? "")?.[1];
}

/** @param {string} part */
function bytes(part) {
  return Uint8Array.from(atob(part.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
}

/** @param {string} part */
function text(part) {
  return decoder.decode(bytes(part));
}

/** @param {string} text */
function base64url(text) {
  const binary = String.fromCharCode(...encoder.encode(text));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
