"""Requests of clients that speak Anthropic's format."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from headway.providers.anthropic.native_request import adapt
from headway.providers.anthropic.provider import PROVIDER
from headway.types import ChatRequest, HttpRequest, NativeRequest, Target
from headway.wire.sealed_reasoning import seal

HELLO = b'[{"role": "user", "content": "Hi"}]'
BETAS = (("anthropic-beta", "a,b"), ("anthropic-version", "2099-01-01"))


def native(
    messages: bytes = HELLO,
    headers: tuple[tuple[str, str], ...] = BETAS,
    query: str = "",
    *,
    stream: bool = False,
) -> ChatRequest:
    fields = {"odd": Raw(b'{"a": 1.50}'), "messages": Raw(messages)}
    request = NativeRequest("anthropic_messages", fields, headers, query)
    return ChatRequest(model="claude", messages=Raw(messages), stream=stream, native=request)


def target(base_url: str = "https://api.anthropic.com", **options: Any) -> Target:
    return Target(provider="anthropic", base_url=base_url, api_key="k", options=options)


def encode(request: ChatRequest, to: Target | None = None) -> HttpRequest:
    assert PROVIDER.encode_native is not None
    return PROVIDER.encode_native(request, to or target())


def test_the_fields_are_sent_as_they_are() -> None:
    http = encode(native())
    assert http.body == b'{"model":"claude","odd":{"a": 1.50},"messages":' + HELLO + b"}"
    assert http.url.path == "/v1/messages"
    assert dict(http.headers) == {
        "content-type": "application/json",
        "accept": "application/json",
        "anthropic-beta": "a,b",
        "anthropic-version": "2099-01-01",
        "x-api-key": "k",
    }


def test_a_stream_is_asked_for_and_the_query_is_kept() -> None:
    http = encode(native(query="beta=true", stream=True), target("http://a.example/v1"))
    assert http.url.path == "/v1/messages?beta=true"
    assert json.loads(http.body)["stream"] is True
    assert ("accept", "text/event-stream") in http.headers


@pytest.mark.parametrize(
    ("headers", "options", "version", "beta"),
    [
        ((), {}, "2023-06-01", None),
        ((), {"api_version": "v", "beta": "c"}, "v", "c"),
        (BETAS, {"api_version": "v", "beta": ["b", "c"]}, "v", "a,b,c"),
    ],
)
def test_features_of_the_client_and_the_configuration_are_merged(
    headers: Any, options: dict[str, Any], version: str, beta: str | None
) -> None:
    sent = dict(encode(native(headers=headers), target(**options)).headers)
    assert (sent["anthropic-version"], sent.get("anthropic-beta")) == (version, beta)


def test_tokens_are_counted_on_a_route_of_their_own() -> None:
    count = PROVIDER.token_count
    assert count is not None
    http = count.encode(native(query="beta=true"), target())
    assert http.url.path == "/v1/messages/count_tokens?beta=true"
    assert http.body == encode(native()).body
    assert dict(http.headers)["anthropic-beta"] == "a,b"
    assert count.decode(b'{"input_tokens":42}') == 42
    with pytest.raises(KeyError):
        count.decode(b"{}")


# --- What other providers made --------------------------------------------------------------------

SEALED = seal([{"type": "reasoning.encrypted", "data": "x"}])
SIGNED = {"type": "thinking", "thinking": "Hm", "signature": "S"}
FOREIGN = {"type": "thinking", "thinking": "Hm", "signature": SEALED}
TEXT = {"type": "text", "text": "a"}
SEARCHED = {"type": "web_search_result_location", "encrypted_index": "", "url": "u"}
REASONING = "dropped messages[].content[].thinking: another provider's reasoning"
IDS = "emulated messages[].content[].id: with characters that Claude takes"

# content -> content or None for no message, what is told
EDITED: list[tuple[Any, Any, list[str]]] = [
    ([SIGNED, FOREIGN, TEXT], [SIGNED, TEXT], [REASONING]),
    ([{**SIGNED, "signature": ""}, TEXT], [TEXT], [REASONING]),
    ([{**FOREIGN, "signature": None}, {**FOREIGN}, TEXT], [TEXT], [REASONING]),
    ([{"type": "redacted_thinking", "data": SEALED}, TEXT], [TEXT], [REASONING]),
    ([FOREIGN], None, [REASONING]),
    (
        [{**TEXT, "citations": [SEARCHED]}],
        [TEXT],
        ["dropped messages[].content[].citations: another provider's search"],
    ),
    (
        [{"type": "tool_use", "id": "functions.f:0", "name": "f", "input": {}}],
        [{"type": "tool_use", "id": "functions_f_0", "name": "f", "input": {}}],
        [IDS],
    ),
    (
        [{"type": "tool_result", "tool_use_id": "a.b", "content": "x"}, {"type": "x", "id": 7}],
        [{"type": "tool_result", "tool_use_id": "a_b", "content": "x"}, {"type": "x", "id": 7}],
        [IDS],
    ),
]


@pytest.mark.parametrize(("content", "kept", "told"), EDITED)
def test_what_another_provider_made_is_left_out(content: Any, kept: Any, told: list[str]) -> None:
    messages = [{"role": "user", "content": SEALED}, {"role": "assistant", "content": content}]
    adapted, noted = adapt(native(json.dumps(messages).encode()))
    wanted = messages[:1] if kept is None else [messages[0], {**messages[1], "content": kept}]
    assert json.loads(bytes(adapted.messages)) == wanted
    assert adapted.native is not None
    assert adapted.native.fields["messages"] == adapted.messages
    assert adapted.native.fields["odd"] == Raw(b'{"a": 1.50}')
    assert [str(each) for each in noted] == told


@pytest.mark.parametrize(
    "content",
    [
        "Hi",
        [SIGNED, {"type": "redacted_thinking", "data": "D"}],
        [{**TEXT, "citations": [{**SEARCHED, "encrypted_index": "E"}]}],
        [{"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"id": "a.b"}}],
        [{"type": "text", "text": f"The mark {SEALED}"}],
    ],
)
def test_everything_else_stays_byte_for_byte(content: Any) -> None:
    request = native(json.dumps([{"role": "assistant", "content": content}]).encode())
    assert adapt(request) == (request, ())


def test_messages_that_are_no_list_raise() -> None:
    with pytest.raises(msgspec.ValidationError):
        adapt(native(json.dumps({"a": SEALED}).encode()))
