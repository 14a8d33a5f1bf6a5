"""Google's SDK as the reference: we send what it sends, and it decodes a response as we do."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from headway.providers.gemini.provider import PROVIDER
from headway.types import Target
from support.canned_responses import GEMINI, Wire
from support.lazy_import import lazy_import
from support.scripted_server import ThreadedServer
from support.sdk_conversation import (
    CONVERSATION,
    FORMAT,
    IMAGE,
    SCHEMA,
    THE_TOOL,
    TOOLS,
    calls,
    encoded,
    read,
    served,
)
from support.tool_call_responses import GEMINI_CALLING

genai = lazy_import("google.genai")

SIGNED = {
    "reasoning_details": [
        {
            "type": "reasoning.encrypted",
            "data": "c2ln",
            "format": "google-gemini-v1",
            "id": "call_1",
        }
    ]
}
SIGNED_CONVERSATION = [
    {**message, **SIGNED} if message["role"] == "assistant" else message for message in CONVERSATION
]


def conversation() -> list[Any]:
    """The conversation that every SDK is compared by, in the SDK's types."""
    sdk = genai.types
    return [
        sdk.Content(
            role="user",
            parts=[sdk.Part(text="See:"), sdk.Part.from_bytes(data=IMAGE, mime_type="image/png")],
        ),
        sdk.Content(
            role="model",
            parts=[
                sdk.Part(text="Let me look."),
                sdk.Part(
                    function_call=sdk.FunctionCall(
                        id="call_1", name="weather", args={"city": "Bonn"}
                    ),
                    thought_signature=b"sig",
                ),
            ],
        ),
        sdk.Content(
            role="user",
            parts=[
                sdk.Part(
                    function_response=sdk.FunctionResponse(
                        id="call_1", name="weather", response={"output": "Sunny"}
                    )
                )
            ],
        ),
    ]


def tools_request() -> dict[str, Any]:
    """The SDK's arguments: tools, their results, an image and sampling."""
    sdk = genai.types
    tool = sdk.FunctionDeclaration(
        name="weather", description="The weather.", parameters_json_schema=SCHEMA
    )
    choice = sdk.FunctionCallingConfig(
        mode=sdk.FunctionCallingConfigMode.ANY, allowed_function_names=["weather"]
    )
    return {
        "model": "gemini-2.5-flash",
        "contents": conversation(),
        "config": sdk.GenerateContentConfig(
            system_instruction="Be kind.",
            tools=[sdk.Tool(function_declarations=[tool])],
            tool_config=sdk.ToolConfig(function_calling_config=choice),
            temperature=0.5,
            top_p=0.9,
            top_k=5,
            seed=3,
            candidate_count=2,
            max_output_tokens=4096,
            stop_sequences=["END"],
            thinking_config=sdk.ThinkingConfig(thinking_budget=1024, include_thoughts=True),
        ),
    }


def schema_request() -> dict[str, Any]:
    """The SDK's arguments: an effort and a schema."""
    sdk = genai.types
    return {
        "model": "gemini-3-flash-preview",
        "contents": [sdk.Content(role="user", parts=[sdk.Part(text="Hello")])],
        "config": sdk.GenerateContentConfig(
            response_mime_type="application/json",
            response_json_schema=SCHEMA,
            thinking_config=sdk.ThinkingConfig(
                thinking_level=sdk.ThinkingLevel.LOW, include_thoughts=True
            ),
        ),
    }


# the SDK's arguments, and OpenAI's words for the same
ASKED: dict[str, tuple[Callable[[], dict[str, Any]], dict[str, Any]]] = {
    "tools, their results, an image and sampling": (
        tools_request,
        {
            "model": "gemini-2.5-flash",
            "messages": SIGNED_CONVERSATION,
            "tools": TOOLS,
            "tool_choice": THE_TOOL,
            "temperature": 0.5,
            "top_p": 0.9,
            "top_k": 5,
            "seed": 3,
            "n": 2,
            "max_tokens": 4096,
            "stop": "END",
            "reasoning": {"max_tokens": 1024},
        },
    ),
    "an effort and a schema": (
        schema_request,
        {
            "model": "gemini-3-flash-preview",
            "response_format": FORMAT,
            "reasoning": {"effort": "low"},
        },
    ),
}
FINISHED = {"STOP": "stop"}


