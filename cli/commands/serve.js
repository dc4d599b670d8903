// `session-guard serve`: runs the guard on this machine.

import { Command } from "commander";
import { usageError } from "../errors.js";

/**
 * What is used of `selfhost/serve.mjs`, which is loaded by its URL, because it is not type-checked here.
 * @typedef {{ serve(options: { config?: string, build?: string }): Promise<number> }} SelfHost
 */

/** @param {import("../terminal.js").Terminal} terminal */
export const serve = (terminal) =>
  new Command("serve")
    .description("run the guard on this machine, on the Workers runtime")
    .option("--config <file>", "its settings; without it, ./session-guard.toml if it is there, and the environment")
    .option("--build <folder>", "the built Worker, if it is not in ./build of this project")
    .addHelpText("after", `
Examples:
  session-guard serve --config /etc/session-guard/session-guard.toml
  GUARD_REDIS_URL=redis://127.0.0.1 session-guard serve
`)
    .action(async (options) => {
      const { serve } = /** @type {SelfHost} */ (await import(new URL("../../selfhost/serve.mjs", import.meta.url).href));
      try {
        terminal.status = await serve(options);
      } catch (error) {
        throw error instanceof Error && error.name === "SettingsError" ? usageError(error.message) : error;
      }
    });
