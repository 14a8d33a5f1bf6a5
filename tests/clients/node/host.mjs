// Where the programs run: Node.js. In a browser host_browser.mjs takes its place.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

export const URL_BASE = process.env.CLIENT_URL;
export const CELLS = JSON.parse(process.env.CLIENT_CELLS);
export const print = async (value) => console.log(JSON.stringify(value));

// From the package.json of the package, also where its exports hide it.
export function versionOf(name) {
  let directory = dirname(createRequire(import.meta.url).resolve(name));
  for (; directory !== dirname(directory); directory = dirname(directory)) {
    try {
      const found = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
      if (found.name === name) return `${name} ${found.version}`;
    } catch {}
  }
  return name;
}
