// The same requests to JupyterLab itself and, with a session, to the guard in front of it.

import { writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { demand, hash } from "../../lib/told.mjs";

/** A file that is there: two equal failures would say nothing about the guard. */
const FILE = "/files/a%3Bb%252F..c.txt";

/** Names and paths that servers and parsers on the way like to change. */
const CASES = [
  ["GET", FILE],
  ["GET", "/files/a;b%252F..c.txt"],
  ["HEAD", FILE],
  ["GET", FILE, { range: "bytes=2-5" }],
  ["GET", "/files/a%3Bb%252F..c.txt?download=1&x=%2F%3b;y=+%20"],
  ["GET", "//files//a%3Bb%252F..c.txt"],
  ["GET", "/files%2Fa%3Bb%252F..c.txt"],
  ["GET", "/files/%C3%A4%20%F0%9F%90%99.txt"],
  ["GET", "/files/a%00b"],
  ["GET", "/FILES/x"],
  ["GET", "/files/none."],
  ["GET", "/api/contents/%C3%A4%20%F0%9F%90%99.txt?content=1&a=%2F;%20+"],
  ["OPTIONS", "/api/contents"],
  ["PUT", "/api/contents/x"],
  ["DELETE", "/api/contents/none"],
  ["PROPFIND", "/files/x"],
  ["GET", "/"],
  ["GET", "/lab/api/translations/en"],
  ["GET", "/tree?x=%C3%A4"],
  ["GET", "/static/none"],
];

/** What of an answer must be the same; dates, for one, need not be. */
const TOLD = ["content-type", "content-length", "location", "content-range", "content-disposition", "accept-ranges", "allow", "etag", "access-control-allow-methods"];

/** Fails unless both answer the same to all of them. */
export async function compare(page, { origin, site, files }) {
  const cookies = await page.context().cookies(site);
  demand(cookies.some(({ name }) => name === "__Host-session"), "there is no session cookie");
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
  const withoutGuard = cookies.filter(({ name }) => name !== "__Host-session").map(({ name, value }) => `${name}=${value}`).join("; ");
  writeFileSync(join(files, "a;b%2F..c.txt"), "0123456789");
  writeFileSync(join(files, "ä 🐙.txt"), "deep");
  const differ = [];
  for (const [method, path, headers = {}] of CASES) {
    const direct = await answer(origin, method, path, { ...headers, cookie: withoutGuard, "x-auth-request-user": "m-001" });
    const guarded = await answer(site, method, path, { ...headers, cookie, "sec-fetch-site": "same-origin" });
    if (path === FILE) demand(/^20[06] /.test(direct), `JupyterLab itself answers ${method} ${path} with ${direct}`);
    if (direct !== guarded) differ.push(`${method} ${path}\n      directly ${direct}\n      guarded  ${guarded}`);
  }
  demand(differ.length === 0, `\n    ${differ.join("\n    ")}`);
  return `${CASES.length} of ${CASES.length} alike`;
}

/** Sends a target as it stands, and tells the answer in one line. */
function answer(base, method, path, headers) {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const all = { ...headers, referer: `${base}/lab` };
    const sent = request({ hostname, port, method, path, headers: all }, async (received) => {
      const chunks = [];
      for await (const chunk of received) chunks.push(chunk);
      const told = TOLD.map((name) => received.headers[name] ?? "").map((value) => value.replace(base, ""));
      resolve([received.statusCode, ...told, hash(Buffer.concat(chunks)).slice(0, 12)].join(" | "));
    });
    sent.on("error", reject).end();
  });
}
