// A browser without a screen: it keeps cookies, follows redirects and links, and sends forms.

import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";

/** A page, and what its form would send. */
export interface Page {
  url: string;
  status: number;
  title: string;
  text: string;
  action: string | undefined;
  fields: Record<string, string>;
  /** The addresses of its links, by their words. */
  links: Record<string, string>;
  /** The addresses that led here, the first one first. */
  trail: string[];
  /** The response's headers. */
  headers: IncomingMessage["headers"];
}

/** How a page is opened. */
export interface Visit {
  /** A form's fields, to be posted. */
  form?: Record<string, string | string[]>;
  /** The page that leads there; without one, the user has typed the address. */
  from?: string;
  /** Redirects are followed up to the first to such an address, which is not opened. */
  until?: (url: URL) => boolean;
}

/** A browser with cookies of its own. As in all browsers, they do not tell ports apart; here they do, so that servers of one machine are sites of their own. */
export class HttpBrowser {
  #cookies = new Map<string, Map<string, string>>();

  /** Logs a user in, from an application's address at the provider to its callback. Returns what came back there. */
  async logInAt(address: string, user: string): Promise<URLSearchParams> {
    const { origin } = new URL(address);
    const page = await this.answer(await this.open(address), user, { origin, until: (url) => url.origin !== origin });
    return new URL(page.url).searchParams;
  }

  /** Fills in the forms of a provider's login, up to a page of another site. */
  async answer(page: Page, user: string, { origin = new URL(page.url).origin, until, refuse = false }: { origin?: string; until?: Visit["until"]; refuse?: boolean } = {}): Promise<Page> {
    for (let forms = 0; new URL(page.url).origin === origin; forms += 1) {
      if (page.action === undefined || forms > 4) throw new Error(`no form leads on from ${page.url}: ${page.text}`);
      const form = refuse ? { refuse: "yes" } : "user" in page.fields ? { ...page.fields, user } : page.fields;
      page = await this.visit(new URL(page.action, page.url).href, { form, from: page.url, ...(until ? { until } : {}) });
    }
    return page;
  }

  /** Opens a page, or sends a form. Redirects are followed, up to the first that leaves the site. */
  open(address: string, form?: Record<string, string>): Promise<Page> {
    const { origin } = new URL(address);
    return this.visit(address, { until: (url) => url.origin !== origin, ...(form ? { form, from: address } : {}) });
  }

  /** Opens a page, or sends a form. Redirects are followed, wherever they lead. */
  async visit(address: string, { form, from, until = () => false }: Visit = {}): Promise<Page> {
    let url = new URL(address);
    let body = form && encoded(form);
    const trail: string[] = [];
    const sites = new Set([...(from ? [new URL(from).origin] : []), url.origin]);
    for (let redirects = 0; redirects < 20; redirects += 1) {
      if (until(url)) return page(url.href, 0, "", {}, trail);
      trail.push(url.href);
      const { response, text } = await this.#send(url, body, sites, from);
      const { statusCode: status = 0, headers } = response;
      const { location } = headers;
      if (location === undefined || status < 300 || status > 399) return page(url.href, status, text, headers, trail);
      url = new URL(location, url);
      sites.add(url.origin);
      body = undefined;
    }
    throw new Error(`${address} redirects without end: ${trail.join(" → ")}`);
  }

  /** The cookies that it sends to an address, by their names. */
  cookies(address: string): Map<string, string> {
    const { origin } = new URL(address);
    return this.#cookies.get(origin) ?? this.#cookies.set(origin, new Map()).get(origin) ?? new Map<string, string>();
  }

  async #send(url: URL, body: string | undefined, sites: Set<string>, from: string | undefined) {
    const cookies = this.cookies(url.href);
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const site = from === undefined && body === undefined ? "none" : sites.size === 1 ? "same-origin" : "cross-site";
    const headers = {
      accept: "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "sec-fetch-site": site,
      ...(cookie ? { cookie } : {}), ...(from ? { referer: from } : {}),
      ...(body === undefined ? {} : { "content-type": "application/x-www-form-urlencoded", origin: new URL(from ?? url).origin }),
    };
    const request = httpRequest(url, { method: body === undefined ? "GET" : "POST", headers });
    request.end(body);
    const [response] = (await once(request, "response")) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    for (const set of response.headers["set-cookie"] ?? []) keep(cookies, set);
    return { response, text: Buffer.concat(chunks).toString() };
  }
}

function keep(cookies: Map<string, string>, set: string) {
  const [pair = ""] = set.split(";");
  const [name = "", value = ""] = pair.split(/=(.*)/s);
  if (value === "" || /max-age=0\b|expires=Thu, 01 Jan 1970/i.test(set)) cookies.delete(name);
  else cookies.set(name, value);
}

function encoded(form: Record<string, string | string[]>): string {
  const pairs = Object.entries(form).flatMap(([name, value]) => [value].flat().map((each): [string, string] => [name, each]));
  return new URLSearchParams(pairs).toString();
}

function page(url: string, status: number, text: string, headers: IncomingMessage["headers"], trail: string[]): Page {
  const attribute = (tag: string, name: string) => plain(new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? "");
  const inputs = [...text.matchAll(/<input\b[^>]*>/g)].map(([tag]) => [attribute(tag, "name"), attribute(tag, "value")]);
  const links = [...text.matchAll(/<a\b([^>]*)>(.*?)<\/a>/gs)].map(([, tag = "", words = ""]) => [plain(words.trim()), attribute(tag, "href")]);
  const [, title = ""] = /<title>(.*?)<\/title>/.exec(text) ?? [];
  const [form = ""] = /<form\b[^>]*>/.exec(text) ?? [];
  const action = form === "" ? undefined : attribute(form, "action");
  return {
    url, status, title, text, headers, trail, action,
    fields: Object.fromEntries(inputs) as Record<string, string>,
    links: Object.fromEntries(links) as Record<string, string>,
  };
}

/** A text without the escapes of HTML. */
const plain = (text: string) => text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code))).replace(/&quot;/g, '"').replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
