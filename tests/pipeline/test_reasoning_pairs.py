"""Signed and encrypted reasoning in conversations of two turns: it goes back to a provider that can
read it, is left out for any other, and the transformations say so. For every dialect, and every
pair of providers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from headway.dialects.anthropic.messages import AnthropicMessages
from headway.dialects.base import ClientRequest, Dialect
from headway.dialects.gemini.generate import GenerateContent
from headway.dialects.openai.chat import OpenAIChat
from headway.dialects.openai_responses.dialect import OpenAIResponses
from headway.providers import KINDS
from headway.wire.sealed_reasoning import MARK
from support.pipeline_fakes import Pipe
from support.played_script import adapter
from support.wire_scripts import JSON, SCRIPTS, Pieces

SIGNATURES = {"anthropic": "S", "bedrock": "S", "gemini": "c2ln", "openai_responses": "E"}
FAMILIES = {"bedrock": "anthropic"}
"""Claude reads what it signed on another cloud."""
SECOND = (
    "anthropic",
    "bedrock",
    "gemini",
    "openai_responses",
    "openai",
    "groq",
    "mistral",
    "cohere",
)
MODELS = {
    "anthropic": "claude-sonnet-4-5",
    "bedrock": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "gemini": "gemini-2.5-flash",
    "openai_responses": "gpt-5",
}
OPTIONS = {"region": "us-east-1"}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
Items = list[Any]


class Client(NamedTuple):
    """A client of one dialect: how it asks with a history, and what it adds to that."""

    dialect: Dialect
    ask: Callable[[str, Items], ClientRequest]
    first: Items
    follow: Callable[[Any], Items]
    """Of a reply: the items of the next request that are new, with the result of the tool."""


def body(model: str, **fields: Any) -> ClientRequest:
    return ClientRequest("", (), json.dumps({"model": f"openai/{model}", **fields}).encode())


def ask_anthropic(model: str, history: Items) -> ClientRequest:
    thinking = {"type": "enabled", "budget_tokens": 1024}
    tools = [{"name": "weather", "input_schema": SCHEMA}]
    return body(model, max_tokens=8000, thinking=thinking, tools=tools, messages=history)


def follow_anthropic(reply: Any) -> Items:
    [call] = [block for block in reply["content"] if block["type"] == "tool_use"]
    result = {"type": "tool_result", "tool_use_id": call["id"], "content": "Rain"}
    return [
        {"role": "assistant", "content": reply["content"]},
        {"role": "user", "content": [result]},
    ]


def ask_responses(model: str, history: Items) -> ClientRequest:
    tools = [{"type": "function", "name": "weather", "parameters": SCHEMA}]
    include = ["reasoning.encrypted_content"]
    return body(model, store=False, include=include, tools=tools, input=history)


def follow_responses(reply: Any) -> Items:
    [call] = [item for item in reply["output"] if item["type"] == "function_call"]
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "Rain"}
    return [*reply["output"], result]


def ask_gemini(model: str, history: Items) -> ClientRequest:
    tools = [{"functionDeclarations": [{"name": "weather", "parameters": SCHEMA}]}]
    asked = json.dumps({"contents": history, "tools": tools}).encode()
    return ClientRequest(f"openai/{model}", (), asked)


def follow_gemini(reply: Any) -> Items:
    content = reply["candidates"][0]["content"]
    [call] = [part["functionCall"] for part in content["parts"] if "functionCall" in part]
    result = {"name": "weather", "response": {"output": "Rain"}}
    result |= {"id": call["id"]} if "id" in call else {}
    return [content, {"role": "user", "parts": [{"functionResponse": result}]}]


def ask_chat(model: str, history: Items) -> ClientRequest:
    tools = [{"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}]
    return body(model, tools=tools, messages=history)


def follow_chat(reply: Any) -> Items:
    message = reply["choices"][0]["message"]
    [call] = message["tool_calls"]
    return [message, {"role": "tool", "tool_call_id": call["id"], "content": "Rain"}]


USER = [{"role": "user", "content": "Hi"}]
CLIENTS = {
    "anthropic": Client(AnthropicMessages(), ask_anthropic, USER, follow_anthropic),
    "responses": Client(OpenAIResponses(), ask_responses, USER, follow_responses),
    "gemini": Client(
        GenerateContent(),
        ask_gemini,
        [{"role": "user", "parts": [{"text": "Hi"}]}],
        follow_gemini,
    ),
    "chat": Client(OpenAIChat(), ask_chat, USER, follow_chat),
}


def first_turn(client: Client, kind: str) -> Items:
    """The history after the first provider's reply."""
    script = SCRIPTS[kind](Pieces(text=()))
    pipe = Pipe(provider=adapter(script.kind))
    pipe.send(client.ask(MODELS[kind], client.first), client.dialect)
    pipe.upstream.respond([(b"content-type", JSON.encode())])
    pipe.upstream.chunk(json.dumps(script.whole).encode())
    pipe.upstream.end()
    assert pipe.sink.status == 200, (kind, pipe.sink.body)
    return [*client.first, *client.follow(pipe.sink.json)]


def second_turn(client: Client, kind: str, history: Items) -> tuple[str, list[str]]:
    """The body that the second provider is sent, and the transformations."""
    pipe = Pipe(provider=KINDS[kind], base_url="https://a.example/v1", options=OPTIONS)
    pipe.send(client.ask(MODELS.get(kind, "m"), history), client.dialect)
    assert pipe.upstream_requests, (kind, pipe.sink.body)
    assert pipe.call.attempt is not None
    told = [str(each) for each in pipe.call.attempt.context.transformations]
    return pipe.upstream.request.body.decode(), told


def family(kind: str) -> str:
    return FAMILIES.get(kind, kind)


def problem(client: Client, first: str, second: str, history: Items) -> str | None:
    """What is wrong with the second turn."""
    sent, told = second_turn(client, second, history)
    is_sent = f'"{SIGNATURES[first]}"' in sent
    if "Rain" not in sent or MARK in sent:
        return "the conversation is not as it was"
    if is_sent is not (family(first) == family(second)):
        return f"the signature is {'sent' if is_sent else 'lost'}; told: {told}"
    words = ("reasoning", "thinking", "thoughtSignature")
    is_told = is_sent or any(word in each for each in told for word in words)
    return None if is_told else f"nobody is told: {told}"


def test_reasoning_goes_back_to_who_can_read_it_and_to_nobody_else() -> None:
    problems = {}
    for name, client in CLIENTS.items():
        for first in SIGNATURES:
            history = first_turn(client, first)
            for second in SECOND:
                if found := problem(client, first, second, history):
                    problems[name, first, second] = found
    assert problems == {}
