// Ollama's npm package.
import { Ollama } from "ollama";
import * as c from "./cells.mjs";

const client = new Ollama({ host: c.URL_BASE });
const HI = [{ role: "user", content: "Hi" }];
const TOOLS = [
  {
    type: "function",
    function: { name: "get_weather", description: "The weather in a city.", parameters: c.CITY_SCHEMA },
  },
];

async function askStreamed(asked) {
  const found = { role: "assistant", content: "", tool_calls: [] };
  for await (const { message } of await client.chat({ ...asked, stream: true })) {
    found.content += message.content;
    found.tool_calls.push(...(message.tool_calls ?? []));
  }
  return found;
}

const askWhole = async (asked) => (await client.chat(asked)).message;

async function runTools(model, question, ask) {
  const messages = [{ role: "user", content: question }];
  for (let turn = 0; turn < 3; turn++) {
    const message = await ask({ model, messages, tools: TOOLS });
    if (!message.tool_calls?.length) return message.content;
    messages.push(message);
    for (const { function: { name, arguments: given } } of message.tool_calls)
      messages.push({ role: "tool", tool_name: name, content: c.weather(given) });
  }
  throw new Error("no end of calls");
}

await c.runCells(
  {
    chat: [async (model) => (await askWhole({ model, messages: HI })).content, c.HELLO],
    stream: [async (model) => (await askStreamed({ model, messages: HI })).content, c.HELLO],
    generate: [async (model) => (await client.generate({ model, prompt: "Hi" })).response, c.HELLO],
    format: [
      async (model) =>
        JSON.parse((await askWhole({ model, messages: HI, format: c.PLACE_SCHEMA })).content),
      c.PLACE,
    ],
    tools: [(model) => runTools(model, c.QUESTION, askWhole), c.SUNNY],
    "tools streamed": [(model) => runTools(model, c.QUESTION, askStreamed), c.SUNNY],
    "parallel tools": [(model) => runTools(model, c.QUESTIONS, askStreamed), c.SUNNY_TWICE],
  },
  "ollama",
);
