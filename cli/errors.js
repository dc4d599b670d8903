// How a command ends if it does not end well.

/** What the exit status means. */
export const EXIT = { ok: 0, found: 1, usage: 2, unknown: 3 };

/** A command that cannot go on, in words for whoever has called it. */
export class CommandError extends Error {
  /** @param {string} message @param {number} status */
  constructor(message, status) {
    super(message);
    this.status = status;
    /** May the same be done a moment later? */
    this.mayPass = false;
  }
}

/** The command was called in a way that it cannot do. @param {string} message */
export const usageError = (message) => new CommandError(message, EXIT.usage);

/** The command could not find out what it was asked, or not do it. @param {string} message */
export const unknownError = (message) => new CommandError(message, EXIT.unknown);

/** The same for what may be otherwise in a moment. @param {string} message */
export const passingError = (message) => Object.assign(unknownError(message), { mayPass: true });
