// Session Guard: tells the page the moment its session ends.
(() => {
  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  /** @param {string} name */
  const at = (name) => new URL(name, script.src).href;
  let tries = 0;
  let known = false, over = false;
  // Milliseconds that a page may take to leave: the next one says why the session is over.
  const LEAVING = 5000;
  let left = -LEAVING;
  const leave = () => (left = performance.now());
  addEventListener("beforeunload", leave);
  addEventListener("submit", leave);

  /** @param {string} type @param {object} [more] */
  const end = (type, more) => {
    if (over) return;
    over = true;
    const rest = left + LEAVING - performance.now();
    if (rest > 0) setTimeout(tell, rest, type, more);
    else tell(type, more);
  };

  /** @param {string} type @param {object} [more] */
  const tell = (type, more) => {
    const init = { detail: { type, ...more }, cancelable: true };
    const goes = dispatchEvent(new CustomEvent("session-guard:ended", init));
    if (!goes || script.dataset.redirect === "off") return;
    const back = encodeURIComponent(location.pathname + location.search + location.hash);
    location.assign(at(`login?reason=${type.replace(".", "_")}&redirect=${back}`));
  };

  const ask = async () => {
    const answer = await fetch(at("session"), { headers: { "x-guard-touch": "false" } });
    if (answer.ok) known = true;
    if (answer.status !== 401) return;
    const { code, detail } = await answer.json();
    // Who was not signed in has nothing to lose.
    if (code === "token_missing" && !known) over = true;
    else end(code.replace("_", "."), { detail });
  };

  const listen = () => {
    const socket = new WebSocket(at("events").replace("http", "ws"));
    const start = Date.now();
    let opened = false;
    let beat = 0;
    socket.onopen = () => {
      opened = known = true;
      if (tries) ask().catch(() => {});
      beat = setInterval(() => socket.send("ping"), 30000);
    };
    socket.onmessage = ({ data }) => {
      if (data !== "pong") end(JSON.parse(data).type, JSON.parse(data));
    };
    socket.onclose = async ({ code, reason }) => {
      clearInterval(beat);
      if (code === 4001) end(reason.replace("_", "."));
      if (!opened) await ask().catch(() => {});
      if (over) return;
      if (Date.now() - start > 60000) tries = 0;
      // From a second to a minute, and not all clients at once.
      setTimeout(listen, Math.min(60, 2 ** tries++) * (500 + Math.random() * 1000));
    };
  };
  listen();

  // A page that the browser kept may come back to somebody else.
  addEventListener("pagehide", ({ persisted }) => {
    if (persisted && known) document.documentElement.style.setProperty("display", "none", "important");
  });
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted && known) location.reload();
  });
})();
