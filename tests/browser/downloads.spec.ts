// Downloads in a real browser: however they begin, they arrive complete. Only one without a length, which may
// never end, is cut off with its session.

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import type { BrowserContext, Download, Page } from "playwright-core";
import { submitLogin, useGuardedBrowser } from "../harness/guarded_browser.ts";

const MB = 1024 * 1024;
const FILE = Buffer.concat([randomBytes(12 * MB), Buffer.alloc(12 * MB, "members")]);
const PIECES = 24;
/** How long a slow download takes, in milliseconds. */
const SLOW = 10_000;

const { guard, newContext, url } = useGuardedBrowser();
let context: BrowserContext;
beforeAll(async () => {
  context = await signedIn("reader");
});

/** A browser profile in which somebody is signed in. */
async function signedIn(user: string): Promise<BrowserContext> {
  const context = await newContext();
  const page = await newPage(context);
  await submitLogin(page, user);
  await page.waitForURL(`${url}/files`);
  return context;
}

async function newPage(context: BrowserContext): Promise<Page> {
  guard.origin.reply = { headers: { "content-type": "text/html" }, body: "<title>Files</title>" };
  const page = await context.newPage();
  await page.goto(`${url}/files`);
  return page;
}

/** Has the origin answer with a file, evenly over some milliseconds. */
function serve(headers: Record<string, string>, { body = FILE, millis = 0 }: { body?: Buffer; millis?: number } = {}) {
  const size = Math.ceil(body.length / PIECES);
  const stream = async (response: ServerResponse) => {
    for (let at = 0; at < body.length && !response.destroyed; at += size) {
      response.write(body.subarray(at, at + size));
      if (millis > 0) await new Promise((resume) => setTimeout(resume, millis / PIECES));
    }
    response.end();
  };
  guard.origin.reply = { headers: { "content-type": "application/octet-stream", ...headers }, stream: (response) => void stream(response) };
}

/** How a page begins a download. */
const WAYS: [string, string][] = [
  ["a link with `download`", "Object.assign(document.body.appendChild(document.createElement('a')), { href: '/file', download: '' }).click()"],
  ["a navigation", "location.href = '/file'"],
  ["a form's post", "Object.assign(document.body.appendChild(document.createElement('form')), { action: '/file', method: 'post' }).submit()"],
  ["window.open", "void window.open('/file')"],
];

async function begin(page: Page, script: string): Promise<Download> {
  const [download] = await Promise.all([page.waitForEvent("download"), page.evaluate(script)]);
  return download;
}

async function isWhole(download: Download): Promise<boolean> {
  expect(await download.failure()).toBeNull();
  return readFileSync(await download.path()).equals(FILE);
}

const LENGTH = { "content-length": String(FILE.length) };
const ATTACHMENT = { "content-disposition": 'attachment; filename="members.bin"' };
const COMPRESSED = gzipSync(FILE, { level: 1 });

describe.each(WAYS)("24 MB by %s arrive whole", (_, script) => {
  test.each<[string, Record<string, string>, Buffer]>([
    ["with a length", LENGTH, FILE],
    ["without one, as an attachment", ATTACHMENT, FILE],
    ["compressed, without a length", { ...ATTACHMENT, "content-encoding": "gzip" }, COMPRESSED],
  ])("%s", async (_, headers, body) => {
    const page = await newPage(context);
    serve(headers, { body });
    expect(await isWhole(await begin(page, script))).toBe(true);
    await page.close();
  });
});

test("so do those that take ten seconds, with a length and without one", async () => {
  const page = await newPage(context);
  const begun: Download[] = [];
  serve(LENGTH, { millis: SLOW });
  begun.push(await begin(page, WAYS[0]![1]));
  serve({}, { millis: SLOW });
  for (const [, script] of WAYS) begun.push(await begin(page, script));
  expect(await Promise.all(begun.map(isWhole))).toEqual(begun.map(() => true));
});

test("when the session ends, what has a length may finish, and the rest is cut off within two seconds", async () => {
  const page = await newPage(await signedIn("leaver"));
  serve(LENGTH, { millis: 5000 });
  const known = await begin(page, "location.href = '/file'");
  serve({}, { millis: SLOW });
  const unknown: Download[] = [];
  for (const [, script] of WAYS) unknown.push(await begin(page, script));
  // They are looked after once they have gone on for a second.
  await new Promise((resume) => setTimeout(resume, 1500));
  await guard.login("leaver");
  const ended = performance.now();
  expect(await Promise.all(unknown.map((download) => download.failure()))).toEqual(WAYS.map(() => "canceled"));
  expect(performance.now() - ended).toBeLessThan(2000);
  expect(await isWhole(known)).toBe(true);
});
