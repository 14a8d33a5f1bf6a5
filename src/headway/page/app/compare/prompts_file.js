/** Many prompts from a file: text, JSON lines or CSV. Values without DOM. */

/** @typedef {import("./experiment.js").Message} Message */
/** @typedef {{title: string, prompt: string | Message[]}} Prompt */

export const MAX_PROMPTS = 2000;
const TITLE = 120;

/**
 * @param {string} text
 * @param {string} [name] of the file; without one, or with another ending, the text says what it is
 * @returns {{prompts: Prompt[], format: string, problem: string | null}}
 */
export function readPrompts(text, name = "") {
  const plain = text.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
  const format = guessFormat(plain, name.toLowerCase());
  try {
    const prompts = READERS[format](plain).filter((prompt) => prompt.length > 0);
    if (!prompts.length) return { prompts: [], format, problem: "No prompt was found." };
    if (prompts.length > MAX_PROMPTS) throw new Error(`More than ${MAX_PROMPTS} prompts.`);
    return {
      prompts: prompts.map((prompt) => ({ title: titleOf(prompt), prompt })),
      format,
      problem: null,
    };
  } catch (error) {
    return { prompts: [], format, problem: /** @type {Error} */ (error).message };
  }
}

/** @param {string} text @param {string} name */
function guessFormat(text, name) {
  if (/\.(?:jsonl|ndjson|json)$/.test(name)) return "JSON lines";
  if (/\.(?:csv|tsv)$/.test(name)) return "CSV";
  const [first] = text.trimStart().split("\n", 1);
  if (/^[{[]/.test(first) && isJson(first)) return "JSON lines";
  if (/^"?prompt"?\s*(?:[,;\t]|$)|[,;\t]\s*"?prompt"?\s*(?:[,;\t]|$)/i.test(first)) return "CSV";
  return /\n[ \t]*\n/.test(text.trim()) ? "text, separated by blank lines" : "text, one a line";
}

/** @param {string} text */
function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** @type {Record<string, (text: string) => (string | Message[])[]>} */
const READERS = {
  "JSON lines": readJsonLines,
  CSV: readCsvPrompts,
  "text, one a line": (text) => text.split("\n").map((line) => line.trim()),
  "text, separated by blank lines": (text) => text.split(/\n[ \t]*\n+/).map((part) => part.trim()),
};

/** @param {string} text */
function readJsonLines(text) {
  const whole = text.trimStart().startsWith("[") && isJson(text) ? JSON.parse(text) : null;
  if (Array.isArray(whole)) return whole.map((value, at) => readObject(value, at + 1));
  return text
    .split("\n")
    .map((line, at) => ({ line, number: at + 1 }))
    .filter(({ line }) => line.trim())
    .map(({ line, number }) => {
      if (!isJson(line)) throw new Error(`Line ${number} is not JSON.`);
      return readObject(JSON.parse(line), number);
    });
}

/** @param {any} value @param {number} number @returns {string | Message[]} */
function readObject(value, number) {
  if (typeof value === "string") return value;
  const messages = value?.messages;
  if (Array.isArray(messages) && messages.every((message) => typeof message?.role === "string"))
    return messages;
  if (typeof value?.prompt === "string") return value.prompt;
  throw new Error(`Line ${number} has neither "prompt" nor "messages".`);
}

/** @param {string} text */
function readCsvPrompts(text) {
  const [first] = text.split("\n", 1);
  const separator = [",", ";", "\t"].reduce((best, one) =>
    first.split(one).length > first.split(best).length ? one : best,
  );
  const [head = [], ...rows] = readCsv(text, separator);
  const at = head.findIndex((name) => name.trim().toLowerCase() === "prompt");
  if (at < 0) throw new Error('The first line has no column "prompt".');
  return rows.map((row) => (row[at] ?? "").trim());
}

/** RFC 4180. @param {string} text @param {string} [separator] @returns {string[][]} */
export function readCsv(text, separator = ",") {
  /** @type {string[][]} */
  const rows = [];
  let row = /** @type {string[]} */ ([]);
  let cell = "";
  let isQuoted = false;
  const endRow = () => {
    row.push(cell);
    if (row.length > 1 || row[0] !== "") rows.push(row);
    [row, cell] = [[], ""];
  };
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (isQuoted && char === '"' && text[at + 1] === '"') {
      cell += '"';
      at += 1;
    } else if (char === '"' && (isQuoted || cell === "")) isQuoted = !isQuoted;
    else if (isQuoted) cell += char;
    else if (char === separator) {
      row.push(cell);
      cell = "";
    } else if (char === "\n") endRow();
    else cell += char;
  }
  if (isQuoted) throw new Error("A quotation mark is not closed.");
  endRow();
  return rows;
}

/** @param {string | Message[]} prompt */
function titleOf(prompt) {
  const last = typeof prompt === "string" ? prompt : prompt.at(-1)?.content;
  const text = typeof last === "string" ? last : JSON.stringify(last ?? "");
  const [line] = text.trim().split("\n", 1);
  return line.length > TITLE ? `${line.slice(0, TITLE - 1)}…` : line;
}
