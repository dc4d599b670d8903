// A browser without a screen: it keeps cookies, follows redirects, and sends the forms of a provider's login.

/** A page, and what its form would send. */
export interface Page {
  url: string;
  title: string;
  text: string;
  action: string | undefined;
  fields: Record<string, string>;
}

/** A browser with cookies of its own, all of one site. */
export class HttpBrowser {
  #cookies = new Map<string, string>();

  /** Logs a user in, from an application's address at the provider to its callback. Returns what came back there. */
  async logInAt(address: string, user: string): Promise<URLSearchParams> {
    let page = await this.open(address);
    for (let forms = 0; new URL(page.url).origin === new URL(address).origin; forms += 1) {
      if (page.action === undefined || forms > 3) throw new Error(`no form leads on from ${page.url}: ${page.text}`);
      const fields = page.title === "login" ? { user } : page.fields;
      page = await this.open(new URL(page.action, page.url).href, fields);
    }
    return new URL(page.url).searchParams;
  }

  /** Opens a page, or sends a form. Redirects are followed, up to the first that leaves the site. */
  async open(address: string, form?: Record<string, string>): Promise<Page> {
    let url = new URL(address);
    const { origin } = url;
    let body = form && new URLSearchParams(form);
    for (let redirects = 0; redirects < 10; redirects += 1) {
      const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
      const response = await fetch(url, { redirect: "manual", headers: { cookie, accept: "text/html" }, ...(body ? { method: "POST", body } : {}) });
      for (const set of response.headers.getSetCookie()) this.#keep(set);
      const text = await response.text();
      const location = response.headers.get("location");
      if (location === null) return page(url.href, text);
      url = new URL(location, url);
      body = undefined;
      if (url.origin !== origin) return page(url.href, "");
    }
    throw new Error(`${address} redirects without end`);
  }

  #keep(set: string) {
    const [pair = ""] = set.split(";");
    const [name = "", value = ""] = pair.split(/=(.*)/s);
    if (value === "" || /expires=Thu, 01 Jan 1970/i.test(set)) this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }
}

function page(url: string, text: string): Page {
  const attribute = (tag: string, name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? "";
  const inputs = [...text.matchAll(/<input\b[^>]*>/g)].map(([tag]) => [attribute(tag, "name"), attribute(tag, "value")]);
  const [, title = ""] = /<title>(.*?)<\/title>/.exec(text) ?? [];
  const [, action] = /<form\b[^>]*\baction="([^"]+)"/.exec(text) ?? [];
  return { url, title, text, action, fields: Object.fromEntries(inputs) as Record<string, string> };
}
