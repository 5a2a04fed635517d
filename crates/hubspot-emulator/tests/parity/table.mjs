// `calls.jsonl` with @hubspot/api-client: a line is a call. README.md describes the table; `table.py` is the same in
// Python: change both. Usage: node table.mjs FOLDER_WITH_NODE_MODULES

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { randomUUID } from "node:crypto";
import { resolve } from "node:path";

const read = (name) => readFileSync(new URL(name, import.meta.url), "utf8");
const require = createRequire(resolve(process.argv[2], "package.json"));
const { Client } = require("@hubspot/api-client");

const SHAPES = JSON.parse(read("shapes.json"));
const show = (value) => JSON.stringify(value);
const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

const KINDS = {
  "@text": (value) => typeof value === "string" && value !== "",
  "@digits": (value) => typeof value === "string" && /^\d+$/.test(value),
  "@number": (value) => typeof value === "number",
  "@number-or-text": (value) => typeof value === "number" || typeof value === "string",
  "@flag": (value) => typeof value === "boolean",
  "@time": (value) => typeof value === "string" && !Number.isNaN(Date.parse(value)),
  "@object": isObject,
  "@list": Array.isArray,
  "@absent": (value) => value === undefined || value === null,
};

const camel = (name) => name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());

function fill(value, variables) {
  if (typeof value === "string") return value.replace(/\{(\w+)\}/g, (_, name) => variables[name]);
  if (Array.isArray(value)) return value.map((item) => fill(item, variables));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [fill(key, variables), fill(item, variables)]));
}

function differences(shape, value, path = "answer") {
  if (typeof shape === "string" && shape.startsWith("@")) return named(shape, value, path);
  if (Array.isArray(shape)) return ofList(shape, value, path);
  if (!isObject(shape)) return shape === value ? [] : [`${path} is ${show(value)}, not ${show(shape)}`];
  if (!isObject(value)) return [`${path} is ${show(value)}, not an object`];
  return Object.entries(shape).flatMap(([key, item]) => differences(item, value[key], `${path}.${key}`));
}

function named(shape, value, path) {
  if (shape in SHAPES) return differences(SHAPES[shape], value, path);
  if (shape.startsWith("@has ")) {
    return show(value ?? null).includes(shape.slice(5)) ? [] : [`${path} is ${show(value)}, without ${shape.slice(5)}`];
  }
  return KINDS[shape](value) ? [] : [`${path} is ${show(value)}, not ${shape}`];
}

function ofList(shape, value, path) {
  if (!Array.isArray(value) || (shape.length && !value.length)) return [`${path} is ${show(value)}, not a list`];
  const shapes = shape.length === 1 ? value.map(() => shape[0]) : shape;
  if (shapes.length !== value.length) return [`${path} has ${value.length} items, not ${shapes.length}`];
  return value.flatMap((item, at) => differences(shapes[at], item, `${path}[${at}]`));
}

function remember(row, answer, variables) {
  for (const [name, path] of Object.entries(row.save ?? {})) {
    variables[name] = path.split(".").reduce((held, part) => held[part], answer);
  }
}

// Words that TypeScript keeps for itself have an underscore in this client's objects.
function renamed(value, rename) {
  if (Array.isArray(value)) return value.map((item) => renamed(item, rename));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [rename(key), renamed(item, rename)]));
}

const toClient = (key) => (key === "from" ? "_from" : key);
const fromClient = (key) => key.replace(/^_(from|new)$/, "$1");

// Optional arguments stand by position in this client: their places are in the method's own text. The instance holds
// a wrapper around the method, the prototype the method itself.
function positional(api, method, row) {
  const text = Object.getPrototypeOf(api)[method].toString();
  const names = /\(([^)]*)\)/.exec(text)[1].split(",").map((name) => name.trim());
  const given = renamed(row.args ?? [], toClient);
  for (const [name, value] of Object.entries(row.options ?? {})) {
    const at = names.indexOf(camel(name));
    if (at < 0) throw new Error(`${row.call} has no argument ${name}: ${names}`);
    given[at] = value;
  }
  return given;
}

async function call(client, row) {
  const path = row.call.split(".").map(camel);
  const method = path.pop();
  const api = path.reduce((owner, part) => owner[part], client);
  try {
    const answer = await api[method](...positional(api, method, row));
    return [undefined, answer === undefined ? null : renamed(JSON.parse(show(answer)), fromClient)];
  } catch (refused) {
    if (refused.code === undefined || refused.body === undefined) throw refused;
    return [refused.code, typeof refused.body === "string" ? JSON.parse(refused.body) : refused.body];
  }
}

async function judge(client, row, variables) {
  const [status, answer] = await call(client, row);
  if (status !== row.fails) return [`status ${status}: ${show(answer)}`];
  const problems = "expect" in row ? differences(row.expect, answer) : [];
  if (problems.length) return [...problems, show(answer).slice(0, 2000)];
  remember(row, answer, variables);
  return [];
}

const basePath = process.env.SPOKE_EMULATOR_URL;
const accessToken = process.env.SPOKE_EMULATOR_TOKEN ?? "pat-na1-00000000-0000-4000-8000-000000000000";
const client = new Client({ accessToken, basePath, limiterOptions: { maxConcurrent: 1, minTime: 0 } });
const unique = randomUUID().replaceAll("-", "").slice(0, 12);
const variables = { unique, n: `parity${unique}` };
const lines = read("calls.jsonl").split("\n").map((line, at) => [at + 1, line]);
let passed = 0;
let failed = 0;
for (const [at, line] of lines.filter(([, line]) => line && !line.startsWith("//"))) {
  const row = JSON.parse(line);
  if ((row.only ?? "node") !== "node") continue;
  const problems = await judge(client, fill(row, variables), variables).catch((error) => [String(error.stack ?? error)]);
  if (problems.length) console.log(`calls.jsonl:${at} ${row.call}\n  ${problems.join("\n  ")}`);
  problems.length ? failed++ : passed++;
}
console.log(`@hubspot/api-client: ${passed} calls as expected, ${failed} not`);
process.exit(failed ? 1 : 0);
