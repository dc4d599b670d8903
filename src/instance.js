// Replaces the wasm instance after a panic. JavaScript, because the memory of the Rust code cannot be trusted.

import { __wbg_reset_state, replaceOnPanic } from "../build/bindings/guard.js";
import { clearDecisionCache } from "./proxy/decision_cache.js";

let isScheduled = false;

/**
 * The functions that reject the pending promises of this instance.
 * @type {Set<(error: Error) => void>}
 */
const pending = new Set();

/**
 * Creates a new instance of the Rust code. Until then its exports throw; objects of the old instance throw for ever.
 * wasm-bindgen by itself would create it at the next call of an export, with that call's arguments already in the
 * old memory. A panic calls this once for each call of an export that it unwinds.
 */
export function replaceInstance() {
  if (isScheduled) return;
  isScheduled = true;
  clearDecisionCache();
  queueMicrotask(() => {
    isScheduled = false;
    __wbg_reset_state();
    replaceOnPanic();
    for (const reject of pending) reject(new Error("The Rust code has panicked."));
    pending.clear();
  });
}

/**
 * A promise of the Rust code that rejects if the instance is replaced, because it would never settle otherwise.
 * @template T
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
export function unlessReplaced(promise) {
  return new Promise((resolve, reject) => {
    pending.add(reject);
    promise.then(resolve, reject).finally(() => pending.delete(reject));
  });
}
