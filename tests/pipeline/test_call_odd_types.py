"""Clients get the answer in its documented shape, whatever types a provider's other fields have."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given

from support.for_each import for_each
from support.odd_values import (
    ODD,
    SEEDS,
    Path,
    change_often,
    change_stream,
    changed,
    optional_paths,
)
from support.played_script import ROUTES, Reply, play, run_script
from support.wire_scripts import NDJSON, SCRIPTS, TEXT, Pieces, Script

SAID = "".join(TEXT)
CHAT_ROUTES = [route for route in ROUTES if route.startswith("chat")]
FINISH_REASONS = (None, "stop", "length", "tool_calls", "content_filter", "function_call")


def is_count(value: Any) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0)


def check_usage(usage: Any, requires_counts: bool = False) -> None:
    if usage is None:
        return
    if requires_counts:
        assert None not in map(usage.get, ("prompt_tokens", "completion_tokens", "total_tokens"))
    assert all(is_count(usage.get(f"{name}_tokens")) for name in ("prompt", "completion", "total"))
    for name in ("prompt", "completion"):
        details = usage.get(f"{name}_tokens_details") or {}
        assert all(is_count(details.get(f"{one}_tokens")) for one in ("cached", "reasoning"))


def check_choice(choice: Any) -> None:
    assert is_count(choice["index"])
    assert choice["index"] is not None
    assert choice.get("finish_reason") in FINISH_REASONS
    assert choice.get("logprobs") is None or isinstance(choice["logprobs"], dict)
    message = choice["message"] if "message" in choice else choice["delta"]
    assert message.get("role") in ("assistant", None)
    for name in ("content", "refusal"):
        assert message.get(name) is None or isinstance(message[name], str)
    for call in message.get("tool_calls") or []:
        assert isinstance(call.get("id"), str | None)
        function = call.get("function") or {}
        assert isinstance(function.get("name"), str | None)
        assert isinstance(function.get("arguments"), str | None)
    assert message.get("function_call") is None or isinstance(message["function_call"], dict)


def check_shape(reply: Reply) -> None:
    """What clients that check types require of OpenAI's objects."""
    for one in reply.objects:
        assert isinstance(one["id"], str)
        assert one["object"] in ("chat.completion", "chat.completion.chunk") or (
            one["object"] == "" and not one["choices"]  # Azure's first
        )
        assert is_count(one["created"])
        assert one["created"] is not None
        assert isinstance(one["model"], str)
        assert isinstance(one.get("system_fingerprint"), str | None)
        assert isinstance(one.get("service_tier"), str | None)
        check_usage(one.get("usage"), requires_counts="session_id" not in one)
        for choice in one["choices"]:
            check_choice(choice)


def check(reply: Reply, shape: bool = True) -> None:
    if reply.error is not None:
        assert "a tool call without a name" in reply.error["message"]
        return
    assert reply.text == SAID
    assert reply.record.outcome == "ok"
    counts = [getattr(reply.record, name) for name in reply.record.__struct_fields__]
    assert not any(isinstance(count, int | float) and count < 0 for count in counts)
    if shape:
        check_shape(reply)


def play_whole(script: Script, route: str, path: Path, odd: Any) -> Reply:
    return play(script, route, whole=json.dumps(changed(script.whole, path, odd)).encode())


def play_stream(script: Script, route: str, at: int, path: Path, odd: Any) -> Reply:
    name, value = script.events[at]
    events = [*script.events[:at], (name, changed(value, path, odd)), *script.events[at + 1 :]]
    return play(script, route, streamed=script.streamed(events))


def play_stream_of(script: Script, route: str, path: Path, odd: Any) -> Reply:
    """Every event that has the field has the odd value, as of a server that writes it so."""
    events = [
        (name, changed(value, path, odd) if path in optional_paths(value) else value)
        for name, value in script.events
    ]
    return play(script, route, streamed=script.streamed(events))


# --- Relayed responses ----------------------------------------------------------------------------

RELAYED = SCRIPTS["openai"](Pieces(thought=()))


@for_each("path", optional_paths(RELAYED.whole), ids=lambda path: ".".join(map(str, path)))
def test_a_relayed_response_has_the_documented_shape(path: Path) -> None:
    for odd in ODD:
        check(play_whole(RELAYED, "chat", path, odd))


STREAMED_PATHS = dict.fromkeys(
    path for _, value in RELAYED.events for path in optional_paths(value)
)


@for_each("path", STREAMED_PATHS, ids=lambda path: ".".join(map(str, path)))
def test_a_relayed_stream_has_the_documented_shape(path: Path) -> None:
    for odd in ODD:
        check(play_stream_of(RELAYED, "chat stream", path, odd))


