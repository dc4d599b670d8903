// Answers a proxy whose client's request may pass. JavaScript, because the headers that go on are made here, and the
// proxy is told of them. Which ones these are is decided in Rust.

import { headersFor } from "./forwarded_headers.js";

/** @typedef {import("./request_context.js").RequestContext} RequestContext */
/** @typedef {import("./verdict.js").Forward} Forward */

/** What the client may have sent otherwise than it goes on: the guard's own credential is removed. */
const CREDENTIALS = ["authorization", "cookie"];

/**
 * The names of the identity headers. Each answer has them, if need be with an empty value: some proxies would otherwise
 * pass on what the client has sent.
 * @type {string[]}
 */
let identityNames = [];

/** @param {string[]} names of the identity headers */
export function configureForwardAuth(names) {
  identityNames = names;
}

/**
 * The answer to `verify`, with the headers that the proxy is to set, under their own names.
 * @param {RequestContext} context
 * @param {Forward} verdict
 */
export function pass(context, verdict) {
  const { tokenContext, start, target, set = [], logFields } = verdict;
  if (logFields !== undefined) context.logFields = logFields;
  const { url } = context;
  const sent = headersFor(context, verdict);
  context.passed = { url: target === undefined ? url : url.slice(0, start) + target, headers: sent };
  const headers = new Headers({ "cache-control": "no-store" });
  const told = [...(tokenContext?.identity ?? []), ...set].filter((_, at) => at % 2 === 0);
  for (const name of identityNames) headers.set(name, "");
  for (const name of [...told, ...CREDENTIALS]) {
    const value = sent.get(name);
    if (value !== null) headers.set(name, value);
  }
  return new Response(null, { headers });
}
