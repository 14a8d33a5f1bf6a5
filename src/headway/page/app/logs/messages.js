/**
 * Messages of every wire format in one shape: a role, and parts. What is not known is shown as it
 * is, never left out.
 */

/**
 * @typedef {{type: "text" | "reasoning", text: string}
 *   | {type: "tool_call", id: string, name: string, input: string}
 *   | {type: "tool_result", id: string, text: string}
 *   | {type: "image", source: string}
 *   | {type: "file", name: string}
 *   | {type: "other", text: string}} Part
 * @typedef {{role: string, parts: Part[]}} Message
 */

const ROLES = /** @type {Record<string, string>} */ ({
  model: "assistant",
  developer: "system",
  function: "tool",
});
const INLINE_IMAGE = /^data:image\/(?:png|jpeg|gif|webp|avif);base64,/;

/** Whether an image can be shown without fetching it from anywhere. @param {string} source */
export const isInline = (source) => INLINE_IMAGE.test(source);

/**
 * The messages of a call: system prompts, those of the request, those of the reply.
 * @param {import("./types.js").Conversation} conversation
 * @returns {{input: Message[], output: Message[]}}
 */
export function readConversation({ messages, output, parameters }) {
  const system =
    parameters.system ??
    parameters.instructions ??
    parameters.systemInstruction ??
    parameters.system_instruction;
  const first = system ? [{ role: "system", parts: partsOf(system.parts ?? system) }] : [];
  return { input: [...first, ...messages.map(readMessage)], output: output.map(readMessage) };
}

/** The text of an answer, or the arguments of its tool calls. @param {any[]} output */
export function textOf(output) {
  const parts = output.map(readMessage).flatMap((message) => message.parts);
  const texts = parts.flatMap((part) => (part.type === "text" ? [part.text] : []));
  if (texts.length) return texts.join("\n\n");
  return parts
    .flatMap((part) => (part.type === "tool_call" ? [`${part.name}(${part.input})`] : []))
    .join("\n");
}

/** What the user said last. @param {any[]} messages */
export function lastPrompt(messages) {
  for (const message of [...messages].reverse().map(readMessage)) {
    const texts =
      message.role === "user"
        ? message.parts.flatMap((part) => (part.type === "text" ? [part.text] : []))
        : [];
    if (texts.length) return texts.join(" ");
  }
  return "";
}

/** @param {any} message @returns {Message} */
export function readMessage(message) {
  if (typeof message === "string")
    return { role: "user", parts: [{ type: "text", text: message }] };
  if (!message || typeof message !== "object") return { role: "user", parts: [other(message)] };
  const item = readItem(message);
  if (item) return item;
  const role = ROLES[message.role] ?? message.role ?? "user";
  /** @type {Part[]} */
  const parts = [];
  const thought = message.reasoning_content ?? message.reasoning ?? message.thinking;
  if (typeof thought === "string" && thought) parts.push({ type: "reasoning", text: thought });
  const content = partsOf(message.content ?? message.parts ?? null);
  if (role === "tool") parts.push(...asResult(message.tool_call_id ?? message.name ?? "", content));
  else parts.push(...content);
  if (typeof message.refusal === "string") parts.push({ type: "text", text: message.refusal });
  for (const image of message.images ?? [])
    parts.push({ type: "image", source: `data:image/png;base64,${image}` });
  for (const call of message.tool_calls ?? []) parts.push(readCall(call));
  if (message.function_call) parts.push(readCall({ function: message.function_call }));
  return { role, parts };
}

/** The items of a Responses request that are no messages. @param {any} item @returns {Message | null} */
function readItem(item) {
  switch (item.type) {
    case "function_call":
    case "custom_tool_call":
      return {
        role: "assistant",
        parts: [
          readCall({
            id: item.call_id,
            function: { name: item.name, arguments: item.arguments ?? item.input },
          }),
        ],
      };
    case "function_call_output":
    case "custom_tool_call_output":
      return { role: "tool", parts: asResult(item.call_id ?? "", partsOf(item.output)) };
    case "reasoning":
      return {
        role: "assistant",
        parts: [
          {
            type: "reasoning",
            text:
              [...(item.summary ?? []), ...(item.content ?? [])]
                .map((part) => part.text ?? "")
                .join("\n\n") || "(encrypted)",
          },
        ],
      };
    default:
      return item.role || item.parts ? null : { role: item.type ?? "user", parts: [other(item)] };
  }
}

/** @param {any} call of a tool, in OpenAI's or Ollama's shape @returns {Part} */
function readCall(call) {
  const made = call.function ?? call.custom ?? call;
  return {
    type: "tool_call",
    id: call.id ?? "",
    name: made.name ?? "",
    input: toText(made.arguments ?? made.input ?? ""),
  };
}