@pytest.mark.parametrize("route", CHAT_ROUTES)
def test_an_ordinary_response_is_relayed_as_it_is(route: str) -> None:
    reply = play(RELAYED, route)
    check(reply)
    if route == "chat":
        assert reply.objects == [RELAYED.whole]
    else:
        assert reply.objects == [value for _, value in RELAYED.events]


# --- Every wire format ----------------------------------------------------------------------------


@pytest.mark.parametrize("wire", list(SCRIPTS))
@given(seed=SEEDS)
@for_each("route", ROUTES)
def test_every_wire_format_on_every_route(wire: str, route: str, seed: int) -> None:
    chance = Random(f"{seed} {route}")
    script = SCRIPTS[wire](Pieces())
    odd = chance.choice(ODD)
    if route == "chat":
        check(play_whole(script, route, chance.choice(optional_paths(script.whole)), odd))
        return
    at = chance.randrange(len(script.events))
    if not (found := optional_paths(script.events[at][1])):
        return
    path = chance.choice(found)
    check(play_stream(script, route, at, path, odd), shape=False)
    check(play_stream_of(script, route, path, odd))


@pytest.mark.parametrize("wire", list(SCRIPTS))
@given(seed=SEEDS)
@for_each("route", ROUTES)
def test_no_answer_is_too_odd_for_the_gateway(wire: str, route: str, seed: int) -> None:
    """It may be an error, of the provider."""
    chance = Random(f"{seed} {route}")
    script = SCRIPTS[wire](Pieces())
    whole = json.dumps(change_often(script.whole, chance)).encode()
    streamed = script.streamed(change_stream(script.events, chance))
    pipe = run_script(script, route, whole=whole, streamed=streamed)
    assert b"could not be processed" not in pipe.sink.body
    assert len(pipe.records) == 1


# --- Frames that are no objects -------------------------------------------------------------------

NOTHING = (b"null", b"[]", b"{}", b'""', b"0", b"true", b"1.5", b"[null]", b"[[]]", b"[{}]", b" ")
TEXT_WIRES = [wire for wire in SCRIPTS if not wire.startswith("bedrock")]


def framed(script: Script, data: bytes) -> bytes:
    return data + b"\n" if script.content_type == NDJSON else b"data: " + data + b"\n\n"


@for_each("route", ["engine", "engine stream", "chat stream"])
@for_each("wire", TEXT_WIRES)
def test_frames_that_say_nothing_are_passed_over(wire: str, route: str) -> None:
    script = SCRIPTS[wire](Pieces())
    nothing = b"".join(framed(script, data) for data in NOTHING)
    parts = [script.write(*event) + nothing for event in script.events[:-1]]
    streamed = b"".join([*parts, script.write(*script.events[-1]), script.end])
    check(play(script, route, streamed=streamed))


@for_each("route", ["engine", "engine stream", "chat stream"])
@for_each("wire", TEXT_WIRES)
def test_an_array_of_events_is_its_events(wire: str, route: str) -> None:
    script = SCRIPTS[wire](Pieces())
    values = [value for _, value in script.events]
    half = len(values) // 2
    arrays = [json.dumps(values[:half]).encode(), json.dumps(values[half:]).encode()]
    if script.content_type == NDJSON:  # the first line tells the format
        arrays = [script.write(*script.events[0]), json.dumps(values[1:]).encode()]
    check(play(script, route, streamed=b"".join(framed(script, a) for a in arrays) + script.end))


# --- Usage ----------------------------------------------------------------------------------------

# usage; the counts that are known
USAGES: list[tuple[Any, tuple[int | None, int | None]]] = [
    *[(odd, (None, None)) for odd in (None, "", [], {}, False, 0, -1, 1.5, "x", True, [1])],
    ({"prompt_tokens": -1, "completion_tokens": -1}, (None, None)),
    ({"prompt_tokens": 11.0, "completion_tokens": "7"}, (11, 7)),
    ({"prompt_tokens": 11.5, "completion_tokens": 7, "total_tokens": -1}, (11, 7)),
    ({"prompt_tokens": None, "completion_tokens": 7}, (None, 7)),
    ({"prompt_tokens": 11, "completion_tokens": 7, "prompt_tokens_details": []}, (11, 7)),
]


@for_each("route", list(ROUTES))
@for_each(("usage", "known"), USAGES, ids=range(len(USAGES)))
def test_odd_usage_is_unknown_and_not_reported(
    usage: Any, known: tuple[int | None, int | None], route: str
) -> None:
    script = SCRIPTS["openai"](Pieces())
    script.whole["usage"] = script.events[-1][1]["usage"] = usage
    reply = play(script, route)
    assert reply.text == SAID
    check_usage(reply.usage)
    counted = (3, 4)  # what the counter of the tests gives
    record = reply.record
    expected = tuple(c if k is None else k for c, k in zip(counted, known, strict=True))
    assert (record.input_tokens, record.output_tokens) == expected
    assert (record.tokens_source == "reported") is (None not in known)
