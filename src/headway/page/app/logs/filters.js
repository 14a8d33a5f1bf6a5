/**
 * Filters of the calls. They stand in the address under the names of the API's parameters, so the
 * query of the address is the question to the server, less what only the page knows (`tab`, `view`).
 */
import { formatSeconds, formatUsd } from "../format.js";

/**
 * @typedef {object} FilterKind
 * @property {string} label
 * @property {string[]} [choices] the only values that there are
 * @property {string[]} [suggestions] values that are worth offering
 * @property {string} [hint]
 * @property {[string, string]} [range] names of the parameters of a range
 * @property {string} [unit] of a range
 */

/** @type {Record<string, FilterKind>} by the API's parameter, or the name of a range */
export const FILTERS = {
  outcome: { label: "Outcome", choices: ["ok", "error", "cancelled", "refused"] },
  status: {
    label: "Status",
    suggestions: ["2xx", "4xx", "5xx", "429", "499", "500-504"],
    hint: "200, 4xx or 400-499",
  },
  provider: { label: "Provider" },
  model: { label: "Model" },
  user: { label: "User" },
  session: { label: "Session" },
  tag: { label: "Tag", hint: "team:search" },
  key: { label: "Key", hint: "first eight digits of its SHA-256" },
  route: { label: "Route" },
  role: { label: "Attempt", choices: ["first", "retry", "fallback", "hedge", "shadow"] },
  cache: { label: "Cache", choices: ["hit", "miss", "coalesced", "bypass"] },
  dialect: {
    label: "Wire format",
    suggestions: [
      "openai_chat",
      "openai_responses",
      "anthropic_messages",
      "gemini_generate",
      "engine",
    ],
  },
  latency: { label: "Latency", range: ["min_latency", "max_latency"], unit: "seconds" },
  cost: { label: "Cost", range: ["min_cost", "max_cost"], unit: "US dollars" },
  id: { label: "Request id" },
};

/** Parameters with one value, or values without commas. */
const PLAIN = new Set([
  "outcome",
  "status",
  "role",
  "cache",
  "since",
  "until",
  "min_latency",
  "max_latency",
  "min_cost",
  "max_cost",
  "text",
]);
const TIMES = ["since", "until"];

/** All parameters of the API that the address may have. */
export const PARAMETERS = [
  ...Object.entries(FILTERS).flatMap(([name, kind]) => kind.range ?? [name]),
  ...TIMES,
  "text",
];

/** The parameters of a question to the server. @param {URLSearchParams} query */
export function toApiQuery(query) {
  /** @type {Record<string, string[]>} */
  const asked = {};
  for (const name of PARAMETERS) {
    const values = query.getAll(name).filter(Boolean);
    // A comma separates values in the API, and is part of a value here.
    if (values.length)
      asked[name] = PLAIN.has(name) ? values : values.map((value) => value.replaceAll(",", "\\,"));
  }
  return asked;
}

/** The same for the same filters. @param {URLSearchParams} query */
export const filterIdentity = (query) => JSON.stringify(toApiQuery(query));

/** @param {URLSearchParams} query @returns {boolean} */
export const hasFilters = (query) => PARAMETERS.some((name) => query.get(name));

/**
 * The query with these values instead of those that a parameter had.
 * @param {URLSearchParams} query
 * @param {Record<string, string | string[] | null>} changes
 */
export function withValues(query, changes) {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    next.delete(name);
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== "") next.append(name, one);
    }
  }
  return next;
}

/** The query without any filter. @param {URLSearchParams} query */
export const withoutFilters = (query) =>
  withValues(query, Object.fromEntries(PARAMETERS.map((name) => [name, null])));

/**
 * What a chip says of each filter but the time and the text.
 * @param {URLSearchParams} query
 * @returns {{name: string, label: string, text: string}[]}
 */
export function describeFilters(query) {
  /** @type {{name: string, label: string, text: string}[]} */
  const chips = [];
  for (const [name, kind] of Object.entries(FILTERS)) {
    if (kind.range) {
      const [least, most] = kind.range.map((parameter) => query.get(parameter) ?? "");
      if (least || most)
        chips.push({ name, label: kind.label, text: describeLimits(name, least, most) });
      continue;
    }
    const values = query.getAll(name).filter(Boolean);
    if (!values.length) continue;
    const text =
      values.length > 2
        ? `${values.slice(0, 2).join(", ")} +${values.length - 2}`
        : values.join(" or ");
    chips.push({ name, label: kind.label, text });
  }
  return chips;
}

/** @param {string} name @param {string} least @param {string} most */
function describeLimits(name, least, most) {
  const format = name === "cost" ? formatUsd : formatSeconds;
  if (!most) return `at least ${format(Number(least))}`;
  if (!least) return `at most ${format(Number(most))}`;
  return `${format(Number(least))} to ${format(Number(most))}`;
}

/** Parameters of one entry of `FILTERS`. @param {string} name @returns {string[]} */
export const parametersOf = (name) => FILTERS[name].range ?? [name];
