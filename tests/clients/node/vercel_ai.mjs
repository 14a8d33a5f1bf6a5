// Vercel's AI SDK with the package of one provider: node vercel_ai.mjs @ai-sdk/openai
import { generateText, isStepCount, jsonSchema, Output, streamText, tool } from "ai";
import * as c from "./cells.mjs";

const MODELS = {
  "@ai-sdk/openai": ({ createOpenAI }) => createOpenAI({ baseURL: `${c.URL_BASE}/v1`, apiKey: "unused" }),
  "@ai-sdk/openai-compatible": ({ createOpenAICompatible }) =>
    createOpenAICompatible({
      name: "headway",
      baseURL: `${c.URL_BASE}/v1`,
      supportsStructuredOutputs: true,
      includeUsage: true,
    }),
  "@ai-sdk/anthropic": ({ createAnthropic }) =>
    createAnthropic({ baseURL: `${c.URL_BASE}/v1`, apiKey: "unused" }),
  "@ai-sdk/google": ({ createGoogleGenerativeAI }) =>
    createGoogleGenerativeAI({ baseURL: `${c.URL_BASE}/v1beta`, apiKey: "unused" }),
};
const name = process.argv[2];
const provider = MODELS[name](await import(name));
const ask = (model, more) => ({
  model: provider(model),
  maxRetries: 0,
  // With "stored", later turns refer to items that OpenAI keeps for 30 days, and so does the gateway.
  providerOptions: { openai: { store: process.argv[3] === "stored" } },
  ...more,
});
const tools = {
  get_weather: tool({
    description: "The weather in a city.",
    inputSchema: jsonSchema(c.CITY_SCHEMA),
    execute: async (input) => c.weather(input),
  }),
};
const loop = (prompt) => ({ prompt, tools, stopWhen: isStepCount(4) });

async function streamed(asked) {
  const result = streamText({ ...asked, onError: ({ error }) => { throw error; } });
  const text = await c.textOf(result.textStream, (piece) => piece);
  c.assert((await result.usage).outputTokens > 0, await result.usage);
  return text;
}

await c.runCells(
  {
    generate: [async (model) => (await generateText(ask(model, { prompt: "Hi" }))).text, c.HELLO],
    stream: [(model) => streamed(ask(model, { prompt: "Hi" })), c.HELLO],
    object: [
      async (model) => {
        const output = Output.object({ schema: jsonSchema(c.PLACE_SCHEMA) });
        return (await generateText(ask(model, { prompt: "Hi", output }))).output;
      },
      c.PLACE,
    ],
    tools: [async (model) => (await generateText(ask(model, loop(c.QUESTION)))).text, c.SUNNY],
    "tools streamed": [(model) => streamed(ask(model, loop(c.QUESTION))), c.SUNNY],
    "parallel tools": [(model) => streamed(ask(model, loop(c.QUESTIONS))), c.SUNNY_TWICE],
  },
  "ai",
  name,
);
