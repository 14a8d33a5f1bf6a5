"""What a provider reads in a chat request, in each wire format: the tools, the calls and results of
the conversation, and what the response is to be.

``read_request`` reads as strictly as the providers whose rules about tool calls are the strictest;
``check_conversation`` names what such a provider refuses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Value = dict[str, Any]


@dataclass
class Call:
    id: str | None
    """None: the wire format has no ids."""
    name: str
    arguments: Any


@dataclass
class Result:
    call_id: str | None
    name: str | None
    """The tool's, where the wire format says it."""
    text: str


@dataclass
class Conversation:
    tools: dict[str, Value] = field(default_factory=dict)
    """Name -> JSON schema of the arguments."""
    turns: list[tuple[list[Call], list[Result]]] = field(default_factory=list)
    """The calls of each assistant message that has some, with the results that follow it."""
    texts: list[str] = field(default_factory=list)
    """All text of instructions and users, in order."""
    schema: Value | None = None
    """Of a structured response."""
    wants_reasoning: bool = False
    must_call: bool = False
    """The choice of tools requires a call."""
    is_answered: bool = False
    """The last message is the result of a call."""
    faults: list[str] = field(default_factory=list)
    refusal: str | None = None
    """The ``error_code`` of what the provider does not do for this account."""

    @property
    def calls(self) -> list[Call]:
        return [call for calls, _ in self.turns for call in calls]

    def add_text(self, text: str) -> None:
        self.texts.append(text)
        self.is_answered = False

    def add_calls(self, calls: list[Call]) -> None:
        if calls:
            self.turns.append((calls, []))
        self.is_answered = False

    def add_result(self, result: Result) -> None:
        self.is_answered = True
        if not self.turns:
            self.faults.append(f"the result {result.text!r} follows no call")
        else:
            self.turns[-1][1].append(result)


def text_of(content: Any) -> str:
    """The text of a content that is a string, or parts with ``text``, however deep."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(filter(None, map(text_of, content)))
    if isinstance(content, dict):
        for name in ("text", "content", "output", "json", "result", "response", "document", "data"):
            if content.get(name) is not None:
                return text_of(content[name])
        return json.dumps(content)
    return "" if content is None else str(content)


def arguments_of(conversation: Conversation, arguments: Any) -> Any:
    """From a JSON text, where the wire format has one."""
    if not isinstance(arguments, str):
        return arguments
    try:
        return json.loads(arguments)
    except ValueError:
        conversation.faults.append(f"arguments that are no JSON: {arguments!r}")
        return {}


# --- Chat completions, and the formats that resemble them -----------------------------------------


def read_prompt(body: Value) -> Conversation:
    """Ollama's generate."""
    found = Conversation(wants_reasoning=_wants(body, "think"))
    found.add_text(body["prompt"])
    return found


def read_chat(body: Value) -> Conversation:
    """OpenAI's chat completions, Mistral's, Cohere's v2 chat and Ollama's chat."""
    found = Conversation(must_call=_requires(body.get("tool_choice")))
    for tool in body.get("tools") or ():
        function = tool["function"]
        found.tools[function["name"]] = function.get("parameters") or {}
    for message in body["messages"]:
        if message["role"] == "assistant":
            found.add_calls([_chat_call(found, call) for call in message.get("tool_calls") or ()])
        elif message["role"] == "tool":
            name = message.get("tool_name") or message.get("name")
            text = text_of(message.get("content"))
            found.add_result(Result(message.get("tool_call_id"), name, text))
        else:
            found.add_text(text_of(message.get("content")))
    wanted = body.get("response_format") or {}
    described = wanted.get("json_schema") or wanted.get("schema")
    if described:
        found.schema = described.get("schema") or described
    elif isinstance(body.get("format"), dict):
        found.schema = body["format"]
    found.wants_reasoning = _wants(body, "reasoning_effort", "thinking", "think", "prompt_mode")
    return found


def _chat_call(found: Conversation, call: Value) -> Call:
    function = call["function"]
    return Call(call.get("id"), function["name"], arguments_of(found, function["arguments"]))


