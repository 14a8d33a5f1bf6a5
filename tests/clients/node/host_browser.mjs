// What host.mjs is in Node.js: the server of the page has the cells, and prints what it is sent.
const { url, cells, versions } = await (await fetch("/cells.json")).json();

export const URL_BASE = url;
export const CELLS = cells;
export const print = (value) => fetch("/print", { method: "POST", body: JSON.stringify(value) });
export const versionOf = (name) => versions[name] ?? name;
