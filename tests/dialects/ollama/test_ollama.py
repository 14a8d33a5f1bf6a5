"""Ollama's routes: decoding, conversion, and responses of other wires."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from headway.dialects.base import ClientRequest, ResponseContext
from headway.dialects.ollama.chat import OllamaChat
from headway.dialects.ollama.embeddings import OllamaEmbed
from headway.errors import HeadwayError, InvalidBody, InvalidField, RequestError
from headway.events import (
    Embeddings,
    EmbeddingsReceived,
    Event,
    Finished,
    Logprobs,
    Reasoning,
    Refusal,
    Rewritten,
    Started,
    Text,
    ToolArguments,
    ToolStarted,
    UsageReported,
)
from headway.metering.metrics import Metrics
from headway.response_accumulator import ResponseAccumulator
from headway.types import ChatRequest, EmbeddingsRequest, Frame, Usage
from support.dialect_samples import NO_FRAME
from support.for_each import for_each

CHAT, GENERATE = OllamaChat(), OllamaChat(is_generate=True)
EMBED, OLD = OllamaEmbed(), OllamaEmbed(is_old=True)
HI = {"model": "openai/gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
ONLY = "only Ollama has it"
METRICS = Metrics(latency_s=0.5, time_to_first_token_s=0.25)
AT = "2023-11-14T22:13:20.000000Z"
NOW = 1_700_000_000.0


def decode(dialect: Any, body: Any, *headers: tuple[bytes, bytes]) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return dialect.decode(ClientRequest("", headers, data))


# --- Decoding -------------------------------------------------------------------------------------


def test_a_stream_is_the_default() -> None:
    own = (b"x-headway-provider-key", b"own")
    body = b'{"model":"ollama/a/b","messages":[{"role":"user"}],"options":{"top_p":1.50}}'
    decoded = decode(CHAT, body, own)
    request = decoded.request
    assert isinstance(request, ChatRequest)
    assert request.native is not None
    assert (decoded.provider, decoded.model_name, request.model) == ("ollama", "ollama/a/b", "a/b")
    assert (decoded.stream, request.stream, decoded.sse, decoded.api_key) == (
        True,
        True,
        False,
        "own",
    )
    assert {name: bytes(raw) for name, raw in request.native.fields.items()} == {
        "messages": b'[{"role":"user"}]',
        "options": b'{"top_p":1.50}',
    }
    assert request.native.wire == CHAT.wire
    assert not decode(CHAT, {**HI, "stream": False}).stream


def test_a_prompt_is_a_message() -> None:
    body = {"model": "openai/m", "prompt": "Hi", "system": "Be kind", "images": ["YQ=="]}
    decoded = decode(GENERATE, body)
    assert json.loads(bytes(decoded.request.messages)) == [
        {"role": "system", "content": "Be kind"},
        {"role": "user", "content": "Hi", "images": ["YQ=="]},
    ]
    plain = {"model": "openai/m", "prompt": "Hi", "system": "", "images": None}
    messages = decode(GENERATE, plain).request.messages
    assert json.loads(bytes(messages)) == [{"role": "user", "content": "Hi"}]


BAD: list[tuple[Any, Any, type[HeadwayError], str | None]] = [
    (CHAT, b"{", InvalidBody, None),
    (CHAT, {"messages": HI["messages"]}, InvalidField, "model"),
    (CHAT, {"model": "openai/m", "messages": "Hi"}, InvalidField, "messages"),
    (CHAT, {**HI, "stream": "no"}, InvalidField, "stream"),
    (CHAT, {**HI, "base_url": "x"}, InvalidField, "base_url"),
    (GENERATE, {"model": "openai/m", "prompt": 1}, InvalidField, "prompt"),
    (EMBED, {"model": "openai/m", "input": []}, InvalidField, "input"),
    (EMBED, {"model": "openai/m", "input": [1]}, InvalidField, "input"),
    (OLD, {"model": "openai/m", "input": "a"}, InvalidField, "prompt"),
]


@for_each(("dialect", "body", "error", "param"), BAD)
def test_a_bad_request_is_refused(
    dialect: Any, body: Any, error: type[HeadwayError], param: str | None
) -> None:
    with pytest.raises(error) as caught:
        decode(dialect, body)
    assert caught.value.param == param


def test_a_request_without_a_prompt_loads_or_unloads_a_model() -> None:
    said: dict[Any, Any] = {
        CHAT: {"message": {"role": "assistant", "content": ""}},
        GENERATE: {"response": ""},
    }
    for dialect, empty in (
        (CHAT, {"messages": []}),
        (CHAT, {}),
        (GENERATE, {"prompt": ""}),
        (GENERATE, {}),
    ):
        for keep_alive, reason in (
            (None, "load"),
            (0, "unload"),
            ("0", "unload"),
            ("0m0.0s", "unload"),
            (10, "load"),
            ("5m", "load"),
            ("", "load"),
            (-1, "load"),
        ):
            reply = decode(dialect, {"model": "openai/m", **empty, "keep_alive": keep_alive})
            told = json.loads(reply.own_reply(NOW))
            end = {"done": True, "done_reason": reason}
            wanted = {"model": "openai/m", "created_at": AT, **said[dialect], **end}
            assert told == wanted, (empty, keep_alive)
    assert decode(CHAT, HI).own_reply is None
    assert decode(GENERATE, {"model": "openai/m", "prompt": "Hi"}).own_reply is None


def test_the_fields_of_a_prompt_stay_for_a_server_of_ollama() -> None:
    given = {"prompt": "Hi", "suffix": "x", "raw": True, "template": "t", "context": [1, 2]}
    request = decode(GENERATE, {"model": "openai/m", **given, "images": ["YQ=="]}).request
    assert request.native.wire == GENERATE.wire
    fields = {name: json.loads(bytes(raw)) for name, raw in request.native.fields.items()}
    assert fields == {**given, "images": ["YQ=="]}


def test_elsewhere_a_prompt_goes_without_what_only_ollama_has() -> None:
    neutral = {"raw": False, "template": "", "suffix": "", "context": []}
    for fields, noted in (
        (neutral, []),
        (
            {"raw": True, "template": "t", "context": [1], "keep_alive": "5m"},
            [f"dropped {name}: {ONLY}" for name in ("raw", "template", "context", "keep_alive")],
        ),
    ):
        request = decode(GENERATE, {"model": "openai/m", "prompt": "Hi", **fields}).request
        converted, told = GENERATE.convert_request(request)
        assert json.loads(bytes(converted.messages)) == [{"role": "user", "content": "Hi"}]
        assert sorted(map(str, told)) == sorted(noted)
    suffix = decode(GENERATE, {"model": "openai/m", "prompt": "Hi", "suffix": "x"}).request
    with pytest.raises(RequestError, match="no suffix") as caught:
        GENERATE.convert_request(suffix)
    assert caught.value.param == "suffix"


def test_a_whole_response_passes_through_where_it_has_the_text_of_its_route() -> None:
    chat = b'{"message":{"content":"a"},"done":true}'
    generate = b'{"response":"a","done":true}'
    for dialect, own, other in ((CHAT, chat, generate), (GENERATE, generate, chat)):
        assert dialect.passes_through(own)
        assert not dialect.passes_through(other)


def test_an_error_is_a_text() -> None:
    error = InvalidField("No", param="x")
    assert json.loads(CHAT.encode_error(error, "openai", "id")) == {"error": "No"}
    assert (CHAT.status_of(error), CHAT.status_of(HeadwayError("", status=503))) == (400, 503)


# --- Conversion -----------------------------------------------------------------------------------


def convert(body: Any) -> tuple[Any, Any, list[str]]:
    converted, told = CHAT.convert_request(decode(CHAT, {**HI, **body}).request)
    assert converted.native is None
    parameters = {name: json.loads(bytes(raw)) for name, raw in converted.parameters.items()}
    return json.loads(bytes(converted.messages)), parameters, list(map(str, told))


def image(kind: str, data: str) -> Any:
    return {"type": "image_url", "image_url": {"url": f"data:image/{kind};base64,{data}"}}


IMAGES = [
    ("/9j/4A", image("jpeg", "/9j/4A")),
    ("UklGRg", image("webp", "UklGRg")),
    ("iVBORw", image("png", "iVBORw")),
    ("data:image/gif;base64,R0", image("gif", "R0")),
]


@pytest.mark.parametrize(("data", "part"), IMAGES)
def test_images_get_their_type(data: str, part: Any) -> None:
    said = {"role": "user", "content": "See", "images": [data]}
    messages, _, told = convert({"messages": [said, {**said, "content": ""}]})
    text = {"type": "text", "text": "See"}
    assert messages == [
        {"role": "user", "content": [text, part]},
        {"role": "user", "content": [part]},
    ]
    assert told == []


def called(name: str, arguments: Any = None, **more: Any) -> Any:
    return {"function": {"name": name, "arguments": arguments or {}}, **more}


def test_results_find_their_calls() -> None:
    calls = [called("f", {"a": 1}), called("g"), called("f", '{"a":2}', id="x")]
    results = [
        {"role": "tool", "content": "1", "tool_name": "f"},
        {"role": "tool", "content": "x", "tool_call_id": "x"},
        {"role": "tool", "content": "g", "name": "unknown"},
        {"role": "tool", "content": "lost", "tool_name": "f"},
        {"role": "tool", "content": "lost", "tool_call_id": "y"},
    ]
    asked = {"role": "assistant", "content": "", "thinking": "Hm", "tool_calls": calls}
    messages, _, _ = convert({"messages": [*HI["messages"], asked, *results]})
    answer = messages[1]
    assert (answer["content"], answer["reasoning_content"]) == (None, "Hm")
    ids = [call["id"] for call in answer["tool_calls"]]
    assert len(set(ids)) == 3
    texts = [call["function"]["arguments"] for call in answer["tool_calls"]]
    assert texts == ['{"a":1}', "{}", '{"a":2}']
    found = [message["tool_call_id"] for message in messages[2:]]
    assert found == [ids[0], "x", ids[1], "call_f", "y"]


PARAMETERS: list[tuple[Any, Any]] = [
    (
        {"options": {"temperature": 0, "num_predict": 9, "stop": ["a"], "seed": None}},
        {"temperature": 0, "max_tokens": 9, "stop": ["a"]},
    ),
    ({"options": {"num_predict": -1}}, {}),
    ({"think": True}, {"reasoning": {"enabled": True}}),
    ({"think": False}, {"reasoning_effort": "none"}),
    ({"think": "low"}, {"reasoning_effort": "low"}),
    ({"think": "max"}, {"reasoning_effort": "xhigh"}),
    ({"think": "odd"}, {}),
    ({"format": "json"}, {"response_format": {"type": "json_object"}}),
    ({"format": ""}, {}),
    (
        {"format": {"type": "object"}},
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "response", "schema": {"type": "object"}},
            }
        },
    ),
    ({"tools": [{"type": "function"}]}, {"tools": [{"type": "function"}]}),
    ({"tools": [], "logprobs": False}, {}),
    ({"logprobs": True, "top_logprobs": 2}, {"logprobs": True, "top_logprobs": 2}),
    ({"tools": None}, {}),
]


@for_each(("body", "expected"), PARAMETERS)
def test_fields_become_parameters(body: Any, expected: Any) -> None:
    assert convert(body)[1:] == (expected, [])


def test_what_only_ollama_knows_is_told() -> None:
    body = {"keep_alive": "5m", "options": {"num_ctx": 9}}
    told = [f"dropped keep_alive: {ONLY}", f"dropped options.num_ctx: {ONLY}"]
    assert convert(body)[1:] == ({}, told)


@pytest.mark.parametrize(
    "body",
    [
        {"options": []},
        {"messages": [{"role": "user", "images": [7]}]},
        {"messages": [{"role": "assistant", "tool_calls": [{}]}]},
        {"options": {"num_predict": "x"}},
    ],
)
def test_a_malformed_request_is_refused(body: Any) -> None:
    with pytest.raises(RequestError, match="no request in Ollama's format"):
        convert(body)


# --- Responses ------------------------------------------------------------------------------------

EVENTS: list[Event] = [
    Started(None, "m-1"),
    Reasoning("Hm"),
    Text("Hel"),
    Text("lo"),
    Logprobs({"content": [{"token": "lo"}]}),
    ToolStarted(0, "c1", "f"),
    ToolArguments(0, '{"a":1}'),
    ToolStarted(1, "c2", "broken"),
    ToolArguments(1, '{"a":'),
    Finished("tool_calls"),
    UsageReported(Usage(input_tokens=3, output_tokens=4)),
]
CALLS = [{"id": "c1", "function": {"index": 0, "name": "f", "arguments": {"a": 1}}}]
HEAD = {"model": "m-1", "created_at": AT}
END = {
    "done": True,
    "done_reason": "stop",
    "total_duration": 500_000_000,
    "load_duration": 0,
    "prompt_eval_count": 3,
    "prompt_eval_duration": 250_000_000,
    "eval_count": 4,
    "eval_duration": 250_000_000,
}


def folded(*events: Event) -> ResponseAccumulator:
    response = ResponseAccumulator()
    response.add([*events])
    return response


def context(dialect: Any, passes: bool = False, **more: Any) -> ResponseContext:
    call = decode(dialect, {**HI, "prompt": "Hi", "input": "Hi", **more})
    return ResponseContext(
        id="i", request_id="r", created=1, call=call, sent=call.request, is_passthrough=passes
    )


def whole(dialect: Any, *events: Event, **more: Any) -> Any:
    return json.loads(dialect.encode(context(dialect, **more), folded(*events), METRICS, NOW))


def streamed(dialect: Any, *events: Event, **more: Any) -> list[Any]:
    encoder = dialect.stream(context(dialect, **more))
    pieces = [encoder.encode(NO_FRAME, [event], NOW) for event in events]
    pieces += encoder.end(folded(*events), METRICS, NOW)
    sent = [piece for piece in pieces if piece]
    assert all(piece.count(b"\n") == 1 and piece.endswith(b"\n") for piece in sent)
    return [json.loads(piece) for piece in sent]


def test_a_whole_chat_has_a_message() -> None:
    message = {"role": "assistant", "content": "Hello", "thinking": "Hm", "tool_calls": CALLS}
    more = {"logprobs": [{"token": "lo"}]}
    assert whole(CHAT, *EVENTS) == {**HEAD, "message": message, **END, **more}


def test_a_whole_generation_has_a_response() -> None:
    found = whole(GENERATE, Text("Hello"), Refusal("No"), Finished("length"))
    unknown = {"prompt_eval_count": 0, "eval_count": 0, "done_reason": "length"}
    assert found == {"model": "gpt-4o", "created_at": AT, "response": "HelloNo", **END, **unknown}


def test_a_stream_is_lines() -> None:
    def line(done: bool = False, **message: Any) -> Any:
        return {**HEAD, "message": {"role": "assistant", **message}, "done": done}

    assert streamed(CHAT, *EVENTS) == [
        line(content="", thinking="Hm"),
        line(content="Hel"),
        line(content="lo"),
        line(content="", tool_calls=CALLS),
        {**line(content=""), **END},
    ]
    first, last = streamed(GENERATE, Refusal("No\n"), Text("b", 1), Finished("stop"))
    assert (first["response"], last["response"], last["done"]) == ("No\n", "", True)


def test_probabilities_come_with_their_text() -> None:
    encoder = CHAT.stream(context(CHAT))
    piece = encoder.encode(NO_FRAME, [Text("a"), Logprobs({"content": [{"token": "a"}]})], NOW)
    assert piece is not None
    assert json.loads(piece)["logprobs"] == [{"token": "a"}]


def test_thinking_is_left_out_on_request() -> None:
    assert "thinking" not in whole(CHAT, *EVENTS, think=False)["message"]
    assert streamed(CHAT, *EVENTS, think=False)[0]["message"]["content"] == "Hel"


def test_an_error_is_the_last_line() -> None:
    assert CHAT.stream(context(CHAT)).fail(RequestError("No")) == [b'{"error":"No"}\n']


def test_lines_of_ollama_are_passed_through() -> None:
    encoder = CHAT.stream(context(CHAT, passes=True))
    line = b'{"message":{"content":"a"}}'
    assert encoder.encode(Frame(line, None, line + b"\n"), [Text("a")], NOW) == line + b"\n"
    assert encoder.encode(NO_FRAME, [], NOW) is None
    assert encoder.end(folded(Text("a"), Finished("stop")), METRICS, NOW) == []


def with_metrics(found: ResponseContext) -> ResponseContext:
    return replace(found, call=replace(found.call, shows_metrics=True))


def test_metrics_are_in_the_last_line() -> None:
    events = (Text("a"), Finished("stop"))
    [last] = CHAT.stream(with_metrics(context(CHAT))).end(folded(*events), METRICS, NOW)
    assert json.loads(last)["done"] is True
    assert json.loads(last)["metrics"]["latency_s"] == 0.5


def test_metrics_are_added_to_the_last_line_of_ollama() -> None:
    encoder = CHAT.stream(with_metrics(context(CHAT, passes=True)))
    first, last = b'{"message":{"content":"a"}}', b'{"done": true, "x": 1} '
    assert encoder.encode(Frame(first, None, first), [Text("a")], NOW) == first + b"\n"
    assert encoder.encode(Frame(last, None, last), [Finished("stop")], NOW) is None
    [line] = encoder.end(folded(Text("a"), Finished("stop")), METRICS, NOW)
    assert line.startswith(b'{"done": true, "x": 1,"metrics":{')
    assert json.loads(line)["metrics"]["latency_s"] == 0.5
    assert CHAT.stream(with_metrics(context(CHAT, passes=True))).end(folded(), METRICS, NOW) == []


@pytest.mark.parametrize(
    ("frame", "more"),
    [
        (NO_FRAME, []),
        (Frame(b"{}", None, b"data: {}"), []),
        (Frame(b'{"a":"\xff"}', None, b"{"), []),
        (Frame(b"{}", None, b"{}"), [Rewritten()]),
    ],
    ids=["none", "events", "no text", "rewritten"],
)
def test_any_other_is_translated(frame: Frame, more: list[Event]) -> None:
    encoder = CHAT.stream(context(CHAT, passes=True))
    piece = encoder.encode(frame, [*more, Text("a")], NOW)
    assert piece is not None
    assert json.loads(piece)["message"]["content"] == "a"
    assert not encoder.is_passthrough


def test_whole_bodies_are_passed_through() -> None:
    assert CHAT.passes_through(b'{"message":{"content":""},"done":true}')
    for body in (b"{}", b"[]", b"\xff", b'{"message":{},"done":true,"a":"\xff"}'):
        assert not CHAT.passes_through(body)


# --- Embeddings -----------------------------------------------------------------------------------


def test_inputs_are_embedded() -> None:
    body = {"model": "openai/e", "input": ["a", "b"], "dimensions": 3, "truncate": True}
    decoded = decode(EMBED, body)
    request = decoded.request
    assert isinstance(request, EmbeddingsRequest)
    assert (decoded.provider, decoded.model_name, request.model) == ("openai", "openai/e", "e")
    assert json.loads(bytes(request.input)) == ["a", "b"]
    assert {name: bytes(raw) for name, raw in request.parameters.items()} == {"dimensions": b"3"}
    assert request.native is not None
    assert list(request.native.fields) == ["dimensions", "truncate"]
    assert list(map(str, request.lost)) == [f"dropped truncate: {ONLY}"]
    old = decode(OLD, {"model": "openai/e", "prompt": "a"}).request
    assert (bytes(old.input), old.lost) == (b'"a"', ())


def test_vectors_are_returned() -> None:
    received = EmbeddingsReceived(Embeddings(vectors=[[0.5]], usage=Usage()))
    usage = UsageReported(Usage(input_tokens=3))
    assert whole(EMBED, received, usage) == {
        "model": "gpt-4o",
        "embeddings": [[0.5]],
        "total_duration": 500_000_000,
        "load_duration": 0,
        "prompt_eval_count": 3,
    }
    assert whole(EMBED)["embeddings"] == []
    assert whole(OLD, received) == {"embedding": [0.5]}


def test_they_are_neither_streamed_nor_chat() -> None:
    assert not EMBED.passes_through(b"{}")
    with pytest.raises(TypeError):
        EMBED.stream(context(EMBED))
    with pytest.raises(TypeError):
        EMBED.convert_request(decode(CHAT, HI).request)
