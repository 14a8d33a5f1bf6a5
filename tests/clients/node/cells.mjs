// For client programs in JavaScript, what cells.py is for those in Python: run the cells that the
// matrix asks for, and print the results.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

export const HELLO = "Hello there";
export const SUNNY = "It is sunny in Bonn.";
export const SUNNY_TWICE = "It is sunny in Bonn and Rome.";
export const REASONING = "Let me";
export const PLACE = { city: "Bonn", degrees: 21 };
export const QUESTION = "What is the weather in Bonn?";
export const QUESTIONS = "What is the weather in Bonn and Rome?";
export const URL_BASE = process.env.CLIENT_URL;

export const CITY_SCHEMA = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
export const PLACE_SCHEMA = {
  type: "object",
  properties: { city: { type: "string" }, degrees: { type: "integer" } },
  required: ["city", "degrees"],
  additionalProperties: false,
};

export const weather = ({ city }) => `Sunny in ${city}`;

export function assert(condition, ...details) {
  if (!condition) throw new Error(`not as expected: ${JSON.stringify(details)}`);
}

export async function textOf(chunks, read) {
  let text = "";
  for await (const chunk of chunks) text += read(chunk) ?? "";
  return text;
}

// The package.json of a package, also where its exports hide it.
function versionOf(name) {
  let directory = dirname(createRequire(import.meta.url).resolve(name));
  for (; directory !== dirname(directory); directory = dirname(directory)) {
    try {
      const found = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
      if (found.name === name) return `${name} ${found.version}`;
    } catch {}
  }
  return name;
}

const print = (value) => console.log(JSON.stringify(value));

// cases: name -> [async function of the model's name, what it is to return]
export async function runCells(cases, ...packages) {
  print({ versions: packages.map(versionOf) });
  for (const { case: name, wire, model } of JSON.parse(process.env.CLIENT_CELLS)) {
    const [run, expected] = cases[name];
    try {
      print({ case: name, wire, expected, got: await run(model) });
    } catch (error) {
      print({ case: name, wire, error: String(error?.stack ?? error).slice(0, 1500) });
    }
  }
}
