// Streaming costs no memory and hardly any time.

import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { bearer, startGuard, type Guard } from "../harness/guard.ts";

const MB = 1024 * 1024;
const SIZE = 100 * MB;
const BLOCK = Buffer.alloc(64 * 1024, "x");

/** Counts what is uploaded to it, sends as much, and begins an answer that it does not end. */
const origin = createServer(async (request, response) => {
  if (request.url === "/internal/login") return response.end('{"sub":"ada"}');
  if (request.url === "/begin") {
    response.writeHead(200, { "content-type": "text/plain" }).write("first");
    return request.on("close", () => response.end());
  }
  if (request.method === "POST") {
    let size = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) size += chunk.length;
    return response.end(String(size));
  }
  response.writeHead(200, { "content-type": request.url?.slice(1).replace("-", "/") });
  return Readable.from(Array(SIZE / BLOCK.length).fill(BLOCK)).pipe(response);
});

let guard: Guard;
let token: string;
beforeAll(async () => {
  await new Promise<void>((listening) => origin.listen(0, "127.0.0.1", listening));
  const ORIGIN_URL = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
  guard = await startGuard({ ORIGIN_URL, LOGIN_URL: `${ORIGIN_URL}/internal/login` });
  token = (await guard.login("ada")).access_token;
});
afterAll(async () => {
  await guard[Symbol.asyncDispose]();
  origin.closeAllConnections();
  await new Promise((closed) => origin.close(closed));
});

/** Sends a request without an end, and returns it with the promise of its answer. */
function begin(url: string, path: string, method = "GET") {
  const { hostname, port } = new URL(url);
  const request = httpRequest({ hostname, port, path, method, agent: false, headers: bearer(token).headers as Record<string, string> });
  return { request, answer: once(request, "response").then(([answer]) => answer as IncomingMessage) };
}

async function upload(): Promise<number> {
  const { request, answer } = begin(guard.url, "/upload", "POST");
  for (let left = SIZE; left > 0; left -= BLOCK.length) {
    if (!request.write(BLOCK)) await once(request, "drain");
  }
  request.end();
  let text = "";
  for await (const chunk of await answer) text += String(chunk);
  return Number(text);
}

async function download(path: string): Promise<number> {
  const { request, answer } = begin(guard.url, path);
  request.end();
  let size = 0;
  for await (const chunk of (await answer) as AsyncIterable<Buffer>) size += chunk.length;
  return size;
}

/** The process that listens where the guard does: the one with a socket of the inode that the kernel lists there. */
function processOf(url: string): string {
  const port = Number(new URL(url).port).toString(16).toUpperCase().padStart(4, "0");
  const sockets = readFileSync("/proc/net/tcp", "utf8").split("\n").map((line) => line.trim().split(/\s+/));
  const inode = sockets.find(([, local, , state]) => local?.endsWith(`:${port}`) && state === "0A")?.[9];
  const holds = (pid: string) => (ask(`/proc/${pid}/fd`, (it) => readdirSync(it)) ?? []).some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`);
  const found = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).filter((pid) => nameOf(pid) === "workerd").find(holds);
  if (found === undefined) throw new Error(`nobody listens at ${url}`);
  return found;
}

/** What a process says of itself; `undefined` if it is gone by now. */
function ask<T>(path: string, by: (path: string) => T): T | undefined {
  try {
    return by(path);
  } catch {
    return undefined;
  }
}
const linkOf = (path: string) => ask(path, (it) => readlinkSync(it));
const nameOf = (pid: string) => ask(`/proc/${pid}/comm`, (path) => readFileSync(path, "utf8").trim());

/** Resident memory, in bytes (proc(5): `VmRSS` is in KiB). */
function memoryOf(pid: string): number {
  return 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

describe.skipIf(process.platform !== "linux")("100 MB (only Linux tells what memory a process has)", () => {
  test.each<[string, () => Promise<number>]>([
    ["up", upload],
    ["down", () => download("/application-octet-stream")],
    ["down as an event stream, which the guard may end", () => download("/text-event-stream")],
  ])("%s take no more than 20 MB of memory", async (name, transfer) => {
    const pid = processOf(guard.url);
    const before = memoryOf(pid);
    let most = before;
    const sampling = setInterval(() => (most = Math.max(most, memoryOf(pid))), 5);
    const size = await transfer().finally(() => clearInterval(sampling));
    most = Math.max(most, memoryOf(pid));
    console.info(`${inject("store")}: 100 MB ${name}: from ${(before / MB).toFixed(1)} to ${(most / MB).toFixed(1)} MB at most`);
    expect(size).toBe(SIZE);
    expect((most - before) / MB).toBeLessThan(20);
  });
});

/** Milliseconds until the first byte of an answer that goes on. */
async function firstByte(url: string): Promise<number> {
  const start = performance.now();
  const { request, answer } = begin(url, "/begin");
  request.end();
  await once(await answer, "data");
  const time = performance.now() - start;
  request.destroy();
  return time;
}

test("the first byte of a streaming response comes at most 50 ms later than without the guard", async () => {
  const direct = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
  const times: { direct: number[]; guarded: number[] } = { direct: [], guarded: [] };
  await firstByte(guard.url);
  for (let round = 0; round < 15; round += 1) {
    times.direct.push(await firstByte(direct));
    times.guarded.push(await firstByte(guard.url));
  }
  const median = (all: number[]) => all.sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? NaN;
  const [without, through] = [median(times.direct), median(times.guarded)];
  console.info(`${inject("store")}: first byte after ${without.toFixed(1)} ms directly, ${through.toFixed(1)} ms through the guard`);
  expect(through - without).toBeLessThan(50);
});
