"""Claude on Bedrock for clients of Anthropic's own format: the request is the client's, and the
stream's events are Anthropic's."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from msgspec import Raw

from headway.errors import RequestError, UpstreamRateLimited
from headway.events import Failed, Text
from headway.providers.base import Provider
from headway.providers.bedrock.anthropic_wire import BETAS, WIRE, InvokeFramer
from headway.providers.bedrock.provider import PROVIDER
from headway.types import ChatRequest, Frame, NativeRequest, Target
from support.event_stream_messages import encode_message

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
MESSAGES = [{"role": "user", "content": [{"type": "text", "text": "Hi", "cache_control": {}}]}]
TARGET = Target(
    provider="bedrock",
    base_url="https://bedrock-runtime.{region}.amazonaws.com",
    api_key="k",
    options={"region": "us-east-1", "beta": "own-beta-2026-01-01"},
    headers={"x-own": "1"},
)
DELTA = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}}


def claude() -> Provider:
    return PROVIDER.other_wires[WIRE].provider


def request(*betas: str, stream: bool = False, **fields: Any) -> ChatRequest:
    raw = {name: Raw(json.dumps(value).encode()) for name, value in fields.items()}
    raw = {"messages": Raw(json.dumps(MESSAGES).encode()), **raw}
    headers = (("anthropic-version", "2023-06-01"),)
    headers += (("anthropic-beta", ",".join(betas)),) if betas else ()
    return ChatRequest(
        model=CLAUDE,
        messages=raw["messages"],
        stream=stream,
        native=NativeRequest(WIRE, raw, headers),
    )


def sent(asked: ChatRequest) -> tuple[Any, Any, list[str]]:
    provider = claude()
    adapted, noted = provider.adapt_native(asked)
    assert provider.encode_native is not None
    http_request = provider.encode_native(adapted, TARGET)
    return http_request, json.loads(http_request.body), [str(each) for each in noted]


def chunk(event: Any) -> bytes:
    data = event if isinstance(event, bytes) else json.dumps(event).encode()
    payload = {"bytes": b64encode(data).decode(), "p": "abc"}
    headers = {":event-type": "chunk", ":message-type": "event"}
    return encode_message(headers, json.dumps(payload).encode())


def test_claude_is_served_in_its_own_format_unless_converse_is_configured() -> None:
    serves = PROVIDER.other_wires[WIRE].serves
    for model, options, wanted in (
        (CLAUDE, {}, True),
        (CLAUDE, {"api": "invoke"}, True),
        (CLAUDE, {"api": "converse"}, False),
        ("amazon.nova-pro-v1:0", {}, False),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/a", {}, False),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/a", {"api": "invoke"}, True),
    ):
        assert serves(model, options) is wanted, (model, options)


def test_the_clients_fields_are_the_body() -> None:
    thinking = {"type": "enabled", "budget_tokens": 1024}
    http_request, body, noted = sent(request(max_tokens=9, thinking=thinking, unknown=[1]))
    assert http_request.url.host == "bedrock-runtime.us-east-1.amazonaws.com"
    assert http_request.url.path.endswith("-v1%3A0/invoke")
    assert body == {
        "anthropic_version": "bedrock-2023-05-31",
        "messages": MESSAGES,
        "max_tokens": 9,
        "thinking": thinking,
        "unknown": [1],
        "anthropic_beta": ["own-beta-2026-01-01"],
    }
    headers = dict(http_request.headers)
    assert (headers["authorization"], headers["x-own"]) == ("Bearer k", "1")
    assert not {"anthropic-version", "anthropic-beta"} & set(headers)
    assert noted == []


def test_a_stream_is_asked_for_by_the_address_and_the_accepted_type() -> None:
    http_request, body, _ = sent(request(stream=True))
    assert http_request.url.path.endswith("/invoke-with-response-stream")
    assert "stream" not in body
    assert dict(http_request.headers)["accept"] == "application/vnd.amazon.eventstream"


def test_beta_features_that_bedrock_refuses_are_left_out_and_said() -> None:
    known = "interleaved-thinking-2025-05-14"
    asked = request("claude-code-20250219", known, "advanced-tool-use-2025-11-20")
    _, body, noted = sent(asked)
    assert body["anthropic_beta"] == [known, "tool-search-tool-2025-10-19", "own-beta-2026-01-01"]
    assert noted == [
        "dropped anthropic-beta: claude-code-20250219 is unknown to Amazon Bedrock",
        "renamed anthropic-beta: advanced-tool-use-2025-11-20 -> tool-search-tool-2025-10-19",
    ]
    assert sent(request(known))[2] == []
    assert known in BETAS


def test_a_conversation_that_bedrock_would_have_to_keep_is_refused() -> None:
    with pytest.raises(RequestError, match="thread"):
        sent(request(thread={"type": "create"}))
    assert sent(request(thread=None))[1]["thread"] is None


def test_reasoning_of_another_provider_is_left_out() -> None:
    said = {"type": "thinking", "thinking": "Hm", "signature": ""}
    turn = {"role": "assistant", "content": [said, {"type": "text", "text": "Yes"}]}
    _, body, noted = sent(request("compact-2026-01-12", messages=[*MESSAGES, turn]))
    assert body["messages"][1]["content"] == [{"type": "text", "text": "Yes"}]
    assert noted == ["dropped messages[].content[].thinking: another provider's reasoning"]


def test_the_messages_of_the_stream_become_anthropics_events() -> None:
    framer = InvokeFramer()
    data = chunk(DELTA) + encode_message({":event-type": "other", ":message-type": "event"}, b"{}")
    frames = [frame for at in range(len(data)) for frame in framer.feed(data[at : at + 1])]
    raw = json.dumps(DELTA).encode()
    assert frames == [
        Frame(raw, "content_block_delta", b"event: content_block_delta\ndata: %b\n\n" % raw)
    ]
    assert framer.end() == []
    state: dict[str, Any] = {}
    assert claude().decode_event(frames[0], state)[-1] == Text("Hi")


def test_an_event_without_a_type_or_with_line_breaks_is_one_event_still() -> None:
    [typeless] = InvokeFramer().feed(chunk(b'{\n"a": 1}'))
    assert (typeless.event, typeless.raw) == (None, b'data: { "a": 1}\n\n')
    [damaged] = InvokeFramer().feed(chunk(b'{"type": "ping'))
    assert damaged.event is None
    with pytest.raises(ValueError, match=r"base64|padding|characters"):
        InvokeFramer().feed(
            encode_message({":event-type": "chunk", ":message-type": "event"}, b'{"bytes": "a"}')
        )


def test_an_exception_in_the_stream_is_its_error() -> None:
    headers = {":exception-type": "throttlingException", ":message-type": "exception"}
    [frame] = InvokeFramer().feed(encode_message(headers, b'{"message": "Too many"}'))
    [failed] = claude().decode_event(frame, {})
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, UpstreamRateLimited)
