/** The conversation of a recorded call as turns of the playground, whatever its wire format was. */

import { isObject } from "./json_text.js";
import { describeTransformation, emptyAnswer } from "./saved_state.js";
import { emptySettings } from "./settings.js";
import { addTurn, emptyTree, makeTurn } from "./turns.js";

/** @typedef {import("./saved_state.js").Saved} Saved */

/**
 * @param {any} detail of `GET /api/logs/{id}`
 * @returns {Saved} throws if the messages were not kept
 */
export function importLog(detail) {
  const { conversation } = detail;
  if (conversation?.mode !== "full") {
    throw new Error(
      "The messages of this call were not kept. With `ledger.content: full` they are.",
    );
  }
  const settings = {
    ...emptySettings(),
    model: modelOf(detail),
    ...readParameters(conversation.parameters ?? {}),
  };
  let tree = emptyTree();
  let parent = /** @type {string | null} */ (null);
  const add = (/** @type {Parameters<typeof makeTurn>[0]} */ parts) => {
    const turn = makeTurn({ ...parts, parent });
    tree = addTurn(tree, turn);
    parent = turn.id;
  };
  const messages = conversation.messages.filter(isObject);
  settings.system = [
    settings.system,
    ...messages.filter(isSystem).map((/** @type {any} */ one) => textOf(one.content ?? one.parts)),
  ]
    .filter(Boolean)
    .join("\n\n");
  for (const message of messages.filter((/** @type {any} */ one) => !isSystem(one)))
    addMessage(message, add, () => tree.turns.at(-1));
  const said = conversation.output?.filter(isObject)?.at(-1);
  if (said)
    add({
      role: "assistant",
      model: settings.model,
      answer: { ...answerOf(said), ...factsOf(detail), model: settings.model },
    });
  return { settings, tree, draft: "" };
}

/** @param {any} message */
const isSystem = (message) => message.role === "system" || message.role === "developer";

/** @param {any} call */
function modelOf(call) {
  const model = call.route_name ?? call.model ?? "";
  if (call.route_name || !call.provider || model.startsWith(`${call.provider}/`)) return model;
  return `${call.provider}/${model}`;
}

/** @param {any} message @param {(parts: any) => void} add @param {() => any} last */
function addMessage(message, add, last) {
  const content = message.content ?? message.parts ?? message.output;
  if (message.role === "tool" || message.type === "function_call_output") {
    const result = {
      id: message.tool_call_id ?? message.call_id ?? "",
      name: message.name ?? "",
      arguments: "",
      text: textOf(content),
    };
    const before = last();
    if (before?.role === "tool") before.results.push(result);
    else add({ role: "tool", results: [result] });
  } else if (message.role === "assistant" || message.role === "model") {
    add({ role: "assistant", model: null, answer: answerOf(message) });
  } else {
    add({ role: "user", text: textOf(content), images: imagesOf(content) });
  }
}

/** @param {any} message */
function answerOf(message) {
  return {
    ...emptyAnswer(),
    text: textOf(message.content ?? message.parts),
    reasoning: typeof message.reasoning_content === "string" ? message.reasoning_content : "",
    reasoningDetails: Array.isArray(message.reasoning_details) ? message.reasoning_details : [],
    toolCalls: (message.tool_calls ?? []).map((/** @type {any} */ call) => ({
      id: call.id ?? "",
      name: call.function?.name ?? "",
      arguments: call.function?.arguments ?? "",
    })),
  };
}

/** What the record says of the answer. @param {any} call */
function factsOf(call) {
  const { id, provider, deployment, finish_reason: finishReason, error } = call;
  return {
    ...{ id, provider, finishReason },
    servedModel: deployment,
    transformations: (call.transformations ?? []).map(describeTransformation),
    metrics: {
      ...call,
      cached_tokens: call.cache_read_tokens,
      conversation: null,
      attempt_details: null,
      spans: null,
    },
    cost: call.attempt_details?.at(-1)?.cost ?? null,
    status: error ? /** @type {const} */ ("failed") : /** @type {const} */ ("done"),
    error: error ? { message: error.message ?? error.type, type: error.type } : null,
  };
}

/** Text of a content in any of the wire formats: a text, or parts with texts. @param {any} content @returns {string} */
function textOf(content) {
  if (typeof content === "string") return content;
  if (Array.isArray(content)) return content.map(textOf).filter(Boolean).join("\n");
  if (isObject(content))
    return typeof content.text === "string" ? content.text : textOf(content.content ?? []);
  return "";
}

/** @param {any} content */
function imagesOf(content) {
  const urls = (Array.isArray(content) ? content : []).map(
    (part) => part?.image_url?.url ?? part?.image_url ?? urlOfSource(part),
  );
  return urls.filter((url) => typeof url === "string" && url.startsWith("data:image/"));
}

/** @param {any} part of Anthropic's or Google's format */
function urlOfSource(part) {
  const found = part?.source ?? part?.inlineData ?? part?.inline_data;
  return found?.data
    ? `data:${found.media_type ?? found.mimeType ?? found.mime_type};base64,${found.data}`
    : null;
}

/** @param {Record<string, any>} parameters */
function readParameters({ tools, response_format: format, system, instructions, ...rest }) {
  const known = [
    "temperature",
    "top_p",
    "top_k",
    "max_tokens",
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "stop",
    "reasoning_effort",
  ];
  const length = rest.max_tokens ?? rest.max_completion_tokens ?? rest.max_output_tokens;
  /** @type {Record<string, any>} */
  const given = { ...rest, ...(length ? { max_tokens: length } : {}) };
  const parameters = Object.fromEntries(
    known
      .filter((name) => given[name] !== undefined && given[name] !== null)
      .map((name) => [name, given[name]]),
  );
  if (typeof parameters.stop === "string") parameters.stop = [parameters.stop];
  const renamed = [
    "max_completion_tokens",
    "max_output_tokens",
    "stream",
    "stream_options",
    "messages",
    "model",
  ];
  const others = Object.entries(rest).filter(
    ([name]) => !known.includes(name) && !renamed.includes(name),
  );
  return {
    system: textOf(system ?? instructions),
    parameters,
    tools: tools?.length ? JSON.stringify(tools, null, 2) : "",
    schema: format?.json_schema ? JSON.stringify(format.json_schema, null, 2) : "",
    extra: others.length ? JSON.stringify(Object.fromEntries(others), null, 2) : "",
  };
}
