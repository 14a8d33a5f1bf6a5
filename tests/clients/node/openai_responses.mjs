// OpenAI's npm package: the Responses API.
import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import * as c from "./cells.mjs";

const client = new OpenAI({
  baseURL: `${c.URL_BASE}/v1`,
  apiKey: "unused",
  maxRetries: 0,
  dangerouslyAllowBrowser: true,
});
const TOOLS = [
  {
    type: "function",
    name: "get_weather",
    description: "The weather in a city.",
    parameters: c.CITY_SCHEMA,
    strict: true,
  },
];

async function runTools(model, question, ask) {
  const input = [{ role: "user", content: question }];
  for (let turn = 0; turn < 3; turn++) {
    const response = await ask({ model, input, tools: TOOLS, store: false });
    const calls = response.output.filter((item) => item.type === "function_call");
    if (!calls.length) return response.output_text;
    input.push(...response.output);
    for (const call of calls) {
      const output = c.weather(JSON.parse(call.arguments));
      input.push({ type: "function_call_output", call_id: call.call_id, output });
    }
  }
  throw new Error("no end of calls");
}

const askWhole = (asked) => client.responses.create(asked);
const askStreamed = (asked) => client.responses.stream(asked).finalResponse();

await c.runCells(
  {
    response: [async (model) => (await askWhole({ model, input: "Hi" })).output_text, c.HELLO],
    stream: [
      async (model) => {
        const stream = await client.responses.create({ model, input: "Hi", stream: true });
        const events = await Array.fromAsync(stream);
        events.forEach((event, index) => c.assert(event.sequence_number === index, event));
        c.assert(events.at(-1).type === "response.completed", events.at(-1));
        const deltas = events.filter((event) => event.type === "response.output_text.delta");
        return deltas.map((event) => event.delta).join("");
      },
      c.HELLO,
    ],
    "stream helper": [async (model) => (await askStreamed({ model, input: "Hi" })).output_text, c.HELLO],
    parse: [
      async (model) => {
        const place = z.object({ city: z.string(), degrees: z.int() });
        const text = { format: zodTextFormat(place, "place") };
        return (await client.responses.parse({ model, input: "Hi", text })).output_parsed;
      },
      c.PLACE,
    ],
    tools: [(model) => runTools(model, c.QUESTION, askWhole), c.SUNNY],
    "tools streamed": [(model) => runTools(model, c.QUESTION, askStreamed), c.SUNNY],
    "parallel tools": [(model) => runTools(model, c.QUESTIONS, askStreamed), c.SUNNY_TWICE],
  },
  "openai",
);
