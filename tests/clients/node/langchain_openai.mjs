// LangChain for JavaScript with OpenAI's package: chat completions.
import { HumanMessage, ToolMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import * as c from "./cells.mjs";

const open = (model, more) =>
  new ChatOpenAI({
    model,
    apiKey: "unused",
    maxRetries: 0,
    configuration: { baseURL: `${c.URL_BASE}/v1` },
    ...more,
  });
const getWeather = tool(c.weather, {
  name: "get_weather",
  description: "The weather in a city.",
  schema: c.CITY_SCHEMA,
});

async function runTools(model, question) {
  const bound = open(model).bindTools([getWeather]);
  const messages = [new HumanMessage(question)];
  for (let turn = 0; turn < 3; turn++) {
    const message = await bound.invoke(messages);
    if (!message.tool_calls.length) return message.text;
    messages.push(message);
    for (const call of message.tool_calls)
      messages.push(new ToolMessage({ tool_call_id: call.id, content: c.weather(call.args) }));
  }
  throw new Error("no end of calls");
}

await c.runCells(
  {
    invoke: [async (model) => (await open(model).invoke("Hi")).text, c.HELLO],
    stream: [async (model) => c.textOf(await open(model).stream("Hi"), (chunk) => chunk.text), c.HELLO],
    structured: [
      (model) => open(model).withStructuredOutput(c.PLACE_SCHEMA, { method: "jsonSchema" }).invoke("Hi"),
      c.PLACE,
    ],
    tools: [(model) => runTools(model, c.QUESTION), c.SUNNY],
    "parallel tools": [(model) => runTools(model, c.QUESTIONS), c.SUNNY_TWICE],
    responses: [
      async (model) => (await open(model, { useResponsesApi: true }).invoke("Hi")).text,
      c.HELLO,
    ],
  },
  "@langchain/openai",
);
