from __future__ import annotations

from typing import Any

import pytest

from headway.dialects.openai.chat_chunks import Counts, encode_choices, output_text
from headway.events import (
    Event,
    ExtraFields,
    Failed,
    Finished,
    Logprobs,
    Reasoning,
    ReasoningDetail,
    Refusal,
    Started,
    StreamEnd,
    Text,
    ToolArguments,
    ToolStarted,
    UsageReported,
)
from headway.types import Usage
from support.for_each import for_each


def call(index: int, **function: str) -> dict[str, Any]:
    return {"index": index, "function": function}


def begun(index: int, key: str, name: str, arguments: str = "") -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"index": index, "id": key, "type": "function", "function": function}


# what it shows, the events of one frame, the delta, what is said
DELTAS: list[tuple[str, list[Event], dict[str, Any], str]] = [
    ("text", [Text("a")], {"content": "a"}, "a"),
    ("two texts", [Text("a"), Text("b")], {"content": "ab"}, "ab"),
    ("reasoning", [Reasoning("h"), Reasoning("m")], {"reasoning_content": "hm"}, ""),
    ("a refusal", [Refusal("No")], {"refusal": "No"}, "No"),
    (
        "text and reasoning",
        [Reasoning("hm"), Text("a")],
        {"reasoning_content": "hm", "content": "a"},
        "a",
    ),
    ("a tool", [ToolStarted(0, "1", "a")], {"tool_calls": [begun(0, "1", "a")]}, ""),
    ("arguments", [ToolArguments(1, "{")], {"tool_calls": [call(1, arguments="{")]}, "{"),
    (
        "a tool and its arguments are one entry",
        [ToolStarted(0, "1", "a"), ToolArguments(0, "{"), ToolArguments(0, "}")],
        {"tool_calls": [begun(0, "1", "a", "{}")]},
        "{}",
    ),
    (
        "two tools are two",
        [
            ToolStarted(0, "1", "a"),
            ToolArguments(0, "{}"),
            ToolStarted(1, "2", "b"),
            ToolArguments(1, "[]"),
        ],
        {"tool_calls": [begun(0, "1", "a", "{}"), begun(1, "2", "b", "[]")]},
        "{}[]",
    ),
    (
        "a function call",
        [ToolStarted(0, "", "a", legacy=True)],
        {"function_call": {"name": "a", "arguments": ""}},
        "",
    ),
    (
        "arguments of a function call",
        [ToolArguments(0, "{}", legacy=True)],
        {"function_call": {"arguments": "{}"}},
        "{}",
    ),
    (
        "a function call and its arguments",
        [ToolStarted(0, "", "a", legacy=True), ToolArguments(0, "{}", legacy=True)],
        {"function_call": {"name": "a", "arguments": "{}"}},
        "{}",
    ),
    (
        "audio",
        [
            ExtraFields({"audio": {"id": "1", "data": "a"}}),
            ExtraFields({"audio": {"id": "1", "data": "b"}}),
        ],
        {"audio": {"id": "1", "data": "ab"}},
        "",
    ),
    (
        "lists",
        [ExtraFields({"annotations": [1]}), ExtraFields({"annotations": [2]})],
        {"annotations": [1, 2]},
        "",
    ),
    ("other fields", [ExtraFields({"mood": "a"}), ExtraFields({"mood": "b"})], {"mood": "b"}, ""),
    ("blocks of reasoning", [ReasoningDetail({"a": 1})], {"reasoning_details": [{"a": 1}]}, ""),
]


@for_each(("events", "delta", "text"), [row[1:] for row in DELTAS], ids=[row[0] for row in DELTAS])
def test_events_become_a_delta(events: list[Event], delta: dict[str, Any], text: str) -> None:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
    assert encode_choices(events) == [choice]
    assert output_text(events) == text


def test_joining_pieces_leaves_the_events_as_they_were() -> None:
    first = ExtraFields({"audio": {"data": "a"}, "annotations": [1]})
    encode_choices([first, ExtraFields({"audio": {"data": "b"}, "annotations": [2]})])
    assert first.fields == {"audio": {"data": "a"}, "annotations": [1]}


def test_lists_of_a_stream_are_numbered_in_each_choice_from_chunk_to_chunk() -> None:
    """OpenAI's client joins them by ``index``, and refuses a second chunk without it."""
    counts: Counts = {}
    chunks = [
        [ReasoningDetail({"data": "a", "index": 4})],
        [ReasoningDetail({"data": "b", "index": 1}), ReasoningDetail({"data": "c"}, 1)],
        [ExtraFields({"annotations": [{"url": "u"}], "images": [1], "mood": "a"})],
    ]
    deltas = [
        (choice["index"], choice["delta"])
        for events in chunks
        for choice in encode_choices(events, counts)
    ]
    assert deltas == [
        (0, {"reasoning_details": [{"data": "a", "output_index": 4, "index": 0}]}),
        (0, {"reasoning_details": [{"data": "b", "index": 1}]}),
        (1, {"reasoning_details": [{"data": "c", "index": 0}]}),
        (0, {"annotations": [{"url": "u", "index": 0}], "images": [1], "mood": "a"}),
    ]


def test_each_choice_has_its_text_and_only_the_first_is_the_output() -> None:
    found = encode_choices([Text("b", 1), Text("a", 0), Logprobs({"content": [1]}, 1)])
    assert [(choice["index"], choice["delta"]) for choice in found] == [
        (1, {"content": "b"}),
        (0, {"content": "a"}),
    ]
    assert found[0]["logprobs"] == {"content": [1]}
    assert output_text([Text("b", 1), Text("a", 0)]) == "a"


@pytest.mark.parametrize(
    "event",
    [Started(), Finished("stop"), UsageReported(Usage()), Failed(ValueError()), StreamEnd()],
    ids=lambda event: type(event).__name__,
)
def test_events_without_message_content_make_no_delta(event: Event) -> None:
    assert encode_choices([event]) == []
    assert output_text([event]) == ""
