/**
 * What a comparison asks: prompt, models and parameters, as it stands in a link. Values without DOM.
 */

/** @typedef {{role: string, content: any}} Message */
/** @typedef {{model: string, parameters: Record<string, any>}} Entry one lane's model, and what it has of its own */
/**
 * @typedef {object} Experiment
 * @property {string} prompt
 * @property {string} system
 * @property {Message[]} messages the conversation before the prompt
 * @property {Entry[]} entries
 * @property {Record<string, any>} parameters of all models, in OpenAI's names
 * @property {number} runs of each model
 * @property {boolean} isBlind
 */

export const MAX_MODELS = 20;
export const MAX_RUNS = 10;

/** @type {Experiment} */
export const EMPTY = {
  prompt: "",
  system: "",
  messages: [],
  entries: [],
  parameters: {},
  runs: 1,
  isBlind: false,
};

/** @param {unknown} value @returns {value is Record<string, any>} */
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** @param {unknown} value */
const textOf = (value) => (typeof value === "string" ? value : "");

/** An experiment from a link, whatever the link holds. @param {unknown} raw @returns {Experiment} */
export function readExperiment(raw) {
  if (!isObject(raw)) return EMPTY;
  const { system, messages } = splitSystem(Array.isArray(raw.messages) ? raw.messages : []);
  const named = Array.isArray(raw.models) ? raw.models : raw.model ? [raw.model] : [];
  return {
    prompt: textOf(raw.prompt),
    system: textOf(raw.system) || system,
    messages,
    entries: named
      .map(readEntry)
      .filter((entry) => entry !== null)
      .slice(0, MAX_MODELS),
    parameters: isObject(raw.parameters) ? raw.parameters : {},
    runs: clampRuns(raw.runs),
    isBlind: raw.blind === true,
  };
}

/** @param {unknown} raw @returns {Entry | null} */
function readEntry(raw) {
  if (typeof raw === "string" && raw) return { model: raw, parameters: {} };
  if (!isObject(raw) || typeof raw.model !== "string") return null;
  const { model, ...parameters } = raw;
  return { model, parameters };
}

/** @param {any[]} all */
function splitSystem(all) {
  const messages = all.filter((message) => isObject(message) && typeof message.role === "string");
  const first = messages[0];
  if (first?.role !== "system" || typeof first.content !== "string")
    return { system: "", messages };
  return { system: first.content, messages: messages.slice(1) };
}

/** @param {unknown} value */
export function clampRuns(value) {
  const runs = Math.round(Number(value));
  return Number.isFinite(runs) ? Math.min(MAX_RUNS, Math.max(1, runs)) : 1;
}

/** What a link holds: nothing that is as usual. @param {Experiment} experiment */
export function writeExperiment({ prompt, system, messages, entries, parameters, runs, isBlind }) {
  return {
    ...(prompt && { prompt }),
    ...(system && { system }),
    ...(messages.length && { messages }),
    ...(entries.length && { models: entries.map(writeEntry) }),
    ...(Object.keys(parameters).length && { parameters }),
    ...(runs > 1 && { runs }),
    ...(isBlind && { blind: true }),
  };
}

/** An entry of `models` in the request. @param {Entry} entry */
export const writeEntry = ({ model, parameters }) =>
  Object.keys(parameters).length ? { model, ...parameters } : model;

/**
 * @param {Experiment} experiment
 * @param {string | Message[]} [prompt] by default the experiment's own
 * @returns {Message[]}
 */
export function messagesOf({ system, messages, prompt: own }, prompt = own) {
  const before = system.trim() ? [{ role: "system", content: system }] : [];
  if (Array.isArray(prompt)) return prompt[0]?.role === "system" ? prompt : [...before, ...prompt];
  const asked = prompt.trim() ? [{ role: "user", content: prompt }] : [];
  return [...before, ...messages, ...asked];
}

/** Whether there is something to ask. @param {Experiment} experiment */
export const hasQuestion = (experiment) =>
  experiment.prompt.trim() !== "" || experiment.messages.at(-1)?.role === "user";

/**
 * The body of `POST /api/compare`.
 * @param {Experiment} experiment
 * @param {string | Message[]} [prompt]
 */
export function requestBody(experiment, prompt) {
  return {
    models: experiment.entries.map(writeEntry),
    messages: messagesOf(experiment, prompt),
    ...experiment.parameters,
    ...(experiment.runs > 1 && { runs: experiment.runs }),
  };
}

/** `openai/gpt-4o` as ["openai", "gpt-4o"]; of a route or alias the first is "". @param {string} id */
export function splitModel(id) {
  const at = id.indexOf("/");
  return [id.slice(0, Math.max(0, at)), id.slice(at + 1)];
}

const SHOWN_VALUE = 24;

/** What an entry has of its own, in words: "temperature 0". @param {Entry} entry */
export function describeOverrides({ parameters }) {
  return Object.entries(parameters)
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${describeValue(value)}`)
    .join(", ");
}

/** @param {unknown} value */
function describeValue(value) {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > SHOWN_VALUE ? `${text.slice(0, SHOWN_VALUE - 1)}…` : text;
}

/** The name of an entry in tables and files. @param {Entry} entry */
export function nameOf(entry) {
  const own = describeOverrides(entry);
  return own ? `${entry.model} (${own})` : entry.model;
}

/** Names for all entries; what is there twice has a number. @param {Entry[]} entries */
export function nameEntries(entries) {
  const models = entries.map(nameOf);
  return entries.map((entry, at) => {
    const model = models[at];
    const copy = models.slice(0, at + 1).filter((one) => one === model).length;
    return { entry, model, copy, name: copy > 1 ? `${model} #${copy}` : model };
  });
}

/** A, B, ... Z, then A2. @param {number} index */
export const letterOf = (index) =>
  String.fromCharCode(65 + (index % 26)) + (index >= 26 ? String(Math.floor(index / 26) + 1) : "");

/** The first line of what is asked. @param {Experiment} experiment */
export function titleOf(experiment) {
  const last = experiment.prompt || textOf(experiment.messages.at(-1)?.content);
  return last.trim().split("\n", 1)[0];
}
