// A small application on tRPC, whose answers are streams of JSON lines: `httpBatchStreamLink` sends several
// questions in one request, and each is answered as soon as it can be, an endless one line by line.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { initTRPC, TRPCError } from "@trpc/server";
import { createHTTPHandler } from "@trpc/server/adapters/standalone";

const { router, procedure } = initTRPC.context().create();

/** For members only: the guard says who it is in headers, and nobody else can set them. */
const member = procedure.use(({ ctx, next }) => {
  if (ctx.user === undefined) throw new TRPCError({ code: "UNAUTHORIZED" });
  return next();
});

const notes = [];

const application = router({
  who: member.query(({ ctx }) => ctx),
  quick: member.query(() => "quick"),
  slow: member.query(async () => {
    await pause(1_500);
    return "slow";
  }),
  write: member.input(String).mutation(({ input, ctx }) => notes.push({ by: ctx.user, text: input })),
  notes: member.query(() => notes),
  /** The height of the tide, four times a second, until nobody listens. */
  tide: member.query(async function* ({ signal }) {
    for (let n = 0; !signal?.aborted; n += 1) {
      yield { n, at: Date.now(), metres: 3 + Math.sin(n / 40) };
      await pause(250);
    }
  }),
});

const decoded = (value) => (value === undefined ? undefined : decodeURIComponent(value));

const answer = createHTTPHandler({
  router: application,
  basePath: "/trpc/",
  createContext: ({ req: { headers } }) => ({ user: decoded(headers["x-auth-request-user"]), name: decoded(headers["x-auth-request-claim-name"]) }),
});

const page = readFileSync(fileURLToPath(new URL("page.html", import.meta.url)));
const script = readFileSync(process.env.PAGE_SCRIPT ?? "");

createServer((request, response) => {
  if (request.url?.startsWith("/trpc/")) return answer(request, response);
  const [type, body] = request.url === "/page.js" ? ["text/javascript", script] : ["text/html; charset=utf-8", page];
  response.setHeader("content-type", type).end(body);
}).listen(Number(process.env.PORT), "127.0.0.1");