/** @param {string} id @param {Part[]} parts @returns {Part[]} the texts as one result, and all else as it is */
function asResult(id, parts) {
  const text = parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n");
  return [{ type: "tool_result", id, text }, ...parts.filter((part) => part.type !== "text")];
}

/** @param {any} content @returns {Part[]} */
function partsOf(content) {
  if (content === null || content === undefined || content === "") return [];
  if (typeof content === "string") return [{ type: "text", text: content }];
  if (Array.isArray(content)) return content.flatMap(readPart);
  return readPart(content);
}

/** @param {any} part @returns {Part[]} */
function readPart(part) {
  if (typeof part === "string") return [{ type: "text", text: part }];
  const read = part && typeof part === "object" ? (PARTS[part.type] ?? readUntyped) : null;
  return read?.(part) ?? [other(part)];
}

/** Google's parts, which have no type. @param {any} part @returns {Part[] | null} */
function readUntyped(part) {
  if (typeof part.text === "string")
    return [{ type: part.thought ? "reasoning" : "text", text: part.text }];
  const data = part.inlineData ?? part.inline_data;
  if (data) return [blob(data.mimeType ?? data.mime_type, data.data)];
  const call = part.functionCall ?? part.function_call;
  if (call)
    return [
      { type: "tool_call", id: call.id ?? "", name: call.name, input: toText(call.args ?? {}) },
    ];
  const result = part.functionResponse ?? part.function_response;
  if (result)
    return [{ type: "tool_result", id: result.id ?? result.name, text: toText(result.response) }];
  const file = part.fileData ?? part.file_data;
  if (file) return [{ type: "file", name: file.fileUri ?? file.file_uri ?? "file" }];
  return null;
}

/** @type {Record<string, (part: any) => Part[] | null>} by `type` */
const PARTS = {
  text: (part) => [{ type: "text", text: part.text ?? "" }],
  input_text: (part) => [{ type: "text", text: part.text ?? "" }],
  output_text: (part) => [{ type: "text", text: part.text ?? "" }],
  refusal: (part) => [{ type: "text", text: part.refusal ?? "" }],
  thinking: (part) => [{ type: "reasoning", text: part.thinking ?? "" }],
  redacted_thinking: () => [{ type: "reasoning", text: "(encrypted)" }],
  image_url: (part) => [{ type: "image", source: part.image_url?.url ?? part.image_url ?? "" }],
  input_image: (part) => [{ type: "image", source: part.image_url ?? part.file_id ?? "" }],
  image: (part) => [readSource(part.source ?? part)],
  document: (part) => [readSource(part.source ?? part)],
  file: (part) => [{ type: "file", name: part.file?.filename ?? part.file?.file_id ?? "file" }],
  input_file: (part) => [
    { type: "file", name: part.filename ?? part.file_id ?? part.file_url ?? "file" },
  ],
  input_audio: (part) => [
    { type: "file", name: `audio (${part.input_audio?.format ?? "unknown format"})` },
  ],
  tool_use: (part) => [
    { type: "tool_call", id: part.id ?? "", name: part.name, input: toText(part.input ?? {}) },
  ],
  server_tool_use: (part) => [
    { type: "tool_call", id: part.id ?? "", name: part.name, input: toText(part.input ?? {}) },
  ],
  tool_result: (part) => asResult(part.tool_use_id ?? "", partsOf(part.content)),
};

/** @param {any} source of Anthropic's shape @returns {Part} */
function readSource(source) {
  if (source.type === "base64") return blob(source.media_type, source.data);
  if (source.type === "text") return { type: "text", text: source.data ?? "" };
  return source.url
    ? { type: "image", source: source.url }
    : { type: "file", name: source.file_id ?? "file" };
}

/** @param {string} type @param {string} data in base64 @returns {Part} */
function blob(type, data) {
  if (/^image\//.test(type)) return { type: "image", source: `data:${type};base64,${data}` };
  return {
    type: "file",
    name: `${type}, ${Math.round((data?.length ?? 0) * 0.75).toLocaleString("en-US")} bytes`,
  };
}

/** @param {any} value @returns {Part} */
const other = (value) => ({ type: "other", text: toText(value) });

/** @param {any} value JSON, set in lines */
function toText(value) {
  if (typeof value !== "string") return JSON.stringify(value, null, 2) ?? "";
  try {
    const parsed = JSON.parse(value);
    return typeof parsed === "object" && parsed ? JSON.stringify(parsed, null, 2) : value;
  } catch {
    return value;
  }
}
