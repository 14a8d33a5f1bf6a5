/**
 * A conversation as plain JSON, for a link or for this tab. What is read is checked: a link may come
 * from anybody.
 */
import { isObject } from "./json_text.js";
import { emptySettings } from "./settings.js";
import { makeTurn } from "./turns.js";

/** @typedef {import("./turns.js").Tree} Tree @typedef {import("./turns.js").Turn} Turn @typedef {import("./turns.js").Answer} Answer */
/** @typedef {{settings: import("./settings.js").Settings, tree: Tree, draft: string}} Saved */

const VERSION = 1;
/** Images of more characters than this in all are left out of a link. */
export const MAX_LINK_IMAGES = 8192;
const ROLES = /** @type {const} */ (["user", "assistant", "tool"]);
const METRICS = [
  "input_tokens",
  "output_tokens",
  "reasoning_tokens",
  "cached_tokens",
  "cost_usd",
  "latency_s",
  "time_to_first_token_s",
  "tokens_per_second",
  "inter_token_latency_p50_s",
  "inter_token_latency_p95_s",
  "tokens_source",
  "cost_unknown_reason",
];

/** @returns {Answer} */
export const emptyAnswer = () => ({
  model: "",
  status: "done",
  text: "",
  reasoning: "",
  reasoningDetails: [],
  toolCalls: [],
  error: null,
  metrics: null,
  cost: null,
  id: null,
  provider: null,
  servedModel: null,
  finishReason: null,
  transformations: [],
  arrivals: [],
  thoughtMs: null,
  score: null,
});

/**
 * @param {Saved} saved
 * @param {{isLink: boolean}} options a link leaves out what only looks at an answer closely, and
 *   large images
 */
export function packState({ settings, tree, draft }, { isLink }) {
  const places = new Map(tree.turns.map((turn, at) => [turn.id, at]));
  const size = tree.turns.reduce((sum, turn) => sum + turn.images.join("").length, 0);
  const hasImages = !isLink || size <= MAX_LINK_IMAGES;
  return {
    version: VERSION,
    settings: withoutDefaults(settings, emptySettings()),
    ...(draft ? { draft } : {}),
    turns: tree.turns.map((turn) => ({
      ...withoutDefaults(turn, makeTurn({ role: "user" })),
      id: undefined,
      role: turn.role,
      parent: turn.parent === null ? undefined : places.get(turn.parent),
      images: turn.images.length && hasImages ? turn.images : undefined,
      lostImages: turn.lostImages + (hasImages ? 0 : turn.images.length) || undefined,
      answer: turn.answer ? packAnswer(turn.answer, isLink) : undefined,
    })),
    chosen: Object.values(tree.chosen).map((id) => places.get(id)),
  };
}

/** @param {Answer} answer @param {boolean} isLink */
function packAnswer(answer, isLink) {
  const packed = withoutDefaults(answer, emptyAnswer());
  if (!isLink) return packed;
  const { cost, arrivals, ...rest } = packed;
  return { ...rest, metrics: answer.metrics ? pickMetrics(answer.metrics) : undefined };
}

/** @param {Record<string, any>} metrics */
function pickMetrics(metrics) {
  const shown = METRICS.filter((name) => metrics[name] !== null && metrics[name] !== undefined);
  return Object.fromEntries(shown.map((name) => [name, shorten(metrics[name])]));
}

/** @param {unknown} value */
const shorten = (value) => (typeof value === "number" ? Number(value.toPrecision(6)) : value);

/** @param {Record<string, any>} value @param {Record<string, any>} defaults @returns {Record<string, any>} */
const withoutDefaults = (value, defaults) =>
  Object.fromEntries(
    Object.entries(value).filter(
      ([name, one]) => JSON.stringify(one) !== JSON.stringify(defaults[name]),
    ),
  );

