// The commands that people run, as they run them.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { root } from "./docs.ts";

/** A folder for the tests of a file. */
export function useFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "session-guard-commands-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Starts a command and collects what it prints. */
export function startCommand(command: string, args: string[], env: Record<string, string> = {}, cwd = root) {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env } });
  const printed = { text: "" };
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (printed.text += chunk.toString()));
  return { child, printed };
}

/** Runs a command to its end. */
export async function runCommand(command: string, args: string[], env: Record<string, string> = {}) {
  const { child, printed } = startCommand(command, args, env);
  const [status] = (await once(child, "close")) as [number | null];
  return { status, printed: printed.text };
}

/** Ends a command that was started, and waits until it has. */
export async function stopCommand(child: ChildProcess) {
  if (child.exitCode !== null) return;
  child.kill();
  await once(child, "exit");
}
