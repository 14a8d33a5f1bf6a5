"""Tool calls of OpenAI's wire format, decoded."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway.events import Event, Finished, Rewritten, ToolStarted
from headway.providers.openai.response import decode_event, decode_response
from headway.response_accumulator import ResponseAccumulator
from headway.types import Frame
from support.for_each import for_each
from support.odd_tool_calls import RELAYED, STREAMS, WHOLES, A, fragment
from support.openai_completions import base, chunk, finish

Calls = list[tuple[str, str, str]]


def streamed(*chunks: Any) -> list[Event]:
    state: dict[str, Any] = {}
    datas = [*(json.dumps(each).encode() for each in chunks), b"[DONE]"]
    return [event for data in datas for event in decode_event(Frame(data, None, data), state)]


def whole(message: Any, reason: str = "tool_calls") -> list[Event]:
    choice = {"index": 0, "message": message, "finish_reason": reason}
    return decode_response(json.dumps({**base(), "choices": [choice]}).encode())


def check(events: list[Event], expected: Calls) -> None:
    """Whether the calls are the expected ones, whose id is any where it is empty."""
    response = ResponseAccumulator()
    response.add(events)
    tools = response.choices[0].tools
    assert list(tools) == list(range(len(expected)))
    got = [(call.id, call.name, "".join(call.arguments)) for call in tools.values()]
    assert [each[1:] for each in got] == [each[1:] for each in expected]
    assert all(made[0] == given[0] for made, given in zip(got, expected, strict=True) if given[0])
    assert len({each[0] for each in got} - {""}) == len(got)


@for_each("name", STREAMS)
def test_the_calls_of_a_stream(name: str) -> None:
    deltas, expected = STREAMS[name]
    events = streamed(*(chunk({"tool_calls": each}) for each in deltas), finish("tool_calls"))
    check(events, expected)
    assert (Rewritten() in events) is (name not in RELAYED)
    assert Finished("tool_calls") in events


@for_each("name", STREAMS)
def test_the_calls_of_a_stream_without_a_finish_reason(name: str) -> None:
    deltas, expected = STREAMS[name]
    check(streamed(*(chunk({"tool_calls": each}) for each in deltas)), expected)


@for_each("name", WHOLES)
def test_the_calls_of_a_whole_response(name: str) -> None:
    entries, expected = WHOLES[name]
    check(whole({"tool_calls": entries}), expected)


def test_calls_of_several_choices_have_their_own_positions_and_ids() -> None:
    calls = [chunk({"tool_calls": [fragment(0, "f", A)]}, index=index) for index in (0, 1)]
    events = streamed(*calls, finish("tool_calls"), finish("tool_calls", 1))
    started = [event for event in events if isinstance(event, ToolStarted)]
    assert [(event.tool, event.index) for event in started] == [(0, 0), (0, 1)]
    assert started[0].id != started[1].id


def test_made_ids_differ_between_responses() -> None:
    def made(**fields: Any) -> str:
        given = {**chunk({"tool_calls": [fragment(0, "f", A)]}), **fields}
        (started,) = [event for event in streamed(given) if isinstance(event, ToolStarted)]
        return started.id

    ids = [made(id="a"), made(id="b"), made(id=None, created=1), made(id=None, created=2)]
    assert len(set(ids)) == 4
    assert made(id="a") == ids[0]
    assert all(len(each) <= 40 for each in ids)


NAMELESS = [fragment(0, arguments=A, id="x")]


@pytest.mark.parametrize("calls", [NAMELESS, [fragment(0, "f", A, id="y"), *NAMELESS]])
def test_arguments_of_a_call_without_a_name_are_an_error(calls: list[Any]) -> None:
    with pytest.raises(ValueError, match="a tool call without a name"):
        whole({"tool_calls": calls})
    numbered = [{**call, "index": index} for index, call in enumerate(calls)]
    with pytest.raises(ValueError, match="a tool call without a name"):
        streamed(chunk({"tool_calls": numbered}), finish("tool_calls"))


def test_a_call_whose_name_was_cut_off_is_left_out() -> None:
    events = whole({"tool_calls": NAMELESS}, "length")
    assert not [event for event in events if isinstance(event, ToolStarted)]


@pytest.mark.parametrize("reason", ["", "null"])
def test_a_word_for_no_finish_reason_ends_no_call(reason: str) -> None:
    begun = chunk({"tool_calls": [fragment(0, "f", "", id="x")]}, finish=reason)
    more = chunk({"tool_calls": [fragment(0, arguments=A)]}, finish=reason)
    check(streamed(begun, more, finish("tool_calls")), [("x", "f", A)])


# --- Custom tools, and the deprecated function call -----------------------------------------------


def custom(index: int, text: str | None, **fields: Any) -> Any:
    called = {"input": text, **({"name": "py"} if "id" in fields else {})}
    return {"index": index, "type": "custom", "custom": called, **fields}


def test_the_text_of_a_custom_tool_is_no_object() -> None:
    deltas = [custom(0, "", id="x"), custom(0, "{"), custom(0, "}"), custom(0, "{1}")]
    events = streamed(*(chunk({"tool_calls": [each]}) for each in deltas), finish("tool_calls"))
    check(events, [("x", "py", "{}{1}")])
    assert Rewritten() not in events
    check(whole({"tool_calls": [custom(0, None, id="x")]}), [("x", "py", "")])


def test_calls_of_custom_tools_are_distinguished_by_their_ids() -> None:
    deltas = [custom(0, "1", id="x"), custom(0, "2", id="y")]
    events = streamed(*(chunk({"tool_calls": [each]}) for each in deltas), finish("tool_calls"))
    check(events, [("x", "py", "1"), ("y", "py", "2")])


def test_a_deprecated_call_beside_a_tool_call_is_left_out() -> None:
    both = {"tool_calls": [fragment(0, "f", A, id="x")], "function_call": {"name": "f"}}
    check(whole(both), [("x", "f", A)])
    check(streamed(chunk(both), finish("tool_calls")), [("x", "f", A)])


@pytest.mark.parametrize(
    ("fragments", "is_passed_through"),
    [
        ([{"name": "f", "arguments": ""}, {"arguments": A}], True),
        ([{"name": "f", "arguments": A}], True),
        ([{"arguments": A}, {"name": "f"}], False),
        ([{"name": "f", "arguments": {"a": 1}}], False),
        ([{"name": "f", "arguments": "{"}, {"name": "f", "arguments": '"a": 1}'}], False),
        ([{"name": "f"}], False),
    ],
)
def test_a_deprecated_call(fragments: list[Any], is_passed_through: bool) -> None:
    events = streamed(*(chunk({"function_call": each}) for each in fragments), finish())
    response = ResponseAccumulator()
    response.add(events)
    ((_, call),) = response.choices[0].tools.items()
    assert (call.id, call.name, call.legacy) == ("", "f", True)
    assert json.loads("".join(call.arguments)) in ({}, {"a": 1})
    assert (Rewritten() not in events) is is_passed_through