def _requires(choice: Any) -> bool:
    """OpenAI, Mistral and Cohere name it in words; else the tool is named."""
    if isinstance(choice, str):
        return choice.lower() in ("required", "any")
    return isinstance(choice, dict) and choice.get("type") not in ("auto", "none")


def _wants(body: Value, *names: str) -> bool:
    """Whether one of the fields asks for reasoning."""
    values = [body[name] for name in names if body.get(name)]
    types = [value.get("type", "on") if isinstance(value, dict) else value for value in values]
    return any(value not in ("none", "disabled") for value in types)


# --- The other wire formats -----------------------------------------------------------------------


def read_responses(body: Value) -> Conversation:
    found = Conversation(must_call=_requires(body.get("tool_choice")))
    for tool in body.get("tools") or ():
        if tool["type"] == "function":
            found.tools[tool["name"]] = tool.get("parameters") or {}
    found.add_text(text_of(body.get("instructions")))
    items = body["input"]
    items = [{"role": "user", "content": items}] if isinstance(items, str) else items
    group: list[Call] = []
    for item in items:
        kind = item.get("type", "message")
        if kind == "function_call":
            arguments = arguments_of(found, item["arguments"])
            group.append(Call(item["call_id"], item["name"], arguments))
            continue
        if group:
            found.add_calls(group)
            group = []
        if kind == "function_call_output":
            found.add_result(Result(item["call_id"], None, text_of(item["output"])))
        elif kind == "message" and item["role"] != "assistant":
            found.add_text(text_of(item["content"]))
    if group:
        found.add_calls(group)
    output_format = (body.get("text") or {}).get("format") or {}
    found.schema = output_format.get("schema")
    found.wants_reasoning = bool((body.get("reasoning") or {}).get("summary"))
    return found


def read_messages(body: Value) -> Conversation:
    """Anthropic's messages."""
    found = Conversation(must_call=_requires(body.get("tool_choice")))
    if "thread" in body:
        found.refusal = "thread_unsupported_request"
    for tool in body.get("tools") or ():
        if "input_schema" in tool:
            found.tools[tool["name"]] = tool["input_schema"]
    found.add_text(text_of(body.get("system")))
    for message in body["messages"]:
        blocks = message["content"]
        blocks = [{"type": "text", "text": blocks}] if isinstance(blocks, str) else blocks
        if message["role"] == "assistant":
            uses = [block for block in blocks if block["type"] == "tool_use"]
            found.add_calls([Call(use["id"], use["name"], use["input"]) for use in uses])
            continue
        for block in sorted(blocks, key=lambda each: each["type"] == "tool_result"):
            if block["type"] == "tool_result":
                text = text_of(block.get("content"))
                found.add_result(Result(block["tool_use_id"], None, text))
            else:
                found.add_text(text_of(block))
    config = body.get("output_config") or {}
    output_format = config.get("format") or body.get("output_format") or {}
    found.schema = output_format.get("schema")
    found.wants_reasoning = _wants(body, "thinking")
    return found


def read_contents(body: Value) -> Conversation:
    """Gemini's generateContent."""
    modes = (body.get("toolConfig") or {}).get("functionCallingConfig") or {}
    found = Conversation(must_call=modes.get("mode") == "ANY")
    for tool in body.get("tools") or ():
        for function in tool.get("functionDeclarations") or ():
            names = ("parametersJsonSchema", "parameters_json_schema", "parameters")
            schema = next(filter(None, map(function.get, names)), {})
            found.tools[function["name"]] = schema
    found.add_text(text_of((body.get("systemInstruction") or {}).get("parts")))
    for content in body["contents"]:
        parts = content["parts"]
        calls = [part for part in parts if "functionCall" in part]
        if calls and "thoughtSignature" not in calls[0]:
            found.faults.append("the first functionCall of a content has no thoughtSignature")
        if content.get("role") == "model":
            made = [part["functionCall"] for part in calls]
            found.add_calls([Call(one.get("id"), one["name"], one.get("args")) for one in made])
            continue
        for part in parts:
            if "functionResponse" in part:
                given = part["functionResponse"]
                text = json.dumps(given["response"])
                found.add_result(Result(given.get("id"), given["name"], text))
            else:
                found.add_text(text_of(part))
    config = body.get("generationConfig") or {}
    found.schema = config.get("responseJsonSchema") or config.get("responseSchema")
    thinking = config.get("thinkingConfig") or {}
    found.wants_reasoning = any(map(thinking.get, ("includeThoughts", "include_thoughts")))
    return found


