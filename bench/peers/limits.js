// What the guard does by default, too: it waits for neither store nor origin for ever, and keeps
// Cloudflare's cache out.

/** @param {Record<string, string>} env */
export function limitsOf(env) {
  return env.LIMITS ? { store: 1_000, origin: 30_000, cf: { cacheTtlByStatus: { "100-599": -1 } } } : undefined;
}

/** Waits with one timer, which is set anew only if it rings. */
export class Limits {
  #millis;
  #until = 0;
  /** @type {((error: Error) => void) | undefined} */
  #late;

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
      this.#until = Date.now() + millis;
      this.#late = reject;
      promise.then((value) => {
        this.#late = undefined;
        resolve(value);
      }, reject);
    });
  }

  /** @param {number} millis */
  #set(millis) {
    setTimeout(() => {
      const left = this.#until - Date.now();
      if (this.#late !== undefined && left > 0) this.#set(left);
      else this.#late?.(new Error("not in time"));
    }, millis);
  }
}
