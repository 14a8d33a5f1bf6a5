"""Tool calls that every adapter's clients get."""

from __future__ import annotations

import json

import pytest
from msgspec import Raw

from headway.events import Event, ToolArguments, ToolStarted
from headway.providers.tool_calls import (
    OpenCall,
    ToolCalls,
    arguments_text,
    make_call_id,
    object_text,
)
from support.for_each import for_each


@for_each(
    ("text", "expected"),
    [
        ('{"a": 1}', '{"a": 1}'),
        (' {"a": 1e999} ', ' {"a": 1e999} '),
        ("", "{}"),
        (" \n", "{}"),
        ("null", "{}"),
        ("[]", "{}"),
        ("false", "{}"),
        ('""', "{}"),
        ('"null"', "{}"),
        ('"{\\"a\\": 1}"', '{"a": 1}'),
        ('"\\"{}\\""', "{}"),
        ("[1]", '{"arguments":[1]}'),
        ("12345678901234567890", '{"arguments":12345678901234567890}'),
        ("true", '{"arguments":true}'),
        ('"a"', '{"arguments":"a"}'),
        ("ls -l", '{"arguments":"ls -l"}'),
        ('{"a": 1', '{"arguments":"{\\"a\\": 1"}'),
        ("[" * 100_000, json.dumps({"arguments": "[" * 100_000}, separators=(",", ":"))),
    ],
    ids=range(18),
)
def test_whole_arguments_are_the_text_of_an_object(text: str, expected: str) -> None:
    assert object_text(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("a", "a"), (None, ""), ({"a": Raw(b"1.10")}, '{"a":1.10}'), ([], "[]"), (False, "false")],
)
def test_the_text_of_arguments_of_any_type(value: object, expected: str) -> None:
    assert arguments_text(value) == expected


def test_a_made_id_depends_on_response_choice_and_position() -> None:
    ids = [make_call_id(seed, index, 0) for seed in ("a", "b") for index in (0, 1)]
    assert len({*ids, make_call_id("a", 0, 1)}) == 5
    assert make_call_id("a", 0, 0) == ids[0]
    assert all(each.replace("_", "").isalnum() and len(each) <= 40 for each in ids)


def added(pieces: list[str], is_start: bool = False) -> tuple[list[bool], str]:
    """What ``add`` returns for each of the pieces, and the text of all events."""
    events: list[Event] = []
    call = OpenCall(0, 0, "x")
    same = [
        call.add(piece, events, is_start=is_start and not at) for at, piece in enumerate(pieces)
    ]
    call.close(events)
    call.close(events)
    return same, "".join(e.text for e in events if isinstance(e, ToolArguments))


@pytest.mark.parametrize(
    ("pieces", "same", "text"),
    [
        (["{", '"a":1}'], [True, True], '{"a":1}'),
        (["{}"], [True], "{}"),
        ([], [], "{}"),
        ([" ", "{", "}"], [False, False, True], " {}"),
        (["nu", "ll"], [False, False], "{}"),
    ],
)
def test_pieces_are_sent_once_they_begin_an_object(
    pieces: list[str], same: list[bool], text: str
) -> None:
    assert added(pieces) == (same, text)


@pytest.mark.parametrize(
    ("pieces", "text"),
    [(["{}"], "{}"), (["{}", "{", "}"], "{}"), (["{}", " ", '{"a":1}'], '{"a":1}')],
)
def test_an_empty_object_at_the_start_waits_for_what_follows(pieces: list[str], text: str) -> None:
    same, sent = added(pieces, is_start=True)
    assert (same[0], sent) == (False, text)


def test_calls_are_numbered_and_their_ids_are_distinct() -> None:
    calls, events = ToolCalls(2, "r"), list[Event]()
    for call_id in ("x", "x", None, "", 7):
        calls.start(call_id, "f", events)
    started = [event for event in events if isinstance(event, ToolStarted)]
    assert [event.tool for event in started] == [0, 1, 2, 3, 4]
    assert len({event.id for event in started}) == 5
    assert (started[0].id, started[4].id) == ("x", "7")
    assert {event.index for event in started} == {2}
    assert calls.count == 5


@pytest.mark.parametrize("name", [None, ""])
def test_a_call_without_a_name_is_an_error(name: str | None) -> None:
    with pytest.raises(ValueError, match="a tool call without a name"):
        ToolCalls().start("x", name, [])


def test_a_whole_call_that_says_nothing_is_left_out() -> None:
    events: list[Event] = []
    assert ToolCalls().add_whole(None, None, Raw(b"null"), events) is None
    assert events == []


def test_a_whole_call_keeps_its_numbers_as_written() -> None:
    events: list[Event] = []
    assert ToolCalls().add_whole("x", "f", Raw(b'{ "a": 1.10 }'), events) == "x"
    assert events == [ToolStarted(0, "x", "f"), ToolArguments(0, '{"a":1.10}')]


def test_calls_that_are_open_at_the_end_are_closed() -> None:
    calls, events = ToolCalls(), list[Event]()
    calls.start("x", "f", events)
    calls.start("y", "g", events).add('{"a":1}', events)
    calls.close(events)
    texts = [(event.tool, event.text) for event in events if isinstance(event, ToolArguments)]
    assert texts == [(1, '{"a":1}'), (0, "{}")]
