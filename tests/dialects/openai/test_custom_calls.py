"""Calls of custom tools in chat's shape, whole and in pieces."""

from __future__ import annotations

import json
from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from headway.dialects.base import ResponseContext
from headway.dialects.openai.chat import OpenAIChat
from headway.events import Event, Finished, Started, StreamEnd, Text, ToolArguments, ToolStarted
from headway.types import NativeRequest
from support.dialect_samples import METRICS, NO_FRAME, context, fold

CHAT_TOOL = {"type": "custom", "custom": {"name": "patch"}}
ITEM_TOOL = {"type": "custom", "name": "patch"}
FUNCTION = {"type": "function", "function": {"name": "f"}}
PIECES = ('{"inp', 'ut": "a', '\\n\\"b', '"}')
EVENTS: list[Event] = [
    Started("c", "m", 1),
    Text("I patch."),
    ToolStarted(0, "c1", "patch"),
    *(ToolArguments(0, piece) for piece in PIECES),
    ToolStarted(1, "c2", "f"),
    ToolArguments(1, '{"a":1}'),
    Finished("tool_calls"),
    StreamEnd(),
]
PLAIN = {"id": "c2", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}


def raw(value: Any) -> Raw:
    return Raw(json.dumps(value).encode())


def context_of(tools: Any, sent: Any = None, *, is_native: bool = False) -> ResponseContext:
    made = context()
    request = made.call.request
    asked = replace(request, parameters={"tools": raw(tools)})
    if is_native:
        native = NativeRequest("openai_responses", {"tools": raw(tools)})
        asked = replace(request, parameters={}, native=native)
    call = replace(made.call, request=asked)
    return replace(made, call=call, sent=replace(request, parameters={"tools": raw(sent or [])}))


def whole(made: ResponseContext, *events: Event) -> Any:
    body = OpenAIChat().encode(made, fold(*events), METRICS, 1.0)
    return json.loads(body)["choices"][0]["message"].get("tool_calls")


def streamed(made: ResponseContext, *events: Event) -> list[Any]:
    """Each piece of a call, in order."""
    stream = OpenAIChat().stream(made)
    pieces = [stream.encode(NO_FRAME, [event], 1.0) for event in events]
    pieces += stream.end(fold(*events), METRICS, 1.0)
    data = [json.loads(piece[6:]) for piece in pieces if piece and piece[6:7] == b"{"]
    deltas = [choice["delta"] for one in data for choice in one["choices"]]
    return [call for delta in deltas for call in delta.get("tool_calls", ())]


def test_calls_of_the_function_that_stands_for_a_custom_tool_are_custom() -> None:
    for tools, is_native in (([CHAT_TOOL, FUNCTION], False), ([ITEM_TOOL, FUNCTION], True)):
        made = context_of(tools, is_native=is_native)
        custom = {"name": "patch", "input": 'a\n"b'}
        assert whole(made, *EVENTS) == [{"id": "c1", "type": "custom", "custom": custom}, PLAIN]
        calls = streamed(made, *EVENTS)
        first = [call for call in calls if call["index"] == 0]
        assert first[0] == {
            "index": 0,
            "id": "c1",
            "type": "custom",
            "custom": {"name": "patch", "input": ""},
        }
        assert all("function" not in call for call in first)
        assert "".join(call["custom"]["input"] for call in first) == 'a\n"b'
        assert [call["function"] for call in calls if call["index"] == 1] == [
            {"name": "f", "arguments": ""},
            {"arguments": '{"a":1}'},
        ]


def test_arguments_of_another_form_come_at_the_end() -> None:
    odd: list[Event] = [ToolStarted(0, "c1", "patch"), ToolArguments(0, '{"input": 7}')]
    calls = streamed(context_of([CHAT_TOOL]), *odd, Finished("tool_calls"))
    assert [call["custom"]["input"] for call in calls] == ["", "", '{"input": 7}']


def test_the_text_of_a_call_that_was_custom_is_its_input() -> None:
    made = context_of([CHAT_TOOL], [ITEM_TOOL])
    said: list[Event] = [
        ToolStarted(0, "c1", "patch"),
        ToolArguments(0, "*** "),
        ToolArguments(0, "x"),
    ]
    assert whole(made, *said, Finished("tool_calls"))[0]["custom"]["input"] == "*** x"
    calls = streamed(made, *said, Finished("tool_calls"))
    assert [call["custom"]["input"] for call in calls] == ["", "*** ", "x"]


def test_without_custom_tools_calls_stay_functions() -> None:
    for made in (context_of([FUNCTION]), context_of([])):
        assert [call["type"] for call in whole(made, *EVENTS)] == ["function", "function"]
        assert all("custom" not in call for call in streamed(made, *EVENTS))
    assert whole(context_of([CHAT_TOOL]), Text("No"), Finished("stop")) is None
