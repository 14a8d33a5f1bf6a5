"""Streams of OpenAI's wire format: what is passed through, left out, or translated."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from headway.dialects.openai.chat import OpenAIChat
from headway.events import (
    Event,
    Finished,
    Reasoning,
    Rewritten,
    ServiceTierReported,
    Started,
    StreamEnd,
    Text,
    ToolArguments,
    ToolStarted,
    UsageReported,
)
from headway.types import Frame, Usage
from headway.wire.sse import SseFramer
from support.dialect_samples import METRICS, STARTED, USAGE, context, fold
from support.for_each import for_each
from support.openai_completions import (
    base,
    chunk,
    finish,
    role,
    text,
    tool_piece,
    tool_start,
    usage,
)

END = b"data: [DONE]\n\n"


def frame(value: Any) -> Frame:
    data = json.dumps(value).encode()
    return Frame(data, None, b"data: " + data + b"\n\n")


def objects(pieces: list[bytes | None]) -> list[Any]:
    assert all(piece is None or piece.startswith(b"data: ") for piece in pieces)
    found = [piece for piece in pieces if piece is not None and piece != END]
    return [json.loads(piece[6:]) for piece in found]


class Passed:
    """A stream that starts as passed through, and what the client gets of it."""

    def __init__(self, **fields: Any) -> None:
        self.stream = OpenAIChat().stream(context(is_passthrough=True, **fields))
        self.response = fold()
        self.pieces: list[bytes | None] = []

    def add(self, given: Any, *events: Event) -> bytes | None:
        one = given if isinstance(given, Frame) else frame(given)
        self.response.add(list(events))
        piece = self.stream.encode(one, list(events), 1.0)
        self.pieces.append(piece)
        return piece

    def end(self) -> list[Any]:
        self.pieces += self.stream.end(self.response, METRICS, 2.0)
        assert self.pieces[-1] == END
        return objects(self.pieces)


@for_each(
    "raw",
    [
        b"event: ping\n\n",
        b"data:\n\n",
        b"data: \n\n",
        b"retry: 3000\n\n",
        b"id: 7\n\n",
        b": OPENROUTER PROCESSING\n\n",
        b"\n\n",
        b"event: ping\ndata: {}\n\n",
        b'event: ping\ndata: {"type": "ping"}\n\n',
        b'data: {"choices": null}\n\n',
        b'data: {"choices": [{"index": 0}]}\n\n',
    ],
)
def test_frames_without_content_are_left_out(raw: bytes) -> None:
    passed = Passed()
    passed.add(role(), STARTED)
    (one,) = SseFramer().feed(raw)
    assert passed.add(one) is None
    word = frame(text("a"))
    assert passed.add(word, Text("a")) == word.raw


@pytest.mark.parametrize("before", [b"event: chunk\n", b"id: 7\n", b"retry: 3\n", b": hi\n", b"\n"])
def test_a_frame_with_other_fields_is_sent_as_its_data(before: bytes) -> None:
    word = frame(text("a"))
    passed = Passed()
    odd = Frame(word.data, None, before + word.raw)
    assert passed.add(odd, Text("a")) == word.raw


def test_a_stream_whose_first_chunk_is_odd_is_translated() -> None:
    passed = Passed()
    odd_role = chunk({"role": "", "content": ""})
    assert passed.add(odd_role, STARTED) is None or not passed.stream.is_passthrough
    passed.add(chunk({"role": "", "content": "a"}), Text("a"))
    passed.add(text("b"), Text("b"))
    passed.add(chunk({}, finish="STOP"), Finished("stop"))
    first, second, last = passed.end()
    assert not passed.stream.is_passthrough
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": "a"}
    assert second["choices"][0]["delta"] == {"content": "b"}
    assert last["choices"][0]["finish_reason"] == "stop"
    assert {each["id"] for each in (first, second, last)} == {STARTED.id}


@pytest.mark.parametrize(
    ("first", "second", "sent"),
    [
        ("length", "stop", ["length"]),
        ("stop", "stop", ["stop"]),
        ("stop", "length", ["stop", "length"]),
        ("stop", "content_filter", ["stop", "content_filter"]),
    ],
)
def test_the_last_finish_reason_is_the_one_that_says_most(
    first: str, second: str, sent: list[str]
) -> None:
    passed = Passed(shows_usage=True)
    passed.add(role(), STARTED)
    passed.add(text("a"), Text("a"))
    passed.add(finish(first), Finished(first))
    passed.add(finish(second), Finished(second))
    passed.add(usage(), USAGE)
    found = passed.end()
    reasons = [c["finish_reason"] for one in found for c in one["choices"] if c["finish_reason"]]
    assert reasons == sent
    assert sum(bool(one.get("usage")) for one in found) == 1


def test_a_stream_that_turns_odd_repeats_neither_role_nor_finish_reason() -> None:
    passed = Passed(shows_usage=True)
    head = Started(base()["id"], base()["model"], base()["created"])
    passed.add(role(), head)
    passed.add(text("a"), Text("a"))
    passed.add(text("b", 1), Text("b", 1))
    passed.add(finish("length"), Finished("length"))
    passed.add(chunk({}, index=1, finish="MAX_TOKENS"), Finished("length", 1))
    passed.add(usage(), USAGE)
    found = passed.end()
    reasons = [
        (choice["index"], choice["finish_reason"])
        for one in found
        for choice in one["choices"]
        if choice["finish_reason"]
    ]
    assert reasons == [(0, "length"), (1, "length")]
    assert sum("role" in c["delta"] for one in found for c in one["choices"]) == 1
    assert {one["id"] for one in found} == {base()["id"]}
    assert [one["usage"] for one in found if one.get("usage")] == [json.loads(bytes_of(USAGE))]


def test_a_stream_is_translated_from_the_first_frame_that_was_rewritten_on() -> None:
    passed = Passed()
    start = tool_start(0, "a", "f")
    assert passed.add(role(), STARTED) == frame(role()).raw
    assert passed.add(start, ToolStarted(0, "a", "f")) == frame(start).raw
    assert passed.add(tool_start(1, "", "g"), Rewritten()) is None
    assert passed.add(tool_piece(0, "{}"), ToolArguments(0, "{}")) != frame(tool_piece(0, "{}")).raw
    passed.add(finish("tool_calls"), ToolStarted(1, "b", "g"), Rewritten(), Finished("tool_calls"))
    *_, piece, second, last = passed.end()
    assert piece["choices"][0]["delta"]["tool_calls"][0]["function"] == {"arguments": "{}"}
    assert second["choices"][0]["delta"]["tool_calls"][0]["id"] == "b"
    assert last["choices"][0]["finish_reason"] == "tool_calls"


def bytes_of(reported: UsageReported) -> bytes:
    return bytes(reported.openai_usage)


def test_a_finish_reason_that_the_provider_lacks_is_added() -> None:
    passed = Passed()
    passed.add(role(), STARTED)
    passed.add(text("a"), Text("a"))
    passed.add(Frame(b"[DONE]", None, END), StreamEnd())
    *_, last = passed.end()
    assert last["choices"] == [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}]
    assert last["id"] == STARTED.id


def test_reasoning_is_passed_through() -> None:
    passed = Passed()
    thought = frame(chunk({"reasoning_content": "hm"}))
    assert passed.add(thought, STARTED, Reasoning("hm")) == thought.raw
    assert passed.add(thought, Reasoning("hm")) == thought.raw


FULL = {**json.loads(bytes_of(USAGE)), "prompt_tokens_details": {"cached_tokens": 3}}
POORER = {"prompt_tokens": 6, "completion_tokens": 3, "total_tokens": 9}


@pytest.mark.parametrize("shows_usage", [False, True])
@pytest.mark.parametrize(
    ("last", "sent"),
    [
        (POORER, [FULL, POORER, {**FULL, **POORER}]),
        ({"total_tokens": 1}, [FULL, FULL]),
        ({}, [FULL, FULL]),
    ],
    ids=["lacks details", "lacks counts", "empty"],
)
def test_a_last_usage_that_lacks_something_is_followed_by_all_that_was_told(
    last: dict[str, int], sent: list[Any], shows_usage: bool
) -> None:
    passed = Passed(shows_usage=shows_usage)
    for counts in (FULL, last):
        count = Usage(
            input_tokens=counts.get("prompt_tokens"), output_tokens=counts.get("completion_tokens")
        )
        passed.add({**usage(), "usage": counts}, UsageReported(count, Raw(json.dumps(counts))))
    found = [one["usage"] for one in passed.end()]
    assert found == (sent if shows_usage else [])


def test_a_usage_that_comes_with_a_service_tier_is_left_out_unless_it_is_asked_for() -> None:
    passed = Passed()
    assert passed.add(usage(), ServiceTierReported("flex"), USAGE) is None
