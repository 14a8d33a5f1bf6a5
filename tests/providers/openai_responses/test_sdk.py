"""OpenAI's SDK as the reference: requests have its types and addresses, and it decodes the same
from a response."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from msgspec import Raw
from pydantic import TypeAdapter

from headway.providers.azure import openai as azure_openai
from headway.providers.azure import openai_responses as azure_openai_responses
from headway.providers.base import Provider
from headway.providers.openai_responses import provider as openai_responses
from headway.response_accumulator import ResponseAccumulator
from headway.types import ChatRequest, HttpRequest, Target
from headway.wire.sse import SseFramer
from support.lazy_import import lazy_import
from support.recordings import Recording, chosen, each
from support.scripted_server import Received, ThreadedServer, answer

openai = lazy_import("openai")

DATED = "2025-04-01-preview"
RESPONSES = chosen(lambda r: r.api == "responses" and r.status == 200)
COMPLETION = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant"}}],
}
RESPONSE = {"id": "r", "object": "response", "created_at": 1, "model": "m", "output": []}
HELLO = [{"role": "user", "content": "Hello"}]
DETAIL = {"format": "openai-responses-v1", "id": "rs_1", "index": 0}
MESSAGES = [
    {"role": "developer", "content": "Be brief."},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "See:"},
            {"type": "image_url", "image_url": {"url": "https://x/a.png", "detail": "low"}},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf,"}},
            {"type": "file", "file": {"file_data": "https://x/a.pdf"}},
        ],
    },
    {
        "role": "assistant",
        "content": "Let me look.",
        "phase": "commentary",
        "reasoning_details": [
            {"type": "reasoning.summary", "summary": "S", **DETAIL},
            {"type": "reasoning.encrypted", "data": "E", **DETAIL},
        ],
        "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            {"id": "call_2", "type": "custom", "custom": {"name": "c", "input": "x"}},
        ],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "1"}]},
    {"role": "tool", "tool_call_id": "call_2", "content": "2"},
]
PARAMETERS: dict[str, Any] = {
    "tools": [
        {"type": "function", "function": {"name": "f"}},
        {
            "type": "custom",
            "custom": {
                "name": "c",
                "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "x"}},
            },
        },
    ],
    "web_search_options": {
        "user_location": {"type": "approximate", "approximate": {"city": "Bonn"}}
    },
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": True},
    },
    "verbosity": "low",
    "reasoning": {"effort": "low", "summary": "auto"},
}


def encoded(provider: Provider, messages: Any, target: Target, **parameters: Any) -> HttpRequest:
    request = ChatRequest(
        model="gpt-5",
        messages=Raw(json.dumps(messages).encode()),
        parameters={name: Raw(json.dumps(value).encode()) for name, value in parameters.items()},
    )
    return provider.encode_request(provider.adapt(request)[0], target)


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ("input", lambda types: types.ResponseInputParam),
        ("tools", lambda types: list[types.ToolParam]),
        ("tool_choice", lambda types: types.response_create_params.ToolChoice),
        ("text", lambda types: types.ResponseTextConfigParam),
        ("reasoning", lambda _: openai.types.shared_params.Reasoning),
    ],
)
def test_the_request_has_the_types_of_the_sdk(field: str, kind: Callable[[Any], Any]) -> None:
    target = Target(provider="x", base_url="https://x/v1")
    body = json.loads(encoded(openai_responses.PROVIDER, MESSAGES, target, **PARAMETERS).body)
    TypeAdapter(kind(openai.types.responses)).validate_python(body[field])  # raises if it is not


def gateway_request(provider: Provider, base_url: str, **options: Any) -> tuple[str, str | None]:
    target = Target(provider="x", base_url=base_url, api_key="k", options=options)
    http = encoded(provider, HELLO, target)
    headers = dict(http.headers)
    return http.url.path, headers.get("api-key") or headers.get("authorization")


def sdk_request(client: Any, is_chat: bool, server: ThreadedServer) -> tuple[str, str | None]:
    if is_chat:
        client.chat.completions.create(model="gpt-5", messages=[{"role": "user", "content": "a"}])
    else:
        client.responses.create(model="gpt-5", input="a")
    client.close()
    asked = server.requests[-1]
    return asked.target, asked.header("api-key") or asked.header("authorization")


def reply(asked: Received) -> bytes:
    said = COMPLETION if "chat" in asked.target else RESPONSE
    return answer(json.dumps(said).encode())


@pytest.mark.parametrize("is_chat", [True, False])
def test_a_request_to_azure_has_the_address_and_key_header_of_the_sdk(is_chat: bool) -> None:
    provider = azure_openai.PROVIDER if is_chat else azure_openai_responses.PROVIDER
    with ThreadedServer([reply]) as server:
        dated = openai.AzureOpenAI(
            azure_endpoint=server.url, api_version=DATED, api_key="k", max_retries=0
        )
        assert sdk_request(dated, is_chat, server) == gateway_request(
            provider, server.url, api_version=DATED
        )
        v1 = openai.OpenAI(base_url=f"{server.url}/openai/v1/", api_key="k", max_retries=0)
        path, key = gateway_request(provider, server.url)
        assert key == "k"  # where Azure's own header does, the SDK for everyone has a bearer's
        assert sdk_request(v1, is_chat, server) == (path, "Bearer k")


def test_a_request_to_openai_has_the_address_and_key_header_of_the_sdk() -> None:
    with ThreadedServer([reply]) as server:
        client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="k", max_retries=0)
        decoded = sdk_request(client, False, server)
        assert decoded == gateway_request(openai_responses.PROVIDER, f"{server.url}/v1")


@each(RESPONSES)
def test_the_sdk_decodes_the_same_from_a_recorded_response(recording: Recording) -> None:
    kind = "text/event-stream" if recording.stream else "application/json"
    with ThreadedServer([answer(recording.body, headers=[("content-type", kind)])]) as server:
        client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="k", max_retries=0)
        decoded: Any = client.responses.create(model="m", input="a", stream=recording.stream)
        if recording.stream:
            decoded = next(
                event.response for event in decoded if event.type == "response.completed"
            )
        client.close()
    found = fold(recording).choices[0]
    assert "".join(found.text) == decoded.output_text
    called = [(i.call_id, i.arguments) for i in decoded.output if i.type == "function_call"]
    calls = [(tool.id, "".join(tool.arguments)) for tool in found.tools.values()]
    assert [call for call in calls if call[1].startswith("{")] == called


def fold(recording: Recording) -> ResponseAccumulator:
    provider, found = openai_responses.PROVIDER, ResponseAccumulator()
    if not recording.stream:
        found.add(provider.decode_response(recording.body))
        return found
    framer, state = SseFramer(), {}  # type: ignore[var-annotated]
    for frame in [*framer.feed(recording.body), *framer.end()]:
        found.add(provider.decode_event(frame, state))
    return found
