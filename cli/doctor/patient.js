// The guard that the doctor looks at.

import { send } from "../http.js";
import { adviceFor } from "./advice.js";

/** @typedef {import("../http.js").Answer} Answer */
/** @typedef {ReturnType<typeof import("../guard.js").parseUrl>} Site */

/** How long the doctor waits for an answer. */
const TIMEOUT = 10_000;

/** How a browser asks when somebody opens a page. */
export const NAVIGATION = { accept: "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "sec-fetch-site": "none" };

export class Patient {
  /**
   * @param {Site} site
   * @param {object} known
   * @param {string | undefined} known.connectTo
   * @param {Record<string, string> | undefined} known.settings those that are deployed, as far as this machine knows
   * @param {boolean} known.isOpen do the rules open a path that none names?
   * @param {boolean} known.isSelfHosted does it run on a machine of one's own, as far as this machine knows?
   * @param {string | undefined} known.key `ADMIN_API_KEY`
   */
  constructor(site, { connectTo, settings, isOpen, isSelfHosted, key }) {
    this.site = site;
    this.connectTo = connectTo;
    this.settings = settings;
    this.isOpen = isOpen;
    this.key = key;
    this.advice = adviceFor(isSelfHosted);
  }

  /** Asks for a path of the site. @param {string} path @param {Record<string, string>} [headers] */
  get(path, headers = { accept: "application/json" }) {
    return send(this.site.origin, path, { headers, timeout: TIMEOUT, connectTo: this.connectTo });
  }

  /** Asks for one of the guard's endpoints. @param {string} name @param {Record<string, string>} [headers] */
  endpoint(name, headers) {
    return this.get(`${this.site.authPath}/${name}`, headers);
  }

  /** Is it in monitor mode, as far as the settings are known? */
  get isMonitoring() {
    return this.settings?.["MODE"]?.trim() === "monitor";
  }
}

/** Asks a server past the guard. @param {string} url @param {Record<string, string>} [headers] */
export function ask(url, headers = { accept: "application/json" }) {
  const { origin, pathname, search } = new URL(url);
  return send(origin, `${pathname}${search}`, { headers, timeout: TIMEOUT });
}

/** How far a server's clock is ahead, in milliseconds, if it tells the time. @param {Answer} answer */
export function clockOffset({ headers, millis }) {
  if (headers.date === undefined) return undefined;
  // The header has whole seconds, and was written while the answer was on its way.
  return new Date(headers.date).getTime() + 500 - (Date.now() - millis / 2);
}
