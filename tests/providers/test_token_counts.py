"""Requests for the number of tokens: for each provider that counts, from a client of its own wire
format and from one of another."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import pytest
from msgspec import Raw

from headway.errors import RequestError
from headway.providers import KINDS
from headway.providers.base import Provider
from headway.types import ChatRequest, NativeRequest, Target

MESSAGES = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}]
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
BEDROCK = "https://bedrock-runtime.us-east-1.amazonaws.com"
VERTEX = "https://aiplatform.googleapis.com"
OPTIONS = {"project": "p", "region": "us-east-1"}


def raw(fields: dict[str, Any]) -> dict[str, Raw]:
    return {name: Raw(json.dumps(value).encode()) for name, value in fields.items()}


def foreign(model: str) -> ChatRequest:
    """A request of another wire format, converted, with more than what has tokens."""
    parameters = raw({"tools": TOOLS, "max_tokens": 9, "temperature": 1, "stop": ["a"]})
    messages = Raw(json.dumps(MESSAGES).encode())
    return ChatRequest(
        model=model, messages=messages, parameters=parameters, stream=True, is_converted=True
    )


def native(model: str, wire: str, **fields: Any) -> ChatRequest:
    given = raw(fields)
    messages = given.get("messages", Raw(b"[]"))
    return ChatRequest(
        model=model, messages=messages, stream=True, native=NativeRequest(wire, given)
    )


def asked(provider: Provider, request: ChatRequest, **target: Any) -> tuple[str, Any]:
    """The path and the body of the request for the number of tokens."""
    count = provider.token_count
    assert count is not None
    if request.native is None:
        request, _ = provider.adapt(request)
    where = {"base_url": provider.base_url or "", "api_key": "k", "options": OPTIONS, **target}
    sent = count.encode(request, Target(provider="p", **where))
    assert dict(sent.headers)["accept"] == "application/json"
    return sent.url.path, json.loads(sent.body)


def test_a_request_of_another_format_is_counted_with_the_fields_that_have_tokens() -> None:
    claude = "claude-sonnet-4-5"
    for kind, model, target, path, fields in (
        (
            "anthropic",
            claude,
            {},
            "/v1/messages/count_tokens",
            {"model", "messages", "system", "tools"},
        ),
        (
            "vertex_anthropic",
            claude,
            {},
            "/v1/projects/p/locations/us-east-1/publishers/anthropic/models/count-tokens:rawPredict",
            {"anthropic_version", "model", "messages", "system", "tools"},
        ),
        (
            "vertex",
            "gemini-2.5-flash",
            {"base_url": VERTEX},
            "/v1/projects/p/locations/us-east-1/publishers/google/models/gemini-2.5-flash:countTokens",
            {"contents", "systemInstruction", "tools", "generationConfig"},
        ),
        (
            "openai_responses",
            "gpt-5",
            {},
            "/v1/responses/input_tokens",
            {"model", "input", "tools"},
        ),
    ):
        provider = KINDS[kind]
        got, body = asked(provider, foreign(model), **target)
        assert got == path, kind
        assert fields <= set(body), kind
        assert not {"max_tokens", "temperature", "stream", "stop", "store"} & set(body), kind


def test_gemini_counts_the_whole_request() -> None:
    for model, name in (("gemini-2.5-flash", "models/gemini-2.5-flash"), ("models/x", "models/x")):
        path, body = asked(KINDS["gemini"], foreign(model))
        assert path == f"/v1beta/{name}:countTokens"
        counted = body["generateContentRequest"]
        assert counted["model"] == name
        assert counted["contents"] == [{"role": "user", "parts": [{"text": "Hi"}]}]
        assert {"systemInstruction", "tools"} <= set(counted)


def test_a_request_of_the_providers_own_format_is_counted_as_it_came() -> None:
    said = {"messages": [{"role": "user", "content": "Hi"}], "own": 1}
    contents = {"contents": [{"parts": [{"text": "Hi"}]}]}
    for kind, request, fields in (
        ("anthropic", native("c", "anthropic_messages", **said), {"model": "c", **said}),
        (
            "vertex_anthropic",
            native("c", "anthropic_messages", **said),
            {"model": "c", "anthropic_version": "vertex-2023-10-16", **said},
        ),
        (
            "gemini",
            native("g", "gemini", **contents, own=1),
            {"generateContentRequest": {"model": "models/g", **contents, "own": 1}},
        ),
        ("vertex", native("g", "gemini", **contents, safetySettings=[]), contents),
        (
            "openai_responses",
            native("o", "openai_responses", input="Hi", store=False),
            {"model": "o", "input": "Hi"},
        ),
    ):
        provider = KINDS[kind]
        assert asked(provider, request)[1] == fields, kind


def test_bedrock_counts_claude_without_the_geography_of_its_profile() -> None:
    provider = KINDS["bedrock"]
    path, body = asked(provider, foreign(CLAUDE), base_url=BEDROCK)
    assert path == "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/count-tokens"
    converse = body["input"]["converse"]
    assert set(converse) == {"messages", "system", "toolConfig"}
    own = provider.other_wires["anthropic_messages"].provider
    said = {"messages": [{"role": "user", "content": "Hi"}]}
    path, body = asked(own, native(CLAUDE, "anthropic_messages", **said), base_url=BEDROCK)
    assert path == "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/count-tokens"
    counted = json.loads(b64decode(body["input"]["invokeModel"]["body"]))
    assert counted == {"max_tokens": 1, "anthropic_version": "bedrock-2023-05-31", **said}
    with pytest.raises(RequestError, match="does not count"):
        asked(provider, foreign("amazon.nova-pro-v1:0"), base_url=BEDROCK)


def test_the_number_is_read_where_each_provider_has_it() -> None:
    for kind, body in (
        ("anthropic", b'{"input_tokens": 7}'),
        ("vertex_anthropic", b'{"input_tokens": 7}'),
        ("gemini", b'{"totalTokens": 7, "promptTokensDetails": []}'),
        ("vertex", b'{"totalTokens": 7, "totalBillableCharacters": 25}'),
        ("bedrock", b'{"inputTokens": 7}'),
        ("openai_responses", b'{"object": "response.input_tokens", "input_tokens": 7}'),
    ):
        count = KINDS[kind].token_count
        assert count is not None
        assert count.decode(body) == 7, kind
        for bad in (body.replace(b"7", b'"7"'), body.replace(b"7", b"true")):
            with pytest.raises(TypeError):
                count.decode(bad)
        with pytest.raises(KeyError):
            count.decode(b"{}")
    assert KINDS["azure_openai_responses"].token_count is None
