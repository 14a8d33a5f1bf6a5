"""Conversations of ten turns, in every dialect over every wire format: a client sends back what it
got, with results of its tools, and the provider gets the bytes of the turns before unchanged. Then
its prompt cache hits."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from headway.dialects.anthropic.messages import AnthropicMessages
from headway.dialects.base import ClientRequest, Dialect
from headway.dialects.gemini.generate import GenerateContent
from headway.dialects.ollama.chat import OllamaChat
from headway.dialects.openai.chat import OpenAIChat
from headway.dialects.openai_responses.dialect import OpenAIResponses
from headway.providers import KINDS
from support.pipeline_fakes import Pipe
from support.wire_scripts import JSON, SCRIPTS, Pieces, ToolCall

TURNS = 10
MODEL = "openai/some-model"
SYSTEM = "Be kind."
SCHEMA = {"type": "object", "properties": {"b": {"type": "string"}, "a": {"type": "string"}}}
TOOLS = ("weather", "account")
WIRES = [
    "openai", "deepseek", "mistral", "openrouter", "anthropic", "gemini", "cohere",
    "openai_responses", "ollama", "ollama_openai",
]  # fmt: skip
CONVERSATION = ("messages", "input", "contents")
"""Fields of requests that grow with a conversation."""

SIGNATURES = {
    "anthropic": '"signature": "S"',
    "gemini": '"thoughtSignature": "c2ln"',
    "openai_responses": '"encrypted_content": "E"',
}
"""Of thoughts, which their provider wants back."""

Turn = list[dict[str, Any]]


class Client(NamedTuple):
    """How a client of a dialect writes a conversation."""

    dialect: Dialect
    ask: Callable[[str], Turn]
    body: Callable[[Turn], dict[str, Any]]
    read: Callable[[Any], Turn]
    """What it keeps of a reply."""
    results: Callable[[Turn], Turn]
    """The results of the calls in what it kept."""
    model: str = ""


def calls_of(turn: Turn, name: str) -> list[Any]:
    return [call for message in turn for call in message.get(name) or ()]


CHAT = Client(
    OpenAIChat(),
    lambda text: [{"role": "user", "content": text}],
    lambda turns: {
        "model": MODEL,
        "messages": [{"role": "system", "content": SYSTEM}, *turns],
        "tools": [
            {"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in TOOLS
        ],
    },
    lambda reply: [reply["choices"][0]["message"]],
    lambda turn: [
        {"role": "tool", "tool_call_id": call["id"], "content": f"result of {call['id']}"}
        for call in calls_of(turn, "tool_calls")
    ],
)
ANTHROPIC = Client(
    AnthropicMessages(),
    lambda text: [{"role": "user", "content": [{"type": "text", "text": text}]}],
    lambda turns: {
        "model": MODEL,
        "max_tokens": 100,
        "system": [{"type": "text", "text": SYSTEM, "cache_control": {"type": "ephemeral"}}],
        "messages": turns,
        "tools": [{"name": name, "input_schema": SCHEMA} for name in TOOLS],
    },
    lambda reply: [{"role": "assistant", "content": reply["content"]}],
    lambda turn: [
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": block["id"], "content": "21 degrees"}
                for block in calls_of(turn, "content")
                if block["type"] == "tool_use"
            ],
        }
    ],
)
RESPONSES = Client(
    OpenAIResponses(),
    lambda text: [{"role": "user", "content": [{"type": "input_text", "text": text}]}],
    lambda turns: {
        "model": MODEL,
        "instructions": SYSTEM,
        "input": turns,
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "tools": [{"type": "function", "name": name, "parameters": SCHEMA} for name in TOOLS],
    },
    lambda reply: reply["output"],
    lambda turn: [
        {"type": "function_call_output", "call_id": item["call_id"], "output": "21 degrees"}
        for item in turn
        if item["type"] == "function_call"
    ],
)
GEMINI = Client(
    GenerateContent(False),
    lambda text: [{"role": "user", "parts": [{"text": text}]}],
    lambda turns: {
        "systemInstruction": {"parts": [{"text": SYSTEM}]},
        "contents": turns,
        "tools": [
            {"functionDeclarations": [{"name": name, "parameters": SCHEMA} for name in TOOLS]}
        ],
    },
    lambda reply: [reply["candidates"][0]["content"]],
    lambda turn: [
        {
            "role": "user",
            "parts": [
                {"functionResponse": {**named(part["functionCall"]), "response": {"is": "21"}}}
                for part in calls_of(turn, "parts")
                if "functionCall" in part
            ],
        }
    ],
    MODEL,
)
OLLAMA = Client(
    OllamaChat(),
    lambda text: [{"role": "user", "content": text}],
    lambda turns: {**CHAT.body(turns), "stream": False},
    lambda reply: [reply["message"]],
    lambda turn: [
        {"role": "tool", "tool_name": call["function"]["name"], "content": "21 degrees"}
        for call in calls_of(turn, "tool_calls")
    ],
)
CLIENTS = {
    "chat": CHAT, "anthropic": ANTHROPIC, "responses": RESPONSES, "gemini": GEMINI,
    "ollama": OLLAMA,
}  # fmt: skip


def named(call: dict[str, Any]) -> dict[str, Any]:
    """The name of a call, and its id where the client got one."""
    return {name: call[name] for name in ("id", "name") if name in call}


def reply_of(client: Client, wire: str, turns: Turn, number: int) -> tuple[Any, bytes]:
    """What the client gets for its conversation, and what the provider got of it."""
    calls = [
        ToolCall(f"call{number:05}", "weather", ('{"b": "x",', ' "a": "y"}')),
        ToolCall(f"call{number + 500:05}", "account", ("{}",)),
    ]
    script = SCRIPTS[wire](Pieces(text=(f"Answer {number}",), calls=calls))
    pipe = Pipe(provider=KINDS[script.kind])
    pipe.gateway.snapshot = replace(pipe.gateway.snapshot, body_limit=1 << 20)
    body = json.dumps(client.body(turns)).encode()
    pipe.send(ClientRequest(client.model, (), body), client.dialect)
    assert pipe.upstream_requests, pipe.sink.body
    pipe.upstream.respond([(b"content-type", JSON.encode())])
    pipe.upstream.chunk(json.dumps(script.whole).encode())
    if not pipe.upstream.is_over:
        pipe.upstream.end()
    return json.loads(pipe.sink.body), pipe.upstream.request.body


def parts_of(body: bytes) -> tuple[list[str], list[tuple[str, str]]]:
    """The items of the conversation in a provider's request, and all other fields, with all names
    in their order; of blanks the provider sees nothing."""
    fields: dict[str, Any] = json.loads(body)
    name = next(name for name in CONVERSATION if name in fields)
    rest = [(key, json.dumps(value)) for key, value in fields.items() if key != name]
    return [json.dumps(item) for item in fields[name]], rest


@pytest.mark.parametrize("name", CLIENTS)
def test_every_turn_begins_with_the_bytes_of_the_turns_before(name: str) -> None:
    client = CLIENTS[name]
    for wire in WIRES:
        turns: Turn = []
        items, rest = [], None
        for number in range(TURNS):
            turns = [*turns, *client.ask(f"Question {number}")]
            reply, sent = reply_of(client, wire, turns, number)
            now, others = parts_of(sent)
            assert now[: len(items)] == items, (wire, number)
            assert rest is None or others == rest, (wire, number)
            items, rest = now, others
            kept = client.read(reply)
            results = client.results(kept)
            assert len(results) in (1, 2), (wire, kept)
            turns = [*turns, *kept, *results]
        text = "".join(items)
        for number in range(TURNS - 1):
            assert f"Question {number}" in text, (wire, number)
            assert f"Answer {number}" in text, (wire, number)
        signature = SIGNATURES.get(wire)
        if signature is not None and name != "ollama":  # whose clients return no more than text
            assert text.count(signature) >= TURNS - 1, (wire, text)
