// docs/http-reference.md says what docs/openapi.yaml says.

import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { page, root } from "../harness/docs.ts";

const { httpReference } = (await import(join(root, "scripts/http-reference.mjs"))) as { httpReference(): string };

test("docs/http-reference.md is up to date; if not, run `npm run http-reference`", () => {
  expect(page("docs/http-reference.md")).toBe(httpReference());
});

test("every call has a heading, what it is for, and its answers", () => {
  const calls = httpReference().split(/^### (?=[A-Z]+ \/)/m).slice(1);
  const { paths } = parse(page("docs/openapi.yaml")) as { paths: Record<string, object> };
  expect(calls.length).toBe(Object.values(paths).flatMap(Object.keys).length);
  expect(calls.filter((call) => !/^For: /m.test(call) || !call.includes("| status | when |"))).toEqual([]);
});
