// The words of the guard's pages, by which a test knows a page in any language.

import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { PAGES } from "./stage.ts";

/** A text; or those for different numbers, or of a title and what is below, one of which is enough. */
type Text = string | Record<string, string>;
type Words = Record<string, Record<string, Text>>;

const read = (language: string) => JSON.parse(readFileSync(new URL(`../../auth/src/words/${language}.json`, import.meta.url), "utf8")) as Words;

/** The names of a section. */
export const namesIn = (section: string) => Object.keys(read("en")[section] ?? {});

/** A text of this language. A language that the settings add has English where it has none of its own. */
function textOf(language: string, section: string, name: string): Text {
  const added = (PAGES.words as Record<string, Words>)[language];
  const text = added === undefined ? read(language)[section]?.[name] : (added[section]?.[name] ?? read("en")[section]?.[name]);
  if (text === undefined) throw new Error(`${language} has no ${section}.${name}`);
  return text;
}

/** What matches a text, whatever stands in its placeholders. */
function patternOf(text: Text): RegExp {
  const forms = typeof text === "string" ? [text] : Object.values(text);
  const literal = (part: string) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(forms.map((form) => form.split(/\{\w+\}/).map(literal).join(".+?")).join("|"));
}

/** Fails unless the page says this, in its language. */
export async function says(page: Page, section: string, name: string): Promise<void> {
  const language = (await page.evaluate("document.documentElement.lang")) as string;
  const shown = (await page.locator("main").textContent()) ?? "";
  const pattern = patternOf(textOf(language, section, name));
  if (!pattern.test(shown)) throw new Error(`the page at ${page.url()} does not say ${pattern}, but:\n${shown.replaceAll(/\s+/g, " ")}`);
}
