"""Anthropic's SDK as the reference: equal requests, and equal decoded responses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter

from headway.providers.anthropic.provider import PROVIDER
from headway.providers.anthropic.response import FINISH_REASONS
from headway.types import Target
from support.canned_responses import ANTHROPIC, Played, Wire
from support.lazy_import import lazy_import
from support.scripted_server import ThreadedServer
from support.sdk_conversation import (
    CONVERSATION,
    FORMAT,
    SCHEMA,
    THE_TOOL,
    TOOLS,
    calls,
    encoded,
    read,
    served,
)
from support.tool_call_responses import ANTHROPIC_CALLING, MESSAGE

anthropic = lazy_import("anthropic")

# the SDK warns of models that still response
pytestmark = pytest.mark.filterwarnings(
    "ignore:The model 'claude-sonnet-4-5' is deprecated:DeprecationWarning"
)

HELLO: Any = [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]
TOOL: Any = {"name": "weather", "description": "The weather.", "input_schema": SCHEMA}
SAID: Any = [
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "See:"},
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": "YSBwaWN0dXJl"},
            },
        ],
    },
    {
        "role": "assistant",
        "content": [
            {"type": "text", "text": "Let me look."},
            {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Bonn"}},
        ],
    },
    {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "Sunny"}],
    },
]

# the SDK's arguments, and the same in OpenAI's format
ASKED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "tools, their results, an image and sampling": (
        {
            "model": "claude-sonnet-4-5",
            "system": [{"type": "text", "text": "Be kind."}],
            "messages": SAID,
            "tools": [TOOL],
            "tool_choice": {"type": "tool", "name": "weather", "disable_parallel_tool_use": True},
            "max_tokens": 4096,
            # removed from the SDK's API version; other models and versions take them
            "extra_body": {"temperature": 0.5, "top_k": 5},
            "stop_sequences": ["END"],
            "metadata": {"user_id": "u"},
        },
        {
            "model": "claude-sonnet-4-5",
            "messages": CONVERSATION,
            "tools": TOOLS,
            "tool_choice": THE_TOOL,
            "parallel_tool_calls": False,
            "max_tokens": 4096,
            "temperature": 0.5,
            "top_k": 5,
            "stop": "END",
            "user": "u",
        },
    ),
    "a budget of thoughts": (
        {
            "model": "claude-sonnet-4-5",
            "messages": HELLO,
            "max_tokens": 4096,
            "thinking": {"type": "enabled", "budget_tokens": 1024},
        },
        {
            "model": "claude-sonnet-4-5",
            "max_tokens": 4096,
            "reasoning": {"max_tokens": 1024},
        },
    ),
    "an effort and a schema": (
        {
            "model": "claude-opus-4-6",
            "messages": HELLO,
            "max_tokens": 4096,
            "thinking": {"type": "adaptive"},
            "output_config": {
                "effort": "low",
                "format": {"type": "json_schema", "schema": SCHEMA},
            },
        },
        {
            "model": "claude-opus-4-6",
            "max_tokens": 4096,
            "reasoning": {"effort": "low"},
            "response_format": FORMAT,
        },
    ),
}


def client(server: ThreadedServer) -> Any:
    return anthropic.Anthropic(api_key="k", base_url=server.url, max_retries=0)


def sdk_response(server: ThreadedServer, stream: bool, arguments: dict[str, Any]) -> Any:
    """The response as the SDK decodes it."""
    with client(server) as sdk:
        if not stream:
            return sdk.messages.create(**arguments)
        with sdk.messages.stream(**arguments) as events:
            return events.get_final_message()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("what", ASKED)
def test_our_request_equals_the_request_of_the_sdk(what: str, stream: bool) -> None:
    theirs, words = ASKED[what]
    with ThreadedServer([served(ANTHROPIC[stream])]) as server:
        sdk_response(server, stream, theirs)
        asked = server.requests[0]
        target = Target(provider="a", base_url=server.url, api_key="k")
    ours = encoded(PROVIDER, target, stream=stream, **words)
    assert (ours.method, ours.url.path) == (asked.method, asked.target)
    assert json.loads(ours.body) == json.loads(asked.body)
    headers = dict(ours.headers)
    assert headers["content-type"] == asked.header("content-type")
    # The SDK sends the key as a bearer token, the API's curl examples in this header: both work.
    assert f"Bearer {headers['x-api-key']}" == asked.header("authorization")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("what", ASKED)
def test_our_body_is_valid_by_the_types_of_the_sdk(what: str, stream: bool) -> None:
    types = anthropic.types.message_create_params
    kind: Any = (
        types.MessageCreateParamsStreaming if stream else types.MessageCreateParamsNonStreaming
    )
    target = Target(provider="a", base_url="http://x")
    body = json.loads(encoded(PROVIDER, target, stream=stream, **ASKED[what][1]).body)
    TypeAdapter(kind).validate_python(body)  # raises if it is not
    known = kind.__required_keys__ | kind.__optional_keys__
    assert set(body) <= known | set(ASKED[what][0].get("extra_body", ()))


class Place(BaseModel):
    model_config = ConfigDict(extra="forbid")
    city: str


def test_our_schema_equals_the_one_that_the_sdk_makes_of_a_class() -> None:
    said = {**MESSAGE, "content": [{"type": "text", "text": '{"city":"Bonn"}'}]}
    place = Played("application/json", json.dumps(said).encode())
    with ThreadedServer([served(place)]) as server, client(server) as sdk:
        parsed = sdk.messages.parse(
            model="claude-sonnet-4-5", max_tokens=9, messages=HELLO, output_format=Place
        )
        asked = json.loads(server.requests[0].body)["output_config"]["format"]
    assert parsed.parsed_output == Place(city="Bonn")
    target = Target(provider="a", base_url="http://x")
    ours = encoded(PROVIDER, target, "claude-sonnet-4-5", response_format=FORMAT)
    for name in ("title", "description"):  # of pydantic's own making
        asked["schema"].pop(name, None)
        asked["schema"]["properties"]["city"].pop(name, None)
    assert json.loads(ours.body)["output_config"]["format"] == asked


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("wire", [ANTHROPIC, ANTHROPIC_CALLING], ids=["text", "thoughts and calls"])
def test_our_response_equals_the_response_that_the_sdk_decodes(wire: Wire, stream: bool) -> None:
    with ThreadedServer([served(wire[stream])]) as server:
        message = sdk_response(server, stream, ASKED["a budget of thoughts"][0])
    ours = read(PROVIDER, wire[stream], stream=stream)
    choice, usage, spent = ours.choices[0], ours.reported(), message.usage
    blocks = message.content
    assert "".join(choice.text) == "".join(b.text for b in blocks if b.type == "text")
    assert "".join(choice.reasoning) == "".join(b.thinking for b in blocks if b.type == "thinking")
    assert calls(ours) == [(b.id, b.name, b.input) for b in blocks if b.type == "tool_use"]
    assert choice.finish_reason == FINISH_REASONS[str(message.stop_reason)]
    read_, written = spent.cache_read_input_tokens, spent.cache_creation_input_tokens
    assert (usage.cache_read_tokens, usage.cache_write_tokens) == (read_, written)
    assert usage.input_tokens == spent.input_tokens + (read_ or 0) + (written or 0)
    assert usage.output_tokens == spent.output_tokens