def sdk_response(server: ThreadedServer, stream: bool, **asked: Any) -> list[Any]:
    """What the SDK made of the answer, in one piece or several."""
    # Its own default is v1; both are served, and v1beta has what is new.
    options = genai.types.HttpOptions(base_url=server.url, api_version="v1beta")
    with genai.Client(vertexai=False, api_key="k", http_options=options) as client:
        if stream:
            return list(client.models.generate_content_stream(**asked))
        return [client.models.generate_content(**asked)]


def plain(body: bytes) -> dict[str, Any]:
    """Where the SDK writes the same in another way: names of fields with underscores, which JSON of
    proto3 takes as well (protobuf.dev/programming-guides/json), a role in the system's instruction,
    which is text alone, and levels in capitals, as an enum's."""
    found: dict[str, Any] = camel(json.loads(body))
    found.get("systemInstruction", {}).pop("role", None)
    thoughts = found.get("generationConfig", {}).get("thinkingConfig", {})
    if "thinkingLevel" in thoughts:
        thoughts["thinkingLevel"] = thoughts["thinkingLevel"].upper()
    return found


def camel(value: Any) -> Any:
    if isinstance(value, list):
        return [camel(one) for one in value]
    if isinstance(value, dict):
        return {re.sub("_(.)", lambda m: m[1].upper(), k): camel(v) for k, v in value.items()}
    return value


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("what", ASKED)
def test_requests_equal_those_of_the_sdk(what: str, stream: bool) -> None:
    request, words = ASKED[what]
    with ThreadedServer([served(GEMINI[stream])]) as server:
        sdk_response(server, stream, **request())
        asked = server.requests[0]
        target = Target(provider="g", base_url=f"{server.url}/v1beta", api_key="k")
    ours = encoded(PROVIDER, target, stream=stream, **words)
    assert (ours.method, ours.url.path) == (asked.method, asked.target)
    assert plain(ours.body) == plain(asked.body)
    for name in ("content-type", "x-goog-api-key"):
        assert dict(ours.headers)[name] == asked.header(name)


@pytest.mark.parametrize("wire", [GEMINI, GEMINI_CALLING], ids=["text", "thoughts and calls"])
@pytest.mark.parametrize("stream", [False, True])
def test_the_sdk_decodes_a_response_as_we_do(wire: Wire, stream: bool) -> None:
    with ThreadedServer([served(wire[stream])]) as server:
        answers = sdk_response(server, stream, model="gemini-2.5-flash", contents="Hello")
    candidates = [(answer.candidates or [])[0] for answer in answers]
    parts = [part for one in candidates if one.content for part in one.content.parts or ()]
    ours = read(PROVIDER, wire[stream], stream=stream)
    choice, usage, spent = ours.choices[0], ours.reported(), answers[-1].usage_metadata
    assert spent is not None
    assert "".join(choice.text) == "".join(p.text or "" for p in parts if not p.thought)
    assert "".join(choice.reasoning) == "".join(p.text or "" for p in parts if p.thought)
    called = [part.function_call for part in parts if part.function_call]
    assert calls(ours) == [(one.id, one.name, one.args) for one in called]
    signatures = [base64.b64encode(p.thought_signature) for p in parts if p.thought_signature]
    details = choice.extra.get("reasoning_details", [])
    assert [one["data"].encode() for one in details if "data" in one] == signatures
    finish = FINISHED[candidates[-1].finish_reason.name]
    assert choice.finish_reason == ("tool_calls" if called else finish)  # Google has no such word
    thoughts = spent.thoughts_token_count
    assert (usage.input_tokens, usage.cache_read_tokens) == (
        spent.prompt_token_count,
        spent.cached_content_token_count,
    )
    assert usage.output_tokens == (spent.candidates_token_count or 0) + (thoughts or 0)
    assert usage.reasoning_tokens == thoughts
