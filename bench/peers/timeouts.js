// The guard's default behaviour: timeouts for store and origin, and bypass of Cloudflare's cache.

/** @param {Record<string, string>} env */
export function timeoutsOf(env) {
  return env.TIMEOUTS ? { store: 1_000, origin: 30_000, cf: { cacheTtlByStatus: { "100-599": -1 } } } : undefined;
}

/** Uses one timer for both timeouts; it is restarted only when it fires. */
export class Timeouts {
  #millis;
  #deadline = 0;
  /** @type {((error: Error) => void) | undefined} */
  #reject;

  /** @param {{ store: number, origin: number }} millis */
  constructor(millis) {
    this.#millis = millis;
    this.#set(millis.store);
  }

  /** @template T @param {Promise<T>} promise */
  store(promise) {
    return this.#wait(promise, this.#millis.store);
  }

  /** @template T @param {Promise<T>} promise */
  origin(promise) {
    return this.#wait(promise, this.#millis.origin);
  }

  /**
   * @template T
   * @param {Promise<T>} promise
   * @param {number} millis
   * @returns {Promise<T>}
   */
  #wait(promise, millis) {
    return new Promise((resolve, reject) => {
      this.#deadline = Date.now() + millis;
      this.#reject = reject;
      promise.then((value) => {
        this.#reject = undefined;
        resolve(value);
      }, reject);
    });
  }

  /** @param {number} millis */
  #set(millis) {
    setTimeout(() => {
      const remaining = this.#deadline - Date.now();
      if (this.#reject !== undefined && remaining > 0) this.#set(remaining);
      else this.#reject?.(new Error("timed out"));
    }, millis);
  }
}
