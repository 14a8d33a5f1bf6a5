// For client programs in JavaScript, what cells.py is for those in Python: run the cells that the
// matrix asks for, and print the results.
import { CELLS, print, URL_BASE, versionOf } from "./host.mjs";

export { URL_BASE };
export const HELLO = "Hello there";
export const SUNNY = "It is sunny in Bonn.";
export const SUNNY_TWICE = "It is sunny in Bonn and Rome.";
export const REASONING = "Let me";
export const PLACE = { city: "Bonn", degrees: 21 };
export const QUESTION = "What is the weather in Bonn?";
export const QUESTIONS = "What is the weather in Bonn and Rome?";

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

// cases: name -> [async function of the model's name, what it is to return]
export async function runCells(cases, ...packages) {
  await print({ versions: packages.map(versionOf) });
  for (const { case: name, wire, model } of CELLS) {
    const [run, expected] = cases[name];
    try {
      await print({ case: name, wire, expected, got: await run(model) });
    } catch (error) {
      await print({ case: name, wire, error: String(error?.stack ?? error).slice(0, 1500) });
    }
  }
}
