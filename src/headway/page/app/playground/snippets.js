/** One request as code to run elsewhere. A key is named by its environment variable, never written. */

export const KEY_VARIABLE = "HEADWAY_API_KEY";
/** Fields that `chat.completions.create` of OpenAI's Python library takes by name. */
const OPENAI_FIELDS = new Set(
  (
    "audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens " +
    "messages metadata modalities model n parallel_tool_calls prediction presence_penalty prompt_cache_key " +
    "reasoning_effort response_format safety_identifier seed service_tier stop store temperature " +
    "tool_choice tools top_logprobs top_p user verbosity web_search_options"
  ).split(" "),
);

/**
 * @typedef {{id: string, label: string, language: string,
 *   make: (body: Record<string, any>, gateway: string) => string}} Snippet `gateway` ends with no slash
 */

/** @type {Snippet[]} */
export const SNIPPETS = [
  { id: "curl", label: "curl", language: "bash", make: makeCurl },
  { id: "python", label: "Python (openai)", language: "py", make: makePython },
  { id: "headway", label: "Python (headway)", language: "py", make: makeHeadway },
  { id: "javascript", label: "JavaScript (openai)", language: "js", make: makeJavaScript },
];

/** @param {Record<string, any>} body @param {string} gateway */
function makeCurl(body, gateway) {
  const text = JSON.stringify({ ...body, stream: true }, null, 2).replaceAll("'", "'\\''");
  return `curl -N ${shellWord(`${gateway}/v1/chat/completions`)} \\
  -H "Authorization: Bearer $${KEY_VARIABLE}" \\
  -H "Content-Type: application/json" \\
  -d '${text}'
`;
}

/** @param {string} text */
const shellWord = (text) =>
  /^[\w:/.%[\]-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** @param {Record<string, any>} body @param {string} gateway */
function makePython(body, gateway) {
  const entries = Object.entries(body);
  const known = entries.filter(([name]) => OPENAI_FIELDS.has(name));
  const others = entries.filter(([name]) => !OPENAI_FIELDS.has(name));
  const lines = known.map(([name, value]) => `    ${name}=${pythonValue(value, 1)},`);
  if (others.length) lines.push(`    extra_body=${pythonValue(Object.fromEntries(others), 1)},`);
  return `import os

from openai import OpenAI

client = OpenAI(
    base_url=${pythonValue(`${gateway}/v1`)},
    api_key=os.environ.get("${KEY_VARIABLE}", "unused"),
)

stream = client.chat.completions.create(
${lines.join("\n")}
    stream=True,
)
for chunk in stream:
    for choice in chunk.choices:
        print(choice.delta.content or "", end="", flush=True)
`;
}

/** @param {Record<string, any>} body @param {string} gateway */
function makeHeadway(body, gateway) {
  const { model, messages, ...parameters } = body;
  const note = model.includes("/")
    ? ""
    : "# This client calls models by provider and name; for a name of the configuration use the openai library.\n";
  return `${note}import os

from headway import Client

with Client(${pythonValue(gateway)}, api_key=os.environ.get("${KEY_VARIABLE}")) as client:
    with client.chat(
        ${pythonValue(model)},
        ${pythonValue(messages, 2)},
        ${pythonValue(parameters, 2)},
        stream=True,
    ) as stream:
        for chunk in stream:
            print(chunk.text, end="", flush=True)
    print()
    print(stream.last.metrics)
`;
}

/** @param {Record<string, any>} body @param {string} gateway */
function makeJavaScript(body, gateway) {
  return `import OpenAI from ${JSON.stringify("openai")};

const client = new OpenAI({
  baseURL: ${JSON.stringify(`${gateway}/v1`)},
  apiKey: process.env.${KEY_VARIABLE} ?? "unused",
});

const stream = await client.chat.completions.create(${JSON.stringify({ ...body, stream: true }, null, 2)});
for await (const chunk of stream) {
  process.stdout.write(chunk.choices[0]?.delta?.content ?? "");
}
`;
}

/** A value of JSON as Python writes it. @param {unknown} value @param {number} [depth] @returns {string} */
export function pythonValue(value, depth = 0) {
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "string") return pythonText(value);
  if (typeof value !== "object") return String(value);
  const inner = "    ".repeat(depth + 1);
  const end = "    ".repeat(depth);
  const parts = Array.isArray(value)
    ? value.map((one) => pythonValue(one, depth + 1))
    : Object.entries(value).map(
        ([name, one]) => `${pythonText(name)}: ${pythonValue(one, depth + 1)}`,
      );
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const short = `${open}${parts.join(", ")}${close}`;
  if (short.length + end.length <= 72 && !short.includes("\n")) return short;
  return `${open}\n${parts.map((part) => `${inner}${part},\n`).join("")}${end}${close}`;
}

/** JSON's escapes are Python's, but for pairs of surrogates, which JSON.stringify leaves alone. @param {string} text */
const pythonText = (text) => JSON.stringify(text);

/** Code to look at: long data URLs are cut. @param {string} code */
export const shortenImages = (code) =>
  code.replace(/(data:image\/[\w+.-]+;base64,[\w+/=]{24})[\w+/=]{200,}/g, "$1…");
