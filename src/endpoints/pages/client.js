// Session Guard: dispatches `session-guard:ended` when the page's session ends.
(() => {
  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  /** @param {string} name */
  const at = (name) => new URL(name, script.src).href;
  let tries = 0;
  let signedIn = false, ended = false;
  // How long a navigation may take, in milliseconds: the next page says why the session ended.
  const NAVIGATION = 5000;
  let leftAt = -NAVIGATION;
  const leave = () => (leftAt = performance.now());
  addEventListener("beforeunload", leave);
  addEventListener("submit", leave);

  /** @param {string} type @param {object} [more] */
  const end = (type, more) => {
    if (ended) return;
    ended = true;
    const wait = leftAt + NAVIGATION - performance.now();
    if (wait > 0) setTimeout(notify, wait, type, more);
    else notify(type, more);
  };

  /** @param {string} type @param {object} [more] */
  const notify = (type, more) => {
    const init = { detail: { type, ...more }, cancelable: true };
    const proceed = dispatchEvent(new CustomEvent("session-guard:ended", init));
    if (!proceed || script.dataset.redirect === "off") return;
    // Where the site has several hosts, the page and the script may be of two.
    const isHere = new URL(script.src).origin === location.origin;
    const back = encodeURIComponent(isHere ? location.pathname + location.search + location.hash : location.href);
    location.assign(at(`login?reason=${type.replace(".", "_")}&redirect=${back}`));
  };

  // Neither a check nor a renewal is a use of the session.
  const init = { credentials: /** @type {const} */ ("include"), headers: { "x-guard-touch": "false" } };

  const check = async () => {
    const answer = await fetch(at("session"), init);
    if (answer.ok) {
      signedIn = true;
      return await answer.json();
    }
    if (answer.status !== 401) return;
    const { code, detail } = await answer.json();
    // The visitor was never signed in.
    if (code === "token_missing" && !signedIn) ended = true;
    else end(code.replace("_", "."), { detail });
  };

  const listen = () => {
    const socket = new WebSocket(at("events").replace("http", "ws"));
    const start = Date.now();
    let opened = false;
    let heartbeat = 0;
    socket.onopen = () => {
      opened = signedIn = true;
      if (tries) check().catch(() => {});
      heartbeat = setInterval(() => socket.send("ping"), 30000);
    };
    socket.onmessage = ({ data }) => {
      if (data !== "pong") end(JSON.parse(data).type, JSON.parse(data));
    };
    socket.onclose = async ({ code, reason }) => {
      clearInterval(heartbeat);
      if (code === 4001) end(reason.replace("_", "."));
      if (!opened) await check().catch(() => {});
      if (ended) return;
      if (Date.now() - start > 60000) tries = 0;
      // From a second to a minute, with jitter.
      setTimeout(listen, Math.min(60, 2 ** tries++) * (500 + Math.random() * 1000));
    };
  };
  listen();

  // Requests of the page renew the cookie by themselves. A page that waits asks when it is due, once it has been open
  // for a while.
  /** @param {number} [seconds] never, without them */
  const renewIn = (seconds) => {
    if (seconds !== undefined) setTimeout(renew, Math.min(Math.max(seconds, 20), 86400) * 1000);
  };
  const renew = async () => {
    if (ended) return;
    try {
      const session = await check();
      if (session === undefined) return renewIn(60);
      const due = session.token.refresh_in;
      if (due !== 0) return renewIn(due);
      const answer = await fetch(at("refresh"), { ...init, method: "POST" });
      renewIn(answer.ok ? (await answer.json()).refresh_in : 60);
    } catch {
      renewIn(60);
    }
  };
  renewIn(20);

  // The browser may show a page from its back/forward cache after another user has signed in.
  addEventListener("pagehide", ({ persisted }) => {
    if (persisted && signedIn) document.documentElement.style.setProperty("display", "none", "important");
  });
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted && signedIn) location.reload();
  });
})();
