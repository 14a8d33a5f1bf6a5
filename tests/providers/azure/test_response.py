"""Responses of Azure OpenAI, with the results of content filters."""

from __future__ import annotations

import json
from typing import Any

from headway import errors
from headway.events import Event, ExtraFields, Failed, Finished, Started, Text, UsageReported
from headway.providers.azure.openai import PROVIDER
from headway.types import Frame, Usage

SAFE = {"hate": {"filtered": False, "severity": "safe"}}
HATE = {"hate": {"filtered": True, "severity": "high"}}
PROMPT = [{"prompt_index": 0, "content_filter_results": SAFE}]
OPENING = {
    "choices": [],
    "created": 0,
    "id": "",
    "model": "",
    "object": "",
    "prompt_filter_results": PROMPT,
}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def chunk(content: str | None, filters: Any, finish: str | None = None, index: int = 0) -> Any:
    delta = {} if content is None else {"content": content}
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    if filters is not None:
        choice["content_filter_results"] = filters
    return {"id": "c1", "model": "gpt-4o", "created": 7, "choices": [choice]}


def read(*chunks: Any) -> list[Event]:
    state: dict[str, Any] = {}
    frames = [Frame(json.dumps(c).encode() if c else b"[DONE]", None, b"") for c in chunks]
    return [event for frame in frames for event in PROVIDER.decode_event(frame, state)]


def test_filter_results_of_the_prompt_follow_the_start() -> None:
    found = read(OPENING, chunk("", {}), chunk("Hi", SAFE), chunk("!", SAFE), chunk("?", HATE))
    assert found == [
        Started("c1", "gpt-4o", 7),
        ExtraFields({"prompt_filter_results": PROMPT}),
        ExtraFields({"content_filter_results": SAFE}),
        Text("Hi"),
        Text("!"),
        ExtraFields({"content_filter_results": HATE}),
        Text("?"),
    ]


def test_a_stream_ends_like_a_stream_of_openai() -> None:
    last = {"choices": [], "usage": USAGE, "id": "c1", "latency_checkpoint": {"x_ms": 1}}
    found = read(OPENING, chunk("Hi", None), chunk(None, {}, "content_filter"), last, None)
    assert found[2:4] == [Text("Hi"), Finished("content_filter")]
    seen = found[4]
    assert isinstance(seen, UsageReported)
    assert seen.usage == Usage(input_tokens=3, output_tokens=2)
    assert len(found) == 6


def test_each_choice_has_its_own_filter_results() -> None:
    found = read(chunk("a", SAFE), chunk("b", SAFE, index=1), chunk("c", SAFE, index=1))
    assert [e.index for e in found if type(e) is ExtraFields] == [0, 1]


def test_filter_results_of_a_whole_response_follow_the_start() -> None:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": "Hi"},
        "finish_reason": "stop",
        "content_filter_results": SAFE,
    }
    body = {"id": "c1", "choices": [choice], "prompt_filter_results": PROMPT, "usage": USAGE}
    found = PROVIDER.decode_response(json.dumps(body).encode())
    assert found[1:4] == [
        ExtraFields({"prompt_filter_results": PROMPT}),
        ExtraFields({"content_filter_results": SAFE}),
        Text("Hi"),
    ]
    plain = {"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}
    assert PROVIDER.decode_response(json.dumps(plain).encode())[1] == Text("Hi")


FILTERED = {"error": {"code": "content_filter", "message": "Filtered.", "param": "prompt"}}


def test_a_response_that_a_filter_ends_is_not_retried() -> None:
    for found in (read(FILTERED), PROVIDER.decode_response(json.dumps(FILTERED).encode())):
        failed = found[-1]
        assert isinstance(failed, Failed)
        assert type(failed.error) is errors.UpstreamContentPolicy
        assert (failed.error.code, failed.error.param) == ("content_filter", "prompt")
    other = read({"error": {"code": "server_error", "message": "Oh."}})[-1]
    assert isinstance(other, Failed)
    assert type(other.error) is errors.UpstreamError
