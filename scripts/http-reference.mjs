// `npm run http-reference`: writes docs/http-reference.md from docs/openapi.yaml.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Who may call, by the name of the security scheme. Two ways to send one key are told once. */
const CALLERS = {
  bearer: "a token",
  cookie: "the session cookie",
  adminKey: "`ADMIN_API_KEY`",
  adminKeyAsPassword: "`ADMIN_API_KEY`",
  introspectionKey: "`INTROSPECTION_KEY`",
  introspectionKeyAsPassword: "`INTROSPECTION_KEY`",
  proxyKey: "`FORWARD_AUTH_KEY`",
};
/** Objects that several calls have in common are told once, below. Refusals are in refusals.md. */
const isRefusal = (name) => name.endsWith("Problem") || name === "ProblemCode";

/** The page, as text. */
export function httpReference() {
  const api = parse(readFileSync(`${root}docs/openapi.yaml`, "utf8"));
  const used = new Set();
  const page = { api, used };
  const calls = api.tags.map((tag) => group(page, tag)).join("\n");
  return `# HTTP reference

<!-- Written by \`npm run http-reference\` from openapi.yaml. -->

Every call with its parameters, bodies and answers. [http.md](http.md) has them on one page, [openapi.yaml](openapi.yaml) for
programs, and [refusals.md](refusals.md) every \`code\`.

\`/_auth\` is the setting \`AUTH_PATH\`. Where there is a GET, there is a HEAD, except for \`events\` and the GETs that do
something. With a method that it does not know, an endpoint answers 405; at a path that it does not know, the guard answers 404.
Any call may be answered with 500 \`misconfigured\` or \`internal_error\`. The tables below leave 405 and 500 out.

${calls}
${objects(page)}`;
}

function group(page, { name, description }) {
  const all = Object.entries(page.api.paths).flatMap(([path, methods]) => Object.entries(methods).filter(([, it]) => it.tags?.[0] === name).map(([method, it]) => operation(page, path, method, it)));
  return `## ${name}\n\n${description}\n\n${all.join("\n")}`;
}

function operation(page, path, method, it) {
  const parts = [
    `### ${method.toUpperCase()} ${path}`,
    `**${it.summary}${/[.?]$/.test(it.summary) ? "" : "."}** ${prose(it.description)}`.trim(),
    `For: ${callers(it.security ?? page.api.security ?? [])}.`,
    parameters(page, it.parameters ?? []),
    ...bodies(page, it.requestBody),
    answers(page, it.responses),
    ...shown(page, it.responses),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function callers(security) {
  if (security.length === 0 || security.some((way) => Object.keys(way).length === 0)) return "anybody";
  return [...new Set(security.flatMap((way) => Object.keys(way)).map((name) => CALLERS[name] ?? name))].join(", or ");
}

function parameters(page, list) {
  if (list.length === 0) return "";
  const rows = list.map((it) => resolved(page, it)).map((it) => `| \`${it.name}\` | ${it.in}${it.required ? ", required" : ""} | ${type(page, it.schema)} | ${cell(it.description)} |`);
  return ["| parameter | in | type | meaning |", "|---|---|---|---|", ...rows].join("\n");
}

function bodies(page, body) {
  return Object.entries(resolved(page, body)?.content ?? {}).flatMap(([media, { schema, example, examples }]) => {
    const [first] = Object.values(examples ?? {});
    return [`Body, as \`${media}\`: ${type(page, schema)}.`, media.includes("json") ? json(example ?? first?.value) : ""];
  });
}

/** What the call answers, but for what any call may. */
function answers(page, responses) {
  const own = Object.entries(responses).filter(([status]) => status !== "405" && status !== "500");
  const rows = own.map(([status, it]) => [status, resolved(page, it)]).map(([status, it]) => {
    const medias = Object.entries(it.content ?? {});
    const problem = medias.find(([media]) => media === "application/problem+json")?.[1];
    const codes = problem ? codesOf(page, problem.schema).map((code) => `\`${code}\``).join(", ") : "";
    const bodies = medias.filter(([media]) => media !== "application/problem+json").map(([media, { schema }]) => (media.includes("json") ? type(page, schema) : `\`${media}\``));
    return `| ${status} | ${cell(it.description)} | ${[codes, ...bodies].filter((part) => part !== "").join(", or ")} |`;
  });
  return ["| status | when | code or body |", "|---|---|---|", ...rows].join("\n");
}

/** The example of the answer that a caller hopes for. */
function shown(page, responses) {
  const [status, answer] = Object.entries(responses).find(([status]) => status.startsWith("2")) ?? [];
  const { example, examples } = resolved(page, answer)?.content?.["application/json"] ?? {};
  const [first] = Object.values(examples ?? {});
  const text = json(example ?? first?.value);
  return text === "" ? [] : [`${status} is, for example:`, text];
}

/** The codes that a problem may have. */
function codesOf(page, schema) {
  const it = resolved(page, schema);
  const code = resolved(page, it?.properties?.code);
  const own = code?.const === undefined ? code?.enum : [code.const];
  const all = [own, ...(it?.allOf ?? []).map((part) => codesOf(page, part))].filter((list) => list !== undefined);
  return all.reduce((left, right) => left.filter((name) => right.includes(name)), all[0] ?? []);
}

/** The objects that calls name, and those that these name. */
function objects(page) {
  const told = new Map();
  for (let open = [...page.used]; open.length > 0; open = [...page.used].filter((name) => !told.has(name))) {
    for (const name of open) told.set(name, object(page, name, page.api.components.schemas[name]));
  }
  const all = [...told].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, text]) => text);
  return `## Objects\n\nWhat calls take and answer. Members without "required" may be left out. Later versions may add members to answers.\n\n${all.join("\n")}`;
}

