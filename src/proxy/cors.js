// Answers of the guard's own, for scripts of other origins: what they may read is decided in Rust.

import { originMayRead } from "../../build/bindings/guard.js";
import { isRefusal } from "./access_log.js";

/** @typedef {import("./request_context.js").RequestContext} RequestContext */

/** Does the operator name any? */
let isOn = false;

/**
 * Says whether the operator names any.
 * @param {boolean} on
 */
export function setUp(on) {
  isOn = on;
}

/**
 * Lets another origin's script read an answer, if it is the guard's own. The origin's says that by itself.
 * @param {RequestContext} passage
 * @param {Response} answer
 */
export function share(passage, answer) {
  if (isOn && answer.status !== 101 && (passage.isOwn || isRefusal(answer))) originMayRead(passage, answer);
}
