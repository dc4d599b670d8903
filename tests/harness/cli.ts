// `session-guard`, in this process, because a command that starts takes half a second.

import { PassThrough, Writable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { run } from "../../cli/program.js";

/** The key of the guards that the commands ask. */
export const ADMIN_API_KEY = "an-admin-key-of-the-tests-0123456789abcdef";

export interface Called {
  /** What standard input has. */
  input?: string;
  /** Variables beside the key's. */
  env?: Record<string, string>;
  /** What a person types, each when its question is asked; there is a terminal then. */
  answers?: [question: string, answer: string][];
}

/** Calls a command, and returns how it ended and what it wrote. */
export async function call(args: string[], { input = "", env = {}, answers }: Called = {}) {
  const wrote = { out: "", err: "" };
  const stdin = Object.assign(new PassThrough(), { isTTY: answers !== undefined });
  if (answers === undefined) stdin.end(input);
  const open = [...(answers ?? [])];
  let seen = 0;
  const sink = (name: "out" | "err") =>
    new Writable({
      write(chunk: Buffer, _, done) {
        wrote[name] += chunk.toString();
        const [question = "", answer = ""] = open[0] ?? [];
        const at = name === "err" && open.length > 0 ? stripVTControlCharacters(wrote.err).indexOf(question, seen) : -1;
        if (at >= 0) {
          seen = at + question.length;
          open.shift();
          setImmediate(() => stdin.write(answer));
        }
        done();
      },
    });
  const stdout = Object.assign(sink("out"), { isTTY: answers !== undefined, columns: 200 });
  const stderr = Object.assign(sink("err"), { isTTY: answers !== undefined });
  const status = await run(args, { stdin, stdout, stderr, env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ADMIN_API_KEY, ...env } });
  return { status, out: wrote.out, err: stripVTControlCharacters(wrote.err), unanswered: open.length };
}
