// Replaces the wasm instance after a panic. JavaScript, because Rust's memory cannot be trusted then.

import { __wbg_reset_state, replaceOnPanic } from "../build/bindings/guard.js";
import { clearDecisionCache } from "./proxy/decision_cache.js";

let isScheduled = false;

/**
 * Rejects the promises of the old instance.
 * @type {Set<(error: Error) => void>}
 */
const pending = new Set();

/**
 * Makes a fresh instance of the Rust code. Until then its exports throw; objects of the old instance always will.
 * wasm-bindgen would make it at the next call of an export, when the call's arguments are in the old memory already.
 * A panic calls this once for each call of an export that it unwinds.
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
 * A promise of the Rust code's, rejected if the instance is replaced: it would never be settled then.
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
