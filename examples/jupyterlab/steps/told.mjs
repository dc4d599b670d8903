// Steps, and what is told of them.

import { createHash } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** Steps on a page, with a picture after each. */
export class Steps {
  failures = 0;
  #count = 0;
  #page;
  #pictures;

  constructor(page, pictures) {
    rmSync(pictures, { recursive: true, force: true });
    mkdirSync(pictures, { recursive: true });
    this.#page = page;
    this.#pictures = pictures;
  }

  /** Does one thing, and says how it went. What it returns is said, too. */
  async take(name, act) {
    const began = performance.now();
    const tell = (how, detail) => console.log(`${how}  ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)${detail ? `: ${detail}` : ""}`);
    this.#count += 1;
    try {
      tell("ok    ", await act());
    } catch (error) {
      this.failures += 1;
      tell("failed", error instanceof Error ? error.message : error);
    }
    await this.#page.screenshot({ path: join(this.#pictures, `${String(this.#count).padStart(2, "0")}.png`) });
  }
}

/** A page that remembers what became of its WebSockets, in `window.sockets`. */
export async function newPage(browser) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  await context.addInitScript(() => {
    window.sockets = [];
    window.WebSocket = class extends WebSocket {
      constructor(...args) {
        super(...args);
        const socket = { path: new URL(this.url).pathname };
        window.sockets.push(socket);
        this.addEventListener("open", () => (socket.opened = Date.now()));
        this.addEventListener("message", ({ data }) => {
          const text = typeof data === "string" ? data : new TextDecoder().decode(data);
          socket.hasKernel ||= text.includes("kernel_info_reply");
        });
        this.addEventListener("close", ({ code, reason }) => Object.assign(socket, { closed: Date.now(), code, reason }));
      }
    };
  });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  return page;
}

/** Fails the step if something is not so. */
export function demand(isSo, otherwise) {
  if (!isSo) throw new Error(otherwise);
}

/** Waits until something is so. */
export async function until(isSo, otherwise, seconds = 30) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
    if (await isSo()) return;
    await new Promise((again) => setTimeout(again, 50));
  }
  throw new Error(otherwise);
}

/** What tells two files apart. */
export const hash = (bytes) => createHash("sha256").update(bytes).digest("hex");
