// Who says from where a request comes: at Cloudflare a header, elsewhere the connection. JavaScript, because it is
// asked before the decision cache.

/** Do the settings say whose word counts? `undefined` before they are read. @type {boolean | undefined} */
let isNamed;

/** Is this a `workerd` of one's own? `undefined` until a request tells. @type {boolean | undefined} */
let isOwnRuntime;

/** @param {boolean} named */
export function configureClientAddress(named) {
  isNamed = named;
}

/**
 * Must `findSender` say who has sent this request?
 * @param {Request} request
 */
export function isToldByConnection(request) {
  if (isNamed !== false) return true;
  isOwnRuntime ??= runtimeOf(request.cf);
  return isOwnRuntime === true;
}

/**
 * `workerd` says who has connected. A request by a service binding may say nothing.
 * @param {Request["cf"]} cf
 */
function runtimeOf(cf) {
  return cf == null ? undefined : "clientIp" in cf || "clientPid" in cf;
}
