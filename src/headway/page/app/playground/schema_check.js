/** Whether a value is what a JSON schema asks for: the part of JSON Schema that models are given. */
import { isObject } from "./json_text.js";

const MAX_PROBLEMS = 5;
const MAX_DEPTH = 40;

/**
 * @param {string} text of an answer
 * @param {any} schema
 * @returns {string[]} what is wrong; nothing if the answer is valid
 */
export function checkAnswer(text, schema) {
  try {
    return checkValue(JSON.parse(unfence(text)), schema).slice(0, MAX_PROBLEMS);
  } catch {
    return ["The answer is not JSON."];
  }
}

/** JSON in a code block counts as JSON. @param {string} text */
export const unfence = (text) => /^\s*```(?:json)?\n([\s\S]*?)\n```\s*$/i.exec(text)?.[1] ?? text;

/**
 * @param {unknown} value
 * @param {any} schema
 * @param {string} [path]
 * @param {any} [root]
 * @param {number} [depth]
 * @returns {string[]}
 */
export function checkValue(value, schema, path = "", root = schema, depth = 0) {
  if (schema === true || !isObject(schema) || depth > MAX_DEPTH)
    return schema === false ? [`${nameOf(path)} is not allowed`] : [];
  /** @param {unknown} inner @param {any} its @param {string} [step] */
  const check = (inner, its, step = "") => checkValue(inner, its, path + step, root, depth + 1);
  if (typeof schema.$ref === "string") return check(value, resolve(root, schema.$ref));
  const wrongType = checkType(value, schema.type, path);
  if (wrongType) return [wrongType];
  return [
    ...checkChoices(value, schema, path, check),
    ...(typeof value === "string" ? checkString(value, schema, path) : []),
    ...(typeof value === "number" ? checkNumber(value, schema, path) : []),
    ...(Array.isArray(value) ? checkList(value, schema, path, check) : []),
    ...(isObject(value) ? checkObject(value, schema, path, check) : []),
  ];
}

/** @param {string} path */
const nameOf = (path) => (path ? `\`${path.replace(/^\./, "")}\`` : "The answer");

/** @param {any} root @param {string} ref */
function resolve(root, ref) {
  if (ref === "#") return root;
  let found = root;
  for (const step of ref.replace(/^#\//, "").split("/")) {
    found =
      isObject(found) || Array.isArray(found)
        ? /** @type {any} */ (found)[step.replaceAll("~1", "/").replaceAll("~0", "~")]
        : undefined;
  }
  return found ?? true;
}

/** @param {unknown} value */
function typeOf(value) {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value;
}

/** @param {unknown} value @param {unknown} type @param {string} path */
function checkType(value, type, path) {
  if (type === undefined) return null;
  const types = Array.isArray(type) ? type : [type];
  const is = typeOf(value);
  const fits = types.some((one) => one === is || (one === "integer" && Number.isInteger(value)));
  return fits ? null : `${nameOf(path)} is ${is}, not ${types.join(" or ")}`;
}

/** @typedef {(value: unknown, schema: any, step?: string) => string[]} Check */

/** @param {unknown} value @param {any} schema @param {string} path @param {Check} check */
function checkChoices(value, schema, path, check) {
  const same = JSON.stringify(value);
  const problems = [];
  if (
    Array.isArray(schema.enum) &&
    !schema.enum.some((/** @type {unknown} */ one) => JSON.stringify(one) === same)
  ) {
    problems.push(
      `${nameOf(path)} is none of ${schema.enum.map((/** @type {unknown} */ one) => JSON.stringify(one)).join(", ")}`,
    );
  }
  if ("const" in schema && JSON.stringify(schema.const) !== same)
    problems.push(`${nameOf(path)} is not ${JSON.stringify(schema.const)}`);
  for (const part of Array.isArray(schema.allOf) ? schema.allOf : [])
    problems.push(...check(value, part));
  for (const name of ["anyOf", "oneOf"]) {
    const options = schema[name];
    if (!Array.isArray(options) || !options.length) continue;
    const fitting = options.filter((option) => !check(value, option).length).length;
    if (!fitting) problems.push(`${nameOf(path)} fits none of ${options.length} alternatives`);
    else if (name === "oneOf" && fitting > 1)
      problems.push(`${nameOf(path)} fits ${fitting} alternatives`);
  }
  return problems;
}

/** @param {string} value @param {any} schema @param {string} path */
function checkString(value, schema, path) {
  const length = [...value].length;
  if (length < schema.minLength) return [`${nameOf(path)} is shorter than ${schema.minLength}`];
  if (length > schema.maxLength) return [`${nameOf(path)} is longer than ${schema.maxLength}`];
  if (typeof schema.pattern !== "string" || value.length > 10_000) return [];
  try {
    return new RegExp(schema.pattern, "u").test(value)
      ? []
      : [`${nameOf(path)} does not match ${schema.pattern}`];
  } catch {
    return [];
  }
}

/** @param {number} value @param {any} schema @param {string} path */
function checkNumber(value, schema, path) {
  if (value < schema.minimum) return [`${nameOf(path)} is less than ${schema.minimum}`];
  if (value > schema.maximum) return [`${nameOf(path)} is more than ${schema.maximum}`];
  if (value <= schema.exclusiveMinimum)
    return [`${nameOf(path)} is not more than ${schema.exclusiveMinimum}`];
  if (value >= schema.exclusiveMaximum)
    return [`${nameOf(path)} is not less than ${schema.exclusiveMaximum}`];
  return [];
}

/** @param {unknown[]} value @param {any} schema @param {string} path @param {Check} check */
function checkList(value, schema, path, check) {
  if (value.length < schema.minItems)
    return [`${nameOf(path)} has fewer than ${schema.minItems} items`];
  if (value.length > schema.maxItems)
    return [`${nameOf(path)} has more than ${schema.maxItems} items`];
  const firsts = Array.isArray(schema.prefixItems) ? schema.prefixItems : [];
  return value.flatMap((item, at) => {
    const its = firsts[at] ?? schema.items;
    return its === undefined ? [] : check(item, its, `[${at}]`);
  });
}

/** @param {Record<string, any>} value @param {any} schema @param {string} path @param {Check} check */
function checkObject(value, schema, path, check) {
  const known = isObject(schema.properties) ? schema.properties : {};
  const missing = (Array.isArray(schema.required) ? schema.required : []).filter(
    (/** @type {string} */ name) => !Object.hasOwn(value, name),
  );
  const problems = missing.map(
    (/** @type {string} */ name) => `${nameOf(`${path}.${name}`)} is missing`,
  );
  for (const [name, inner] of Object.entries(value)) {
    const its = Object.hasOwn(known, name) ? known[name] : schema.additionalProperties;
    if (its === false) problems.push(`${nameOf(`${path}.${name}`)} is not allowed`);
    else if (its !== undefined) problems.push(...check(inner, its, `.${name}`));
  }
  return problems;
}
