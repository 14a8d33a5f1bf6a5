"""Tool calls of every wire format of its own, with what providers leave out or write differently:
clients get them as OpenAI's (see test_call_tool_calls)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from headway.providers.registry import entries
from support.event_stream_messages import encode_message
from support.for_each import for_each
from support.pipeline_fakes import JSON, SSE, Pipe

AWS = [(b"content-type", b"application/vnd.amazon.eventstream")]
NDJSON = [(b"content-type", b"application/x-ndjson")]
ABSENT: Any = ...


class Call(NamedTuple):
    """What a provider sends of a call: fields of ``ABSENT`` are left out."""

    id: Any
    name: Any
    arguments: Any
    pieces: tuple[str, ...] | None = None
    """The arguments in the deltas of a stream; by default all of them at once."""


def given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not ABSENT}


def sse(*objects: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in objects)


def pieces_of(call: Call) -> tuple[str, ...]:
    if call.pieces is not None:
        return call.pieces
    return () if call.arguments is ABSENT else (json.dumps(call.arguments),)


def anthropic_whole(calls: list[Call]) -> Any:
    blocks = [
        {"type": "tool_use", **given(id=call.id, name=call.name, input=call.arguments)}
        for call in calls
    ]
    return {"type": "message", "id": "m", "content": blocks, "stop_reason": "tool_use"}


def anthropic_stream(calls: list[Call]) -> bytes:
    events: list[Any] = [{"type": "message_start", "message": {"id": "m", "content": []}}]
    for index, call in enumerate(calls):
        block = {"type": "tool_use", "input": {}, **given(id=call.id, name=call.name)}
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        for piece in pieces_of(call):
            delta = {"type": "input_json_delta", "partial_json": piece}
            events.append({"type": "content_block_delta", "index": index, "delta": delta})
    events.append({"type": "message_delta", "delta": {"stop_reason": "tool_use"}})
    return sse(*events, {"type": "message_stop"})


def aws(name: str, value: Any) -> bytes:
    headers = {":event-type": name, ":message-type": "event"}
    return encode_message(headers, json.dumps(value).encode())


def bedrock_whole(calls: list[Call]) -> Any:
    content = [
        {"toolUse": given(toolUseId=call.id, name=call.name, input=call.arguments)}
        for call in calls
    ]
    return {"output": {"message": {"content": content}}, "stopReason": "tool_use"}


def bedrock_stream(calls: list[Call]) -> bytes:
    found = [aws("messageStart", {"role": "assistant"})]
    for index, call in enumerate(calls):
        place = {"contentBlockIndex": index}
        use = given(toolUseId=call.id, name=call.name)
        found.append(aws("contentBlockStart", {**place, "start": {"toolUse": use}}))
        for piece in pieces_of(call):
            delta = {"toolUse": {"input": piece}}
            found.append(aws("contentBlockDelta", {**place, "delta": delta}))
    found.append(aws("messageStop", {"stopReason": "tool_use"}))
    return b"".join([*found, aws("metadata", {"usage": {"inputTokens": 1, "outputTokens": 2}})])


def gemini_whole(calls: list[Call]) -> Any:
    parts = [
        {"functionCall": given(id=call.id, name=call.name, args=call.arguments)} for call in calls
    ]
    return {"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]}


def gemini_stream(calls: list[Call]) -> bytes:
    return sse(*(gemini_whole([call]) for call in calls)) + b"data: [DONE]\n\n"


def function(call: Call) -> Any:
    return given(name=call.name, arguments=call.arguments)


def cohere_whole(calls: list[Call]) -> Any:
    found = [
        {**given(id=call.id), "type": "function", "function": function(call)} for call in calls
    ]
    return {"id": "m", "message": {"tool_calls": found}, "finish_reason": "TOOL_CALL"}


def cohere_stream(calls: list[Call]) -> bytes:
    events: list[Any] = [{"type": "message-start", "id": "m", "delta": {"message": {}}}]
    for index, call in enumerate(calls):
        begun = {**given(id=call.id), "function": given(name=call.name)}
        texts = [{"function": {"arguments": piece}} for piece in pieces_of(call)]
        for kind, one in (("tool-call-start", begun), *(("tool-call-delta", t) for t in texts)):
            delta = {"message": {"tool_calls": one}}
            events.append({"type": kind, "index": index, "delta": delta})
    return sse(*events, {"type": "message-end", "delta": {"finish_reason": "TOOL_CALL"}})


def ollama_whole(calls: list[Call]) -> Any:
    found = [{**given(id=call.id), "function": function(call)} for call in calls]
    return {"model": "m", "message": {"content": "", "tool_calls": found}, "done": True}


def ollama_stream(calls: list[Call]) -> bytes:
    lines = [{**ollama_whole([call]), "done": False} for call in calls]
    return b"".join(json.dumps(each).encode() + b"\n" for each in (*lines, ollama_whole([])))


def responses_whole(calls: list[Call]) -> Any:
    output = [{"type": "function_call", **given(call_id=c.id), **function(c)} for c in calls]
    return {"id": "r", "object": "response", "status": "completed", "output": output}


def responses_stream(calls: list[Call]) -> bytes:
    events: list[Any] = [{"type": "response.created", "response": {"id": "r"}}]
    for index, call in enumerate(calls):
        place = {"output_index": index}
        item = {"type": "function_call", **given(call_id=call.id, name=call.name)}
        events.append({"type": "response.output_item.added", **place, "item": item})
        for piece in pieces_of(call):
            kind = "response.function_call_arguments.delta"
            events.append({"type": kind, **place, "delta": piece})
        events.append({"type": "response.output_item.done", **place, "item": item})
    return sse(*events, {"type": "response.completed", "response": {"status": "completed"}})


WIRES: dict[str, tuple[Any, Any, Sequence[tuple[bytes, bytes]]]] = {
    "anthropic": (anthropic_stream, anthropic_whole, SSE),
    "bedrock": (bedrock_stream, bedrock_whole, AWS),
    "gemini": (gemini_stream, gemini_whole, SSE),
    "cohere": (cohere_stream, cohere_whole, SSE),
    "ollama": (ollama_stream, ollama_whole, NDJSON),
    "openai_responses": (responses_stream, responses_whole, SSE),
}
EACH_WIRE = for_each("wire", WIRES)
WAYS = ("engine whole", "engine stream", "v1 whole", "v1 stream")
EACH_RESPONSE = for_each(
    ("wire", "way", "is_stream"),
    [
        (wire, way, is_stream)
        for wire in WIRES
        for way in WAYS
        for is_stream in (True, False)
        if not (way == "v1 whole" and is_stream)
    ],
)
"""A request of /v1 for a whole response asks the provider for one."""
ONE = {"a": 1}

# what it shows: the calls that the provider sends, and those that the client gets, "" for any id
CASES: dict[str, tuple[list[Call], list[tuple[str, str, Any]]]] = {
    "as documented": (
        [Call("x", "f", ONE, ('{"a"', ": 1}")), Call("y", "g", {})],
        [("x", "f", ONE), ("y", "g", {})],
    ),
    "no id": (
        [Call(ABSENT, "f", ONE), Call("", "f", ONE), Call(None, "g", {})],
        [("", "f", ONE), ("", "f", ONE), ("", "g", {})],
    ),
    "one id for all": (
        [Call("x", "f", ONE), Call("x", "g", ONE)],
        [("x", "f", ONE), ("", "g", ONE)],
    ),
    "an id that is a number": ([Call(7, "f", ONE)], [("7", "f", ONE)]),
    "no arguments": (
        [Call("x", "f", ABSENT), Call("y", "g", ONE), Call("z", "h", {}, ())],
        [("x", "f", {}), ("y", "g", ONE), ("z", "h", {})],
    ),
    "arguments of null": ([Call("x", "f", None)], [("x", "f", {})]),
    "arguments of the text null": ([Call("x", "f", "null")], [("x", "f", {})]),
    "empty arguments": ([Call("x", "f", "")], [("x", "f", {})]),
    "arguments as a text": ([Call("x", "f", '{"a": 1}')], [("x", "f", ONE)]),
    "arguments as an empty list": ([Call("x", "f", [])], [("x", "f", {})]),
    "arguments that are no object": ([Call("x", "f", [1])], [("x", "f", {"arguments": [1]})]),
    "arguments in pieces that are no object": (
        [Call("x", "f", None, ("nu", "ll"))],
        [("x", "f", {})],
    ),
}


def answered(wire: str, way: str, calls: list[Call], is_stream: bool) -> Pipe:
    stream, whole, headers = WIRES[wire]
    options = {"region": "us-east-1"} if wire == "bedrock" else {}
    pipe = Pipe(provider=entries()[wire].provider, options=options)
    route, form = way.split()
    ask: Callable[..., Any] = pipe.ask_openai if route == "v1" else pipe.ask
    ask(**{"stream" if route == "v1" else "is_stream": form == "stream"})
    pipe.upstream.respond(headers if is_stream else JSON)
    pipe.upstream.chunk(stream(calls) if is_stream else json.dumps(whole(calls)).encode())
    if not pipe.sink.is_over:
        pipe.upstream.end()
    return pipe


def calls_of(pipe: Pipe, way: str) -> list[tuple[str, str, Any]]:
    if way.endswith("whole"):
        (choice,) = pipe.sink.json["choices"]
        assert choice["finish_reason"] == "tool_calls"
        found = choice["message"]["tool_calls"]
    else:
        found = joined(pipe, way)
    assert all(each["type"] == "function" for each in found)
    functions = [each["function"] for each in found]
    assert all(isinstance(json.loads(each["arguments"]), dict) for each in functions)
    assert len({each["id"] for each in found} - {""}) == len(found)
    return [
        (c["id"], f["name"], json.loads(f["arguments"]))
        for c, f in zip(found, functions, strict=True)
    ]


def joined(pipe: Pipe, way: str) -> list[Any]:
    blocks = pipe.sink.body.split(b"\n" if way == "engine stream" else b"\n\n")
    objects = [json.loads(each.removeprefix(b"data: ")) for each in blocks if b"{" in each]
    choices = [choice for one in objects for choice in one["choices"]]
    found: list[Any] = []
    for fragment in (each for c in choices for each in c["delta"].get("tool_calls") or ()):
        if "id" in fragment:
            assert fragment.pop("index") == len(found)
            found.append(fragment)
        else:
            more = fragment["function"]["arguments"]
            found[fragment["index"]]["function"]["arguments"] += more
    return found


@EACH_RESPONSE
@for_each("name", CASES)
def test_tool_calls_of_every_wire(name: str, wire: str, way: str, is_stream: bool) -> None:
    calls, expected = CASES[name]
    pipe = answered(wire, way, calls, is_stream)
    assert pipe.sink.status == 200, pipe.sink.body
    got = calls_of(pipe, way)
    assert [each[1:] for each in got] == [each[1:] for each in expected]
    assert all(made[0] == said[0] for made, said in zip(got, expected, strict=True) if said[0])
    assert pipe.records[0].finish_reason == "tool_calls"


@EACH_RESPONSE
@for_each("name", [ABSENT, None, ""])
def test_a_call_without_a_name_is_an_error(wire: str, way: str, is_stream: bool, name: Any) -> None:
    pipe = answered(wire, way, [Call("x", name, ONE)], is_stream)
    assert pipe.records[0].error_type == "protocol_error"
    assert b"a tool call without a name" in pipe.sink.body


@EACH_WIRE
@for_each("is_stream", [True, False])
def test_ids_are_the_same_each_time(wire: str, is_stream: bool) -> None:
    calls = [Call(ABSENT, "f", ONE), Call(ABSENT, "f", ONE)]
    first, second = (
        calls_of(answered(wire, "engine whole", calls, is_stream), "engine whole") for _ in range(2)
    )
    assert first == second


# --- Calls of earlier turns -----------------------------------------------------------------------

CUT = {"name": "f", "arguments": '{"a": 1, "b'}
HISTORY = [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "tool_calls": [{"id": "f:0", "type": "function", "function": CUT}]},
    {"role": "tool", "tool_call_id": "f:0", "content": "no such file"},
]


@EACH_WIRE
@for_each("way", ["engine whole", "v1 whole"])
def test_a_conversation_with_arguments_that_were_cut_off_goes_on(wire: str, way: str) -> None:
    options = {"region": "us-east-1"} if wire == "bedrock" else {}
    pipe = Pipe(provider=entries()[wire].provider, options=options)
    if way == "v1 whole":
        pipe.ask_openai(messages=HISTORY)
    else:
        pipe.ask(chat_input=HISTORY)
    pipe.upstream.respond(JSON)
    pipe.upstream.chunk(json.dumps(WIRES[wire][1]([Call("x", "f", ONE)])).encode())
    pipe.upstream.end()
    assert pipe.sink.status == 200
    assert b"no such file" in pipe.upstream.request.body
    told = " ".join(pipe.records[0].transformations)
    assert ("function.arguments" in told) is (wire != "openai_responses")
