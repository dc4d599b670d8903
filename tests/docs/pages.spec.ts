// The pages of the documentation agree with each other and with the code: links, names and tables.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { blocks, PAGES, page, root, rows, scenes } from "../harness/docs.ts";

const unique = (texts: string[]) => [...new Set(texts)].sort();
const read = (path: string) => readFileSync(join(root, path), "utf8");
/** A page without its fenced blocks, and then without the code in its lines. */
const prose = (path: string) => page(path).replaceAll(/^```.*?^```/gms, "");
const words = (path: string) => prose(path).replaceAll(/`[^`\n]*`/g, "");

/** The anchors that GitHub gives the headings of a page. */
function anchors(path: string): string[] {
  const slug = (heading: string) => heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
  const all = [...prose(path).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => slug(heading));
  return all.map((anchor, i) => (all.indexOf(anchor) === i ? anchor : `${anchor}-${all.slice(0, i).filter((it) => it === anchor).length}`));
}

/** Where the links and pictures of a page lead. */
const links = (path: string) => [...prose(path).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);

/** What is wrong with a link of a page to another file or heading. */
function fault(from: string, target: string): string | undefined {
  const [file = "", anchor] = target.split("#");
  const path = file === "" ? from : relative(root, join(root, dirname(from), file));
  if (!existsSync(join(root, path))) return `${from}: ${target} is not there`;
  if (anchor !== undefined && !(path.endsWith(".md") && anchors(path).includes(anchor))) return `${from}: ${target} is no heading`;
  return undefined;
}

test.each(PAGES)("every link of %s leads somewhere, anchors included", (path) => {
  const own = links(path).filter((target) => !/^[a-z]+:/.test(target));
  expect(own.map((target) => fault(path, target)).filter((it) => it !== undefined)).toEqual([]);
});

test("a link that leads nowhere is found", () => {
  expect(fault("README.md", "docs/nowhere.md")).toContain("is not there");
  expect(fault("README.md", "docs/deploy.md#nowhere")).toContain("is no heading");
  expect(fault("docs/deploy.md", "#change-the-key")).toBeUndefined();
});

test.each(PAGES)("every link of %s to elsewhere is by https", (path) => {
  expect(links(path).filter((target) => /^[a-z]+:/.test(target) && !target.startsWith("https://"))).toEqual([]);
});

test.each([["README.md", 200], ["ARCHITECTURE.md", 200]])("%s has at most %i lines", (path, most) => {
  expect(page(path).split("\n").length - 1).toBeLessThanOrEqual(most);
});

test("the README names the two commands first", () => {
  const [start, test] = [...page("README.md").matchAll(/```sh\n(.*?)```/gs)].map(([, block = ""]) => block.trim());
  expect([start, test]).toEqual(["npm start", "npm test"]);
});

test("CONTRIBUTING names every folder of tests, and what runs it", () => {
  const folders = readdirSync(join(root, "tests"), { withFileTypes: true }).filter((it) => it.isDirectory() && readdirSync(join(root, "tests", it.name)).some((name) => name.endsWith(".spec.ts")));
  const projects = [...read("vitest.config.ts").matchAll(/project\("([\w-]+)", "(\w+)"/g)].map(([, name = "", folder = ""]) => ({ name, folder }));
  expect(projects.length).toBeGreaterThan(5);
  const [, table = ""] = /Where a test belongs:\n\n(.*?)\n\n/s.exec(page("CONTRIBUTING.md")) ?? [];
  const told = (folder: string) => table.split("\n").find((row) => row.startsWith(`| \`tests/${folder}\` |`)) ?? "";
  expect(folders.map(({ name }) => name).filter((name) => told(name) === "")).toEqual([]);
  expect(projects.filter(({ name, folder }) => !told(folder).includes(`\`${name}\``))).toEqual([]);
});

test("the index names every page of docs", () => {
  const pages = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" }).filter((name) => /\.(md|yaml)$/.test(name) && name !== "README.md");
  const named = links("docs/README.md").map((target) => target.split("#")[0] ?? "");
  expect(pages.filter((name) => !named.includes(name))).toEqual([]);
});

