// Replaces the wasm instance after a panic. JavaScript, because Rust's memory cannot be trusted then.

import { __wbg_reset_state, replaceOnPanic } from "../build/bindings/guard.js";
import { clearDecisionCache } from "./proxy/decision_cache.js";

let isScheduled = false;

/**
 * Makes a fresh instance of the Rust code. Until then its exports throw, and objects of the old one do
 * ever after. wasm-bindgen's own way is to do so at the next call of an export, but that is after the
 * call's arguments were put into the old one's memory. Called once for each call of an export that the panic
 * went through.
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
