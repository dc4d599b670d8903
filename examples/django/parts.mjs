// Django, as it is started.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { root, run } from "../../scripts/setup.mjs";
import { startParts } from "../lib/parts.mjs";

/** Where all of this lives. */
export const folder = join(root, ".cache/django");

/** Django's own log-out ends the guard's session, too: see `members.py`. */
const ROUTES = JSON.stringify([{ path: "/admin/logout/", access: "session", methods: ["POST"], login: true }]);

/** Starts all parts. */
export const start = () => startParts(folder, startDjango, { vars: { ROUTES }, path: "/admin/" });

/** The site with an empty database. */
function startDjango(port, site, log) {
  const database = join(folder, "db.sqlite3");
  rmSync(database, { force: true });
  const env = { ...process.env, SITE_HOST: new URL(site).hostname, DATABASE: database, DJANGO_SECRET_KEY: randomBytes(32).toString("hex"), PYTHONDONTWRITEBYTECODE: "1" };
  const python = join(folder, "venv/bin/python");
  const options = { cwd: join(root, "examples/django"), env, stdio: ["ignore", log, log] };
  run(python, ["manage.py", "migrate"], options);
  return spawn(python, ["manage.py", "runserver", "--noreload", `127.0.0.1:${port}`], options);
}
