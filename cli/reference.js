// The help of every command, as docs/command-line.md has it.

import { Writable } from "node:stream";
import { program } from "./program.js";
import { Terminal } from "./terminal.js";

/** @typedef {import("commander").Command} Command */

/** A chapter for each command, in Markdown. */
export function commandReference() {
  const nowhere = () => Object.assign(new Writable(), { columns: 100 });
  const all = program(new Terminal({ stdin: process.stdin, stdout: nowhere(), stderr: nowhere(), env: {} }));
  return all.commands.map((command) => chapter(command)).join("\n");
}

/** @param {Command} command */
function chapter(command) {
  const parts = [command, ...command.commands].map((it) => `\`\`\`text\n${helpOf(it)}\n\`\`\`\n`);
  return `### ${command.name()}\n\n${parts.join("\n")}`;
}

/** @param {Command} command */
function helpOf(command) {
  let text = "";
  command.configureOutput({ ...command.configureOutput(), writeOut: (more) => void (text += more) });
  command.outputHelp();
  return text.trim();
}
