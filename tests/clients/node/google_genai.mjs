// Google's npm package.
import { GoogleGenAI } from "@google/genai";
import * as c from "./cells.mjs";

const client = new GoogleGenAI({ apiKey: "unused", httpOptions: { baseUrl: c.URL_BASE } });
const TOOLS = [
  {
    functionDeclarations: [
      { name: "get_weather", description: "The weather in a city.", parametersJsonSchema: c.CITY_SCHEMA },
    ],
  },
];

async function askWhole(asked) {
  return (await client.models.generateContent(asked)).candidates[0].content.parts;
}

async function askStreamed(asked) {
  const parts = [];
  for await (const chunk of await client.models.generateContentStream(asked))
    parts.push(...(chunk.candidates?.[0]?.content?.parts ?? []));
  return parts;
}

const textOf = (parts) => parts.map((part) => (part.thought ? "" : (part.text ?? ""))).join("");

async function runTools(model, question, ask) {
  const contents = [{ role: "user", parts: [{ text: question }] }];
  for (let turn = 0; turn < 3; turn++) {
    const parts = await ask({ model, contents, config: { tools: TOOLS } });
    const calls = parts.filter((part) => part.functionCall).map((part) => part.functionCall);
    if (!calls.length) return textOf(parts);
    contents.push({ role: "model", parts });
    contents.push({
      role: "user",
      parts: calls.map(({ id, name, args }) => ({
        functionResponse: { id, name, response: { output: c.weather(args) } },
      })),
    });
  }
  throw new Error("no end of calls");
}

await c.runCells(
  {
    generate: [async (model) => textOf(await askWhole({ model, contents: "Hi" })), c.HELLO],
    stream: [async (model) => textOf(await askStreamed({ model, contents: "Hi" })), c.HELLO],
    chat: [
      async (model) => {
        const chat = client.chats.create({ model });
        await chat.sendMessage({ message: "Hi" });
        return (await chat.sendMessage({ message: "Hi again" })).text;
      },
      c.HELLO,
    ],
    schema: [
      async (model) => {
        const config = { responseMimeType: "application/json", responseJsonSchema: c.PLACE_SCHEMA };
        return JSON.parse((await client.models.generateContent({ model, contents: "Hi", config })).text);
      },
      c.PLACE,
    ],
    tools: [(model) => runTools(model, c.QUESTION, askWhole), c.SUNNY],
    "tools streamed": [(model) => runTools(model, c.QUESTION, askStreamed), c.SUNNY],
    "parallel tools": [(model) => runTools(model, c.QUESTIONS, askStreamed), c.SUNNY_TWICE],
    "count tokens": [
      async (model) => (await client.models.countTokens({ model, contents: "Hi" })).totalTokens > 0,
      true,
    ],
  },
  "@google/genai",
);