describe("what pages name is there", () => {
  test.each(PAGES)("%s: commands of npm and cargo", (path) => {
    const project = path.startsWith("template/") ? "template/package.json" : "package.json";
    const { scripts } = JSON.parse(read(project)) as { scripts: Record<string, string> };
    const runs = [...page(path).matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, name = ""]) => name);
    expect(unique(runs).filter((name) => scripts[name] === undefined)).toEqual([]);
    const tools = [...page(path).matchAll(/cargo xtask ([\w-]+)/g)].map(([, name = ""]) => name);
    expect(unique(tools).filter((name) => !read("xtask/src/main.rs").includes(`["${name}"`))).toEqual([]);
    const projects = [...page(path).matchAll(/tsc --project ([\w./]+)/g)].map(([, name = ""]) => name);
    expect(unique(projects).filter((name) => !existsSync(join(root, name, "tsconfig.json")))).toEqual([]);
    const files = [...page(path).matchAll(/ (tests\/[\w/]+\.spec\.ts)/g)].map(([, name = ""]) => name);
    expect(unique(files).filter((name) => !existsSync(join(root, name)))).toEqual([]);
  });

  test.each(PAGES)("%s: secrets", (path) => {
    // A provider's secret has the name that its entry says.
    const secrets = [...page("docs/settings.md").matchAll(/^\| `([A-Z_]+)` \(S\)/gm), ...page(path).matchAll(/"client_secret_name": "([A-Z_]+)"/g)].map(([, name = ""]) => name);
    const named = [...page(path).matchAll(/wrangler secret put ([A-Z_]+)/g)].map(([, name = ""]) => name);
    expect(unique(named).filter((name) => name !== "NAME" && !secrets.includes(name))).toEqual([]);
  });

  const settings = unique([...page("docs/settings.md").matchAll(/^\| `([A-Z_]+)`/gm)].map(([, name = ""]) => name));
  /** Bindings and variables, which are no settings of the Worker. */
  const others = ["USER_SESSIONS", "ORIGIN", "ANALYTICS", "LOGIN_RATE_LIMITER", "LOGIN_RATE_PER_ADDRESS_LIMITER", "REDIS_URL", "BRIDGE_HOST", "BRIDGE_PORT", "SUPABASE_JWT_SECRET", "SESSION_GUARD_URL", "NO_COLOR"];
  const own = ["README.md", "SECURITY.md", ...PAGES.filter((path) => path.startsWith("docs/"))];

  test.each(own.filter((path) => !/benchmarks|verification-costs/.test(path)))("%s: settings", (path) => {
    const named = [...prose(path).matchAll(/`([A-Z][A-Z]+(?:_[A-Z]+)+|MODE|ROUTES|ISSUER|AUDIENCE)(?: = [^`]*)?`/g)].map(([, name = ""]) => name);
    const frameworks = /^(GUARD_|USE_X|SECURE_PROXY|ALLOWED_HOSTS)/;
    expect(unique(named).filter((name) => !settings.includes(name) && !others.includes(name) && !frameworks.test(name))).toEqual([]);
  });

  test("the words of the log that failures.md names", () => {
    const sources = ["auth/src", "src"].flatMap((folder) => readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)));
    const code = sources.filter((path) => /\.(rs|js)$/.test(path)).map(read).join("\n");
    const tables = page("docs/failures.md").split("\n\n").filter((part) => part.includes("| what the log says |"));
    const cells = tables.flatMap((table) => table.trim().split("\n").slice(2)).flatMap((row) => row.split(" | ").slice(1, 4));
    const codes = unique(cells.flatMap((cell) => [...cell.matchAll(/`([a-z]+_[a-z_]+|misconfigured)`/g)].map(([, name = ""]) => name)));
    expect(codes.length).toBeGreaterThan(8);
    expect(codes.filter((name) => !code.includes(`"${name}"`))).toEqual([]);
  });
});

test("operate.md says of every refusal what many of them mean", () => {
  const codes = (path: string) => rows(page(path)).map(({ name }) => name).filter((name) => /^[a-z]+(_[a-z]+)*$/.test(name));
  expect(codes("docs/refusals.md").length).toBeGreaterThan(30);
  expect(unique(codes("docs/operate.md"))).toEqual(unique(codes("docs/refusals.md")));
});

test.each(PAGES)("the questions in SQL of %s name columns that the dataset has", (path) => {
  const columns = rows(page("docs/logs.md")).map(({ name }) => name).filter((name) => /^(blob|double)\d+$/.test(name));
  const named = blocks(path, "sql").flatMap((sql) => sql.match(/\b(blob|double)\d+\b/g) ?? []);
  expect(unique(named).filter((name) => !columns.includes(name))).toEqual([]);
});

test("the table of events has every type that the code knows, and no other", () => {
  const [, names = ""] = /fn name\(self\)(.*?)\n {4}\}/s.exec(read("auth/src/event.rs")) ?? [];
  const inCode = [...names.matchAll(/"([a-z.]+)"/g)].map(([, name = ""]) => name);
  expect(inCode.length).toBeGreaterThan(4);
  const told = rows(page("docs/events.md")).map(({ name }) => name).filter((name) => name.includes("."));
  expect(unique(told)).toEqual(unique(inCode));
});

test("the fields that say who logs in are those that the code knows", () => {
  const [, fields = ""] = /const FIELDS: [^=]*= \[(.*?)\];/s.exec(read("auth/src/rate/identity.rs")) ?? [];
  const inCode = [...fields.matchAll(/"(\w+)"/g)].map(([, name = ""]) => name);
  expect(inCode.length).toBeGreaterThan(9);
  const [told = ""] = blocks("docs/login.md", "text");
  expect(unique(told.split(/[,\s]+/).filter((name) => name !== ""))).toEqual(unique(inCode));
});

test("the table of identity headers has every name that the presets know", () => {
  const inCode = [...read("auth/src/identity/preset.rs").matchAll(/"((?:X-|Remote-)[\w-]+)"/g)].map(([, name = ""]) => name);
  expect(inCode.length).toBeGreaterThan(9);
  expect(unique(inCode).filter((name) => !page("docs/identity-headers.md").includes(`\`${name}\``))).toEqual([]);
});

