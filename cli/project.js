// What the commands use of the project's scripts. These are loaded by their URL, because they are not type-checked.

/**
 * @typedef {object} Setup
 * @property {string} root the project's folder
 * @property {(needs: { rust: boolean }) => Promise<void>} ensureTools
 * @property {(command: string, args: string[]) => string | undefined} output
 */

/** @param {string} name @returns {Promise<unknown>} */
const script = (name) => import(new URL(`../scripts/${name}`, import.meta.url).href);

const setup = /** @type {Setup} */ (await script("setup.mjs"));

/** The project's folder. */
export const root = setup.root;

/** Installs the packages; on an old Node, runs the command again on the project's own. */
export const ensurePackages = () => setup.ensureTools({ rust: false });

/** The variables in `.dev.vars`. @param {string} [env] @returns {Promise<Record<string, string>>} */
export async function readDevVars(env) {
  const vars = /** @type {{ readDevVars(env?: string): Promise<Record<string, string>> }} */ (await script("dev-vars.mjs"));
  return vars.readDevVars(env);
}
