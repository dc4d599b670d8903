// What becomes of a page's WebSockets.

/** Runs in the page: has it remember them, in `window.sockets`. */
export function rememberSockets() {
  window.sockets = [];
  window.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args);
      const socket = { path: new URL(this.url).pathname };
      window.sockets.push(socket);
      this.addEventListener("open", () => (socket.opened = Date.now()));
      this.addEventListener("message", ({ data }) => {
        const text = typeof data === "string" ? data : new TextDecoder().decode(data);
        socket.hasKernel ||= text.includes("kernel_info_reply");
      });
      this.addEventListener("close", ({ code, reason }) => Object.assign(socket, { closed: Date.now(), code, reason }));
    }
  };
}
