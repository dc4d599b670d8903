// The commands, and how they end.

import { Command, CommanderError } from "commander";
import { backup } from "./commands/backup.js";
import { block, unblock } from "./commands/block.js";
import { doctor } from "./commands/doctor.js";
import { end } from "./commands/end.js";
import { init } from "./commands/init.js";
import { keys } from "./commands/keys.js";
import { move } from "./commands/move.js";
import { restore } from "./commands/restore.js";
import { rights } from "./commands/rights.js";
import { serve } from "./commands/serve.js";
import { sessions } from "./commands/sessions.js";
import { tail } from "./commands/tail.js";
import { token } from "./commands/token.js";
import { users } from "./commands/users.js";
import { CommandError, EXIT } from "./errors.js";
import { Terminal } from "./terminal.js";

/** @typedef {import("./terminal.js").Streams} Streams */

/** Every command: a function that makes it, in the order of the help. */
const COMMANDS = [init, doctor, users, sessions, end, block, unblock, rights, tail, token, keys, backup, restore, move, serve];

const ABOUT = `
In this repository, write \`npm run guard -- COMMAND\` for \`session-guard COMMAND\`.

Commands that ask a guard find it by --url or SESSION_GUARD_URL. They take ADMIN_API_KEY from the environment, from the
file that --key-file names, or, for a guard on this machine, from .dev.vars.

Exit status: 0 done; 1 something was found to be wrong; 2 the command was not understood; 3 it could not be done.
`;

/** The whole command line, for a terminal. @param {Terminal} terminal */
export function program(terminal) {
  const all = new Command("session-guard")
    .description("Runs and looks after a Session Guard.")
    .addHelpText("after", ABOUT)
    .helpCommand("help [command]", "show what a command does");
  for (const make of COMMANDS) all.addCommand(make(terminal));
  for (const command of [all, ...descendants(all)]) {
    command.exitOverride().showHelpAfterError("Add --help to see what it takes.").configureOutput({
      writeOut: (text) => terminal.write(text),
      writeErr: (text) => terminal.writeError(text),
      getOutHelpWidth: () => terminal.width,
      getErrHelpWidth: () => terminal.width,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  }
  return all;
}

/** @param {Command} command @returns {Command[]} */
function descendants(command) {
  return command.commands.flatMap((child) => [child, ...descendants(child)]);
}

/**
 * Runs a command to its end, and returns the exit status.
 * @param {string[]} args
 * @param {Streams} streams
 */
export async function run(args, streams) {
  const terminal = new Terminal(streams);
  const all = program(terminal);
  try {
    if (args.length === 0) all.outputHelp();
    else await all.parseAsync(args, { from: "user" });
    return terminal.status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (error instanceof CommandError) {
      terminal.fail(error.message);
      return error.status;
    }
    terminal.fail(`This is a bug of session-guard. Please report it, with what follows.\n${error instanceof Error ? error.stack : String(error)}`);
    return EXIT.unknown;
  }
}
