// What a command asks a person.

import { Writable } from "node:stream";
import { usageError } from "./errors.js";

/** @typedef {import("./terminal.js").Terminal} Terminal */

/** Where questions are asked. The library ends the stream that it gets, so it gets one of its own. @param {Terminal} terminal */
const context = ({ streams }) => ({
  input: streams.stdin,
  output: new Writable({ write: (chunk, _, done) => void streams.stderr.write(chunk, () => done()) }),
});

/** Does the person say yes? @param {string} question @param {Terminal} terminal */
export async function confirmed(question, terminal) {
  const { confirm } = await import("@inquirer/prompts");
  return answer(confirm({ message: question, default: false }, context(terminal)));
}

/** @param {string} message @param {{ default?: string, validate?: (text: string) => true | string }} config @param {Terminal} terminal */
export async function asked(message, config, terminal) {
  const { input } = await import("@inquirer/prompts");
  return answer(input({ message, ...config }, context(terminal)));
}

/** @template T @param {string} message @param {{ name: string, value: T }[]} choices @param {Terminal} terminal @returns {Promise<T>} */
export async function chosen(message, choices, terminal) {
  const { select } = await import("@inquirer/prompts");
  return answer(select({ message, choices }, context(terminal)));
}

/** Ctrl-C ends the command without an account of where it happened. @template T @param {Promise<T>} asking */
const answer = (asking) =>
  asking.catch((error) => {
    throw error instanceof Error && error.name === "ExitPromptError" ? usageError("Nothing was done.") : error;
  });
