"""Requests of clients that speak the Responses API themselves."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway.dialects.base import decode_object
from headway.providers import KINDS
from headway.providers.openai_responses.native import adapt_native
from headway.providers.openai_responses.unsupported_content import FOREIGN_REASONING
from headway.types import ChatRequest, NativeRequest, Target
from headway.wire.sealed_reasoning import MARK, seal

BODY = b'{"input": [{"role":"user",  "content":"Hi"}], "top_p": 1.50, "odd": {"b":1,"a":2}}'
SEALED_TEXT = json.dumps({"input": MARK}).encode()
SIGNED = {"type": "reasoning.text", "text": "T", "signature": "S", "format": "other"}
OWN = {"id": "rs_1", "format": "openai-responses-v1", "index": 3}


def native(body: bytes, *headers: tuple[str, str], stream: bool = False) -> ChatRequest:
    fields = dict(decode_object(body))
    request = NativeRequest("openai_responses", fields, headers)
    return ChatRequest(
        model="gpt-5", messages=fields.get("input", b"[]"), stream=stream, native=request
    )


def encode(kind: str, request: ChatRequest, **target: Any) -> Any:
    encode_native = KINDS[kind].encode_native
    assert encode_native is not None
    return encode_native(request, Target(provider=kind, api_key="k", **target))


def test_a_request_is_sent_as_the_client_wrote_it() -> None:
    request = native(BODY, ("openai-beta", "x=1"), ("accept", "odd"), stream=True)
    sent = encode("openai_responses", request, base_url="https://a.example/v1")
    assert sent.url.path == "/v1/responses"
    assert sent.body == (
        b'{"model":"gpt-5","input":[{"role":"user",  "content":"Hi"}],"top_p":1.50,'
        b'"odd":{"b":1,"a":2},"stream":true}'
    )
    headers = dict(sent.headers)
    assert headers["authorization"] == "Bearer k"
    assert headers["openai-beta"] == "x=1"
    assert headers["accept"] == "text/event-stream"


def test_azure_has_its_own_address_and_key() -> None:
    target = {"base_url": "https://a.openai.azure.com", "headers": {"x-own": "1"}}
    sent = encode("azure_openai_responses", native(BODY), **target)
    assert sent.url.path == "/openai/v1/responses"
    headers = dict(sent.headers)
    assert (headers["api-key"], headers["x-own"]) == ("k", "1")
    assert "authorization" not in headers
    assert json.loads(sent.body)["model"] == "gpt-5"


@pytest.mark.parametrize("kind", ["openai_responses", "azure_openai_responses"])
def test_a_request_without_reasoning_of_others_is_not_touched(kind: str) -> None:
    items = [{"type": "reasoning", "id": "rs_1", "encrypted_content": "gA"}]
    for body in (BODY, SEALED_TEXT, json.dumps({"input": items}).encode(), b"{}"):
        request = native(body)
        assert KINDS[kind].adapt_native(request) == (request, ())


def adapted(*items: Any) -> tuple[list[Any], list[str]]:
    request, transformations = adapt_native(native(json.dumps({"input": items}).encode()))
    assert request.native is not None
    return json.loads(bytes(request.native.fields["input"])), [str(t) for t in transformations]


def test_reasoning_that_another_provider_signed_is_left_out_and_said() -> None:
    foreign = {"type": "reasoning", "summary": [], "encrypted_content": seal([SIGNED])}
    user = {"role": "user", "content": "Hi"}
    assert adapted(user, foreign, user) == (
        [user, user],
        [f"dropped input[].reasoning: {FOREIGN_REASONING}"],
    )


def test_openais_reasoning_from_another_route_is_sent_back() -> None:
    details = [
        {"type": "reasoning.summary", "summary": "S", **OWN},
        {"type": "reasoning.encrypted", "data": "gA", **OWN},
    ]
    packed = {"type": "reasoning", "id": "rs_2", "encrypted_content": seal(details)}
    assert adapted(packed) == (
        [
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "S"}],
                "encrypted_content": "gA",
            }
        ],
        [],
    )


def test_other_items_that_quote_sealed_reasoning_stay() -> None:
    item = {"type": "function_call_output", "call_id": "1", "output": f"{MARK}W10="}
    assert adapted(item) == ([item], [])


def test_damaged_reasoning_is_left_out() -> None:
    found, notes = adapted({"type": "reasoning", "encrypted_content": f"{MARK}W"})
    assert found == []
    assert len(notes) == 1
