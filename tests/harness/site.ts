// An origin that answers each path with a status, as a site that is there already does.

import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

/** An origin that answers by path; it keeps what it was asked, and with which headers. */
export async function startSite(answer: (path: string) => number) {
  const asked: { path: string; headers: Record<string, unknown> }[] = [];
  const listener: RequestListener = ({ url = "", headers }, response) => {
    asked.push({ path: url, headers });
    response.writeHead(answer(url), { location: "/elsewhere" }).end("a page");
  };
  const server = createServer(listener);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
