"""What belongs to a part that its stream never opened is passed over, and its text is not lost."""

from __future__ import annotations

from typing import Any

import pytest

from headway.providers import KINDS
from headway.response_accumulator import ResponseAccumulator
from support.wire_scripts import SCRIPTS, Event, Pieces, Script

# wire format; the events that open parts
OPENERS = {
    "anthropic": ("content_block_start",),
    "vertex_anthropic": ("content_block_start",),
    "bedrock_invoke": ("content_block_start",),
    "bedrock": ("contentBlockStart",),
    "cohere": ("content-start", "message-start"),
    "openai_responses": (
        "response.output_item.added",
        "response.created",
        "response.in_progress",
    ),
}
WIRES = pytest.mark.parametrize("wire", list(OPENERS))


def decode(script: Script, events: list[Event]) -> ResponseAccumulator:
    provider, response = KINDS[script.kind], ResponseAccumulator()
    framer, state = provider.framer(), {}
    for frame in [*framer.feed(script.streamed(events)), *framer.end()]:
        response.add(provider.decode_event(frame, state))
    return response


def type_of(event: Event) -> str:
    name, value = event
    return str(value.get("type") or name)


@WIRES
def test_a_stream_without_the_events_that_open_parts(wire: str) -> None:
    script = SCRIPTS[wire](Pieces(arguments=()))
    events = [event for event in script.events if type_of(event) not in OPENERS[wire]]
    response = decode(script, events)
    assert response.failed is None
    choice = response.choices[0]
    assert choice.joined_text() == "Hello there"
    assert "Let me" in "".join(choice.reasoning)
    assert choice.finish_reason == "stop"
    assert response.done


def indexes_moved(event: Event) -> Event:
    """The same event for a part of another index."""
    name, value = event
    moved: dict[str, Any] = dict(value)
    for field in ("index", "contentBlockIndex", "output_index"):
        if field in moved:
            moved[field] += 10
    return name, moved


@WIRES
def test_a_second_end_of_a_part_and_one_of_an_unknown_part_are_passed_over(wire: str) -> None:
    script = SCRIPTS[wire](Pieces())
    ends = ("content_block_stop", "contentBlockStop", "content-end", "tool-call-end")
    events: list[Event] = []
    for event in script.events:
        events.append(event)
        if type_of(event) in ends:
            events += [event, indexes_moved(event)]
    response = decode(script, events)
    assert response.failed is None
    assert response.choices[0].joined_text() == "Hello there"
    (call,) = response.choices[0].tools.values()
    assert (call.name, "".join(call.arguments)) == ("weather", '{"city":"Bonn"}')


@pytest.mark.parametrize("wire", ["openai_responses"])
def test_an_item_that_was_never_closed_is_read_from_the_whole_response(wire: str) -> None:
    script = SCRIPTS[wire](Pieces())
    events = [
        event
        for event in script.events
        if not (
            type_of(event) in ("response.output_item.added", "response.output_item.done")
            and event[1]["output_index"] == 2
        )
    ]
    response = decode(script, events)
    assert response.failed is None
    choice = response.choices[0]
    assert choice.joined_text() == "Hello there"
    (call,) = choice.tools.values()
    assert (call.name, "".join(call.arguments)) == ("weather", '{"city":"Bonn"}')
    assert choice.finish_reason == "tool_calls"


@WIRES
def test_a_part_that_is_opened_twice_is_read_once(wire: str) -> None:
    script = SCRIPTS[wire](Pieces(arguments=()))
    events: list[Event] = []
    for event in script.events:
        repeated = type_of(event) in OPENERS[wire] and not type_of(event).startswith("message")
        events += [event, event] if repeated else [event]
    response = decode(script, events)
    assert response.failed is None
    assert response.choices[0].joined_text() == "Hello there"
