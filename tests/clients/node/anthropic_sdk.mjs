// Anthropic's npm package.
import Anthropic from "@anthropic-ai/sdk";
import * as c from "./cells.mjs";

const client = new Anthropic({ baseURL: c.URL_BASE, apiKey: "unused", maxRetries: 0 });
const HI = [{ role: "user", content: "Hi" }];
const TOOLS = [
  { name: "get_weather", description: "The weather in a city.", input_schema: c.CITY_SCHEMA },
];
const textOf = (message) =>
  message.content.map((block) => (block.type === "text" ? block.text : "")).join("");

async function runTools(model, question, ask) {
  const messages = [{ role: "user", content: question }];
  for (let turn = 0; turn < 3; turn++) {
    const message = await ask({ model, messages, tools: TOOLS, max_tokens: 2000 });
    const calls = message.content.filter((block) => block.type === "tool_use");
    if (message.stop_reason !== "tool_use") return textOf(message);
    messages.push({ role: "assistant", content: message.content });
    messages.push({
      role: "user",
      content: calls.map((call) => ({
        type: "tool_result",
        tool_use_id: call.id,
        content: c.weather(call.input),
      })),
    });
  }
  throw new Error("no end of calls");
}

const askWhole = (asked) => client.messages.create(asked);
const askStreamed = (asked) => client.messages.stream(asked).finalMessage();
const hi = (model, more = {}) => ({ model, max_tokens: 2000, messages: HI, ...more });

await c.runCells(
  {
    message: [async (model) => textOf(await askWhole(hi(model))), c.HELLO],
    stream: [
      async (model) => {
        const events = await Array.fromAsync(await client.messages.create(hi(model, { stream: true })));
        c.assert(events[0].type === "message_start", events[0]);
        c.assert(events.at(-1).type === "message_stop", events.at(-1));
        return events.map((event) => event.delta?.text ?? "").join("");
      },
      c.HELLO,
    ],
    "stream helper": [async (model) => textOf(await askStreamed(hi(model))), c.HELLO],
    tools: [(model) => runTools(model, c.QUESTION, askWhole), c.SUNNY],
    "tools streamed": [(model) => runTools(model, c.QUESTION, askStreamed), c.SUNNY],
    "parallel tools": [(model) => runTools(model, c.QUESTIONS, askStreamed), c.SUNNY_TWICE],
    thinking: [
      async (model) => {
        const thinking = { type: "enabled", budget_tokens: 1024 };
        const message = await askStreamed(hi(model, { thinking }));
        return message.content.map((block) => block.thinking ?? "").join("");
      },
      c.REASONING,
    ],
    "count tokens": [
      async (model) => (await client.messages.countTokens({ model, messages: HI })).input_tokens > 0,
      true,
    ],
    error: [
      async () => {
        const error = await askWhole(hi("no-such-provider/m")).catch((each) => each);
        return error instanceof Anthropic.NotFoundError && error.status;
      },
      404,
    ],
  },
  "@anthropic-ai/sdk",
);
