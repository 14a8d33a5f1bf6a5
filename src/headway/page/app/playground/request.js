/** The request that a conversation makes: the body of `POST /v1/chat/completions`. */
import { readExtra, readSchema, readTools } from "./json_text.js";
import { checkParameter, fieldsOf, wireName } from "./settings.js";

/** @typedef {import("./turns.js").Turn} Turn @typedef {import("./settings.js").Settings} Settings */

/**
 * @param {Settings} settings
 * @param {Turn[]} path
 * @param {import("../state/models.js").Model | undefined} model
 * @returns {Record<string, any>}
 */
export function buildBody(settings, path, model) {
  const tools = readTools(settings.tools).value;
  const schema = readSchema(settings.schema).value;
  return {
    model: settings.model,
    messages: buildMessages(settings.system, path),
    ...sentParameters(settings, model),
    ...(tools ? { tools } : {}),
    ...(schema ? { response_format: { type: "json_schema", json_schema: schema } } : {}),
    ...readExtra(settings.extra).value,
  };
}

/** What the user set and the model takes. @param {Settings} settings @param {import("../state/models.js").Model | undefined} model */
export function sentParameters(settings, model) {
  const taken = fieldsOf(model).filter(
    (field) => !field.refused && field.name in settings.parameters,
  );
  return Object.fromEntries(
    taken.map((field) => [wireName(field.name, model), settings.parameters[field.name]]),
  );
}

/** What keeps the request from being sent, or null. @param {Settings} settings @param {import("../state/models.js").Model | undefined} model */
export function findProblem(settings, model) {
  if (!settings.model) return "Choose a model first.";
  for (const field of fieldsOf(model)) {
    const value = settings.parameters[field.name];
    const problem = field.refused || value === undefined ? null : checkParameter(field, value);
    if (problem) return `${field.label}: ${problem}`;
  }
  const texts = /** @type {const} */ ([
    ["Tools", readTools(settings.tools)],
    ["Schema", readSchema(settings.schema)],
    ["Other fields", readExtra(settings.extra)],
  ]);
  const wrong = texts.find(([, read]) => read.problem);
  return wrong ? `${wrong[0]}: ${wrong[1].problem}` : null;
}

/** @param {string} system @param {Turn[]} path @returns {Record<string, any>[]} */
export function buildMessages(system, path) {
  const messages = path.flatMap(messagesOf);
  return system.trim() ? [{ role: "system", content: system }, ...messages] : messages;
}

/** @param {Turn} turn @returns {Record<string, any>[]} */
function messagesOf(turn) {
  if (turn.role === "user") return [{ role: "user", content: contentOf(turn) }];
  if (turn.role === "tool") {
    return turn.results.map((result) => ({
      role: "tool",
      tool_call_id: result.id,
      content: result.text,
    }));
  }
  const { answer } = turn;
  if (!answer || !(answer.text || answer.toolCalls.length)) return [];
  if (!answer.toolCalls.length) return [{ role: "assistant", content: answer.text }];
  return [
    {
      role: "assistant",
      content: answer.text || null,
      // Models that reason before a tool call want their reasoning back with its result.
      ...(answer.reasoning ? { reasoning_content: answer.reasoning } : {}),
      ...(answer.reasoningDetails.length ? { reasoning_details: answer.reasoningDetails } : {}),
      tool_calls: answer.toolCalls.map(({ id, name, arguments: given }) => ({
        id,
        type: "function",
        function: { name, arguments: given || "{}" },
      })),
    },
  ];
}

/** @param {{text: string, images: string[]}} prompt */
function contentOf({ text, images }) {
  if (!images.length) return text;
  return [
    ...(text ? [{ type: "text", text }] : []),
    ...images.map((url) => ({ type: "image_url", image_url: { url } })),
  ];
}

/**
 * The same question for the page that asks several models: all up to the last prompt.
 * @param {Settings} settings
 * @param {Turn[]} path
 * @param {{text: string, images: string[]}} draft
 * @param {import("../state/models.js").Model | undefined} model
 */
export function comparisonOf(settings, path, draft, model) {
  const isDrafted = draft.text.trim() !== "" || draft.images.length > 0;
  const last = path.findLastIndex((turn) => turn.role !== "assistant");
  const asked = isDrafted ? path : path.slice(0, last + 1);
  const {
    messages,
    model: id,
    ...parameters
  } = buildBody({ ...settings, system: "" }, asked, model);
  const prompt = isDrafted
    ? contentOf({ ...draft })
    : messages.at(-1)?.role === "user"
      ? messages.pop().content
      : "";
  const isText = typeof prompt === "string";
  return {
    models: id ? [id] : [],
    system: settings.system,
    messages: isText ? messages : [...messages, { role: "user", content: prompt }],
    prompt: isText ? prompt : "",
    parameters,
  };
}