function object(page, name, schema) {
  const all = members(page, schema);
  const rows = Object.entries(all.properties).map(([member, it]) => `| \`${member}\` | ${type(page, it)}${all.required.includes(member) ? ", required" : ""} | ${cell(resolved(page, it).description)} |`);
  const table = rows.length === 0 ? "" : ["| member | type | meaning |", "|---|---|---|", ...rows].join("\n");
  const isOne = rows.length === 0 ? `It is ${typeOf(page, schema)}.` : "";
  return `${[`### ${name}`, prose(schema.description), isOne, table].filter((part) => part !== "").join("\n\n")}\n`;
}

/** The members of an object, and of all its parts. */
function members(page, schema) {
  const parts = (schema.allOf ?? []).map((part) => members(page, resolved(page, part)));
  const properties = Object.assign({}, ...parts.map((part) => part.properties), schema.properties);
  return { properties, required: [...parts.flatMap((part) => part.required), ...(schema.required ?? [])] };
}

/** A type in words; an object by its name, with a link. */
function type(page, schema = {}) {
  const name = schema.$ref?.split("/").at(-1);
  if (name === undefined) return typeOf(page, schema);
  const { type: kind, properties, anyOf, allOf, additionalProperties } = page.api.components.schemas[name];
  if (isRefusal(name) || (kind !== "object" && properties === undefined && anyOf === undefined && allOf === undefined && typeof additionalProperties !== "object")) return typeOf(page, page.api.components.schemas[name]);
  page.used.add(name);
  return `[${name}](#${name.toLowerCase()})`;
}

function typeOf(page, schema) {
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return [...new Set(choices.map((it) => type(page, it)))].join(" or ");
  if (schema.allOf) return [...new Set(schema.allOf.map((it) => type(page, it)))].join(" with ");
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum) return schema.enum.map((it) => `\`${it}\``).join(", ");
  if (schema.properties) return `an object with ${Object.keys(schema.properties).map((member) => `\`${member}\``).join(", ")}`;
  const kinds = [schema.type ?? "anything"].flat();
  return kinds.map((kind) => (kind === "array" ? `a list of ${type(page, schema.items)}` : KINDS[`${kind} ${schema.format ?? ""}`.trim()] ?? KINDS[kind] ?? kind)).join(" or ");
}

const KINDS = { string: "text", "string date-time": "a moment", "string uri": "a URL", integer: "a number", number: "a number", boolean: "`true` or `false`", object: "an object", null: "`null`" };

const resolved = (page, it) => (it?.$ref === undefined ? it : it.$ref.slice(2).split("/").reduce((part, name) => part[name], page.api));
const prose = (text = "") => text.trim();
const cell = (text = "") => text.trim().replaceAll(/\s+/g, " ").replaceAll("|", "\\|");
const json = (value) => (value === undefined ? "" : `\`\`\`json\n${JSON.stringify(value, undefined, 2)}\n\`\`\``);

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(`${root}docs/http-reference.md`, httpReference());
