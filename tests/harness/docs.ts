// The documentation, as the tests read it.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

const pagesIn = (folder: string) =>
  readdirSync(join(root, folder)).filter((name) => name.endsWith(".md")).map((name) => join(folder, name));

/** Every page that people read, by its path from the root. */
export const PAGES: string[] = [".", "docs", "docs/guides", "fuzz", "release", "template", ...readdirSync(join(root, "examples")).map((name) => `examples/${name}`)].flatMap(pagesIn);

/** The text of a page. */
export function page(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** What a page has below a heading of the second level, up to the next one. */
export function section(path: string, title: string): string {
  const [, text = ""] = new RegExp(`\n## ${title}\n(.*?)(?=\n## |$)`, "s").exec(page(path)) ?? [];
  return text;
}

/** The fenced blocks of a page in a language, also those within a list. */
export function blocks(path: string, language: string): string[] {
  const all = page(path).matchAll(new RegExp(`^( *)\`\`\`${language}\n(.*?)^\\1\`\`\``, "gms"));
  return [...all].map(([, indent = "", block = ""]) => block.replaceAll(new RegExp(`^${indent}`, "gm"), ""));
}

/** A table row's first cells, without their backticks. */
export interface Row {
  name: string;
  cell: string;
}

/** The rows of the tables of a text whose first cell is one code, and what stands in the second. */
export function rows(text: string): Row[] {
  return [...text.matchAll(/^\| `([^`]+)` \|([^|]*)\|/gm)].map(([, name = "", cell = ""]) => ({ name, cell }));
}

/** The commands of blocks that show a terminal, with what they print; `…` stands for anything. */
export function scenes(blocks: string[]): [command: string, expected: string][] {
  return blocks.flatMap((block) => block.split(/^\$ /m).slice(1)).map((scene) => {
    const [command = "", ...expected] = scene.trim().split("\n");
    return [command, expected.join("\n")];
  });
}

/** The pattern of what a command prints, from what a page shows of it. */
export function printed(expected: string): RegExp {
  return new RegExp(`^${expected.split("…").map((text) => text.replace(/[^\w\s]/g, "\\$&")).join(".+?")}$`);
}
