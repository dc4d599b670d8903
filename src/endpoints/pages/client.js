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

  const check = async () => {
    const answer = await fetch(at("session"), { credentials: "include", headers: { "x-guard-touch": "false" } });
    if (answer.ok) signedIn = true;
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

  // The browser may show a page from its back/forward cache after another user has signed in.
  addEventListener("pagehide", ({ persisted }) => {
    if (persisted && signedIn) document.documentElement.style.setProperty("display", "none", "important");
  });
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted && signedIn) location.reload();
  });
})();
