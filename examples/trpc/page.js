// The page's own script. It is written as applications on tRPC are, and knows nothing of the guard but one
// thing: when it is answered 401, it loads itself again, and the guard then leads to the login page.

import { createTRPCClient, httpBatchStreamLink } from "@trpc/client";

const client = createTRPCClient({ links: [httpBatchStreamLink({ url: "/trpc", fetch: watched })] });
const shown = (id) => document.getElementById(id);

/** What came of the tide, for whoever tries this page: when, and how each answer's body ended. */
window.tried = { lines: [], ends: [] };

/** Looks at how bodies end, because what tRPC makes of that is not the matter. */
async function watched(url, init) {
  const response = await fetch(url, init);
  if (response.status === 401) location.reload();
  if (response.body === null) return response;
  const [own, theirs] = response.body.tee();
  const ended = (how) => window.tried.ends.push({ path: new URL(response.url).pathname, how, at: Date.now() });
  own.pipeTo(new WritableStream()).then(() => ended("orderly"), () => ended("broken"));
  return new Response(theirs, response);
}

shown("who").textContent = (await client.who.query()).name;

shown("both").addEventListener("click", () => {
  const began = performance.now();
  for (const which of ["slow", "quick"]) {
    client[which].query().then((text) => shown("answers").append(`${text} after ${Math.round(performance.now() - began)} ms. `));
  }
});

shown("write").addEventListener("submit", async (event) => {
  event.preventDefault();
  await client.write.mutate(new FormData(shown("write")).get("text"));
  shown("notes").replaceChildren(...(await client.notes.query()).map(({ by, text }) => {
    const line = document.createElement("li");
    line.textContent = `${by}: ${text}`;
    return line;
  }));
});

shown("watch").addEventListener("click", watch);

/** Shows the tide, and when that breaks off, asks anew who it is. */
async function watch() {
  try {
    for await (const { n, at, metres } of await client.tide.query()) {
      window.tried.lines.push({ n, sent: at, came: Date.now() });
      shown("tide").value = `${metres.toFixed(2)} m`;
    }
    shown("tide").value = "the tide has ended";
  } catch (error) {
    shown("tide").value = `interrupted: ${error?.message ?? error}`;
    setTimeout(() => client.who.query().then(watch, () => {}), 1_000);
  }
}
