// What somebody does with JupyterLab, from the login to being signed out elsewhere.

import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { demand, hash, signIn, signInElsewhere, toldAtLogin, until } from "../lib/told.mjs";
import { compare } from "./steps/compare.mjs";

/** A name that every part on the way could get wrong. */
const AWKWARD = "Größe 100% #1; a+b & 'c'.bin";
const LARGE = 24 * 1024 * 1024;

/** Takes all steps. */
export async function use(page, steps, parts) {
  const { site, files } = parts;
  await steps.take("without a session, the login page", async () => {
    await page.goto(`${site}/lab`);
    demand(new URL(page.url()).pathname === "/_auth/login", `it is ${page.url()}`);
  });
  await steps.take("a login leads to JupyterLab, which knows who it is", async () => {
    await signIn(page);
    await page.locator(".jp-Launcher").waitFor();
    const { identity } = await page.evaluate(async () => (await fetch("/api/me")).json());
    demand(identity.username === "m-001" && identity.display_name === "Ada Winter", JSON.stringify(identity));
    return identity.display_name;
  });
  await steps.take("a notebook runs a cell", async () => {
    await page.locator('.jp-LauncherCard[data-category="Notebook"]').first().click();
    await runCell(page, "kept = 6 * 7; print('it is', kept)", "it is 42");
  });
  await steps.take("output comes while the cell still runs", () => watchOutput(page));
  await steps.take("the notebook is saved, under a new name", () => save(page, join(files, "räder 1;2.ipynb")));
  const bytes = randomBytes(LARGE);
  await steps.take(`an upload of 24 MB, named ${AWKWARD}`, () => upload(page, bytes, join(files, AWKWARD)));
  await steps.take("its download", () => download(page, bytes));
  await steps.take("awkward paths are answered as JupyterLab alone answers them", () => compare(page, parts));
  await steps.take("a terminal", () => useTerminal(page, join(files, "terminal.txt")));
  await steps.take("a login elsewhere cuts every WebSocket", () => supersede(page, site));
  await steps.take("the next request leads to the login page, which says why", async () => {
    await page.reload();
    return toldAtLogin(page);
  });
  await steps.take("a new login leads back, and the kernel still knows what it knew", async () => {
    await signIn(page);
    await page.locator(".lm-TabBar-tab", { hasText: ".ipynb" }).first().click();
    await runCell(page, "print('still', kept)", "still 42");
  });
}

const outputs = async (page) => (await page.locator(".jp-Notebook .jp-OutputArea-output").allTextContents()).join("\n");

/** Runs code in the last cell, and waits for this output. */
async function runCell(page, code, expected) {
  // JupyterLab, also without the guard, forgets what is run before its kernel has answered.
  const isReady = ({ hasKernel, closed }) => hasKernel && !closed;
  await until(async () => (await page.evaluate(() => window.sockets)).some(isReady), "no kernel answers");
  await page.locator(".jp-Notebook:visible .jp-CodeCell .cm-content").last().click();
  // As text that is pasted, because the editor indents what is typed.
  await page.keyboard.insertText(code);
  await page.keyboard.press("Shift+Enter");
  await until(async () => (await outputs(page)).includes(expected), `no output ${expected}`, 60);
}

async function watchOutput(page) {
  const code = "import time\nfor n in range(4):\n    print('line', n, flush=True)\n    time.sleep(1)";
  await runCell(page, code, "line 0");
  const began = Date.now();
  demand(!(await outputs(page)).includes("line 3"), "the last line came with the first");
  await until(async () => (await outputs(page)).includes("line 3"), "no last line");
  return `the last of four lines, a second apart, came ${((Date.now() - began) / 1000).toFixed(1)} s after the first`;
}

async function save(page, file) {
  await page.keyboard.press("Control+s");
  const name = page.locator(".jp-Dialog input[type=text], .jp-Dialog input:not([type])").first();
  await name.fill(file.split("/").at(-1));
  await page.locator(".jp-Dialog .jp-mod-accept").click();
  const isSaved = () => existsSync(file) && readFileSync(file, "utf8").includes("it is 42");
  await until(isSaved, "it is not on the disk");
}

async function upload(page, bytes, file) {
  const choosing = page.waitForEvent("filechooser");
  await page.locator('[data-command="filebrowser:upload"], [title="Upload Files"]').first().click();
  const chosen = join(mkdtempSync(join(tmpdir(), "session-guard-upload-")), AWKWARD);
  writeFileSync(chosen, bytes);
  await (await choosing).setFiles(chosen);
  // Jupyter asks first above a size, and uploads in pieces.
  const really = page.locator(".jp-Dialog .jp-mod-accept");
  const isThere = () => existsSync(file) && statSync(file).size === bytes.length;
  await until(async () => {
    if (await really.isVisible()) await really.click();
    return isThere();
  }, "it is not on the disk", 60);
  rmSync(dirname(chosen), { recursive: true });
  demand(hash(readFileSync(file)) === hash(bytes), "it is not what was sent");
}

async function download(page, bytes) {
  await page.locator(".jp-DirListing-item", { hasText: AWKWARD }).click({ button: "right" });
  const downloading = page.waitForEvent("download");
  await page.locator('.lm-Menu-item[data-command="filebrowser:download"]').click();
  const got = await downloading;
  if ((await got.failure()) !== null) throw new Error(await whyFailed(page, got.url()));
  demand(hash(readFileSync(await got.path())) === hash(bytes), "it is not what was uploaded");
  demand(got.suggestedFilename() === AWKWARD, `it is named ${got.suggestedFilename()}`);
}

/** Chromium calls a download canceled whatever the reason is, so the status says more. */
async function whyFailed(page, url) {
  const status = await page.evaluate(async (url) => (await fetch(url)).status, url);
  return `the browser canceled it; a fetch of its URL is answered ${status}`;
}

async function useTerminal(page, file) {
  await page.keyboard.press("Control+Shift+L");
  await page.locator('.jp-LauncherCard[data-category="Other"]', { hasText: "Terminal" }).last().click();
  await page.locator(".jp-Terminal .xterm-screen").waitFor();
  const isTerminal = ({ path, opened }) => path.includes("/terminals/websocket/") && opened;
  await until(async () => (await page.evaluate(() => window.sockets)).some(isTerminal), "no WebSocket of a terminal");
  await page.locator(".jp-Terminal .xterm-helper-textarea").focus();
  await page.keyboard.type("echo $((6*7)) | tee terminal.txt\n");
  await until(() => existsSync(file) && readFileSync(file, "utf8") === "42\n", "the terminal wrote nothing");
}

/** Ends the page's session by a login from elsewhere, and watches its WebSockets. */
async function supersede(page, site) {
  const open = async () => (await page.evaluate(() => window.sockets)).filter(({ opened, closed }) => opened && !closed);
  const before = await open();
  demand(before.length >= 3, `only ${before.map(({ path }) => path)} are open`);
  const began = await signInElsewhere(site);
  await until(async () => (await open()).length === 0, "some stay open", 10);
  const cut = (await page.evaluate(() => window.sockets)).filter(({ opened, closed }) => opened && closed >= began);
  const otherwise = cut.filter(({ code, reason }) => code !== 4001 || reason !== "session_superseded");
  demand(otherwise.length === 0, JSON.stringify(otherwise));
  const last = Math.max(...cut.map(({ closed }) => closed - began));
  return `${cut.length} of them, the last ${last} ms after the login was sent, with 4001 session_superseded`;
}
