// OpenAI's npm package: chat completions.
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";
import * as c from "./cells.mjs";

const client = new OpenAI({
  baseURL: `${c.URL_BASE}/v1`,
  apiKey: "unused",
  maxRetries: 0,
  dangerouslyAllowBrowser: true,
});
const HI = [{ role: "user", content: "Hi" }];
const FUNCTION = { name: "get_weather", description: "The weather in a city.", parameters: c.CITY_SCHEMA };
const TOOLS = [{ type: "function", function: FUNCTION }];
const textOfChunk = (chunk) => chunk.choices[0]?.delta.content;

async function runTools(model, question, ask) {
  const messages = [{ role: "user", content: question }];
  for (let turn = 0; turn < 3; turn++) {
    const message = await ask({ model, messages, tools: TOOLS });
    if (!message.tool_calls?.length) return message.content;
    messages.push(message);
    for (const call of message.tool_calls) {
      const content = c.weather(JSON.parse(call.function.arguments));
      messages.push({ role: "tool", tool_call_id: call.id, content });
    }
  }
  throw new Error("no end of calls");
}

const askWhole = async (asked) => (await client.chat.completions.create(asked)).choices[0].message;
const askStreamed = async (asked) =>
  (await client.chat.completions.stream(asked).finalChatCompletion()).choices[0].message;

await c.runCells(
  {
    chat: [async (model) => (await askWhole({ model, messages: HI })).content, c.HELLO],
    stream: [
      async (model) => {
        const stream = await client.chat.completions.create({
          model,
          messages: HI,
          stream: true,
          stream_options: { include_usage: true },
        });
        let last;
        const text = await c.textOf(stream, (chunk) => textOfChunk((last = chunk)));
        c.assert(last.usage.completion_tokens === 7, last);
        return text;
      },
      c.HELLO,
    ],
    "stream helper": [async (model) => (await askStreamed({ model, messages: HI })).content, c.HELLO],
    parse: [
      async (model) => {
        const place = z.object({ city: z.string(), degrees: z.int() });
        const completion = await client.chat.completions.parse({
          model,
          messages: HI,
          response_format: zodResponseFormat(place, "place"),
        });
        return completion.choices[0].message.parsed;
      },
      c.PLACE,
    ],
    tools: [(model) => runTools(model, c.QUESTION, askWhole), c.SUNNY],
    "tools streamed": [(model) => runTools(model, c.QUESTION, askStreamed), c.SUNNY],
    "parallel tools": [(model) => runTools(model, c.QUESTIONS, askStreamed), c.SUNNY_TWICE],
    "tool runner": [
      async (model) => {
        const runner = client.chat.completions.runTools({
          model,
          messages: [{ role: "user", content: c.QUESTION }],
          stream: true,
          tools: [{ type: "function", function: { ...FUNCTION, parse: JSON.parse, function: c.weather } }],
        });
        return await runner.finalContent();
      },
      c.SUNNY,
    ],
    error: [
      async () => {
        const asked = { model: "no-such-provider/m", messages: HI };
        const error = await client.chat.completions.create(asked).catch((each) => each);
        return error instanceof OpenAI.NotFoundError && error.status;
      },
      404,
    ],
  },
  "openai",
);