def read_converse(body: Value) -> Conversation:
    """Bedrock's Converse."""
    config = body.get("toolConfig") or {}
    choice = config.get("toolChoice") or {}
    found = Conversation(must_call="any" in choice or "tool" in choice)
    for tool in config.get("tools") or ():
        if "toolSpec" in tool:
            found.tools[tool["toolSpec"]["name"]] = tool["toolSpec"]["inputSchema"]["json"]
    found.add_text(text_of(body.get("system")))
    for message in body["messages"]:
        blocks = message["content"]
        if message["role"] == "assistant":
            uses = [block["toolUse"] for block in blocks if "toolUse" in block]
            found.add_calls([Call(use["toolUseId"], use["name"], use["input"]) for use in uses])
            continue
        for block in sorted(blocks, key=lambda each: "toolResult" in each):
            if "toolResult" in block:
                given = block["toolResult"]
                text = text_of(given["content"])
                found.add_result(Result(given["toolUseId"], None, text))
            else:
                found.add_text(text_of(block))
    text_format = ((body.get("outputConfig") or {}).get("textFormat") or {}).get("structure") or {}
    schema = (text_format.get("jsonSchema") or {}).get("schema")
    found.schema = json.loads(schema) if isinstance(schema, str) else schema
    found.wants_reasoning = _wants(body.get("additionalModelRequestFields") or {}, "thinking")
    return found


READERS: dict[str, Callable[[Value], Conversation]] = {
    "prompt": read_prompt,
    "chat": read_chat,
    "responses": read_responses,
    "messages": read_messages,
    "contents": read_contents,
    "converse": read_converse,
}
"""By the format of requests."""


# --- Rules ----------------------------------------------------------------------------------------


def read_request(request_format: str, body: Value) -> Conversation:
    found = READERS[request_format](body)
    if found.schema is None:
        found.schema = next(filter(None, map(_schema_in, found.texts)), None)
    found.faults += check_conversation(found)
    return found


def _schema_in(text: str) -> Value | None:
    """The JSON schema that an instruction holds, for models without structured output."""
    for found in re.finditer(r'\{\s*"', text):
        try:
            value, _ = json.JSONDecoder().raw_decode(text, found.start())
        except ValueError:
            continue
        if "properties" in value:
            return value
    return None


def check_conversation(conversation: Conversation) -> Iterator[str]:
    """What is wrong: every call has one result, with its id, and says what the call's tool does."""
    for calls, results in conversation.turns:
        if len(calls) != len(results):
            yield f"{len(calls)} calls with {len(results)} results"
        ids = [call.id for call in calls]
        if len(set(ids)) < len(ids) and ids[0] is not None:
            yield f"calls with the same id: {ids}"
        for position, result in enumerate(results):
            matching = [call for call in calls if call.id == result.call_id]
            if result.call_id is None:
                matching = calls[position : position + 1]
            if not matching:
                yield f"a result for {result.call_id!r}, of the calls {ids}"
            elif result.name is not None and result.name != matching[0].name:
                yield f"a result of {result.name!r} for a call of {matching[0].name!r}"
            elif "weather" in matching[0].name:
                yield from _check_weather(matching[0], result)


def _check_weather(call: Call, result: Result) -> Iterator[str]:
    city = call.arguments.get("city") if isinstance(call.arguments, dict) else None
    if not city:
        yield f"a call without its city: {call.arguments!r}"
    elif city not in result.text or "unny" not in result.text:
        yield f"the result {result.text!r} for the call about {city}"
