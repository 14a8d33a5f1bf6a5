/** JSON that a user types: read, checked and formatted, with messages that say where it is wrong. */

/**
 * @template T
 * @typedef {{value: T | null, problem: string | null}} Read `value` is null for an empty text
 */

/** @param {string} text @returns {Read<any>} */
export function readJson(text) {
  if (!text.trim()) return { value: null, problem: null };
  try {
    return { value: JSON.parse(text), problem: null };
  } catch (error) {
    return {
      value: null,
      problem: `Not JSON: ${placeOf(text, /** @type {Error} */ (error).message)}`,
    };
  }
}

/** The parser's message with line and column. @param {string} text @param {string} message */
function placeOf(text, message) {
  const at = /position (\d+)/.exec(message);
  const plain = message.replace(/ in JSON at.*| \(line.*/, "");
  if (!at) return plain;
  const before = text.slice(0, Number(at[1])).split("\n");
  return `${plain}, line ${before.length}, column ${/** @type {string} */ (before.at(-1)).length + 1}`;
}

/** @param {unknown} value @returns {value is Record<string, any>} */
export const isObject = (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Tools as chat completions take them. @param {string} text @returns {Read<any[]>} */
export function readTools(text) {
  const { value, problem } = readJson(text);
  if (value === null) return { value: null, problem };
  const list = Array.isArray(value) ? value : [value];
  const tools = [];
  for (const [at, tool] of list.entries()) {
    const found = isObject(tool) ? asTool(tool) : null;
    const wrong = found ? checkTool(found) : "is no object";
    if (wrong) return { value: null, problem: `Tool ${at + 1} ${wrong}.` };
    tools.push(found);
  }
  return tools.length ? { value: tools, problem: null } : { value: null, problem: null };
}

/** A bare function is taken too. @param {Record<string, any>} tool */
const asTool = (tool) =>
  tool.type
    ? tool
    : isObject(tool.function)
      ? { type: "function", ...tool }
      : { type: "function", function: tool };

/** @param {Record<string, any>} tool */
function checkTool(tool) {
  if (tool.type !== "function") return null;
  if (!isObject(tool.function)) return "has no `function`";
  const { name, parameters } = tool.function;
  if (typeof name !== "string" || !name) return "has no `name`";
  if (!/^[\w.-]{1,128}$/.test(name))
    return `has a name that is not of letters, digits, _ and -: ${name}`;
  if (parameters !== undefined && !isObject(parameters))
    return "has `parameters` that are no JSON schema";
  return null;
}

/** A JSON schema, or the `json_schema` of a response format. @param {string} text @returns {Read<{name: string, schema: any, strict?: boolean}>} */
export function readSchema(text) {
  const { value, problem } = readJson(text);
  if (value === null) return { value: null, problem };
  if (!isObject(value)) return { value: null, problem: "A JSON schema is an object." };
  const format = isObject(value.json_schema) ? value.json_schema : value;
  if (isObject(format.schema) && typeof format.name === "string")
    return { value: /** @type {any} */ (format), problem: null };
  if (
    !(
      "type" in value ||
      "properties" in value ||
      "anyOf" in value ||
      "$ref" in value ||
      "enum" in value
    )
  ) {
    return { value: null, problem: "The schema has no `type`." };
  }
  return { value: { name: nameOf(value.title), schema: value }, problem: null };
}

/** @param {unknown} title */
const nameOf = (title) =>
  (typeof title === "string" && title.replace(/[^\w-]+/g, "_").slice(0, 64)) || "answer";

/** Further fields of the request. @param {string} text @returns {Read<Record<string, any>>} */
export function readExtra(text) {
  const { value, problem } = readJson(text);
  if (value === null) return { value: null, problem };
  if (!isObject(value)) return { value: null, problem: 'An object, please: {"field": value}.' };
  const own = ["model", "models", "messages", "stream", "runs"].find((name) => name in value);
  return own
    ? { value: null, problem: `\`${own}\` is set by the page.` }
    : { value, problem: null };
}

/** Indented, if it is JSON. @param {string} text */
export function prettyJson(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
