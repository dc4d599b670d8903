// One timer for everything that a request waits for, one thing after the other. `setTimeout` costs as much as
// judging a session, and timers hardly ever fire. So a timer that is set is never cleared: when it fires, it is set
// again for the time that is left. The runtime drops it with its request.

export class Timer {
  /** When the set timer fires, and when the timeout is over, in milliseconds since the Unix epoch. */
  #firesAt = Infinity;
  #deadline = Infinity;
  /** The timeout in milliseconds. */
  #millis = 0;
  /** @type {(() => void) | undefined} */
  #onTimeout;

  /**
   * Starts a timeout, in place of the last one.
   * @param {number} millis
   * @param {() => void} onTimeout
   */
  start(millis, onTimeout) {
    this.#onTimeout = onTimeout;
    this.#millis = millis;
    this.#deadline = Date.now() + millis;
    if (this.#deadline < this.#firesAt) this.#set(millis);
  }

  /** Starts the same timeout again, from now. */
  restart() {
    this.#deadline = Date.now() + this.#millis;
  }

  /** Stops the timeout. */
  stop() {
    this.#onTimeout = undefined;
  }

  /** @param {number} millis */
  #set(millis) {
    this.#firesAt = this.#deadline;
    setTimeout(() => this.#fire(), millis);
  }

  #fire() {
    this.#firesAt = Infinity;
    const onTimeout = this.#onTimeout;
    if (onTimeout === undefined) return;
    const left = this.#deadline - Date.now();
    if (left > 0) return this.#set(left);
    this.#onTimeout = undefined;
    onTimeout();
  }
}
