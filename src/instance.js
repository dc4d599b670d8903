// Replaces the wasm instance after a panic. JavaScript, because Rust's memory cannot be trusted then.

import { __wbg_reset_state, replaceOnPanic } from "../build/bindings/guard.js";
import { clearDecisionCache } from "./proxy/decision_cache.js";

let isScheduled = false;

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
  });
}
