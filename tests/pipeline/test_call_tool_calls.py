"""Tool calls of OpenAI's wire format as clients get them: each with an id, a name, a position that
counts from 0, and arguments that are the text of a JSON object."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest

from headway.providers.registry import entries
from support.for_each import for_each
from support.odd_tool_calls import RELAYED, STREAMS, WHOLES, A, fragment
from support.pipeline_fakes import DONE, ROLE, USAGE, WHOLE, Pipe, event, text

WAYS = ("engine whole", "engine lines", "engine events", "v1 whole", "v1 stream")
EACH_WAY = for_each("way", WAYS)
EACH_PROVIDER = for_each("provider", ["openai", "vllm", "mistral", "cloudflare"])
"""Two that are relayed on /v1, and two that are translated."""


class Got(NamedTuple):
    id: str
    name: str
    arguments: str


def frames(deltas: list[list[Any]], finish: str | None = "tool_calls") -> list[bytes]:
    """The events of a stream."""
    found = [event({"tool_calls": each}) for each in deltas]
    return [ROLE, text("Hm"), *found, event(finish=finish), USAGE, DONE]


def ask(pipe: Pipe, way: str) -> None:
    route, form = way.split()
    if route == "v1":
        pipe.ask_openai(stream=form == "stream")
    elif form == "events":
        pipe.ask((b"accept", b"text/event-stream"), is_stream=True)
    else:
        pipe.ask(is_stream=form == "lines")


def calls_of(pipe: Pipe, way: str) -> tuple[list[Got], Any]:
    """The calls that the client got, and the finish reason."""
    if way.endswith("whole"):
        (choice,) = pipe.sink.json["choices"]
        found = [
            Got(call["id"], call["function"]["name"], call["function"]["arguments"])
            for call in choice["message"]["tool_calls"]
        ]
        return found, choice["finish_reason"]
    choices = [choice for one in objects(pipe, way) for choice in one["choices"]]
    reasons = [choice["finish_reason"] for choice in choices if choice["finish_reason"]]
    fragments = [each for choice in choices for each in choice["delta"].get("tool_calls") or ()]
    return joined(fragments), *reasons


def objects(pipe: Pipe, way: str) -> list[Any]:
    if way == "engine lines":
        return pipe.sink.lines
    blocks = [block for block in pipe.sink.body.split(b"\n\n") if block]
    assert blocks[-1] == b"data: [DONE]"
    return [json.loads(block.removeprefix(b"data: ")) for block in blocks[:-1]]


def joined(fragments: list[Any]) -> list[Got]:
    """As OpenAI's Python SDK joins them: texts of one index are concatenated, whatever they are
    (openai-python, lib/streaming/_deltas.py)."""
    found: dict[int, dict[str, str]] = {}
    for each in fragments:
        if each["index"] not in found:
            assert each["index"] == len(found)
            assert each["type"] == "function"
            found[each["index"]] = {"id": "", "name": "", "arguments": ""}
        call, function = found[each["index"]], each.get("function") or {}
        call["id"] += each.get("id") or ""
        call["name"] += function.get("name") or ""
        call["arguments"] += function.get("arguments") or ""
    return [Got(**call) for call in found.values()]


def check(got: list[Got], expected: list[tuple[str, str, str]]) -> None:
    assert [each[1:] for each in got] == [each[1:] for each in expected]
    assert all(made.id == given for made, (given, *_) in zip(got, expected, strict=True) if given)
    assert all(each.id for each in got)
    assert len({each.id for each in got}) == len(got)
    assert all(isinstance(json.loads(each.arguments), dict) for each in got)


@EACH_WAY
@EACH_PROVIDER
@for_each("name", STREAMS)
def test_calls_of_a_stream(name: str, provider: str, way: str) -> None:
    deltas, expected = STREAMS[name]
    pipe = Pipe(provider=entries()[provider].provider)
    ask(pipe, way)
    pipe.upstream.stream(*frames(deltas))
    got, reason = calls_of(pipe, way)
    check(got, expected)
    assert reason == "tool_calls"
    assert pipe.records[0].finish_reason == "tool_calls"


@for_each("name", STREAMS)
def test_calls_of_a_stream_that_comes_at_once(name: str) -> None:
    deltas, expected = STREAMS[name]
    pipe = Pipe()
    pipe.ask_openai(stream=True)
    pipe.upstream.stream(b"".join(frames(deltas)))
    check(calls_of(pipe, "v1 stream")[0], expected)


@for_each("name", STREAMS)
def test_calls_of_a_stream_without_a_finish_reason(name: str) -> None:
    deltas, expected = STREAMS[name]
    pipe = Pipe()
    pipe.ask_openai(stream=True)
    pipe.upstream.stream(*frames(deltas, None))
    got, reason = calls_of(pipe, "v1 stream")
    check(got, expected)
    assert reason == "tool_calls"


@for_each("name", STREAMS)
def test_calls_that_end_with_their_finish_reason(name: str) -> None:
    """The last fragment is in the chunk with the finish reason."""
    deltas, expected = STREAMS[name]
    pieces = frames(deltas[:-1])
    pieces[-3] = event({"tool_calls": deltas[-1]}, "tool_calls")
    pipe = Pipe()
    pipe.ask_openai(stream=True)
    pipe.upstream.stream(*pieces)
    check(calls_of(pipe, "v1 stream")[0], expected)


@pytest.mark.parametrize("name", RELAYED)
def test_calls_as_openai_sends_them_are_passed_through(name: str) -> None:
    pieces = frames(STREAMS[name][0])
    pipe = Pipe()
    pipe.ask_openai(stream=True)
    pipe.upstream.stream(*pieces)
    assert pipe.sink.body == b"".join(pieces).replace(USAGE, b"")


@for_each("name", [each for each in STREAMS if each not in RELAYED])
def test_what_precedes_an_odd_call_is_passed_through(name: str) -> None:
    pipe = Pipe()
    pipe.ask_openai(stream=True)
    pipe.upstream.stream(*frames(STREAMS[name][0]))
    assert pipe.sink.body.startswith(ROLE + text("Hm"))


def completion(**message: Any) -> bytes:
    said = json.loads(WHOLE)
    said["choices"][0]["finish_reason"] = "tool_calls"
    said["choices"][0]["message"] = {"role": "assistant", "content": None, **message}
    return json.dumps(said).encode()


@EACH_WAY
@EACH_PROVIDER
@for_each("name", WHOLES)
def test_calls_of_a_whole_response(name: str, provider: str, way: str) -> None:
    entries_given, expected = WHOLES[name]
    pipe = Pipe(provider=entries()[provider].provider)
    ask(pipe, way)
    pipe.upstream.whole(completion(tool_calls=entries_given))
    got, reason = calls_of(pipe, way)
    check(got, expected)
    assert reason == "tool_calls"


@pytest.mark.parametrize("finish", ["stop", "tool_calls"])
def test_odd_calls_beside_a_text_are_not_passed_through(finish: str) -> None:
    pipe = Pipe()
    pipe.ask_openai()
    body = completion(content="Hm", tool_calls=[fragment(0, "f", "", id="")])
    pipe.upstream.whole(body.replace(b'"tool_calls",', b'"%s",' % finish.encode()))
    check(calls_of(pipe, "v1 whole")[0], [("", "f", "{}")])


# --- Calls without a name -------------------------------------------------------------------------


@EACH_WAY
def test_a_call_that_never_gets_a_name_is_an_error(way: str) -> None:
    pipe = Pipe()
    ask(pipe, way)
    pipe.upstream.stream(*frames([[fragment(0, arguments=A, id="x")]])[:-2])
    assert pipe.records[0].error_type == "protocol_error"
    assert b"a tool call without a name" in pipe.sink.body


def test_a_call_without_a_name_in_a_whole_response_is_an_error() -> None:
    pipe = Pipe()
    pipe.ask_openai()
    pipe.upstream.whole(completion(tool_calls=[fragment(0, arguments=A, id="x")]))
    assert (pipe.sink.status, pipe.records[0].error_type) == (502, "protocol_error")


def test_a_call_whose_name_was_cut_off_is_left_out() -> None:
    pipe = Pipe()
    pipe.ask_openai(stream=True)
    pipe.upstream.stream(*frames([[fragment(0, arguments=A, id="x")]], "length"))
    assert calls_of(pipe, "v1 stream") == ([], "length")


def test_arguments_that_were_cut_off_stay_as_they_are() -> None:
    pipe = Pipe()
    pipe.ask_openai(stream=True)
    pipe.upstream.stream(*frames([[fragment(0, "f", A[:4], id="x")]], "length"))
    assert calls_of(pipe, "v1 stream") == ([Got("x", "f", A[:4])], "length")


# --- The deprecated function call -----------------------------------------------------------------

LEGACY: dict[str, tuple[list[Any], tuple[str, str]]] = {
    "as OpenAI sends it": (
        [{"name": "f", "arguments": ""}, {"arguments": A[:3]}, {"arguments": A[3:]}],
        ("f", A),
    ),
    "a name that comes later": ([{"arguments": A}, {"name": "f"}], ("f", A)),
    "a name in each fragment": (
        [{"name": "f", "arguments": A[:3]}, {"name": "f", "arguments": A[3:]}],
        ("f", A),
    ),
    "no arguments": ([{"name": "f"}], ("f", "{}")),
    "arguments of null": ([{"name": "f", "arguments": None}], ("f", "{}")),
    "arguments as an object": ([{"name": "f", "arguments": {"a": 1}}], ("f", '{"a":1}')),
}


def function_of(pipe: Pipe, way: str) -> tuple[str, str]:
    if way.endswith("whole"):
        (choice,) = pipe.sink.json["choices"]
        given = [choice["message"]["function_call"]]
    else:
        choices = [choice for one in objects(pipe, way) for choice in one["choices"]]
        deltas = [choice["delta"].get("function_call") for choice in choices]
        given = [each for each in deltas if each]
    name = "".join(each.get("name") or "" for each in given)
    return name, "".join(each.get("arguments") or "" for each in given)


@EACH_WAY
@EACH_PROVIDER
@for_each("name", LEGACY)
def test_deprecated_calls_of_a_stream(name: str, provider: str, way: str) -> None:
    fragments, expected = LEGACY[name]
    pipe = Pipe(provider=entries()[provider].provider)
    ask(pipe, way)
    deltas = [event({"function_call": each}) for each in fragments]
    pipe.upstream.stream(ROLE, *deltas, event(finish="function_call"), USAGE, DONE)
    assert function_of(pipe, way) == expected
    assert pipe.records[0].finish_reason == "function_call"


@EACH_WAY
@for_each("name", ["no arguments", "arguments of null", "arguments as an object"])
def test_deprecated_calls_of_a_whole_response(name: str, way: str) -> None:
    (given,), expected = LEGACY[name]
    pipe = Pipe()
    ask(pipe, way)
    pipe.upstream.whole(completion(function_call=given))
    assert function_of(pipe, way) == expected


@EACH_WAY
def test_a_deprecated_call_beside_the_same_tool_call_is_left_out(way: str) -> None:
    function = {"name": "f", "arguments": A}
    both = {"tool_calls": [fragment(0, "f", A, id="x")], "function_call": function}
    for is_stream in (False, True):
        pipe = Pipe()
        ask(pipe, way)
        if is_stream:
            pipe.upstream.stream(ROLE, event(both), event(finish="tool_calls"), USAGE, DONE)
        else:
            pipe.upstream.whole(completion(**both))
        check(calls_of(pipe, way)[0], [("x", "f", A)])
        assert b'"function_call":{' not in pipe.sink.body


def test_a_relayed_deprecated_call_is_passed_through() -> None:
    deltas = [event({"function_call": each}) for each in LEGACY["as OpenAI sends it"][0]]
    pieces = [ROLE, *deltas, event(finish="function_call"), DONE]
    pipe = Pipe()
    pipe.ask_openai(stream=True)
    pipe.upstream.stream(*pieces)
    assert pipe.sink.body == b"".join(pieces)