test.each(PAGES)("the JSON that %s shows can be read", (path) => {
  for (const block of blocks(path, "json")) expect(() => JSON.parse(block) as unknown, block).not.toThrow();
});

/**
 * The languages of fenced blocks that a test runs or reads: here, in shown_commands, admin_api, assertion_snippets,
 * client, guides and forward_auth_proxies, and in auth/tests. The last row is only shown: neither Go nor Traefik is among the
 * tools of the tests.
 */
const LANGUAGES = [
  "console", "shell-session", "toml", "js", "ts", "python", "rust", "json", "sh", "nginx", "caddyfile",
  "go", "html", "http", "sql", "text", "yaml", "",
];

test.each(PAGES)("the blocks of %s are of languages that a test knows", (path) => {
  const languages = [...page(path).matchAll(/^( *)```(\S*)\n.*?^\1```/gms)].map(([, , language = ""]) => language);
  expect(unique(languages).filter((language) => !LANGUAGES.includes(language))).toEqual([]);
});

test("whatever a page shows of a terminal is run", () => {
  const shown = PAGES.flatMap((path) => scenes(blocks(path, "shell-session")).map(([command]) => ({ path, command })));
  const isRun = ({ path, command }: { path: string; command: string }) =>
    (/docs\/(introspection|sessions)\.md/.test(path) && /\$(ADMIN_API|INTROSPECTION)_KEY/.test(command)) || (path === "docs/routes.md" && command.includes("--explain"));
  expect(shown.length).toBeGreaterThan(6);
  expect(shown.filter((it) => !isRun(it))).toEqual([]);
});

test.each(PAGES)("%s sends nobody to the README for what has a page of its own", (path) => {
  expect(words(path)).not.toMatch(/[Tt]he README (has|says|shows)|see the README/);
});

test("tests/README.md names every spec", () => {
  const folders = readdirSync(join(root, "tests"), { withFileTypes: true }).filter((it) => it.isDirectory() && it.name !== "docs" && it.name !== "commands");
  const specs = folders.flatMap(({ name }) => readdirSync(join(root, "tests", name)).filter((file) => file.endsWith(".spec.ts")).map((file) => `${name}/${file.replace(".spec.ts", "")}`));
  const text = page("tests/README.md");
  expect(specs.filter((spec) => !text.includes(`\`${spec.replace("contract/", "")}\``))).toEqual([]);
});
