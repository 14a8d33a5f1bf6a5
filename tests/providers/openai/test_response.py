"""Responses of OpenAI's chat completions, streamed and whole."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway.events import (
    Event,
    ExtraFields,
    Finished,
    Logprobs,
    Reasoning,
    Refusal,
    Rewritten,
    ServiceTierReported,
    Started,
    StreamEnd,
    Text,
    ToolArguments,
    ToolStarted,
)
from headway.providers.openai.response import decode_event, decode_response
from headway.types import Frame
from support.for_each import for_each

STARTED = Started("chatcmpl-1", "gpt-4o-2024-08-06", 1718622757, "fp_1", "default")
BASE = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1718622757,
    "model": "gpt-4o-2024-08-06",
    "service_tier": "default",
    "system_fingerprint": "fp_1",
}


def frame(value: Any, event: str | None = None) -> Frame:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Frame(data, event, b"data: " + data + b"\n\n")


def chunk(delta: Any = None, index: int = 0, finish: str | None = None, **more: Any) -> Any:
    choice = {"index": index, "delta": delta, "finish_reason": finish, "logprobs": None}
    return {**BASE, "choices": [choice], **more}


def call(
    index: int | None, arguments: str | None = None, key: str | None = None, **more: Any
) -> Any:
    """One entry of ``tool_calls``, as it grows; ``key`` is its id."""
    function = {"arguments": arguments, **more}
    entry = {"index": index, "id": key, "type": "function", "function": function}
    return {name: value for name, value in entry.items() if value is not None}


LOGPROBS = {"content": [{"token": "Hi", "logprob": -0.1, "top_logprobs": []}], "refusal": None}
AUDIO = {"id": "audio_1", "data": "UklGRg==", "transcript": "Hi", "expires_at": 1718622857}
CITED = [{"type": "url_citation", "url_citation": {"url": "https://example.com"}}]
GIVEN = '{"x":1}'
PY = {"name": "py", "input": ""}
ROLE = {"role": "assistant", "content": "", "refusal": None}
# what it shows, the chunks after a first one with a role, their events
STREAMS: list[tuple[str, list[Any], list[Event]]] = [
    ("text", [chunk({"content": "Hi"}), chunk({"content": "!"})], [Text("Hi"), Text("!")]),
    ("an empty text", [chunk({"content": ""})], []),
    ("a null text", [chunk({"content": None})], []),
    ("an empty delta", [chunk({})], []),
    ("a null delta", [chunk(None)], []),
    ("a finish", [chunk({}, finish="stop")], [Finished("stop")]),
    ("text and finish", [chunk({"content": "Hi"}, finish="stop")], [Text("Hi"), Finished("stop")]),
    (
        "two choices",
        [chunk({"content": "a"}, 1), chunk({"content": "b"}, 0), chunk({}, 1, "stop")],
        [Text("a", 1), Text("b", 0), Finished("stop", 1)],
    ),
    (
        "two choices in a chunk",
        [{**BASE, "choices": [{"index": i, "delta": {"content": "x"}} for i in (0, 1)]}],
        [Text("x", 0), Text("x", 1)],
    ),
    ("a choice without index", [{**BASE, "choices": [{"delta": {"content": "x"}}]}], [Text("x")]),
    ("reasoning_content", [chunk({"reasoning_content": "hm"})], [Reasoning("hm")]),
    ("reasoning", [chunk({"reasoning": "hm", "content": ""})], [Reasoning("hm")]),
    ("both names", [chunk({"reasoning_content": "hm", "reasoning": "hm"})], [Reasoning("hm")]),
    ("empty reasoning", [chunk({"reasoning_content": "", "reasoning": None})], []),
    ("a refusal", [chunk({"refusal": "I can't"})], [Refusal("I can't")]),
    (
        "parallel tools in fragments",
        [
            chunk({"content": None, "tool_calls": [call(0, "", "call_1", name="a")]}),
            chunk({"tool_calls": [call(0, '{"x"')]}),
            chunk({"tool_calls": [call(0, ":1}")]}),
            chunk({"tool_calls": [call(1, "", "call_2", name="b")]}),
            chunk({"tool_calls": [call(1, "{}")]}),
            chunk({}, finish="tool_calls"),
        ],
        [
            ToolStarted(0, "call_1", "a"),
            ToolArguments(0, '{"x"'),
            ToolArguments(0, ":1}"),
            ToolStarted(1, "call_2", "b"),
            ToolArguments(1, "{}"),
            Finished("tool_calls"),
        ],
    ),
    (
        "a tool whole in one chunk",
        [chunk({"tool_calls": [call(0, GIVEN, "call_1", name="a")]})],
        [ToolStarted(0, "call_1", "a"), ToolArguments(0, GIVEN)],
    ),
    (
        "tools without index",
        [chunk({"tool_calls": [call(None, GIVEN, i, name="a") for i in ("1", "2")]})],
        [
            ToolStarted(0, "1", "a"),
            ToolArguments(0, GIVEN),
            ToolStarted(1, "2", "a"),
            ToolArguments(1, GIVEN),
            Rewritten(),
        ],
    ),
    (
        "an id repeated with each fragment",
        [
            chunk({"tool_calls": [call(0, "{", "call_1", name="a")]}),
            chunk({"tool_calls": [call(0, "}", "call_1", name="a")]}),
        ],
        [
            ToolStarted(0, "call_1", "a"),
            ToolArguments(0, "{"),
            ToolArguments(0, "}"),
            Rewritten(),
        ],
    ),
    (
        "the same tool of two choices",
        [
            chunk({"tool_calls": [call(0, GIVEN, "call_1", name="a")]}, 0),
            chunk({"tool_calls": [call(0, GIVEN, "call_1", name="a")]}, 1),
        ],
        [
            ToolStarted(0, "call_1", "a", 0),
            ToolArguments(0, GIVEN, 0),
            ToolStarted(0, "call_1", "a", 1),
            ToolArguments(0, GIVEN, 1),
        ],
    ),
    ("arguments of no tool", [chunk({"tool_calls": [call(0, "{}")]})], [Rewritten()]),
    ("a tool without its function", [chunk({"tool_calls": [{"index": 0}]})], [Rewritten()]),
    (
        "a tool of free text",
        [
            chunk({"tool_calls": [{"index": 0, "id": "1", "type": "custom", "custom": PY}]}),
            chunk({"tool_calls": [{"index": 0, "custom": {"input": "1+1"}}]}),
        ],
        [ToolStarted(0, "1", "py"), ToolArguments(0, "1+1")],
    ),
    (
        "the deprecated function call",
        [
            chunk({"content": None, "function_call": {"name": "a", "arguments": ""}}),
            chunk({"function_call": {"arguments": "{}"}}),
            chunk({}, finish="function_call"),
        ],
        [
            ToolStarted(0, "", "a", legacy=True),
            ToolArguments(0, "{}", legacy=True),
            Finished("function_call"),
        ],
    ),
    (
        "logprobs",
        [{**BASE, "choices": [{"delta": {"content": "Hi"}, "logprobs": LOGPROBS}]}],
        [Text("Hi"), Logprobs(LOGPROBS)],
    ),
    ("audio", [chunk({"audio": AUDIO})], [ExtraFields({"audio": AUDIO})]),
    ("annotations", [chunk({"annotations": CITED})], [ExtraFields({"annotations": CITED})]),
    ("no annotations", [chunk({"annotations": []})], []),
    (
        "a list of parts",
        [
            chunk({"content": [{"type": "thinking", "thinking": [{"text": "hm"}]}]}),
            chunk({"content": [{"type": "text", "text": "Hi"}, {"type": "reference"}]}),
            chunk({"content": [{"type": "thinking"}, {"type": "text", "text": ""}]}),
        ],
        [Reasoning("hm"), Text("Hi")],
    ),
    (
        "references among the parts",
        [chunk({"content": [{"type": "reference", "reference_ids": [1]}]})],
        [ExtraFields({"references": [{"type": "reference", "reference_ids": [1]}]})],
    ),
    ("padding", [chunk({"content": "Hi"}, obfuscation="x7Kq")], [Text("Hi")]),
    ("no choices", [{**BASE, "choices": []}, {**BASE, "choices": None}, BASE], []),
    ("the end mark", [b"[DONE]"], [StreamEnd()]),
    ("the end mark with blanks", [b" [DONE] "], [StreamEnd()]),
    ("blanks", [b"  "], []),
    ("a comment or an empty event", [b""], []),
    ("a null error", [chunk({"content": "Hi"}, error=None)], [Text("Hi")]),
]  # fmt: skip


def decode(frames: list[Frame]) -> list[Event]:
    state: dict[str, Any] = {}
    return [event for each in frames for event in decode_event(each, state)]


@for_each(("chunks", "events"), [row[1:] for row in STREAMS], ids=[row[0] for row in STREAMS])
def test_the_events_of_a_stream(chunks: list[Any], events: list[Event]) -> None:
    frames = [frame(each) for each in [chunk(ROLE), *chunks]]
    assert decode(frames) == [STARTED, *events]


def test_the_first_chunk_with_choices_starts_the_response() -> None:
    frames = [frame(b""), frame({"object": "ping"}), frame({"choices": []})]
    assert decode(frames) == [Started()]


def whole(message: Any, finish: str | None = "stop", **more: Any) -> bytes:
    choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
    return json.dumps({**BASE, "choices": [{**choice, **more}]}).encode()


# what it shows, the message, its events
MESSAGES: list[tuple[str, Any, list[Event]]] = [
    ("text", {"role": "assistant", "content": "Hi", "refusal": None}, [Text("Hi")]),
    ("nothing", {"role": "assistant", "content": None}, []),
    ("no message", None, []),
    ("reasoning", {"content": "Hi", "reasoning_content": "hm"}, [Text("Hi"), Reasoning("hm")]),
    ("a refusal", {"content": None, "refusal": "No"}, [Refusal("No")]),
    (
        "tools",
        {"content": None, "tool_calls": [call(None, "{}", i, name="a") for i in ("1", "2")]},
        [
            ToolStarted(0, "1", "a"),
            ToolArguments(0, "{}"),
            ToolStarted(1, "2", "a"),
            ToolArguments(1, "{}"),
        ],
    ),
    (
        "the deprecated function call",
        {"content": None, "function_call": {"name": "a", "arguments": "{}"}},
        [ToolStarted(0, "", "a", legacy=True), ToolArguments(0, "{}", legacy=True)],
    ),
    (
        "audio",
        {"content": None, "audio": AUDIO, "annotations": []},
        [ExtraFields({"audio": AUDIO})],
    ),
    ("annotations", {"annotations": CITED}, [ExtraFields({"annotations": CITED})]),
    (
        "a list of parts",
        {"content": [{"type": "text", "text": "Hi"}]},
        [Text("Hi")],
    ),
]  # fmt: skip


@for_each(("message", "events"), [row[1:] for row in MESSAGES], ids=[row[0] for row in MESSAGES])
def test_a_whole_response_has_the_events_of_a_stream(message: Any, events: list[Event]) -> None:
    assert decode_response(whole(message)) == [STARTED, *events, Finished("stop"), StreamEnd()]


@pytest.mark.parametrize("given", [None, "", "null"])
def test_a_whole_response_without_a_finish_reason_is_finished_for_no_reason(given: Any) -> None:
    assert Finished(None) in decode_response(whole({"content": "Hi"}, finish=given))


def test_a_chunk_without_a_finish_reason_does_not_finish() -> None:
    assert decode_event(frame(chunk({}, finish="null")), {"tools": {}, "tier": "default"}) == []


def test_a_whole_response_has_logprobs() -> None:
    assert Logprobs(LOGPROBS) in decode_response(whole({"content": "Hi"}, logprobs=LOGPROBS))


def test_two_choices_of_a_whole_response_keep_their_index() -> None:
    choices = [
        {"index": i, "message": {"content": str(i)}, "finish_reason": "stop"} for i in (0, 1)
    ]
    events = decode_response(json.dumps({**BASE, "choices": choices}).encode())
    assert [e for e in events if isinstance(e, Text)] == [Text("0", 0), Text("1", 1)]


def test_a_chunk_tells_the_service_tier_where_it_is_another() -> None:
    state: dict[str, Any] = {}
    tiers = ("flex", "auto", None, "priority", "priority")
    found = [decode_event(frame(chunk(finish=None, service_tier=t)), state) for t in tiers]
    assert found[1:] == [[], [], [ServiceTierReported("priority")], []]
