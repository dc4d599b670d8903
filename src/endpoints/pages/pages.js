// Session Guard: keeps one of the guard's own pages up to date while somebody looks at it.
(() => {
  // A page that does a part of something goes on with the next.
  /** @type {HTMLFormElement | null} */
  const goesOn = document.querySelector("form[data-go-on]");
  if (goesOn) return goesOn.requestSubmit();

  // How often the page is asked for again, in milliseconds.
  const PAUSE = 15000;
  let isBusy = false;

  const update = async () => {
    if (document.hidden || isBusy) return;
    isBusy = true;
    try {
      // Looking at a page for long is no use of the session.
      const answer = await fetch(location.href, { headers: { accept: "text/html", "x-guard-touch": "false" }, redirect: "manual" });
      // Another page says why. Over plain http, browsers do not say that a script asks, so it is sent there as a person is.
      if (answer.status === 401 || answer.status === 403 || answer.type === "opaqueredirect") location.reload();
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const [main, next] = [document, fresh].map((it) => it.querySelector("main"));
      if (main && next) become(main, next);
    } catch {
      // The next time may be better.
    } finally {
      isBusy = false;
    }
  };

  /**
   * Makes an element equal to another. Nodes that stay are the same afterwards, so that focus, selection, and what was
   * typed stay, too. Those with an `id` are told apart by it.
   * @param {Element} old @param {Element} fresh
   */
  const become = (old, fresh) => {
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    for (const { name } of [...old.attributes]) if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
    const ids = new Set([...fresh.children].map((it) => it.id));
    for (const it of [...old.children]) if (it.id && !ids.has(it.id)) it.remove();
    let next = old.firstChild;
    for (const child of [...fresh.childNodes]) {
      if (!next || !isSame(next, child)) {
        old.insertBefore(child, next);
        continue;
      }
      if (next instanceof Element) become(next, /** @type {Element} */ (child));
      else if (next.nodeValue !== child.nodeValue) next.nodeValue = child.nodeValue;
      next = next.nextSibling;
    }
    while (next) {
      const gone = next;
      next = next.nextSibling;
      gone.remove();
    }
  };

  /** @param {Node} a @param {Node} b */
  const isSame = (a, b) => a.nodeName === b.nodeName && idOf(a) === idOf(b);
  /** @param {Node} node */
  const idOf = (node) => (node instanceof Element ? node.id : "");

  setInterval(update, PAUSE);
  document.addEventListener("visibilitychange", update);
})();