/** @param {unknown} value @returns {Saved} throws if it is of something else */
export function unpackState(value) {
  if (!isObject(value) || value.version !== VERSION || !Array.isArray(value.turns))
    throw new Error("not a conversation");
  /** @type {Turn[]} */
  const turns = [];
  for (const [at, packed] of value.turns.entries()) turns.push(unpackTurn(packed, at, turns));
  /** @type {Record<string, string>} */
  const chosen = {};
  for (const at of Array.isArray(value.chosen) ? value.chosen : []) {
    const turn = turns[at];
    if (turn) chosen[turn.parent ?? ""] = turn.id;
  }
  return {
    settings: unpackSettings(value.settings),
    tree: { turns, chosen },
    draft: textOf(value.draft),
  };
}

/** @param {unknown} value */
const textOf = (value) => (typeof value === "string" ? value : "");
/** @param {unknown} value */
const listOf = (value) => (Array.isArray(value) ? value : []);

/** @param {unknown} packed @param {number} at @param {Turn[]} before */
function unpackTurn(packed, at, before) {
  if (!isObject(packed) || !ROLES.includes(packed.role)) throw new Error(`turn ${at} is wrong`);
  const parent = packed.parent === undefined ? null : before[packed.parent]?.id;
  if (parent === undefined) throw new Error(`turn ${at} has no parent`);
  return makeTurn({
    role: packed.role,
    parent,
    text: textOf(packed.text),
    images: listOf(packed.images).filter(
      (url) => typeof url === "string" && url.startsWith("data:image/"),
    ),
    lostImages: Number(packed.lostImages) || 0,
    model: textOf(packed.model) || null,
    results: listOf(packed.results).filter(isObject).map(unpackResult),
    // An answer that had not begun to arrive when the tab was closed.
    answer:
      packed.role === "assistant" ? unpackAnswer(packed.answer ?? { status: "stopped" }) : null,
  });
}

/** @param {Record<string, any>} one */
const unpackResult = (one) => ({
  id: textOf(one.id),
  name: textOf(one.name),
  arguments: textOf(one.arguments),
  text: textOf(one.text),
});

/** @param {unknown} packed @returns {Answer} */
function unpackAnswer(packed) {
  const given = isObject(packed) ? packed : {};
  const empty = emptyAnswer();
  const known = Object.entries(given).filter(
    ([name, one]) => name in empty && isLike(one, /** @type {any} */ (empty)[name]),
  );
  const answer = { ...empty, ...Object.fromEntries(known) };
  answer.toolCalls = answer.toolCalls.filter(isObject).map(unpackResult);
  answer.arrivals = answer.arrivals.filter((one) => typeof one === "number");
  answer.error = isObject(answer.error)
    ? { ...answer.error, message: textOf(answer.error.message) }
    : null;
  answer.metrics = isObject(answer.metrics) ? answer.metrics : null;
  for (const name of /** @type {const} */ (["id", "provider", "servedModel", "finishReason"]))
    answer[name] = textOf(answer[name]) || null;
  answer.transformations = answer.transformations.map(describeTransformation);
  return answer;
}

/** What the gateway changed, as a sentence. @param {any} one */
export const describeTransformation = (one) =>
  typeof one === "string"
    ? one
    : isObject(one)
      ? textOf(one.message) || textOf(one.detail) || JSON.stringify(one)
      : String(one);

/** Whether a value may stand where `other` stands by default. @param {unknown} value @param {unknown} other */
const isLike = (value, other) =>
  other === null || (Array.isArray(other) ? Array.isArray(value) : typeof value === typeof other);

/** @param {unknown} packed */
function unpackSettings(packed) {
  const empty = emptySettings();
  if (!isObject(packed)) return empty;
  for (const name of /** @type {const} */ (["model", "system", "tools", "schema", "extra"]))
    empty[name] = textOf(packed[name]);
  for (const [name, value] of Object.entries(
    isObject(packed.parameters) ? packed.parameters : {},
  )) {
    const isList = Array.isArray(value) && value.every((one) => typeof one === "string");
    if (typeof value === "number" || typeof value === "string" || isList)
      empty.parameters[name] = value;
  }
  return empty;
}
